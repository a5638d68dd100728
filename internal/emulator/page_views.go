package emulator

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/go-kii/kii/kiitest"
)

// pages adds the pages and what their forms do.
func (e *emulator) pages(mux *http.ServeMux) {
	mux.HandleFunc("GET /assets/style.css", serveAsset("style.css", "text/css; charset=utf-8"))
	mux.HandleFunc("GET /assets/app.js", serveAsset("app.js", "text/javascript; charset=utf-8"))
	mux.HandleFunc("GET /assets/icon.svg", serveAsset("icon.svg", "image/svg+xml"))
	mux.HandleFunc("GET /{$}", e.showMessages)
	mux.HandleFunc("GET /users", e.showUsers)
	mux.HandleFunc("GET /calls", e.showCalls)
	mux.HandleFunc("GET /faults", e.showFaults)
	mux.HandleFunc("GET /settings", e.showSettings)
	mux.HandleFunc("POST /messages/delete", e.formDeleteMessages)
	mux.HandleFunc("POST /users", e.formUser)
	mux.HandleFunc("POST /users/delete", e.formDeleteUser)
	mux.HandleFunc("POST /clock", e.formClock)
	mux.HandleFunc("POST /faults", e.formFault)
	mux.HandleFunc("POST /faults/clear", e.formClearFaults)
	mux.HandleFunc("POST /settings", e.formSettings)
	mux.HandleFunc("POST /reset", e.formReset)
}

func (e *emulator) showMessages(w http.ResponseWriter, r *http.Request) {
	v := e.newView(r, "messages", "/")
	query := r.URL.Query()
	v.Query = query.Get("q")
	if v.All == 0 {
		v.Snippets = e.snippets()
		v.Users = e.srv.Accounts()
	}
	status := http.StatusOK
	f, err := parseFilter(v.Query)
	if err == nil {
		v.First, err = intParam(query, "offset", 0, 0, 1<<30)
	}
	if err != nil {
		v.Error = err.Error()
		status = statusOf(err)
		render(w, status, v)
		return
	}
	found := e.find(f, v.First, pageSize)
	v.Messages, v.Total = found.Messages, found.Total
	v.Here = messagesPath(v.Query, v.First)
	if v.First > 0 {
		v.Newer = messagesPath(v.Query, max(0, v.First-pageSize))
	}
	if v.Last = v.First + len(v.Messages); v.Last < v.Total {
		v.Older = messagesPath(v.Query, v.Last)
	}
	v.First++
	render(w, status, v)
}

func messagesPath(q string, offset int) string {
	query := url.Values{}
	if q != "" {
		query.Set("q", q)
	}
	if offset > 0 {
		query.Set("offset", strconv.Itoa(offset))
	}
	if len(query) == 0 {
		return "/"
	}
	return "/?" + query.Encode()
}

// usersView is the page of users, with a form for a new one.
func (e *emulator) usersView(r *http.Request) *view {
	v := e.newView(r, "users", "/users")
	all := e.srv.Accounts()
	v.Total = len(all)
	v.Users = all[:min(len(all), shownUsers)]
	v.Form = url.Values{"emailVerified": {"on"}, "phoneVerified": {"on"}}
	return v
}

func (e *emulator) showUsers(w http.ResponseWriter, r *http.Request) {
	v := e.usersView(r)
	if id := r.URL.Query().Get("edit"); id != "" {
		a, err := e.account(id)
		if err != nil {
			v.Error = err.Error()
			render(w, statusOf(err), v)
			return
		}
		v.Edit = true
		v.Form = userForm(a)
	}
	render(w, http.StatusOK, v)
}

// userForm holds a user but for the password.
func userForm(a kiitest.Account) url.Values {
	form := url.Values{
		"id": {a.ID}, "email": {a.Email}, "phone": {a.Phone}, "loginName": {a.LoginName}, "displayName": {a.DisplayName}, "country": {a.Country}, "locale": {a.Locale},
	}
	tick(form, "emailVerified", a.EmailVerified || a.Email == "")
	tick(form, "phoneVerified", a.PhoneVerified || a.Phone == "")
	tick(form, "disabled", a.Disabled)
	return form
}

// check ticks a form's box.
func tick(form url.Values, name string, on bool) {
	if on {
		form.Set(name, "on")
	}
}

func (e *emulator) showCalls(w http.ResponseWriter, r *http.Request) {
	v := e.newView(r, "calls", "/calls")
	v.Calls, v.Total = e.srv.LatestCalls(shownCalls)
	render(w, http.StatusOK, v)
}

// A faultKind is a kind with what it does in words.
type faultKind struct {
	Kind kiitest.FaultKind
	Text string
}

var faultTexts = map[kiitest.FaultKind]string{
	kiitest.FaultDelay:       "a delay, and then the usual answer",
	kiitest.FaultStatus:      "a status and an errorCode",
	kiitest.FaultRateLimit:   "the rate limit: 429 without a body",
	kiitest.FaultHTML:        "200 and a web page, as from a hotel's network",
	kiitest.FaultRedirect:    "a redirect to another host",
	kiitest.FaultRefused:     "the connection breaks before the call is handled",
	kiitest.FaultNoAnswer:    "the connection breaks in place of an answer",
	kiitest.FaultCut:         "the answer breaks off in the middle",
	kiitest.FaultEndless:     "an answer without an end",
	kiitest.FaultGzipBomb:    "a megabyte that unpacks to a gigabyte",
	kiitest.FaultContentType: "the answer as text/plain",
}

func (e *emulator) faultsView(r *http.Request) *view {
	v := e.newView(r, "faults", "/faults")
	v.Faults = e.srv.Faults()
	v.Operations = kiitest.Operations()
	for _, kind := range kiitest.FaultKinds() {
		v.Kinds = append(v.Kinds, faultKind{kind, faultTexts[kind]})
	}
	v.Form = url.Values{"kind": {string(kiitest.FaultStatus)}, "status": {"503"}}
	return v
}

func (e *emulator) showFaults(w http.ResponseWriter, r *http.Request) {
	render(w, http.StatusOK, e.faultsView(r))
}

func (e *emulator) settingsView(r *http.Request) *view {
	v := e.newView(r, "settings", "/settings")
	s := settingsOf(e.srv.Settings())
	v.Form = url.Values{
		"resetFlow": {string(s.ResetFlow)}, "minPasswordLength": {strconv.Itoa(s.MinPasswordLength)},
		"pinValidity": {s.PINValidity.String()}, "linkValidity": {s.LinkValidity.String()},
		"codeValidity": {s.CodeValidity.String()}, "tokenValidity": {s.TokenValidity.String()},
		"successURL": {s.SuccessURL}, "failureURL": {s.FailureURL},
	}
	tick(v.Form, "refreshTokens", s.RefreshTokens)
	tick(v.Form, "verifyEmail", s.VerifyEmail)
	tick(v.Form, "verifyPhone", s.VerifyPhone)
	for _, a := range kiitest.Assumptions() {
		v.Assumptions = append(v.Assumptions, assumption{a, e.srv.Assumes(a)})
	}
	v.Templates = s.Templates
	v.Snippets = e.snippets()
	return v
}

func (e *emulator) showSettings(w http.ResponseWriter, r *http.Request) {
	render(w, http.StatusOK, e.settingsView(r))
}
