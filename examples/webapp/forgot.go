package main

import (
	"net/http"

	"github.com/go-kii/kii"
)

// wantAccount is told for a field that holds no address.
const wantAccount = "Enter an e-mail address, like name@example.com, or a phone number, like +81 90 1234 5678."

func (a *app) showForgot(w http.ResponseWriter, _ *http.Request) {
	a.render(w, http.StatusOK, "forgot", view{Title: "Forgot your password?", Method: kii.NotificationSMSPIN})
}

func (a *app) forgot(w http.ResponseWriter, r *http.Request) {
	if !a.readForm(w, r) {
		return
	}
	typed, method := r.PostForm.Get("account"), kii.NotificationMethod(r.PostForm.Get("method"))
	acct, ok := parseAccount(typed, a.cfg.callingCode)
	var found problems
	if !ok {
		found.add("account", wantAccount)
	}
	if pageOf(method) == "" {
		found.add("method", "Choose how we should reach you.")
	}
	if len(found) > 0 {
		a.render(w, http.StatusUnprocessableEntity, "forgot", view{Title: "Forgot your password?", Account: typed, Method: method, Problems: found})
		return
	}
	if wait := a.flow.ask(a.client(r), acct, method); wait > 0 {
		a.tooOften(w, r, wait)
		return
	}
	a.resets.drop(a.resetCookie.value(r))
	a.resetCookie.set(w, a.resets.put(&reset{account: acct, method: method, turn: make(chan struct{}, 1)}))
	http.Redirect(w, r, pageOf(method), http.StatusSeeOther)
}

// pageOf is where a method leads, or "" where there is no such method.
func pageOf(method kii.NotificationMethod) string {
	switch method {
	case kii.NotificationSMSPIN:
		return "/forgot/code"
	case kii.NotificationEmail, kii.NotificationSMS:
		return "/forgot/sent"
	}
	return ""
}

// current returns this browser's reset, or sends the browser to where one starts.
func (a *app) current(w http.ResponseWriter, r *http.Request) *reset {
	reset, ok := a.resets.get(a.resetCookie.value(r))
	if !ok {
		http.Redirect(w, r, "/forgot", http.StatusSeeOther)
		return nil
	}
	return reset
}

func (a *app) showSent(w http.ResponseWriter, r *http.Request) {
	if reset := a.current(w, r); reset != nil {
		form := reset.get()
		a.render(w, http.StatusOK, "sent", view{Title: "Look for our message", Method: reset.method, Notice: form.notice})
	}
}

func (a *app) showCode(w http.ResponseWriter, r *http.Request) {
	if reset := a.current(w, r); reset != nil {
		form := reset.get()
		a.render(w, http.StatusOK, "code", view{
			Title: "Choose a new password", Account: reset.account.id, PIN: form.pin, Show: form.show,
			Least: int(a.flow.least.Load()), Most: maxPassword, Notice: form.notice, Problems: form.problems,
		})
	}
}

// again asks for another message.
func (a *app) again(w http.ResponseWriter, r *http.Request) {
	reset := a.current(w, r)
	if reset == nil {
		return
	}
	if wait := a.flow.ask(a.client(r), reset.account, reset.method); wait > 0 {
		a.tooOften(w, r, wait)
		return
	}
	reset.set(codeForm{show: reset.get().show, notice: "again"})
	http.Redirect(w, r, pageOf(reset.method), http.StatusSeeOther)
}

// code takes the code and the new password. What is wrong shows on the page that the answer redirects
// to, so that no page of the browser's history holds what was typed.
func (a *app) code(w http.ResponseWriter, r *http.Request) {
	reset := a.current(w, r)
	if reset == nil || !a.readForm(w, r) {
		return
	}
	form := codeForm{pin: r.PostForm.Get("code"), show: reset.get().show}
	if r.PostForm.Has("toggle") {
		form.show = !form.show
		reset.set(form)
		http.Redirect(w, r, "/forgot/code", http.StatusSeeOther)
		return
	}

	pin, ok := parsePIN(form.pin)
	password := r.PostForm.Get("password")
	if !ok {
		form.problems.add("code", "Enter the code from the SMS. It is made of digits.")
	}
	if weak := weakness(password, int(a.flow.least.Load()), a.cfg.name, reset.account); weak != "" {
		form.problems.add("password", weak)
	} else if password != r.PostForm.Get("confirm") {
		form.problems.add("confirm", "Type the same password in both fields.")
	}
	if len(form.problems) == 0 {
		did, wait := a.flow.complete(r.Context(), a.client(r), reset, pin, password)
		switch {
		case did == succeeded:
			reset.set(codeForm{})
			a.resetCookie.clear(w)
			a.logins.drop(a.loginCookie.value(r))
			a.loginCookie.clear(w)
			http.Redirect(w, r, "/login?after=reset", http.StatusSeeOther)
			return
		case did == limited:
			form.problems.add("code", "Too many codes were tried. Wait "+minutes(wait)+", then send a new code and enter that one.")
		case wait > 0:
			a.tooOften(w, r, wait)
			return
		case did == refused:
			form.problems.add("code", "This did not work: the code is wrong or has expired, or the password is the one you had. "+
				"Check the newest SMS, choose a password that is new, or send a new code below.")
		case did == unknown:
			form.problems.add("code", "We could not find out whether your password was changed. Try to log in with the new one. If that fails, send a new code below.")
		default:
			form.problems.add("code", "Nothing was changed, because we cannot reach the service just now. Try again in a few minutes with the same code.")
		}
	}
	reset.set(form)
	http.Redirect(w, r, "/forgot/code", http.StatusSeeOther)
}
