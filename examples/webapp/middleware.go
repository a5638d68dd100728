package main

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
)

// maxForm is far above any form of the site's, in bytes.
const maxForm = 16 << 10

// guard is what every request passes before it reaches a page.
func (a *app) guard(next http.Handler) http.Handler {
	crossSite := http.NewCrossOriginProtection()
	crossSite.SetDenyHandler(a.message(http.StatusForbidden, "This form came from another site", "Nothing was done. Open the page here, and send its form again."))
	next = crossSite.Handler(next)

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := &status{ResponseWriter: w}
		defer a.finish(answer, r)

		h := answer.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin") // not no-referrer, with which old browsers send Origin: null
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if a.cfg.url.Scheme == "https" {
			h.Set("Strict-Transport-Security", "max-age=63072000")
		}

		https := r.TLS != nil || a.cfg.proxy && r.Header.Get("X-Forwarded-Proto") == "https"
		switch {
		case r.Host != a.cfg.url.Host:
			a.message(http.StatusMisdirectedRequest, "This address is not served here", "Check the address in your browser.")(answer, r)
		case a.cfg.url.Scheme == "https" && !https && r.Method != http.MethodGet && r.Method != http.MethodHead:
			a.message(http.StatusForbidden, "This connection is not safe", "Nothing was done. Open the site by https.")(answer, r)
		case a.cfg.url.Scheme == "https" && !https:
			http.Redirect(answer, r, a.cfg.url.String()+r.URL.EscapedPath(), http.StatusPermanentRedirect)
		default:
			r.Body = http.MaxBytesReader(answer, r.Body, maxForm)
			next.ServeHTTP(answer, r)
		}
	})
}

// finish logs a request by the pattern that it matched: what people type into the address bar stays out.
func (a *app) finish(w *status, r *http.Request) {
	if p := recover(); p != nil {
		a.log.Error("panic", "page", r.Pattern, "stack", string(debug.Stack())) // not p, which could hold anything
		if w.code == 0 {
			a.message(http.StatusInternalServerError, "Something went wrong here", "Try again in a few minutes.")(w, r)
		}
	}
	a.log.Info("request", slog.String("method", r.Method), slog.String("page", r.Pattern), slog.Int("status", w.code))
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

// client names who sent a request, to count by: an address, or the network of an IPv6 one, of which
// one household has billions.
func (a *app) client(r *http.Request) string {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	if a.cfg.proxy {
		forwarded := r.Header.Values("X-Forwarded-For")
		all := strings.Split(strings.Join(forwarded, ","), ",")
		host = strings.TrimSpace(all[len(all)-1]) // the one that our proxy added
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return "unknown"
	}
	if ip = ip.Unmap(); ip.Is6() {
		network, _ := ip.WithZone("").Prefix(64)
		return network.String()
	}
	return ip.String()
}
