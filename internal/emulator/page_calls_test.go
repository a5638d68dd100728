package emulator

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

func TestThePageShowsTheLast200Calls(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for range 205 {
		x.do(http.MethodGet, "/api/nothing", "")
	}
	page := x.page(http.StatusOK, "/calls")
	assert.Equal(t, shownCalls, strings.Count(page, `<li class="call`))
	x.shows(page, "The newest 200 of 205 calls")
}

func TestAPlusInTheTextOfACallIsFound(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.do(http.MethodPost, "/api/apps/emulator/users/PHONE:%2B819012341234/password/request-reset", "")
	for _, text := range []string{"PHONE:+8190", "PHONE:%2B8190", "+8190", "request-reset"} {
		assert.Contains(t, x.do(http.MethodGet, apiRoot+"/calls?text="+text, "").Body.String(), `"total":1`, text)
	}
}

func TestALongPathIsFoundAlthoughTheLogCutsIt(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.do(http.MethodGet, "/api/a-b/"+strings.Repeat("%2B", 2000), "")
	assert.InDelta(t, 1, x.call(http.StatusOK, "GET", "/calls?text=a-b", "")["total"], 0)
}

func TestACallShowsWhatWasAskedAnsweredAndWhy(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.call(http.StatusCreated, "POST", "/users", `{"id":"bob","loginName":"bob","phone":"+14085550100","phoneVerified":true}`)
	x.kii(http.MethodPost, "/users/bob/password/request-reset", "application/vnd.kii.ResetPasswordRequest+json", `{"notificationMethod":"SMS","smsResetMethod":"PIN"}`)
	for _, target := range []string{"/calls", "/calls/1"} {
		x.shows(x.page(http.StatusOK, target), "409", "OPERATION_NOT_ALLOWED", "<strong>Why:</strong>", "has no password", "&#34;notificationMethod&#34;: &#34;SMS&#34;", "&#34;errorCode&#34;: &#34;OPERATION_NOT_ALLOWED&#34;", "409 in ", "curl -i")
	}
	x.askPIN()
	x.shows(x.page(http.StatusOK, "/calls/2"), `<a href="/messages/1">message 1</a>`, `href="/calls/1" rel="next"`)
	x.hides(x.page(http.StatusOK, "/calls/2"), `rel="prev"`)
	x.shows(x.page(http.StatusOK, "/calls/1"), `href="/calls/2" rel="prev"`)
	x.hides(x.page(http.StatusOK, "/calls/1"), `rel="next"`)
	x.shows(x.page(http.StatusOK, "/calls?errors=on"), `id="c1"`)
	x.hides(x.page(http.StatusOK, "/calls?errors=on"), `id="c2"`)
	x.shows(x.page(http.StatusOK, "/calls?q=not_allowed"), `id="c1"`)
	x.hides(x.page(http.StatusOK, "/calls?q=not_allowed"), `id="c2"`)
	x.shows(x.page(http.StatusOK, "/calls?operation=login"), "No call matches")
	x.shows(x.page(http.StatusOK, "/calls?errors=on"), "<p>1 of 2 calls, newest first")
	x.hides(x.page(http.StatusOK, "/calls"), "Show all")
	for _, query := range []string{"q=bob", "errors=on", "operation=login"} {
		x.shows(x.page(http.StatusOK, "/calls?"+query), `href="/calls">Show all`)
	}
	calls := x.call(http.StatusOK, "GET", "/calls?errors=true", "")
	assert.InDelta(t, 1, calls["total"], 0)
	assert.InDelta(t, 2, x.call(http.StatusOK, "GET", "/calls?text=SMSResetMethod", "")["total"], 0)
	assert.InDelta(t, 1, x.call(http.StatusOK, "GET", "/calls?text=bob+has+no+password", "")["total"], 0)
	assert.InDelta(t, 0, x.call(http.StatusOK, "GET", "/calls?text=not_allowed&operation=login", "")["total"], 0)
}

func TestABodyIsShownAsAPersonReadsIt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ contentType, body, want string }{
		{"application/json", "", "\n(no body)"},
		{"text/plain", "\xff\x00", "\n(a body that is not text)"},
		{"application/vnd.kii.X+json", `{"a":1}`, "\n{\n  \"a\": 1\n}"},
		{"application/json", `{"a":`, "\n{\"a\":"},
		{"text/plain", `{"a":1}`, "\n{\"a\":1}"},
	} {
		assert.Equal(t, c.want, bodyText(c.contentType, []byte(c.body)))
	}
	assert.Equal(t, "0.3 ms", took(251*time.Microsecond))
	assert.Equal(t, "1.235s", took(1234567*time.Microsecond))
	assert.Equal(t, []string{"none", "s2", "s5"}, []string{statusClass(0), statusClass(204), statusClass(503)})
}

