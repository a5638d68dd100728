// Package shared lets several callers wait for one request, such as the exchange of a refresh
// token, which works only once.
package shared

import (
	"context"
	"errors"
	"time"

	"github.com/go-kii/kii/internal/foreign"
)

// A Request is sent once for all callers that wait for it, in a goroutine of its own. So it
// outlives the caller that began it, and a panic in a logger does not end the program.
type Request[T any] struct {
	values *foreign.Lent
	done   chan struct{}
	answer T // this and err are set before done is closed
	err    error
}

// Begin starts the request that send makes. lost is its error if send panics or ends its goroutine.
// The context of send has the values of ctx until one of the callers leaves. It does not end with
// ctx: send must set a deadline of its own.
func Begin[T any](ctx context.Context, lost error, send func(context.Context) (T, error)) *Request[T] {
	r := &Request[T]{values: foreign.Lend(ctx), done: make(chan struct{}), err: lost}
	go func() {
		defer close(r.done)
		defer func() { _ = recover() }()
		r.answer, r.err = send(r.values)
	}()
	return r
}

// aMoment is how much longer than its time-out a request is waited for, because its own error says
// more than [context.DeadlineExceeded].
const aMoment = time.Second

// Wait waits for the request and returns its result. If ctx ends first, or the request has not
// ended aMoment after timeout, perhaps because a logger blocks, gone is the reason and there is no
// result.
func (r *Request[T]) Wait(ctx context.Context, timeout time.Duration) (answer T, err, gone error) {
	defer r.values.GiveBack() // ctx may be the context that lent them
	select {
	case <-r.done:
	case <-time.After(max(timeout, timeout+aMoment)): // the sum may overflow
		gone = context.DeadlineExceeded
	case <-ctx.Done():
		gone = errors.Join(foreign.Ended(ctx)...)
	}
	select {
	case <-r.done: // preferred if both happen at once
		return r.answer, r.err, nil
	default:
		return answer, nil, gone
	}
}
