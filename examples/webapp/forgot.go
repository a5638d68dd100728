package main

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-kii/kii"
)

// wantAccount is told for a field that holds no address.
func (a *app) wantAccount() problem {
	return problem{Word: "want-account", Example: examplePhone(a.cfg.region)}
}

func (a *app) showForgot(w http.ResponseWriter, r *http.Request) error {
	seen, _, err := a.visits.get(r)
	if err != nil {
		return err
	}
	a.render(w, http.StatusOK, "forgot", view{Word: "forgot", Account: seen.Typed, Method: kii.NotificationSMSPIN})
	return nil
}

func (a *app) forgot(w http.ResponseWriter, r *http.Request) error {
	if !a.readForm(w, r) {
		return nil
	}
	typed, method := r.PostForm.Get("account"), kii.NotificationMethod(r.PostForm.Get("method"))
	acct, ok := parseAccount(typed, a.cfg.region)
	seen, _, err := a.visits.get(r)
	if err != nil {
		return err
	}
	current, _, err := a.resets.get(r)
	if err != nil {
		return err
	}
	var found problems
	at, usedUp := seen.Asked[acct.Key].next(acct.by(method), a.cfg.asksPerAccount, time.Now())
	soon := time.Now().Before(at)
	switch {
	case !ok || !a.flow.takes(acct.ID):
		found.add("account", a.wantAccount())
	case usedUp:
		found.add("account", problem{Word: "asked-up", Most: a.cfg.asksPerAccount, At: in(time.Until(at))})
	case soon && seen.After != "": // and the message was used
		found.add("account", problem{Word: "asked-just-now", At: in(time.Until(at))})
	}
	if pathOf(method) == "" {
		found.add("method", problem{Word: "want-method"})
	}
	if len(found) > 0 {
		v := view{Word: "forgot", Account: typed, Method: method, Problems: found}
		a.render(w, http.StatusUnprocessableEntity, "forgot", v)
		return nil
	}

	if !soon { // else the message is on its way already: this is the second of a double click
		if asked, err := a.ask(w, r, typed, acct, method); !asked || err != nil {
			return err
		}
	}
	begun := reset{Name: rand.Text()[:8], Account: acct, Method: method}
	if same := current.of(acct, method); soon && same != nil {
		begun = *same
	} else {
		current = append(current, begun)
	}
	// Always under a new name: whoever knows the old one, as one who planted the cookie does, would
	// read the code when it was typed.
	if err := a.resets.put(w, r, current[max(0, len(current)-maxResets):]); err != nil {
		return err
	}
	http.Redirect(w, r, pageOf(begun)+"&from=forgot", http.StatusSeeOther)
	return nil
}

// of returns the reset of an account by a method, if it has not ended.
func (all resets) of(acct account, method kii.NotificationMethod) *reset {
	i := slices.IndexFunc(all, func(r reset) bool { return r.Account == acct && r.Method == method && r.Done == "" })
	if i < 0 {
		return nil
	}
	return &all[i]
}

// ask has a message sent, and counts it for this browser. If the client asked too often, it answers
// for itself.
func (a *app) ask(w http.ResponseWriter, r *http.Request, typed string, acct account, method kii.NotificationMethod) (asked bool, err error) {
	wait, err := a.flow.ask(r.Context(), a.client(r), acct, method)
	if err != nil {
		return false, err
	}
	if wait > 0 {
		a.tooOften(w, wait, "/forgot")
		return false, nil
	}
	now := time.Now()
	return true, a.remember(w, r, func(v *visit) {
		v.Typed, v.After = typed, ""
		v.count(acct, method, now, a.cfg)
	})
}

// count counts as the limits of an account do, from which no other browser's messages can be told.
func (v *visit) count(acct account, method kii.NotificationMethod, now time.Time, cfg config) {
	for key, of := range v.Asked {
		if !now.Before(of.Until) {
			delete(v.Asked, key)
		}
	}
	of, known := v.Asked[acct.Key]
	if !known {
		of = asked{Until: now.Add(cfg.window), Again: map[string]time.Time{}}
	}
	of.Times++
	of.Again[acct.by(method)] = now.Add(cfg.again)
	if v.Asked == nil {
		v.Asked = map[string]asked{}
	}
	v.Asked[acct.Key] = of
}

// pathOf is where a method leads, or "" if there is no such method.
func pathOf(method kii.NotificationMethod) string {
	switch method {
	case kii.NotificationSMSPIN:
		return "/forgot/code"
	case kii.NotificationEmail, kii.NotificationSMS:
		return "/forgot/sent"
	}
	return ""
}

