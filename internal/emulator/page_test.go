package emulator

import (
	"fmt"
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
	w := x.do(http.MethodPost, "/api/apps/emulator/users/mallory/password/request-reset?q="+url.QueryEscape(bad), `{"notificationMethod":"SMS","smsResetMethod":"PIN","x":"<script>alert(1)</script>"}`, "X-Kii-AppID", "emulator", "X-Kii-AppKey", "x")
	require.Equal(t, http.StatusNoContent, w.Code)
	for _, target := range []string{"/", "/users", "/users?edit=mallory", "/calls", "/settings", "/?q=" + url.QueryEscape(bad)} {
		page := x.do(http.MethodGet, target, "").Body.String()
		assert.NotContains(t, page, "<script>", target)
		assert.NotContains(t, page, "<img src=x", target)
	}
	assert.Contains(t, x.do(http.MethodGet, "/", "").Body.String(), "&lt;script&gt;alert(1)")
}

func TestTheTitleTellsTheNewestMessage(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	assert.Contains(t, x.do(http.MethodGet, "/", "").Body.String(), "<title>Messages · Kii emulator</title>")
	x.askPIN()
	x.askPIN()
	assert.Contains(t, x.do(http.MethodGet, "/users", "").Body.String(), "<title>(2) Users · Kii emulator</title>")
}

func TestTheEmptyPageTeachesTheFirstStep(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	page := x.do(http.MethodGet, "/", "").Body.String()
	assert.Contains(t, page, "Ask for a reset")
	assert.Contains(t, page, "users/PHONE:&#43;819012341234/password/request-reset", "curl names a user that there is")
	x.askPIN()
	assert.NotContains(t, x.do(http.MethodGet, "/", "").Body.String(), "Ask for a reset")
	assert.Contains(t, x.do(http.MethodGet, "/?q=channel:email", "").Body.String(), "No message matches")
}

func TestTheListIsPaged(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for range 120 {
		x.askPIN()
	}
	first := x.do(http.MethodGet, "/?q=channel:sms", "").Body.String()
	assert.Equal(t, pageSize, strings.Count(first, `<li class="message`))
	assert.Contains(t, first, `href="/?offset=50&amp;q=channel%3Asms" rel="next"`)
	assert.NotContains(t, first, `rel="prev"`)
	last := x.do(http.MethodGet, "/?offset=100", "").Body.String()
	assert.Equal(t, 20, strings.Count(last, `<li class="message`))
	assert.Contains(t, last, `href="/?offset=50" rel="prev"`)
	assert.NotContains(t, last, `rel="next"`)
}

func TestTheTimeLeftIsToldAndExpires(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.askPIN()
	assert.Regexp(t, `>(10 min 0|9 min 5\d) s left<`, x.do(http.MethodGet, "/", "").Body.String())
	w := x.form("/clock", url.Values{"advance": {"10m"}, "back": {"/?q=is%3Aexpired"}})
	assert.Equal(t, http.StatusSeeOther, w.Code)
	assert.Equal(t, "/?q=is%3Aexpired", w.Header().Get("Location"))
	page := x.do(http.MethodGet, "/", "").Body.String()
	assert.Contains(t, page, `<span class="state expired">expired</span>`)
	assert.NotContains(t, page, " s left")
}

func TestLeftRoundsUp(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for d, want := range map[time.Duration]string{
		time.Millisecond: "1 s left", 59*time.Second + 1: "1 min 0 s left", 10 * time.Minute: "10 min 0 s left",
		time.Hour: "1 h 0 min left", 49 * time.Hour: "2 days left",
	} {
		assert.Equal(t, want, timeLeft(now.Add(d), now), d)
	}
}

func TestBackLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for _, to := range []string{"https://evil.example/", "//evil.example/", `\\evil.example`, "/api/x", "javascript:alert(1)"} {
		w := x.form("/clock", url.Values{"advance": {"1m"}, "back": {to}})
		assert.Equal(t, "/", w.Header().Get("Location"), to)
	}
}

func TestMessagesAreDeletedOneMatchingOrAll(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for range 4 {
		x.askPIN()
	}
	x.form("/messages/delete", url.Values{"id": {"2"}})
	assert.Len(t, x.srv.Messages(), 3)
	x.form("/messages/delete", url.Values{"q": {"is:replaced"}})
	assert.Len(t, x.srv.Messages(), 1)
	w := x.form("/messages/delete", url.Values{"q": {"is:nonsense"}})
	assert.Equal(t, http.StatusUnprocessableEntity, w.Code)
	assert.Len(t, x.srv.Messages(), 1, "a filter that makes no sense deletes nothing")
	x.form("/messages/delete", nil)
	assert.Empty(t, x.srv.Messages())
}

func TestTheFormOfAUserAddsEditsAndDeletes(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	w := x.form("/users", url.Values{"email": {" bob@example.com "}, "emailVerified": {"on"}, "phoneVerified": {"on"}, "password": {"bobs-pass"}, "disabled": {"on"}})
	require.Equal(t, "/users?said=added", w.Header().Get("Location"), w.Body)
	bob, found := x.srv.Account("bob@example.com")
	require.True(t, found)
	assert.True(t, bob.EmailVerified && bob.Disabled && !bob.PhoneVerified)

	assert.Contains(t, x.do(http.MethodGet, "/users?edit="+bob.ID, "").Body.String(), `value="bob@example.com"`)
	x.form("/users", url.Values{"id": {bob.ID}, "email": {"bob@example.com"}, "displayName": {"Bob"}})
	bob, _ = x.srv.Account(bob.ID)
	assert.True(t, bob.DisplayName == "Bob" && !bob.EmailVerified && !bob.Disabled)
	assert.True(t, bob.Password == "bobs-pass", "an empty field keeps the password")
	x.form("/users", url.Values{"id": {bob.ID}, "email": {"bob@example.com"}, "noPassword": {"on"}})
	bob, _ = x.srv.Account(bob.ID)
	assert.Empty(t, bob.Password)
	x.form("/users/delete", url.Values{"id": {bob.ID}})
	assert.Len(t, x.srv.Accounts(), 1)
}

func TestARefusedFormKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for _, c := range []struct {
		path   string
		fields url.Values
		says   string
	}{
		{"/users", url.Values{"email": {alice}, "displayName": {"Typed"}}, "Email is taken."},
		{"/users", url.Values{"displayName": {"Typed"}}, "A user needs an e-mail address"},
		{"/users", url.Values{"phone": {"123"}, "displayName": {"Typed"}}, "Phone must be &#43; and 7 to 20 digits"},
		{"/faults", url.Values{"kind": {"delay"}, "user": {"Typed"}}, "Delay must be set for a fault of kind delay."},
		{"/faults", url.Values{"kind": {"status"}, "status": {"x"}, "user": {"Typed"}}, "Status must be a whole number."},
		{"/settings", url.Values{"resetFlow": {"INPUT"}, "pinValidity": {"soon"}, "successURL": {"Typed"}}, "PinValidity: a time is written"},
	} {
		before := x.srv.Settings()
		w := x.form(c.path, c.fields)
		assert.Equal(t, http.StatusUnprocessableEntity, w.Code, c.path)
		page := w.Body.String()
		assert.Contains(t, page, c.says, c.path)
		assert.Contains(t, page, `value="Typed"`, c.path)
		assert.Contains(t, page, "<title>Error: ", c.path)
		assert.Equal(t, before, x.srv.Settings())
	}
	assert.Len(t, x.srv.Accounts(), 1)
	assert.Empty(t, x.srv.Faults())
}

func TestTheFormOfTheSettingsSavesThem(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	w := x.form("/settings", url.Values{
		"resetFlow": {"GENERATE"}, "minPasswordLength": {"8"}, "pinValidity": {"5m"}, "linkValidity": {"2h"}, "codeValidity": {"1h"}, "tokenValidity": {"0s"},
		"refreshTokens": {"on"}, "successURL": {"http://127.0.0.1:1/done"},
	})
	require.Equal(t, http.StatusSeeOther, w.Code, w.Body)
	s := x.srv.Settings()
	assert.Equal(t, kiitest.Settings{
		ResetFlow: kiitest.GeneratePassword, MinPasswordLength: 8, PINValidity: 5 * time.Minute, LinkValidity: 2 * time.Hour, CodeValidity: time.Hour,
		RefreshTokens: true, SuccessURL: "http://127.0.0.1:1/done", Templates: s.Templates,
	}, s)
}

func TestTheFormOfAFaultMakesTheNextCallFail(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.form("/faults", url.Values{"kind": {"status"}, "status": {"503"}, "errorCode": {"TEMPORARY"}, "operation": {"request-reset"}, "nth": {"1"}, "times": {"1"}})
	assert.Contains(t, x.do(http.MethodGet, "/faults", "").Body.String(), "status on request-reset number 1 (503 TEMPORARY)")
	w := x.do(http.MethodPost, "/api/apps/emulator/users/alice-id/password/request-reset", "", "X-Kii-AppID", "emulator", "X-Kii-AppKey", "x")
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	page := x.do(http.MethodGet, "/calls", "").Body.String()
	assert.Contains(t, page, `<span class="status s5">503</span> <code>TEMPORARY</code>`)
	assert.Contains(t, page, "fault: status")
	x.form("/faults", url.Values{"kind": {"html"}})
	x.form("/faults/clear", nil)
	assert.Empty(t, x.srv.Faults())
}

func TestThePageShowsTheLast200Calls(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for range 205 {
		x.do(http.MethodGet, "/api/nothing", "")
	}
	page := x.do(http.MethodGet, "/calls", "").Body.String()
	assert.Equal(t, shownCalls, strings.Count(page, "<summary>"))
	assert.Contains(t, page, "The last 200 of 205 calls")
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
		require.NoError(t, x.inject(kiitest.Fault{Kind: kiitest.FaultHTML}))
	}
	x.call(http.StatusConflict, "POST", "/faults", `{"kind":"html"}`)
	x.call(http.StatusUnprocessableEntity, "POST", "/faults", `{"kind":"delay","delay":"61m"}`)
	for i := range maxUsers - 1 {
		_, err := x.srv.PutAccount(kiitest.Account{LoginName: fmt.Sprintf("user-%d", i)})
		require.NoError(t, err)
	}
	x.call(http.StatusConflict, "POST", "/users", `{"email":"one@too.many"}`)
	w := x.do(http.MethodPost, "/api/apps/emulator/users", `{"loginName":"too-many","password":"pass"}`, "X-Kii-AppID", "emulator", "X-Kii-AppKey", "x")
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	assert.Len(t, x.srv.Accounts(), maxUsers)
	for range maxWaiters {
		x.waiters <- struct{}{}
	}
	x.call(http.StatusServiceUnavailable, "GET", "/messages/wait?timeout=0s", "")
	x.call(http.StatusUnprocessableEntity, "POST", "/clock", `{"advance":"2000000h"}`)
}
