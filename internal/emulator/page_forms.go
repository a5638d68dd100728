package emulator

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-kii/kii/kiitest"
)

// posted reads a form. Where it cannot be read the answer is given.
func readForm(w http.ResponseWriter, r *http.Request) bool {
	err := r.ParseForm()
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		http.Error(w, "The form is too large.", http.StatusRequestEntityTooLarge)
		return false
	}
	if err != nil {
		http.Error(w, "The form cannot be read.", http.StatusBadRequest)
		return false
	}
	return true
}

// back leads to the page that the form was on, or to another one of the emulator's.
func redirectBack(w http.ResponseWriter, r *http.Request, otherwise, said string) {
	to, err := url.Parse(r.PostForm.Get("back"))
	if err != nil || to.IsAbs() || to.Host != "" || !slices.Contains([]string{"/", "/users", "/calls", "/faults", "/settings"}, to.Path) {
		to = &url.URL{Path: otherwise}
	}
	if said != "" {
		query := to.Query()
		query.Set("said", said)
		to.RawQuery = query.Encode()
	}
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
}

// again shows the page with the form as it was sent, and what is wrong with it.
func showAgain(w http.ResponseWriter, r *http.Request, v *view, err error) {
	v.Error = sentence(err)
	v.Title = "Error: " + v.Title
	v.Form = r.PostForm
	render(w, statusOf(err), v)
}

func sentence(err error) string {
	said := err.Error()
	return strings.ToUpper(said[:1]) + said[1:] + "."
}

func (e *emulator) formDeleteMessages(w http.ResponseWriter, r *http.Request) {
	if !readForm(w, r) {
		return
	}
	f, err := parseFilter(r.PostForm.Get("q"))
	if id := r.PostForm.Get("id"); id != "" && err == nil {
		if f.ID, err = strconv.Atoi(id); err != nil || f.ID < 1 {
			err = notFound("message")
		}
	}
	if err != nil {
		http.Error(w, sentence(err), statusOf(err))
		return
	}
	e.srv.DeleteMessages(f)
	redirectBack(w, r, "/", "deleted")
}

func (e *emulator) formUser(w http.ResponseWriter, r *http.Request) {
	if !readForm(w, r) {
		return
	}
	form := r.PostForm
	id := form.Get("id")
	a, known := kiitest.Account{}, false
	if id != "" {
		a, known = e.srv.Account(id)
	}
	if id != "" && !known {
		v := e.usersView(r)
		showAgain(w, r, v, notFound("user any more"))
		return
	}
	for name, field := range map[string]*string{
		"email": &a.Email, "phone": &a.Phone, "loginName": &a.LoginName, "displayName": &a.DisplayName, "country": &a.Country, "locale": &a.Locale,
	} {
		*field = strings.TrimSpace(form.Get(name))
	}
	a.EmailVerified = form.Has("emailVerified") && a.Email != ""
	a.PhoneVerified = form.Has("phoneVerified") && a.Phone != ""
	a.Disabled = form.Has("disabled")
	a.Password = cmp.Or(form.Get("password"), a.Password)
	if form.Has("noPassword") {
		a.Password = ""
	}
	done, do := "added", e.add
	if known {
		done, do = "saved", e.replace
	}
	if _, err := do(a); err != nil {
		v := e.usersView(r)
		v.Edit = known
		showAgain(w, r, v, err)
		return
	}
	redirectBack(w, r, "/users", done)
}

func (e *emulator) formDeleteUser(w http.ResponseWriter, r *http.Request) {
	if !readForm(w, r) {
		return
	}
	e.srv.DeleteAccount(r.PostForm.Get("id"))
	redirectBack(w, r, "/users", "deleted")
}