// pageOf is where a reset goes on. Its name leads each tab to its own.
func pageOf(r reset) string { return pathOf(r.Method) + "?reset=" + url.QueryEscape(r.Name) }

// current returns this browser's reset that the page or form names. If there is none that goes on,
// it answers for itself.
func (a *app) current(w http.ResponseWriter, r *http.Request) (*reset, error) {
	name := r.FormValue("reset")
	all, _, err := a.resets.get(r)
	if err != nil {
		return nil, err
	}
	if found := all.named(name); found != nil && (name != "" || r.Method != http.MethodPost) {
		if found.Done != "" { // a browser may send a form that it kept
			http.Redirect(w, r, "/login?after="+found.Done, http.StatusSeeOther)
			return nil, nil
		}
		return found, nil
	}
	if r.Method == http.MethodPost { // a page of its own to land on, which sends nothing again when it is loaded again
		http.Redirect(w, r, "/forgot/code?reset="+url.QueryEscape(name), http.StatusSeeOther)
		return nil, nil
	}
	return nil, a.lost(w, r)
}

// lost tells why there is no reset to go on with, and that nothing was changed.
func (a *app) lost(w http.ResponseWriter, r *http.Request) error {
	seen, known, err := a.visits.get(r)
	if err != nil {
		return err
	}
	switch query := r.URL.Query(); {
	case isEnd(seen.After):
		http.Redirect(w, r, "/login?after="+seen.After, http.StatusSeeOther)
	case query.Has("from") && !known: // the cookies were set a moment ago
		a.message(http.StatusOK, "no-cookies", "/forgot")(w, r)
	case query.Has("reset") || known || a.visits.cookie.value(r)+a.resets.cookie.value(r) != "":
		a.message(http.StatusOK, "timeout", "/forgot")(w, r)
	default:
		http.Redirect(w, r, "/forgot", http.StatusSeeOther)
	}
	return nil
}

func (a *app) showSent(w http.ResponseWriter, r *http.Request) error { return a.show(w, r, "sent") }
func (a *app) showCode(w http.ResponseWriter, r *http.Request) error { return a.show(w, r, "code") }

// show shows where a reset goes on, and when a message can be asked for again.
func (a *app) show(w http.ResponseWriter, r *http.Request, name string) error {
	current, err := a.current(w, r)
	if current == nil {
		return err
	}
	if pathOf(current.Method) != r.URL.Path || r.URL.Query().Has("from") {
		http.Redirect(w, r, pageOf(*current), http.StatusSeeOther)
		return nil
	}
	seen, _, err := a.visits.get(r)
	if err != nil {
		return err
	}
	next, usedUp := seen.Asked[current.Account.Key].next(current.Account.by(current.Method), a.cfg.asksPerAccount, time.Now())
	v := view{
		Word: name, Reset: current.Name, Method: current.Method, Account: current.Account.ID, Code: current.Form.Code,
		Show: r.URL.Query().Has("show"), Least: int(a.flow.least.Load()), Most: maxPassword, Asks: a.cfg.asksPerAccount,
		Notice: current.Form.Notice, Problems: current.Form.Problems, UsedUp: usedUp,
	}
	if wait := time.Until(next); wait > 0 {
		v.At, v.Waiting = in(wait), true
	}
	a.render(w, http.StatusOK, name, v)
	return nil
}

// doubleClick is the longest time between the two of one.
const doubleClick = 2 * time.Second

// again asks for another message, if this browser may.
func (a *app) again(w http.ResponseWriter, r *http.Request) error {
	if !a.readForm(w, r) {
		return nil
	}
	current, err := a.current(w, r)
	if current == nil {
		return err
	}
	seen, _, err := a.visits.get(r)
	if err != nil {
		return err
	}
	now := time.Now()
	form := codeForm{Notice: "early"}
	switch at, _ := seen.Asked[current.Account.Key].next(current.Account.by(current.Method), a.cfg.asksPerAccount, now); {
	case !now.Before(at):
		if asked, err := a.ask(w, r, seen.Typed, current.Account, current.Method); !asked || err != nil {
			return err
		}
		form = codeForm{Notice: "again", Again: now}
	case now.Sub(current.Form.Again) < doubleClick:
		form = current.Form
	}
	_, err = a.resets.renew(w, r, func(all *resets) { all.named(current.Name).keep(form) })
	if err != nil {
		return err
	}
	http.Redirect(w, r, pageOf(*current), http.StatusSeeOther)
	return nil
}

// keep has the page with the code show form when it is loaded next. A reset that is gone keeps
// nothing.
func (r *reset) keep(form codeForm) {
	if r != nil {
		r.Form = form
	}
}
