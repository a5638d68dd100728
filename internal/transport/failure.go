package transport

import (
	"context"
	"errors"
	"net"
	"net/url"
	"slices"
)

// explain joins all that is known of a failed call: the context's error, the cause that the caller
// set, and errs, which may hold nils. call is ctx with the call's deadline. Of two that read the
// same the first is kept: net/http returns a context's cause as its own error.
func explain(ctx, call context.Context, errs ...error) error {
	var all []error
	switch {
	case ctx.Err() != nil:
		all = append(all, ctx.Err(), printable(context.Cause(ctx)))
	case call.Err() == context.DeadlineExceeded: // else the call was cancelled by an attempt
		all = append(all, call.Err())
	}
	var told []string
	return errors.Join(slices.DeleteFunc(append(all, errs...), func(err error) bool {
		if err == nil || slices.Contains(told, err.Error()) {
			return true
		}
		told = append(told, err.Error())
		return false
	})...)
}

// withoutURL takes every *url.Error off err, with what is around it, since a URL names an account.
func withoutURL(err error) error {
	for {
		u, ok := errors.AsType[*url.Error](err)
		switch {
		case !ok:
			return printable(err)
		case u == nil || u.Err == nil:
			return errors.New("a failure without an error")
		}
		err = u.Err
	}
}

// printable replaces an error of the caller's code that panics when it is printed, as a typed nil
// may.
func printable(err error) (safe error) {
	defer func() {
		if recover() != nil {
			safe = errors.New("an error that cannot be printed")
		}
	}()
	if err != nil {
		_ = err.Error()
	}
	return err
}

// isDialError reports whether err is a failed look-up, dial or proxy connect and nothing else.
// Errors may be joined, and one of them may be of something that was sent.
func isDialError(err error) bool {
	switch e := err.(type) {
	case *net.DNSError:
		return e != nil
	case *net.OpError:
		return e != nil && (e.Op == "dial" || e.Op == "proxyconnect" || e.Op == "socks connect")
	case interface{ Unwrap() error }:
		return isDialError(e.Unwrap())
	case interface{ Unwrap() []error }:
		errs := e.Unwrap()
		return len(errs) > 0 && !slices.ContainsFunc(errs, func(err error) bool { return !isDialError(err) })
	}
	return false
}
