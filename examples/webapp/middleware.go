package main

import (
	"cmp"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
)

// maxForm is far above any form of the site's, in bytes.
const maxForm = 16 << 10

// guard is what every request passes before it reaches a page.
func (a *app) guard(next http.Handler) http.Handler {
	crossSite := http.NewCrossOriginProtection()
	crossSite.SetDenyHandler(a.message(http.StatusForbidden, "foreign-form", "/login"))
	next = crossSite.Handler(next)

	policy := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	if a.extra != nil {
		policy += "; connect-src 'self'" // the panel looks for messages
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := &status{ResponseWriter: w}
		defer a.finishRequest(answer, r)

		h := answer.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin") // not no-referrer, with which old browsers send Origin: null
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if a.cfg.url.Scheme == "https" {
			h.Set("Strict-Transport-Security", "max-age=63072000")
		}

		scheme := a.scheme(r)
		switch reads := r.Method == http.MethodGet || r.Method == http.MethodHead; {
		case normalHost(r.Host, a.cfg.url.Scheme) != a.cfg.url.Host:
			a.message(http.StatusMisdirectedRequest, "other-host", a.cfg.url.String()+"/login")(answer, r)
		case scheme == a.cfg.url.Scheme:
			r.Host = a.cfg.url.Host // which an Origin is compared with
			r.Body = http.MaxBytesReader(answer, r.Body, maxForm)
			next.ServeHTTP(answer, r)
		case reads && scheme == "http":
			to := a.cfg.url.String() + r.URL.EscapedPath()
			http.Redirect(answer, r, to, http.StatusPermanentRedirect) //nolint:gosec // the host is the site's own
		default:
			if scheme != "http" { // a redirect would come back for ever
				a.log.Error("a request is refused: what sent it is not in -proxy, or does not set X-Forwarded-Proto to http or https",
					"from", address(r.RemoteAddr))
			}
			a.message(http.StatusForbidden, "unsafe", a.cfg.url.String()+"/login")(answer, r)
		}
	})
}

// finishRequest logs a request by the pattern that it matched: what people type into the address
// bar stays out.
func (a *app) finishRequest(w *status, r *http.Request) {
	if p := recover(); p != nil {
		a.log.Error("panic", "page", r.Pattern, "stack", string(debug.Stack())) // not p, which could hold anything
		if w.code == 0 {
			a.message(http.StatusInternalServerError, "unavailable", "/login")(w, r)
		}
	}
	a.log.Info("request", slog.String("method", r.Method), slog.String("page", r.Pattern), slog.Int("status", cmp.Or(w.code, http.StatusOK)))
}

// status remembers the status that was sent.
type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

func (s *status) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// scheme returns how the visitor reached the site, or what else the proxy says, in lower case.
func (a *app) scheme(r *http.Request) string {
	switch {
	case !a.cfg.proxy && r.TLS != nil:
		return "https"
	case !a.cfg.proxy:
		return "http"
	case !a.throughProxy(r):
		return "" // and no redirect, which would come back for ever if a proxy was left out
	}
	// If there are several proxies, each adds its own to a list: the visitor's is the first.
	first, _, _ := strings.Cut(strings.Join(r.Header.Values("X-Forwarded-Proto"), ","), ",")
	return strings.ToLower(strings.TrimSpace(first))
}
