package transport

import (
	"context"
	"errors"
	"net"
	"net/url"
	"slices"

	"github.com/go-kii/kii/internal/foreign"
)

// explain joins all that is known of a failed call: why the caller's ctx or the call ended, and
// errs, which may hold nils. An error with the same text as an earlier one is dropped, because
// net/http returns the cause of a context as its own error.
func explain(ctx, call context.Context, errs ...error) error {
	var all []error
	switch {
	case ctx.Err() != nil:
		all = foreign.Ended(ctx)
	case call.Err() == context.DeadlineExceeded: // if it was cancelled, an attempt did that
		all = append(all, call.Err())
	}
	for _, err := range errs {
		reads := func(earlier error) bool { return earlier.Error() == err.Error() }
		if err != nil && !slices.ContainsFunc(all, reads) {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

// withoutURL returns what the innermost *url.Error in err wraps, since a URL names an account. It
// returns err if there is none.
func withoutURL(err error) error {
	u, ok := errors.AsType[*url.Error](err)
	switch {
	case !ok:
		return foreign.Error(err)
	case u == nil || u.Err == nil:
		return errors.New("a failure without an error")
	}
	return withoutURL(u.Err)
}

// isDialError reports whether err is a failed look-up, dial or proxy connect and nothing else. If
// errors are joined, that must be true of each, since any other may be of a request that was sent.
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
