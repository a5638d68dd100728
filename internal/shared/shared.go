// Package shared lets several callers wait for one request, such as the exchange of a token that
// works once.
package shared

import (
	"context"
	"errors"
	"time"

	"github.com/go-kii/kii/internal/foreign"
)

// A Request is sent once for all that wait for it. It is sent in a goroutine of its own, so it
// outlives the caller who began it, and a panic of a RoundTripper ends no program.
type Request[T any] struct {
	values *foreign.Lent
	done   chan struct{}
	answer T // this and err are set before done is closed
	err    error
}

// Begin begins the request that send makes; if that panics, lost is the error. Its context has the
// values of ctx until a caller leaves, and not its end: send has a deadline of its own.
func Begin[T any](ctx context.Context, lost error, send func(context.Context) (T, error)) *Request[T] {
	r := &Request[T]{values: foreign.Lend(ctx), done: make(chan struct{}), err: lost}
	go func() {
		defer close(r.done)
		defer func() { _ = recover() }()
		r.answer, r.err = send(r.values)
	}()
	return r
}

// aMoment is how much longer than its time a request may take: its own error says more than that of
// a caller who leaves.
const aMoment = time.Second

// Wait returns what came of the request, or why it is gone: ctx has ended, or the request takes
// longer than most, as it may if the caller's logger waits for it.
func (r *Request[T]) Wait(ctx context.Context, most time.Duration) (answer T, err, gone error) {
	defer r.values.GiveBack() // ctx may be the one that lent them
	select {
	case <-r.done:
	case <-time.After(max(most, most+aMoment)):
		gone = context.DeadlineExceeded
	case <-ctx.Done():
		gone = errors.Join(foreign.Ended(ctx)...)
	}
	select {
	case <-r.done: // also if it came at the same time
		return r.answer, r.err, nil
	default:
		return answer, nil, gone
	}
}
