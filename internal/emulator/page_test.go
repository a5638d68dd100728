package emulator

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

func TestWhatAMessageSaysIsNeverHTML(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	const bad = `<script>alert(1)</script>"><img src=x onerror=alert(1)>`
	x.call(http.StatusCreated, "POST", "/users", `{"id":"mallory","displayName":"<script>alert(1)</script>\"><img src=x onerror=alert(1)>","phone":"+14085550100","phoneVerified":true,"password":"pass"}`)
	x.call(http.StatusOK, "PATCH", "/settings", `{"templates":[{"purpose":"RESET_PIN","channel":"SMS","locale":"en","text":"${name} <script>alert(1)</script> ${pin}"}]}`)
	x.call(http.StatusCreated, "POST", "/faults", `{"kind":"html","user":"mallory"}`)
	w := x.kii(http.MethodPost, "/users/nobody/password/request-reset", "application/json", "")
	require.Equal(t, http.StatusNotFound, w.Code)
	w = x.kii(http.MethodPost, "/users/mallory/password/request-reset?q="+url.QueryEscape(bad), "application/json", `{"notificationMethod":"SMS","smsResetMethod":"PIN","x":"<script>alert(1)</script>"}`)
	require.Equal(t, http.StatusOK, w.Code)
	x.call(http.StatusCreated, "POST", "/users/mallory/send", `{"kind":"reset-pin"}`)
	x.call(http.StatusCreated, "POST", "/faults", `{"kind":"html","user":"mallory"}`)
	pages := []string{"/", "/messages/1", "/users", "/users/mallory", "/users?q=" + url.QueryEscape(bad), "/calls", "/calls/2", "/calls?q=" + url.QueryEscape("script"), "/faults", "/settings", "/?q=" + url.QueryEscape(bad)}
	for _, target := range pages {
		page := x.page(http.StatusOK, target)
		x.hides(page, "<script>", "<img src=x")
	}
	x.shows(x.page(http.StatusOK, "/"), "&lt;script&gt;alert(1)")
	question := x.form("/users/delete", url.Values{"id": {"mallory"}, "back": {bad}}).Body.String()
	x.hides(question, "<script>", "<img src=x")
}

func TestWhatAPageLoadsHasItsContentType(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for target, want := range map[string]string{
		"/": "text/html; charset=utf-8", "/nothing": "text/html; charset=utf-8", "/assets/style.css": "text/css; charset=utf-8",
		"/assets/live.js": "text/javascript; charset=utf-8", "/assets/hands.js": "text/javascript; charset=utf-8", "/assets/icon.svg": "image/svg+xml",
	} {
		w := x.do(http.MethodGet, target, "")
		assert.Equal(t, want, w.Header().Get("Content-Type"), target)
		assert.NotEmpty(t, w.Body.String(), target)
	}
}

func TestThePageOfATabIsMarked(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.askPIN()
	for target, tab := range map[string]string{
		"/": "Messages", "/messages/1": "Messages", "/users": "Users", "/users/alice-id": "Users", "/users/_new": "Users",
		"/calls": "Calls", "/calls/1": "Calls", "/faults": "Faults", "/settings": "Settings",
	} {
		page := x.page(http.StatusOK, target)
		x.shows(page, `data-name="`+tab+`" aria-current="page"`)
		assert.Equal(t, 1, strings.Count(page, `aria-current="page"`), target)
	}
}

func TestTheTitleTellsTheNewestMessage(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.shows(x.page(http.StatusOK, "/"), "<title>Messages · Kii emulator</title>")
	x.askPIN()
	x.askPIN()
	x.shows(x.page(http.StatusOK, "/users"), "<title>(2) Users · Kii emulator</title>")
	for _, target := range []string{"/", "/users", "/calls", "/faults", "/settings", "/nothing"} {
		assert.Contains(t, x.do(http.MethodGet, target, "").Body.String(), `<body data-newest="2"`, target)
	}
}

func TestBackLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for _, to := range []string{"https://evil.example/", "//evil.example/", `\\evil.example`, "/api/x", "javascript:alert(1)", "/\\evil.example", "users", "/%zz", "////evil.example/", "///evil.example/users", "/users/..//evil.example", "/users/a/b", "/users\n"} {
		w := x.form("/clock", url.Values{"advance": {"1m"}, "back": {to}})
		assert.Equal(t, "/", w.Header().Get("Location"), to)
		w = x.form("/clock", url.Values{"advance": {"soon"}, "back": {to}})
		x.shows(w.Body.String(), `href="/">`, `data-here="/"`)
		x.hides(w.Body.String(), "evil.example")
	}
	for _, to := range []string{"http://evil.example/users", "//evil.example/users"} {
		assert.Equal(t, "/users", x.form("/clock", url.Values{"advance": {"1m"}, "back": {to}}).Header().Get("Location"), "only the path is taken of %s", to)
	}
	w := x.form("/clock", url.Values{"advance": {"1m"}, "back": {"/messages/7"}})
	assert.Equal(t, "/messages/7", w.Header().Get("Location"))
}

func TestAPageThatIsNotThereLeadsBack(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.askPIN()
	for _, target := range []string{"/nothing", "/messages/9", "/messages/x", "/users/nobody", "/calls/9", "/calls/x"} {
		page := x.page(http.StatusNotFound, target)
		x.shows(page, "<title>Error: (1) Not found", "There is no such ", `href="/"`)
	}
	for path, says := range map[string]string{
		"/messages/delete": "message", "/messages/expire": "message", "/users": "user", "/users/send": "user", "/users/delete": "user",
		"/calls/replay": "call", "/faults/remove": "fault",
	} {
		for _, id := range []string{"9", "x"} {
			w := x.form(path, url.Values{"id": {id}, "kind": {"reset-pin"}, "sure": {"yes"}, "back": {"/users?q=a"}})
			assert.Equal(t, http.StatusNotFound, w.Code, path)
			x.shows(w.Body.String(), "There is no such "+says, `href="/users?q=a"`, `data-here="/users?q=a"`)
		}
	}
}

func TestAPageOfAnAddressThatMakesNoSenseSaysWhy(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.askPIN()
	for target, says := range map[string]string{
		"/?q=is:lost":           "Is: wants one of pending, used, replaced, expired.",
		"/?before=x":            "Before must be a whole number from 0 to",
		"/?q=is:lost&before=x":  "Is: wants one of pending, used, replaced, expired.",
		"/users?offset=-1":      "Offset must be a whole number from 0 to 10000.",
		"/calls?operation=none": "Operation must be one of request-reset, ",
	} {
		x.shows(x.page(http.StatusUnprocessableEntity, target), "<title>Error: ", says)
	}
	x.hides(x.page(http.StatusUnprocessableEntity, "/?q=is:lost"), `<li class="message`)
}

func TestTheThemeIsKept(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.hides(x.page(http.StatusOK, "/"), "data-theme")
	w := x.form("/theme", url.Values{"theme": {"dark"}, "back": {"/users"}})
	assert.Equal(t, "/users", w.Header().Get("Location"))
	cookie := w.Header().Get("Set-Cookie")
	assert.Contains(t, cookie, "HttpOnly")
	page := x.do(http.MethodGet, "/", "", "Cookie", strings.Split(cookie, ";")[0]).Body.String()
	x.shows(page, `data-theme="dark"`, `content="dark"`)
	x.shows(x.do(http.MethodGet, "/", "", "Cookie", themeCookie+"=light").Body.String(), `data-theme="light"`)
	x.hides(x.do(http.MethodGet, "/", "", "Cookie", themeCookie+"=blue").Body.String(), "data-theme")
	x.hides(x.do(http.MethodGet, "/", "", "Cookie", themeCookie+`="><script>`).Body.String(), "<script>")
	assert.Contains(t, x.form("/theme", url.Values{"theme": {"light"}}).Header().Get("Set-Cookie"), themeCookie+"=light;")
	assert.Contains(t, x.form("/theme", url.Values{"theme": {"system"}}).Header().Get("Set-Cookie"), "Max-Age=0")
	assert.Equal(t, http.StatusUnprocessableEntity, x.form("/theme", url.Values{"theme": {"blue"}}).Code)
}

