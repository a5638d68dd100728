package transport

import (
	"context"
	"errors"
	"net/url"
	"slices"
)

// contextErrors returns the error of sendCtx, if it is done, and the cause that the caller set in ctx.
func contextErrors(ctx, sendCtx context.Context) []error {
	if sendCtx.Err() == nil {
		return nil
	}
	errs := []error{sendCtx.Err()}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(sendCtx.Err(), cause) {
		errs = append(errs, cause)
	}
	return errs
}

// contains says whether one of errs already tells what err does.
func contains(errs []error, err error) bool {
	return slices.ContainsFunc(errs, func(e error) bool { return errors.Is(e, err) })
}

// withoutURL takes every *url.Error off err, with what is around it, since a URL names an account.
func withoutURL(err error) error {
	for {
		u, ok := errors.AsType[*url.Error](err)
		switch {
		case !ok:
			return err
		case u.Err == nil: // a RoundTripper's own; printing it would panic
			return errors.New("the RoundTripper failed without an error")
		}
		err = u.Err
	}
}
