// Package shared lets several callers wait for one request, such as the exchange of a token that
// works once.
package shared

import (
	"context"
	"errors"
)

// A Request is sent once for all that wait for it. It is sent in a goroutine of its own, so it
// outlives the caller who began it, and a panic of a RoundTripper ends no program.
type Request[T any] struct {
	done   chan struct{}
	answer T // this and err are set before done is closed
	err    error
}

// Begin begins the request that send makes; if that panics, lost is the error. Its context has the
// values of ctx, and not its end: send has a deadline of its own.
func Begin[T any](ctx context.Context, lost error, send func(context.Context) (T, error)) *Request[T] {
	r := &Request[T]{done: make(chan struct{}), err: lost}
	go func() {
		defer close(r.done)
		defer func() { _ = recover() }()
		r.answer, r.err = send(context.WithoutCancel(ctx))
	}()
	return r
}

// Wait returns what came of the request, or gone if ctx ends before.
func (r *Request[T]) Wait(ctx context.Context) (answer T, err, gone error) {
	select {
	case <-r.done:
		return r.answer, r.err, nil
	case <-ctx.Done():
		return answer, nil, EndOf(ctx)
	}
}

// EndOf returns the error of ctx, which has ended, and the cause that the caller set in it.
func EndOf(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(ctx.Err(), cause) {
		return errors.Join(ctx.Err(), cause)
	}
	return ctx.Err()
}
