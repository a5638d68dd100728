package main

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/go-kii/kii"
)

// An app is the site's pages. GET shows, and only POST acts.
type app struct {
	flow *flow
	cfg  config
	log  *slog.Logger
	sent *demo // nil: the real Kii Cloud

	resets      *store[*reset]
	logins      *store[*kii.Session]
	resetCookie cookie
	loginCookie cookie
}

func newApp(f *flow, cfg config, log *slog.Logger, sent *demo) http.Handler {
	secure := cfg.url.Scheme == "https"
	a := &app{
		flow: f, cfg: cfg, log: log, sent: sent,
		resets:      newStore[*reset](cfg.resetLife),
		logins:      newStore[*kii.Session](cfg.loginLife),
		resetCookie: newCookie("reset", http.SameSiteStrictMode, cfg.resetLife, secure),
		loginCookie: newCookie("login", http.SameSiteLaxMode, 0, secure),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", redirectTo("/profile"))
	mux.HandleFunc("GET /login", a.showLogin)
	mux.HandleFunc("POST /login", a.login)
	mux.HandleFunc("GET /profile", a.showProfile)
	mux.HandleFunc("POST /logout", a.logout)
	mux.HandleFunc("GET /forgot", a.showForgot)
	mux.HandleFunc("POST /forgot", a.forgot)
	mux.HandleFunc("GET /forgot/sent", a.showSent)
	mux.HandleFunc("GET /forgot/code", a.showCode)
	mux.HandleFunc("POST /forgot/code", a.code)
	mux.HandleFunc("POST /forgot/again", a.again)
	mux.Handle("GET /static/style.css", http.FileServerFS(static))
	mux.Handle("GET /static/icon.svg", http.FileServerFS(static))
	if sent != nil {
		mux.HandleFunc("GET /demo", a.showDemo)
	}
	mux.Handle("/", a.message(http.StatusNotFound, "There is no such page", "Check the address, or start at the login page."))
	return a.guard(mux)
}

func redirectTo(path string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, path, http.StatusSeeOther) }
}

// message answers with a page that says what happened and what to do next.
func (a *app) message(code int, title, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		a.render(w, code, "message", view{Title: title, Text: text})
	}
}

func (a *app) tooOften(w http.ResponseWriter, r *http.Request, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
	a.message(http.StatusTooManyRequests, "Too many requests came from your network",
		"Nothing was done. Wait "+minutes(wait)+", then try again.")(w, r)
}

// readForm answers for itself where the form is too long or broken.
func (a *app) readForm(w http.ResponseWriter, r *http.Request) bool {
	if err := r.ParseForm(); err != nil {
		a.message(http.StatusBadRequest, "The form could not be read", "Nothing was done. Go back, and send it again.")(w, r)
		return false
	}
	return true
}

func (a *app) showLogin(w http.ResponseWriter, r *http.Request) {
	a.render(w, http.StatusOK, "login", view{Title: "Log in", Notice: r.URL.Query().Get("after")})
}

func (a *app) login(w http.ResponseWriter, r *http.Request) {
	if !a.readForm(w, r) {
		return
	}
	typed, password := r.PostForm.Get("account"), r.PostForm.Get("password")
	acct, ok := parseAccount(typed, a.cfg.callingCode)
	var found problems
	if !ok {
		found.add("account", wantAccount)
	}
	if password == "" {
		found.add("password", "Enter your password.")
	}
	if len(found) == 0 {
		session, did, wait := a.flow.login(r.Context(), a.client(r), acct, password)
		switch {
		case did == succeeded:
			a.logins.drop(a.loginCookie.value(r))
			a.loginCookie.set(w, a.logins.put(session))
			http.Redirect(w, r, "/profile", http.StatusSeeOther)
			return
		case did == limited:
			found.add("account", "There were too many tries. Wait "+minutes(wait)+", then try again.")
		case wait > 0:
			a.tooOften(w, r, wait)
			return
		case did == refused:
			found.add("account", "The account or the password is not right. Check both, or use “Forgot your password?” below.")
		default:
			found.add("account", "We cannot log you in just now. Try again in a few minutes.")
		}
	}
	a.render(w, http.StatusUnprocessableEntity, "login", view{Title: "Log in", Account: typed, Problems: found})
}

func (a *app) logout(w http.ResponseWriter, r *http.Request) {
	a.logins.drop(a.loginCookie.value(r))
	a.loginCookie.clear(w)
	http.Redirect(w, r, "/login?after=logout", http.StatusSeeOther)
}

func (a *app) showProfile(w http.ResponseWriter, r *http.Request) {
	id := a.loginCookie.value(r)
	session, ok := a.logins.get(id)
	if !ok {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return
	}
	profile, err := session.Profile(r.Context())
	if _, over := errors.AsType[*kii.SessionError](err); over {
		a.logins.drop(id)
		a.loginCookie.clear(w)
		http.Redirect(w, r, "/login?after=ended", http.StatusSeeOther)
		return
	}
	if err != nil {
		a.log.Error("no profile", "error", err)
		a.message(http.StatusServiceUnavailable, "Your profile cannot be shown just now", "You are still logged in. Try again in a few minutes.")(w, r)
		return
	}
	a.render(w, http.StatusOK, "profile", view{Title: "Your profile", Profile: profile})
}
