package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
)

// newTransport traces calls with otelhttp and keeps accounts out of the spans. By itself, otelhttp
// records the whole URL, which holds the user ID or the address, and the text of an error. So it is
// put between two halves: the first shows it a URL that names nobody, the second, below it, sends
// to the real one.
//
// Don't add otelhttp.WithClientTrace: otelhttptrace records header values.
func newTransport(next http.RoundTripper, opts ...otelhttp.Option) http.RoundTripper {
	opts = append(opts, otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string {
		return r.Method + " " + r.URL.Path
	}))
	return conceal{otelhttp.NewTransport(reveal{next}, opts...)}
}

type realURL struct{} // the key of the *url.URL in the context between the halves

type conceal struct{ next http.RoundTripper }

func (c conceal) RoundTrip(req *http.Request) (*http.Response, error) {
	shown := req.WithContext(context.WithValue(req.Context(), realURL{}, req.URL))
	shown.URL = &url.URL{Scheme: req.URL.Scheme, Host: req.URL.Host, Path: route(req.URL.EscapedPath())}
	resp, err := c.next.RoundTrip(shown)
	if s, ok := err.(*sealed); ok {
		err = s.err
	}
	return resp, err
}

type reveal struct{ next http.RoundTripper }

func (r reveal) RoundTrip(shown *http.Request) (*http.Response, error) {
	req := shown.WithContext(shown.Context())
	req.URL = shown.Context().Value(realURL{}).(*url.URL)
	resp, err := r.next.RoundTrip(req)
	if err != nil {
		err = &sealed{err}
	}
	return resp, err
}

// sealed keeps an error's text from otelhttp: net/http quotes what a server sent.
type sealed struct{ err error }

func (*sealed) Error() string { return "no answer" }

// route returns the path with the user left out, or "/" for a path that no call of the library has.
func route(path string) string {
	for _, known := range []string{
		"/oauth2/token", "/users/me", "/users/me/password",
		"/users/:user/password/request-reset", "/users/:user/password/complete-reset",
		"/users/:user/email-address/resend-verification", "/users/:user/phone-number/resend-verification",
		"/users/:user/email-address/verify", "/users/:user/phone-number/verify",
		"/users/:user/email-address", "/users/:user/phone-number",
		"/users/:user/password", "/users/:user/status",
	} {
		if strings.HasSuffix(path, strings.TrimPrefix(known, "/users/:user")) {
			return known
		}
	}
	return "/"
}