func TestTheClockSaysHowFarItWasMovedAndGoesBack(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	m := x.askPIN()
	x.hides(x.page(http.StatusOK, "/"), " ahead<", "Back to now")
	x.form("/clock", url.Values{"advance": {"24h"}})
	x.form("/clock", url.Values{"advance": {"600"}})
	x.shows(x.page(http.StatusOK, "/users"), "1 day 10 min ahead", "Back to now", ">UTC<")
	assert.Equal(t, "24h10m", x.call(http.StatusOK, "GET", "/clock", "")["ahead"])
	x.form("/clock", url.Values{"back-to-now": {"yes"}})
	x.hides(x.page(http.StatusOK, "/"), " ahead<")
	assert.Equal(t, kiitest.Pending, x.srv.FindMessages(kiitest.Filter{ID: m.ID})[0].State)
	for _, bad := range []string{"soon", "-1h", "", "0s", "9999999h"} {
		w := x.form("/clock", url.Values{"advance": {bad}, "back": {"/users"}})
		assert.Equal(t, http.StatusUnprocessableEntity, w.Code, bad)
		x.shows(w.Body.String(), "<h1>This did not work</h1>", "must be a time", `href="/users"`)
	}
}

func TestWhatWasDoneIsSaid(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	sure := url.Values{"sure": {"yes"}}
	send := url.Values{"id": {"alice-id"}, "kind": {"reset-pin"}}
	x.askPIN()
	for _, c := range []struct {
		path   string
		fields url.Values
		leads  string
		says   string
	}{
		{"/users/send", send, "/messages/2", "Message 2 is sent."},
		{"/messages/expire", url.Values{"id": {"2"}}, "/messages/2", "Message 2 is expired."},
		{"/messages/delete", url.Values{"id": {"2"}}, "/", "Message 2 is deleted."},
		{"/messages/delete", sure, "/", "1 message deleted."},
		{"/messages/delete", sure, "/", "0 messages deleted."},
		{"/users", url.Values{"loginName": {"bob"}, "emailVerified": {"on"}, "phoneVerified": {"on"}}, "/users", "The user is added."},
		{"/users", url.Values{"id": {"alice-id"}, "loginName": {"alice"}}, "/users", "The user is saved."},
		{"/users/delete", url.Values{"id": {"alice-id"}, "back": {"/users/alice-id"}, "sure": {"yes"}}, "/users", "The user is deleted."},
		{"/settings", url.Values{"resetFlow": {"INPUT"}, "minPasswordLength": {"4"}, "pinValidity": {"1h"}, "linkValidity": {"1h"}, "codeValidity": {"1h"}}, "/settings", "The settings are saved."},
		{"/faults", url.Values{"preset": {"html"}}, "/faults", "The fault waits for its call."},
		{"/faults", url.Values{"kind": {"html"}}, "/faults", "The fault waits for its call."},
		{"/faults", url.Values{"kind": {"html"}}, "/faults", "The fault waits for its call."},
		{"/faults/remove", url.Values{"id": {"1"}}, "/faults", "The fault is removed."},
		{"/faults/clear", sure, "/faults", "2 faults removed."},
		{"/calls/replay", url.Values{"id": {"1"}, "back": {"/calls/1"}}, "/calls/2", "The call was sent again: it is call 2."},
		{"/calls/clear", sure, "/calls", "The list of calls is empty again."},
		{"/reset", sure, "/", "Everything is as it was at the start."},
	} {
		w := x.form(c.path, c.fields)
		require.Equal(t, http.StatusSeeOther, w.Code, "%s: %s", c.path, c.says)
		to := w.Header().Get("Location")
		path, _, _ := strings.Cut(to, "?")
		assert.Equal(t, c.leads, path, c.says)
		x.shows(x.page(http.StatusOK, to), c.says)
	}
	for _, query := range []string{"", "?said=nothing", "?n=3"} {
		x.hides(x.page(http.StatusOK, "/users"+query), `class="notice good"`)
	}
}

