package kii

import (
	"log/slog"
	"net/http"
	"reflect"
	"time"
)

type config struct {
	httpClient   http.Client // a copy: the caller's is never changed
	timeout      time.Duration
	maxRetries   int
	logger       *slog.Logger
	userAgent    string
	insecureHTTP bool
}

// An Option changes a default of [New]. Their order does not matter, except that the last of two of
// the same kind wins.
type Option func(*config) error

// WithHTTPClient makes calls through hc's Transport and bounds each attempt by hc's Timeout. If
// Transport is nil, the library's own is used; if Timeout is 0, only the call's deadline bounds an
// attempt. Jar and CheckRedirect are not used: no cookie is kept and no redirect is followed. hc is
// not changed.
func WithHTTPClient(hc *http.Client) Option {
	return func(cfg *config) error {
		switch {
		case hc == nil:
			return &ArgumentError{"hc", "of WithHTTPClient must not be nil"}
		case hc.Transport != nil && isNil(hc.Transport):
			return &ArgumentError{"hc", "of WithHTTPClient must not have a Transport that is a nil pointer"}
		case hc.Timeout < 0:
			return &ArgumentError{"hc", "of WithHTTPClient must not have a negative Timeout"}
		}
		cfg.httpClient = http.Client{Transport: hc.Transport, Timeout: hc.Timeout}
		return nil
	}
}

// isNil reports whether v is nil, or holds a nil pointer or function.
func isNil(v any) bool {
	value := reflect.ValueOf(v)
	return !value.IsValid() || (value.Kind() == reflect.Pointer || value.Kind() == reflect.Func) && value.IsNil()
}

// WithTimeout bounds one call, its retries included. The default is 30 seconds. An earlier deadline
// of the call's context still applies.
func WithTimeout(d time.Duration) Option {
	return func(cfg *config) error {
		cfg.timeout = d
		return refuseIf(d <= 0, "d", "of WithTimeout must be positive")
	}
}

// WithMaxRetries sets how many more attempts are made if a look-up, a dial or a proxy connect
// failed, so that nothing was sent. The default is 2; 0 means none.
func WithMaxRetries(n int) Option {
	return func(cfg *config) error {
		cfg.maxRetries = n
		return refuseIf(n < 0, "n", "of WithMaxRetries must not be negative")
	}
}

// WithLogger writes one record for each request to l, with the context of the call. (The requests
// of a [Session.Refresh] and for an [Admin]'s token are shared: their context has the values of the
// first caller's context, until one of the callers leaves.) A success is logged at Debug; what a
// user or the program caused, such as a wrong PIN or a cancellation before the request was sent, at
// Info; an unknown outcome and a failure of the network at Warn. The attributes are op, duration,
// status, error, outcome_unknown, code, reason, retry_after, attempts and host; those without a
// value are left out. No record holds a secret or an account identifier. The default is silent.
func WithLogger(l *slog.Logger) Option {
	return func(cfg *config) error {
		cfg.logger = l
		return refuseIf(l == nil || isNil(l.Handler()), "l", "of WithLogger must not be nil, and must have a handler")
	}
}

// WithUserAgent puts product, such as "myapp/1.2", before the library's own in the User-Agent
// header.
func WithUserAgent(product string) Option {
	return func(cfg *config) error {
		cfg.userAgent = product + " " + userAgent
		return checkText("product", product)
	}
}

// WithInsecureHTTP allows plain http:// to hosts other than loopback. Everything that is sent
// there, passwords and PINs included, can be read on the way.
func WithInsecureHTTP() Option {
	return func(cfg *config) error {
		cfg.insecureHTTP = true
		return nil
	}
}
