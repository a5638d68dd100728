package main

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-kii/kii"
)

// An app is the site's pages. GET shows, and only POST acts.
type app struct {
	flow  *flow
	cfg   config
	log   *slog.Logger
	words *words
	extra *extra // nil on the real Kii Cloud

	visits sessions[visit]
	resets sessions[resets]
	logins sessions[login]
}

// healthPath is for load balancers. They ask by an address of the machine's, without the site's
// host and without TLS.
const healthPath = "/healthz"

// An extra is a Kii Cloud for development, and what the pages get to show its messages.
type extra struct {
	appID, appKey, site string
	notice              string // printed at the start
	routes              func(*app, *http.ServeMux)
	panel               func() any // what the panel below each page shows
	close               func()
}

func newApp(f *flow, cfg config, w *words, open stores, log *slog.Logger, ex *extra) http.Handler {
	secure := cfg.url.Scheme == "https"
	a := &app{
		flow: f, cfg: cfg, log: log, words: w, extra: ex,
		visits: sessions[visit]{open("visit"), cfg.visitLife, newCookie("visit", http.SameSiteLaxMode, 0, secure)},
		resets: sessions[resets]{open("reset"), cfg.resetLife, newCookie("reset", http.SameSiteStrictMode, cfg.resetLife, secure)},
		logins: sessions[login]{open("login"), cfg.loginLife, newCookie("login", http.SameSiteLaxMode, 0, secure)},
	}
	mux := http.NewServeMux()
	for pattern, h := range map[string]handler{
		"GET /login": a.showLogin, "POST /login": a.login, "POST /logout": a.logout,
		"GET /profile": a.showProfile, "GET /profile/{channel}": a.showChannel, "POST /profile/{channel}/resend": a.resendCode,
		"POST /profile/{channel}/verify": a.verify, "POST /profile/{channel}/change": a.change,
		"GET /forgot": a.showForgot, "POST /forgot": a.forgot, "POST /forgot/again": a.again,
		"GET /forgot/sent": a.showSent, "GET /forgot/code": a.showCode, "POST /forgot/code": a.code,
	} {
		mux.HandleFunc(pattern, a.serve(h))
	}
	mux.HandleFunc("GET /{$}", redirectTo("/profile"))
	mux.HandleFunc("GET /.well-known/change-password", redirectTo("/forgot"))
	// Where only forms lead, a browser that restores a tab asks by GET: it finds the form again.
	mux.HandleFunc("GET /logout", redirectTo("/profile"))
	mux.HandleFunc("GET /forgot/again", redirectTo("/forgot/code"))
	mux.HandleFunc("GET /profile/{channel}/{form}", func(w http.ResponseWriter, r *http.Request) {
		redirectTo("/profile/"+url.PathEscape(r.PathValue("channel")))(w, r)
	})
	mux.Handle("GET /static/{file}", http.FileServerFS(static))
	if ex != nil {
		ex.routes(a, mux)
	}
	mux.Handle("GET /", a.message(http.StatusNotFound, "no-page", "/login"))
	site := a.guard(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == healthPath {
			w.WriteHeader(http.StatusOK)
			return
		}
		site.ServeHTTP(w, r)
	})
}

// A handler answers a request, or returns what kept it from doing so, which is never shown.
type handler func(http.ResponseWriter, *http.Request) error

func (a *app) serve(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			a.log.Error("no answer", "page", r.Pattern, "error", err)
			a.unavailable(w, err, "unavailable", "/login")
		}
	}
}

func redirectTo(path string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, path, http.StatusSeeOther) }
}

// message answers with a page that tells what happened and what to do next.
func (a *app) message(code int, word, link string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		a.render(w, code, "message", view{Word: word, Link: link})
	}
}

// unavailable is message for what cannot be answered just now. It passes on what Kii Cloud says of
// when to come back.
func (a *app) unavailable(w http.ResponseWriter, err error, word, link string) {
	if refused, ok := errors.AsType[*kii.APIError](err); ok && refused.RetryAfter > 0 {
		retryAfter(w, refused.RetryAfter)
	}
	a.render(w, http.StatusServiceUnavailable, "message", view{Word: word, Link: link})
}

// retryAfter has the answer say how long to wait, in whole seconds and never too short.
func retryAfter(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.FormatInt(int64((wait-1)/time.Second)+1, 10))
}

func (a *app) tooOften(w http.ResponseWriter, wait time.Duration, back string) {
	retryAfter(w, wait)
	a.render(w, http.StatusTooManyRequests, "message", view{Word: "too-often", Link: back, At: in(wait)})
}

// in is the time of day that is told for a wait: never too early, and no more exact than people
// need.
func in(wait time.Duration) time.Time {
	unit := time.Second
	if wait > 2*time.Minute {
		unit = time.Minute
	}
	return time.Now().Add(wait + unit - 1).Truncate(unit)
}

// readForm answers for itself if the form is too long or broken.
func (a *app) readForm(w http.ResponseWriter, r *http.Request) bool {
	if err := r.ParseForm(); err != nil {
		code := http.StatusBadRequest
		if _, tooLong := errors.AsType[*http.MaxBytesError](err); tooLong {
			code = http.StatusRequestEntityTooLarge
		}
		a.message(code, "no-form", "/login")(w, r)
		return false
	}
	return true
}

// remember changes what is remembered of a browser, from its first form on.
func (a *app) remember(w http.ResponseWriter, r *http.Request, change func(*visit)) error {
	found, err := a.visits.renew(w, r, change)
	if found || err != nil {
		return err
	}
	var v visit
	change(&v)
	return a.visits.put(w, r, v)
}
