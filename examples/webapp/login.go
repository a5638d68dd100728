package main

import (
	"net/http"
	"time"

	"github.com/go-kii/kii"
)

// showLogin tells what became of a reset, or of the session before, only if that is so: anybody can
// write a link to this page.
func (a *app) showLogin(w http.ResponseWriter, r *http.Request) error {
	_, loggedIn, err := a.logins.get(r)
	if err != nil {
		return err
	}
	if loggedIn {
		http.Redirect(w, r, "/profile", http.StatusSeeOther)
		return nil
	}
	seen, _, err := a.visits.get(r)
	if err != nil {
		return err
	}
	notice := r.URL.Query().Get("after")
	if notice != "logout" && notice != seen.After {
		notice = ""
	}
	a.render(w, http.StatusOK, "login", view{Word: "login", Account: seen.Typed, Show: r.URL.Query().Has("show"), Notice: notice})
	return nil
}

func (a *app) login(w http.ResponseWriter, r *http.Request) error {
	if !a.readForm(w, r) {
		return nil
	}
	typed, password := r.PostForm.Get("account"), r.PostForm.Get("password")
	acct, ok := parseAccount(typed, a.cfg.region)
	var found problems
	if !ok || !a.flow.takes(acct.ID) {
		found.add("account", a.wantAccount())
	}
	if password == "" {
		found.add("password", problem{Word: "want-password"})
	}
	if r.PostForm.Has("forgot") {
		if ok {
			if err := a.remember(w, r, func(v *visit) { v.Typed = typed }); err != nil {
				return err
			}
		}
		http.Redirect(w, r, "/forgot", http.StatusSeeOther)
		return nil
	}
	if len(found) == 0 {
		session, did, wait, err := a.flow.login(r.Context(), a.client(r), acct, password)
		switch {
		case err != nil:
			return err
		case did == succeeded:
			if err := a.remember(w, r, func(v *visit) { v.Typed, v.After = typed, "" }); err != nil {
				return err
			}
			if err := a.logins.put(w, r, login{Token: session.Token(), Account: acct}); err != nil {
				return err
			}
			http.Redirect(w, r, "/profile?from=login", http.StatusSeeOther)
			return nil
		case did == limited:
			found.add("account", problem{Word: "login.limited", At: in(wait)})
		case wait > 0:
			a.tooOften(w, wait, "/login")
			return nil
		case did == refused:
			found.add("account", problem{Word: "login.refused", Spaced: isSpaced(password)})
		default:
			found.add("account", problem{Word: "login.unavailable"})
		}
		if err := a.remember(w, r, func(v *visit) { v.Typed = typed }); err != nil {
			return err
		}
	}
	a.render(w, http.StatusUnprocessableEntity, "login", view{Word: "login", Account: typed, Show: r.PostForm.Has("show"), Problems: found})
	return nil
}

func (a *app) logout(w http.ResponseWriter, r *http.Request) error {
	if err := a.visits.end(w, r); err != nil {
		return err
	}
	if err := a.logins.end(w, r); err != nil {
		return err
	}
	http.Redirect(w, r, "/login?after=logout", http.StatusSeeOther)
	return nil
}

// session returns the session of the browser's login. If there is none, it answers for itself. It
// does not ask whether the session has ended in Kii Cloud: profile does.
func (a *app) session(w http.ResponseWriter, r *http.Request) (*kii.Session, login, error) {
	current, found, err := a.logins.get(r)
	switch {
	case err != nil:
		return nil, current, err
	case found && r.URL.Query().Has("from"): // the cookie came back
		http.Redirect(w, r, "/profile", http.StatusSeeOther)
		return nil, current, nil
	case found:
		session, err := a.flow.user.Resume(current.Token)
		return session, current, err
	case a.logins.cookie.value(r) != "" || r.Method == http.MethodPost: // only a user's page has such a form
		return nil, current, a.leave(w, r, "expired")
	case r.URL.Query().Has("from"): // the cookie was set a moment ago
		a.message(http.StatusOK, "no-cookies", "/login")(w, r)
	default:
		http.Redirect(w, r, "/login", http.StatusSeeOther)
	}
	return nil, current, nil
}

// over ends a login whose token is dead. Kii Cloud answers a token that has expired, by its own
// clock, as it does after a change of the password, which would have to worry the visitor.
func (a *app) over(w http.ResponseWriter, r *http.Request, of login) error {
	if end := of.Token.Expiry; !end.IsZero() && time.Until(end) < time.Minute {
		return a.leave(w, r, "expired")
	}
	return a.leave(w, r, "ended")
}

// leave ends the browser's login, and has the login page tell why.
func (a *app) leave(w http.ResponseWriter, r *http.Request, why string) error {
	if err := a.remember(w, r, func(v *visit) { v.After = why }); err != nil {
		return err
	}
	if err := a.logins.end(w, r); err != nil {
		return err
	}
	http.Redirect(w, r, "/login?after="+why, http.StatusSeeOther)
	return nil
}