func TestWhatCannotBeTakenBackIsAskedFirst(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.askPIN()
	x.askPIN()
	x.call(http.StatusCreated, "POST", "/faults", `{"kind":"html"}`)
	for _, c := range []struct {
		path, back, says string
		fields           url.Values
		left             func() int
	}{
		{"/messages/delete", "/?q=is%3Apending", "2 messages will be gone", url.Values{"q": {""}, "back": {"/?q=is%3Apending"}}, func() int { return len(x.srv.Messages()) }},
		{"/faults/clear", "/faults", "1 fault will be removed", nil, func() int { return len(x.srv.Faults()) }},
		{"/calls/clear", "/calls", "2 calls will be gone", nil, func() int { return len(x.srv.Calls()) }},
		{"/users/delete", "/users", "The user alice will be gone", url.Values{"id": {"alice-id"}}, func() int { return len(x.srv.Accounts()) }},
	} {
		w := x.form(c.path, c.fields)
		assert.Equal(t, http.StatusOK, w.Code, c.path)
		page := w.Body.String()
		x.shows(page, c.says, `name="sure" value="yes"`, `data-here="`+c.back+`"`, `href="`+c.back+`">Cancel`)
		assert.NotZero(t, c.left(), c.path)
		fields := hiddenFields(page)
		fields.Set("sure", "yes")
		w = x.form(c.path, fields)
		assert.Equal(t, http.StatusSeeOther, w.Code, c.path)
		assert.Zero(t, c.left(), c.path)
	}
	x.shows(x.form("/reset", nil).Body.String(), "Reset everything?")
	assert.Empty(t, x.srv.Accounts())
	x.form("/reset", url.Values{"sure": {"yes"}})
	assert.Len(t, x.srv.Accounts(), 1)
}

// hiddenFields reads the question's form.
func hiddenFields(page string) url.Values {
	fields := url.Values{}
	_, page, _ = strings.Cut(page, `<form class="card question"`)
	for _, part := range strings.Split(page, `<input type="hidden" name="`)[1:] {
		name, rest, _ := strings.Cut(part, `" value="`)
		value, _, _ := strings.Cut(rest, `"`)
		fields.Add(name, value)
	}
	return fields
}

func TestARefusedFormKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for _, c := range []struct {
		path   string
		fields url.Values
		says   []string
	}{
		{"/users", url.Values{"email": {alice}, "emailVerified": {"on"}, "displayName": {"Typed"}}, []string{`<a href="#email">E-mail is taken</a>`, `id="email-error">E-mail is taken<`, `name="emailVerified" checked`, `name="phoneVerified">`, `name="disabled">`}},
		{"/users", url.Values{"phone": {"123"}, "country": {"japan"}, "displayName": {"Typed"}}, []string{"2 fields are wrong", "Phone must be &#43; and 7 to 20 digits", "Country must be two capital letters"}},
		{"/users", url.Values{"id": {"alice-id"}, "email": {"x"}, "displayName": {"Typed"}, "disabled": {"on"}}, []string{"E-mail must be name@host", `name="emailVerified">`, `name="disabled" checked`, "<h1><bdi>alice</bdi></h1>"}},
		{"/faults", url.Values{"kind": {"delay"}, "user": {"Typed"}}, []string{"Delay must be set for a fault of kind delay", "<details class=\"card\" open>"}},
		{"/faults", url.Values{"kind": {"status"}, "status": {"x"}, "user": {"Typed"}}, []string{"Status must be a whole number"}},
		{"/settings", url.Values{"resetFlow": {"INPUT"}, "minPasswordLength": {"3"}, "pinValidity": {"soon"}, "linkValidity": {"1h"}, "codeValidity": {"1h"}, "successURL": {"Typed"}}, []string{
			"3 fields are wrong", "PIN validity must be a time such as", "Shortest password must be 4 to 50", "Page after a link that worked must be empty or an http",
		}},
	} {
		before := x.srv.Settings()
		w := x.form(c.path, c.fields)
		assert.Equal(t, http.StatusUnprocessableEntity, w.Code, c.path)
		page := w.Body.String()
		x.shows(page, c.says...)
		here := c.path
		if c.fields.Has("id") {
			here += "/" + c.fields.Get("id")
		}
		x.shows(page, `value="Typed"`, "<title>Error: ", `aria-invalid="true"`, "data-focus", `data-here="`+here+`"`)
		assert.Equal(t, before, x.srv.Settings())
	}
	assert.Len(t, x.srv.Accounts(), 1)
	assert.Empty(t, x.srv.Faults())
}

