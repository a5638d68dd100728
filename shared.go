package kii

import (
	"context"
	"errors"
)

// A shared is one request that several callers wait for. It is sent in a goroutine of its own, so
// it outlives the caller who began it, and a panic of a RoundTripper ends no program.
type shared[T any] struct {
	done   chan struct{}
	answer T // this and err are set before done is closed
	err    error
}

// share begins the request that send makes; if that panics, lost is the error. Its context has the
// values of ctx, and not its end: send has a deadline of its own.
func share[T any](ctx context.Context, lost error, send func(context.Context) (T, error)) *shared[T] {
	s := &shared[T]{done: make(chan struct{}), err: lost}
	go func() {
		defer close(s.done)
		defer func() { _ = recover() }()
		s.answer, s.err = send(context.WithoutCancel(ctx))
	}()
	return s
}

var errPanicked = errors.New("the RoundTripper or the logger panicked")

// wait returns what came of the request, or gone if ctx ends before.
func (s *shared[T]) wait(ctx context.Context) (answer T, err, gone error) {
	select {
	case <-s.done:
		return s.answer, s.err, nil
	case <-ctx.Done():
		return answer, nil, endOf(ctx)
	}
}

// endOf returns the error of ctx, and the cause that the caller set in it.
func endOf(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(ctx.Err(), cause) {
		return errors.Join(ctx.Err(), cause)
	}
	return ctx.Err()
}