func (e *emulator) formClock(w http.ResponseWriter, r *http.Request) {
	if !readForm(w, r) {
		return
	}
	d, err := time.ParseDuration(r.PostForm.Get("advance"))
	if err != nil {
		err = problemf(http.StatusUnprocessableEntity, `a time is written "90s", "10m" or "24h"`)
	} else {
		err = e.advance(d)
	}
	if err != nil {
		http.Error(w, sentence(err), statusOf(err))
		return
	}
	redirectBack(w, r, "/", "")
}

// A formReader reads a form's numbers and times, and keeps the first thing that is wrong.
type formReader struct {
	form url.Values
	err  error
}

func (f *formReader) number(name string) int {
	text := strings.TrimSpace(f.form.Get(name))
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil && f.err == nil {
		f.err = problemf(http.StatusUnprocessableEntity, "%s must be a whole number", name)
	}
	return n
}

func (f *formReader) duration(name string) duration {
	var d duration
	text := strings.TrimSpace(f.form.Get(name))
	if text == "" {
		return 0
	}
	if err := d.UnmarshalText([]byte(text)); err != nil && f.err == nil {
		f.err = problemf(http.StatusUnprocessableEntity, "%s: %v", name, err)
	}
	return d
}

func (e *emulator) formFault(w http.ResponseWriter, r *http.Request) {
	if !readForm(w, r) {
		return
	}
	form := &formReader{form: r.PostForm}
	wanted := fault{
		Operation: kiitest.Operation(r.PostForm.Get("operation")), Kind: kiitest.FaultKind(r.PostForm.Get("kind")),
		Nth: form.number("nth"), Times: form.number("times"), Always: r.PostForm.Has("always"),
		User: strings.TrimSpace(r.PostForm.Get("user")), Delay: form.duration("delay"), Handled: r.PostForm.Has("handled"),
	}
	switch wanted.Kind { // the form's other fields are left from another choice
	case kiitest.FaultStatus:
		wanted.Status, wanted.ErrorCode = form.number("status"), strings.TrimSpace(r.PostForm.Get("errorCode"))
	case kiitest.FaultRedirect:
		if wanted.Status = form.number("status"); wanted.Status/100 != 3 {
			wanted.Status = 0
		}
	}
	err := form.err
	if err == nil {
		err = e.inject(wanted.kiitest())
	}
	if err != nil {
		showAgain(w, r, e.faultsView(r), err)
		return
	}
	redirectBack(w, r, "/faults", "injected")
}

func (e *emulator) formClearFaults(w http.ResponseWriter, r *http.Request) {
	if !readForm(w, r) {
		return
	}
	e.srv.ClearFaults()
	redirectBack(w, r, "/faults", "cleared")
}

func (e *emulator) formSettings(w http.ResponseWriter, r *http.Request) {
	if !readForm(w, r) {
		return
	}
	form := &formReader{form: r.PostForm}
	err := e.change(func(s *kiitest.Settings) error {
		s.ResetFlow = kiitest.ResetFlow(r.PostForm.Get("resetFlow"))
		s.MinPasswordLength = form.number("minPasswordLength")
		s.PINValidity, s.LinkValidity = time.Duration(form.duration("pinValidity")), time.Duration(form.duration("linkValidity"))
		s.CodeValidity, s.TokenValidity = time.Duration(form.duration("codeValidity")), time.Duration(form.duration("tokenValidity"))
		s.RefreshTokens, s.VerifyEmail, s.VerifyPhone = r.PostForm.Has("refreshTokens"), r.PostForm.Has("verifyEmail"), r.PostForm.Has("verifyPhone")
		s.SuccessURL, s.FailureURL = strings.TrimSpace(r.PostForm.Get("successURL")), strings.TrimSpace(r.PostForm.Get("failureURL"))
		return form.err
	})
	if err != nil {
		showAgain(w, r, e.settingsView(r), err)
		return
	}
	redirectBack(w, r, "/settings", "saved")
}

func (e *emulator) formReset(w http.ResponseWriter, r *http.Request) {
	if !readForm(w, r) {
		return
	}
	e.reset()
	redirectBack(w, r, "/", "reset")
}