func TestTheFormOfTheSettingsSavesThem(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	fields := url.Values{
		"resetFlow": {"GENERATE"}, "minPasswordLength": {"8"}, "pinValidity": {"5m"}, "linkValidity": {"2h"}, "codeValidity": {"1h"}, "tokenValidity": {"for ever"},
		"refreshTokens": {"on"}, "successURL": {"http://127.0.0.1:1/done"},
	}
	before := x.srv.Settings()
	x.shows(x.page(http.StatusOK, "/settings"), `value="for ever"`)
	w := x.form("/settings", fields)
	require.Equal(t, http.StatusSeeOther, w.Code)
	s := x.srv.Settings()
	assert.Equal(t, kiitest.Settings{
		ResetFlow: kiitest.GeneratePassword, MinPasswordLength: 8, PINValidity: 5 * time.Minute, LinkValidity: 2 * time.Hour, CodeValidity: time.Hour,
		TokenValidity: before.TokenValidity, RefreshTokens: true, SuccessURL: "http://127.0.0.1:1/done", Templates: s.Templates,
	}, s)
	fields.Set("tokenValidity", "90")
	x.form("/settings", fields)
	assert.Equal(t, 90*time.Second, x.srv.Settings().TokenValidity)
	fields.Set("tokenValidity", "for ever")
	x.form("/settings", fields)
	assert.Zero(t, x.srv.Settings().TokenValidity)
	x.shows(x.page(http.StatusOK, "/settings"), `value="for ever"`)
}

func TestEveryAssumptionAndFaultIsExplained(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	page := x.page(http.StatusOK, "/settings")
	for _, a := range kiitest.Assumptions() {
		assert.NotEmpty(t, assumptionTexts[a], "%s has no text in assumptions.go", a)
		text := template.HTMLEscapeString(assumptionTexts[a])
		x.shows(page, "<code>"+string(a)+`</code> <span class="state used">holds</span><span class="hint">`+text)
	}
	for a := range assumptionTexts {
		assert.Contains(t, kiitest.Assumptions(), a)
	}
	for _, kind := range kiitest.FaultKinds() {
		assert.NotEmpty(t, faultTexts[kind], "%s has no text in page_faults.go", kind)
	}
}

func TestAPatchReplacesAnArray(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.call(http.StatusOK, "PATCH", "/settings", `{"templates":[{"purpose":"RESET_LINK","channel":"EMAIL","locale":"en","subject":"Old","text":"${link}"}]}`)
	for _, name := range []string{"templates", "Templates"} {
		x.call(http.StatusOK, "PATCH", "/settings", `{"`+name+`":[{"purpose":"RESET_LINK","channel":"EMAIL","locale":"ja","text":"${link}"}]}`)
		assert.Empty(t, x.srv.Settings().Templates[0].Subject, "the subject of the template that stood there is gone")
	}
	x.call(http.StatusOK, "PATCH", "/settings", `{"pinValidity":"5m"}`)
	assert.Len(t, x.srv.Settings().Templates, 1)
	x.call(http.StatusOK, "PATCH", "/settings", `{"templates":[]}`)
	assert.Empty(t, x.srv.Settings().Templates)
	x.call(http.StatusBadRequest, "PATCH", "/settings", `{"pinValidity":"5m","PINValidity":"6m"}`)
	x.call(http.StatusBadRequest, "PATCH", "/settings", "{\"successURL\":\"\xff\"}")
	for _, name := range []string{"minPasswordLength", "resetFlow", "templates", "verifyEmail", "successURL", "pinValidity"} {
		x.call(http.StatusBadRequest, "PATCH", "/settings", `{"`+name+`": null}`)
	}
}