func TestACallIsAmongTheErrorsForEachReasonToLookForIt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		call kiitest.Call
		want bool
	}{
		{kiitest.Call{Status: 204}, false},
		{kiitest.Call{Status: 303}, false},
		{kiitest.Call{Status: 400}, true},
		{kiitest.Call{}, true}, // had no answer
		{kiitest.Call{Status: 204, Fault: kiitest.FaultDelay}, true},
	} {
		assert.Equal(t, c.want, failed(c.call), c.call)
	}
}

func TestACallIsWrittenInOneWay(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	assert.Equal(t, "/users/me", x.shortPath("/api/apps/emulator/users/me"))
	assert.Equal(t, "/api/apps/other/users/me", x.shortPath("/api/apps/other/users/me"))
	assert.Equal(t, "/api/oauth2/token", x.shortPath("/api/oauth2/token"))
	h := http.Header{"E": {"5"}, "C": {"3", "4"}, "A": {"1"}, "F": {"6"}, "B": {"2"}}
	assert.Equal(t, "A: 1\nB: 2\nC: 3\nC: 4\nE: 5\nF: 6\n", headText(h))
}

func TestACallIsSentAgain(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	first := x.askPIN()
	w := x.form("/calls/replay", url.Values{"id": {"1"}, "back": {"/calls"}})
	assert.Equal(t, "/calls/2?n=2&said=replayed", w.Header().Get("Location"))
	second, _ := x.srv.LastMessage("alice-id")
	assert.Equal(t, first.ID+1, second.ID)
	again, _ := x.srv.Call(2)
	original, _ := x.srv.Call(1)
	assert.Equal(t, original.Header, again.Header)
	assert.Equal(t, original.Body, again.Body)

	x.call(http.StatusCreated, "POST", "/faults", `{"kind":"no-answer"}`)
	x.call(http.StatusCreated, "POST", "/calls/1/replay", "")
	lost, _ := x.srv.Call(3)
	assert.Zero(t, lost.Status)
}

func TestTheCallThatWasSentAgainIsToldFromOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		x := newTester(t)
		x.askPIN()
		x.call(http.StatusCreated, "POST", "/faults", `{"kind":"delay","delay":"5s"}`)
		again := make(chan any)
		go func() { again <- x.call(http.StatusCreated, "POST", "/calls/1/replay", "")["id"] }()
		synctest.Wait()
		const path, body = "/users/alice-id/password/request-reset", `{"notificationMethod":"SMS","smsResetMethod":"PIN"}`
		x.kii(http.MethodPut, path, "application/json", body)
		x.kii(http.MethodPost, "/users/alice/password/request-reset", "application/json", body)
		x.kii(http.MethodPost, path+"?a=1", "application/json", body)
		x.kii(http.MethodPost, path, "application/json", `{"notificationMethod":"EMAIL"}`)
		assert.InDelta(t, 6, <-again, 0)
		assert.Len(t, x.srv.Calls(), 6)
	})
}

func TestACallThatIsLongerThanTheLogKeepsIsNotSentAgain(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.askPIN()
	x.shows(x.page(http.StatusOK, "/calls/1"), "Send it again")
	long := strings.Repeat("x", maxKept)
	x.kii(http.MethodPost, "/users", "application/json", `{"loginName":"bob","x":"`+long+`"}`)
	x.kii(http.MethodPost, "/users/"+long+"/password/request-reset", "", "")
	x.kii(http.MethodPost, "/users/alice-id/password/request-reset?x="+long, "", "")
	for _, cookie := range []string{long, long[:maxKept-len("Cookie")-len("X-Kii-AppID")]} { // X-Kii-AppID has no room beside it
		x.do(http.MethodPost, "/api/apps/emulator/users/alice-id/password/request-reset", "", "Cookie", cookie, "X-Kii-AppID", "emulator", "X-Kii-AppKey", "x")
	}
	for id := 2; id <= 6; id++ {
		x.call(http.StatusConflict, "POST", fmt.Sprintf("/calls/%d/replay", id), "")
		page := x.page(http.StatusOK, fmt.Sprintf("/calls/%d", id))
		x.shows(page, "It is longer than the log keeps")
		x.hides(page, "Send it again")
	}
	assert.Len(t, x.srv.Calls(), 6)
}

