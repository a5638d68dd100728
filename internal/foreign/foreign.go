// Package foreign guards against what the caller's code hands over: a context that does not end
// when it says, an error that cannot be printed.
package foreign

import (
	"cmp"
	"context"
	"errors"
	"time"
)

// WithTimeout is [context.WithTimeout], and ends in time also if the deadline of ctx does not: one
// of a fake clock, or of a context that hides the end of another, may lie in the past.
func WithTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	own := time.Now().Add(timeout)
	deadline, ok := ctx.Deadline()
	if !ok || own.Before(deadline) {
		return context.WithDeadline(ctx, own)
	}
	bound, cancel := context.WithDeadline(dated{Context: ctx}, own)
	return dated{bound, deadline}, cancel // for who asks for it, as a rate limiter does
}

// A dated context says of itself that it has this deadline; none if it is zero.
type dated struct {
	context.Context
	deadline time.Time
}

func (d dated) Deadline() (time.Time, bool) { return d.deadline, !d.deadline.IsZero() }

// Ended returns why ctx ended: its error and, if it is another, the cause that the caller set.
func Ended(ctx context.Context) []error {
	err := cmp.Or(Error(ctx.Err()), context.Canceled)
	if cause := Error(context.Cause(ctx)); cause != nil && !same(cause, err) {
		return []error{err, cause}
	}
	return []error{err}
}

// same reports whether a and b are one error; false if their type cannot be compared.
func same(a, b any) (is bool) {
	defer func() { _ = recover() }()
	return a == b
}

// Error returns err, or what to print in its place if printing it panics, as with a typed nil, or
// if it wraps so many that it seems to wrap itself: then errors.Is would not end.
func Error(err error) (safe error) {
	defer func() {
		if recover() != nil {
			safe = errors.New("an error that cannot be printed")
		}
	}()
	if err == nil {
		return nil
	}
	_ = err.Error()
	if left := 1000; !ends(err, &left) {
		return errors.New("an error that wraps itself")
	}
	return err
}

// ends reports whether err wraps fewer than left errors, and takes them off.
func ends(err error, left *int) bool {
	*left--
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return *left > 0 && ends(e.Unwrap(), left)
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			if *left <= 0 || !ends(err, left) {
				return false
			}
		}
	}
	return true
}