func TestResetGoesBackToTheSeed(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.askPIN()
	x.call(http.StatusCreated, "POST", "/users", `{"email":"bob@example.com"}`)
	x.call(http.StatusOK, "PATCH", "/settings", `{"resetFlow":"GENERATE"}`)
	x.srv.DeleteAccount("alice-id")
	x.call(http.StatusNoContent, "POST", "/reset", "")
	assert.Empty(t, x.srv.Messages())
	assert.Len(t, x.srv.Accounts(), 1)
	_, found := x.srv.Account("alice-id")
	assert.True(t, found)
	assert.Equal(t, kiitest.InputPassword, x.srv.Settings().ResetFlow)
}

func TestWhatIsAddedIsBounded(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for range maxFaults {
		_, err := x.inject(kiitest.Fault{Kind: kiitest.FaultHTML})
		require.NoError(t, err)
	}
	x.call(http.StatusConflict, "POST", "/faults", `{"kind":"html"}`)
	for _, fields := range []url.Values{{"preset": {"html"}}, {"kind": {"html"}}} {
		w := x.form("/faults", fields)
		assert.Equal(t, http.StatusConflict, w.Code)
		x.shows(w.Body.String(), "There are 100 faults already that no call has met; clear them first.")
	}
	assert.Len(t, x.srv.Faults(), maxFaults)
	x.call(http.StatusUnprocessableEntity, "POST", "/faults", `{"kind":"delay","delay":"61m"}`)
	x.call(http.StatusUnprocessableEntity, "POST", "/faults", `{"kind":"rate-limit","retryIn":"61m"}`)
	for i := range maxUsers - 1 {
		_, err := x.srv.PutAccount(kiitest.Account{LoginName: fmt.Sprintf("user-%d", i)})
		require.NoError(t, err)
	}
	x.call(http.StatusConflict, "POST", "/users", `{"email":"one@too.many"}`)
	w := x.form("/users", url.Values{"email": {"one@too.many"}})
	assert.Equal(t, http.StatusConflict, w.Code)
	x.shows(w.Body.String(), "There are 10000 users already, and no more are kept.", `value="one@too.many"`)
	w = x.kii(http.MethodPost, "/users", "application/json", `{"loginName":"too-many","password":"pass"}`)
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	assert.Len(t, x.srv.Accounts(), maxUsers)
	templates := strings.Repeat(`{"purpose":"RESET_PIN","channel":"SMS","locale":"ja","text":"${pin}"},`, maxTemplates+1)
	answer := x.call(http.StatusUnprocessableEntity, "PATCH", "/settings", `{"templates":[`+strings.TrimSuffix(templates, ",")+`]}`)
	assert.Equal(t, "templates are too many: at most 200 are kept", answer["error"])
	for range maxWaiters + 1 { // one after another
		x.call(http.StatusNoContent, "GET", "/messages/wait?timeout=0s", "")
	}
	for range maxWaiters {
		x.waiters <- struct{}{}
	}
	x.call(http.StatusServiceUnavailable, "GET", "/messages/wait?timeout=0s", "")
	x.call(http.StatusUnprocessableEntity, "POST", "/clock", `{"advance":"2000000h"}`)
	x.call(http.StatusUnprocessableEntity, "POST", "/clock", `{"advance":"2562047h"}`)
	x.call(http.StatusOK, "POST", "/clock", `{"advance":"876000h"}`) // a hundred years
	x.call(http.StatusUnprocessableEntity, "POST", "/clock", `{"advance":"876000h"}`)
}