func TestTheCurlOfACallIsTheCall(t *testing.T) {
	t.Parallel()
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("no curl to try the command with")
	}
	x := newTester(t)
	server := httptest.NewUnstartedServer(x.handler)
	defer server.Close()
	address := server.Listener.Addr().String()
	x.bound.origin = "http://" + address
	x.bound.hosts[address] = true
	server.Start()
	x.kii(http.MethodPost, "/users/alice-id/password/complete-reset?a='b", "application/vnd.kii.CompletePasswordResetRequest+json", `{"pinCode":"it's $HOME"}`)
	x.kii(http.MethodGet, "/users/me", "", "")
	x.kii(http.MethodPost, "/users/alice-id/password/request-reset", "", "")
	x.kii(http.MethodPut, "/users/me/password", "application/vnd.kii.ChangePasswordRequest+json", `{}`)
	x.kii(http.MethodDelete, "/users/me", "", "")
	for id := 1; id <= 5; id++ {
		c, _ := x.srv.Call(id)
		out, err := exec.Command("sh", "-c", strings.Replace(x.curlOf(c), "curl", curl+" -s", 1)).CombinedOutput()
		require.NoError(t, err, string(out))
		again, found := x.srv.Call(id + 5)
		require.True(t, found)
		assert.Equal(t, []any{c.Method, c.Path, c.Query, string(c.Body), c.Status, c.Header.Get("Content-Type")},
			[]any{again.Method, again.Path, again.Query, string(again.Body), again.Status, again.Header.Get("Content-Type")})
	}
}

func TestTheFormOfAFaultMakesTheNextCallFail(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.form("/faults", url.Values{"kind": {"status"}, "status": {"503"}, "errorCode": {"TEMPORARY"}, "operation": {"request-reset"}, "nth": {"1"}, "times": {"1"}})
	x.shows(x.page(http.StatusOK, "/faults"), "The next request-reset call is answered 503 TEMPORARY.")
	w := x.kii(http.MethodPost, "/users/alice-id/password/request-reset", "", "")
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	x.shows(x.page(http.StatusOK, "/calls"), `<span class="status s5">503</span>`, `<code class="code">TEMPORARY</code>`, "fault: status")
	for _, c := range []struct {
		fields url.Values
		want   kiitest.Fault
	}{
		{
			url.Values{"kind": {"html"}, "nth": {"3"}, "times": {"2"}, "user": {" alice "}, "delay": {"5s"}, "handled": {"on"}, "status": {"503"}, "errorCode": {"LEFT_OVER"}},
			kiitest.Fault{ID: 2, Kind: kiitest.FaultHTML, Nth: 3, Times: 2, User: "alice", Delay: 5 * time.Second, Handled: true},
		},
		{
			url.Values{"kind": {"redirect"}, "times": {"1"}, "always": {"on"}, "status": {"308"}, "operation": {"login"}},
			kiitest.Fault{ID: 3, Kind: kiitest.FaultRedirect, Operation: kiitest.OpLogin, Nth: 1, Times: kiitest.EveryTime, Status: 308},
		},
		{url.Values{"kind": {"redirect"}, "status": {"503"}}, kiitest.Fault{ID: 4, Kind: kiitest.FaultRedirect, Nth: 1, Times: 1}},
	} {
		w := x.form("/faults", c.fields)
		require.Equal(t, http.StatusSeeOther, w.Code, c.fields)
		faults := x.srv.Faults()
		assert.Equal(t, c.want, faults[len(faults)-1])
	}
}

func TestFaultsAreRemovedOneByOne(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for _, p := range presets {
		w := x.form("/faults", url.Values{"preset": {p.Name}})
		assert.Equal(t, "/faults?said=fault-added", w.Header().Get("Location"), p.Name)
	}
	faults := x.srv.Faults()
	require.Len(t, faults, len(presets))
	w := x.form("/faults/remove", url.Values{"id": {"2"}})
	assert.Equal(t, http.StatusSeeOther, w.Code)
	assert.Equal(t, http.StatusNotFound, x.form("/faults/remove", url.Values{"id": {"2"}}).Code)
	assert.Len(t, x.srv.Faults(), len(presets)-1)
}

func TestFaultsAreToldInWords(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for _, c := range []struct {
		fault kiitest.Fault
		want  string
	}{
		{kiitest.Fault{Kind: kiitest.FaultHTML}, "The next call is answered 200 and a web page, as in a hotel's network."},
		{kiitest.Fault{Kind: kiitest.FaultNoAnswer, Times: kiitest.EveryTime, User: "alice-id", Handled: true, Delay: 1e8}, "Every call of alice breaks in place of its answer, after 100ms; it takes effect."},
		{kiitest.Fault{Kind: kiitest.FaultDelay, Delay: 5e9, Nth: 3, Operation: kiitest.OpLogin}, "Number 3 of the next login calls is answered as usual, after 5s."},
		{kiitest.Fault{Kind: kiitest.FaultStatus, Status: 500, Times: 2}, "Each of the next 2 calls is answered 500."},
		{kiitest.Fault{Kind: kiitest.FaultCut, Times: 2, Nth: 3, User: "nobody"}, "Each of 2 calls of nobody from number 3 on gets half of its answer."},
		{kiitest.Fault{Kind: kiitest.FaultCut, Times: kiitest.EveryTime, Nth: 3, Operation: kiitest.OpLogin}, "Every login call from number 3 on gets half of its answer."},
	} {
		assert.Equal(t, c.want, x.faultText(c.fault))
	}
}
