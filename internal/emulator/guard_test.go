package emulator

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
)

func TestAnotherHostNameGetsNothing(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for _, target := range []string{"/", "/assets/live.js", apiRoot + "/users", "/api/oauth2/token"} {
		for _, host := range []string{"evil.example", "127.0.0.1", "127.0.0.1:8485", "127.0.0.1:8484.evil.example", ""} {
			w := x.do(http.MethodGet, target, "", "Host", host)
			assert.Equal(t, http.StatusMisdirectedRequest, w.Code, "%s for %q", target, host)
			assert.NotContains(t, w.Body.String(), alice)
		}
		assert.NotEqual(t, http.StatusMisdirectedRequest, x.do(http.MethodGet, target, "").Code, target)
	}
}

func TestARefusedHostIsToldTheFlagThatAddsIt(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for host, hint := range map[string]string{
		"localhost:9000":  "; -expose localhost:9000 adds this one.",
		"kii":             "; -expose kii:80 adds this one.",
		"[FD00::05]:9000": "; -expose [fd00::5]:9000 adds this one.",
		"<b>:1":           "; -expose adds a host.",
		"":                "; -expose adds a host.",
	} {
		w := x.do(http.MethodGet, "/", "", "Host", host)
		assert.Equal(t, http.StatusMisdirectedRequest, w.Code, host)
		assert.Contains(t, w.Body.String(), hint)
	}
}

func TestWritesFromAnotherOriginAreRefused(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.askPIN()
	var writes []struct{ method, path string }
	for _, r := range x.pageRoutes() {
		if r.method != http.MethodGet {
			writes = append(writes, struct{ method, path string }{r.method, r.path})
		}
	}
	assert.Greater(t, len(writes), 10)
	for _, r := range x.routes() {
		if r.method != http.MethodGet {
			writes = append(writes, struct{ method, path string }{r.method, strings.Replace(r.path, "{id}", "1", 1)})
		}
	}
	for _, write := range writes {
		for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"} {
			w := x.do(write.method, write.path, "", name, value)
			assert.Equal(t, http.StatusForbidden, w.Code, "%s %s with %s", write.method, write.path, name)
		}
	}
	assert.Len(t, x.srv.Messages(), 1)
	assert.Len(t, x.srv.Accounts(), 1)
}

func TestOnlyKiisOwnAPIIsOpenToOtherOrigins(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	w := x.do(http.MethodPost, "/api/apps/emulator/users/alice-id/password/request-reset", "", "Origin", "http://app.example", "Sec-Fetch-Site", "cross-site", "X-Kii-AppID", "emulator", "X-Kii-AppKey", "x")
	assert.Equal(t, http.StatusNoContent, w.Code)
	assert.Equal(t, "*", w.Header().Get("Access-Control-Allow-Origin"))
	for _, target := range []string{"/", apiRoot + "/messages"} {
		w := x.do(http.MethodGet, target, "", "Origin", "http://app.example")
		assert.Empty(t, w.Header().Get("Access-Control-Allow-Origin"), target)
	}
}

func TestEveryPageIsClosedToOthersAndNeverKept(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for _, target := range []string{"/", "/messages/1", "/users", "/users/_new", "/calls", "/faults", "/settings", "/nothing", apiRoot + "/users", apiRoot + "/nothing"} {
		h := x.do(http.MethodGet, target, "").Header()
		policy := h.Get("Content-Security-Policy")
		assert.Contains(t, policy, "default-src 'none'", target)
		assert.Contains(t, policy, "frame-ancestors 'none'", target)
		assert.NotContains(t, policy, "unsafe", target)
		assert.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), target)
		assert.Equal(t, "no-store", h.Get("Cache-Control"), target)
		assert.Equal(t, "same-origin", h.Get("Cross-Origin-Resource-Policy"), target)
		assert.Equal(t, "same-origin", h.Get("Cross-Origin-Opener-Policy"), target)
		assert.Equal(t, "same-origin", h.Get("Referrer-Policy"), "an address may stand in %s", target)
	}
}

func TestAUserNamedDotsReachesKiitestAsItIs(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	w := x.do(http.MethodPost, "/api/apps/emulator/users/../password/request-reset", "", "X-Kii-AppID", "emulator", "X-Kii-AppKey", "x")
	assert.Equal(t, http.StatusNotFound, w.Code)
	assert.Contains(t, w.Body.String(), "USER_NOT_FOUND")
}

func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	large := "email=" + strings.Repeat("a", maxBody+1)
	w := x.do(http.MethodPost, "/users", large, "Content-Type", "application/x-www-form-urlencoded")
	assert.Equal(t, http.StatusRequestEntityTooLarge, w.Code)
	assert.Equal(t, http.StatusRequestEntityTooLarge, x.do(http.MethodPost, apiRoot+"/faults", large).Code)
	assert.Len(t, x.srv.Accounts(), 1)
}

func TestAPanicIsReportedWithoutItsValue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		panics func()
		says   string
	}{
		{func() { panic("the PIN is 123456") }, "kii-emulator: a defect of the emulator: a panic with a string\n"},
		{func() { panic(errors.New("the PIN is 123456")) }, "kii-emulator: a defect of the emulator: a panic with a *errors.errorString\n"},
		{func() { _ = []int{}[len(t.Name()):][1] }, "kii-emulator: a defect of the emulator: runtime error: slice bounds out of range"},
		{func() { panic(http.ErrAbortHandler) }, ""},
	} {
		stderr := new(strings.Builder)
		h := recovered(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { c.panics() }), stderr)
		assert.PanicsWithValue(t, http.ErrAbortHandler, func() {
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
		})
		assert.True(t, strings.HasPrefix(stderr.String(), c.says), stderr)
		assert.Equal(t, c.says != "", strings.Contains(stderr.String(), "guard_test.go"), "where it came from")
		assert.NotContains(t, stderr.String(), "123456")
	}
}

// A deadlineRecorder is a ResponseRecorder that also keeps the deadlines it is set.
type deadlineRecorder struct {
	*httptest.ResponseRecorder
	deadlines []time.Time
}

func (r *deadlineRecorder) SetWriteDeadline(at time.Time) error {
	r.deadlines = append(r.deadlines, at)
	return nil
}

func TestAnAnswerIsBoundedInTimeAndTheNextOneIsNot(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for target, bounded := range map[string]bool{"/": true, apiRoot + "/messages": true, "/api/apps/emulator/users/me": false} { // which a fault may delay
		w := &deadlineRecorder{ResponseRecorder: httptest.NewRecorder()}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
		r.Host = testHost
		x.handler.ServeHTTP(w, r)
		if !bounded {
			assert.Empty(t, w.deadlines, target)
			continue
		}
		require.Len(t, w.deadlines, 2, target)
		assert.WithinDuration(t, time.Now().Add(answerTimeout), w.deadlines[0], time.Minute)
		assert.Zero(t, w.deadlines[1], "the connection may carry a longer call next")
	}
}

func TestReadyAnswersByWhateverName(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for _, host := range []string{"10.1.2.3:8484", "emulator", "[fd00::5]:80"} {
		w := x.do(http.MethodGet, apiRoot+"/ready", "", "Host", host)
		assert.Equal(t, http.StatusOK, w.Code, host)
		assert.JSONEq(t, `{"ready":true,"instance":"`+x.instance+`"}`, w.Body.String())
	}
	assert.Equal(t, http.StatusOK, x.do(http.MethodHead, apiRoot+"/ready", "", "Host", "emulator").Code, "some probes want no body")
	assert.Equal(t, http.StatusMisdirectedRequest, x.do(http.MethodPost, apiRoot+"/ready", "", "Host", "evil.example").Code)
	assert.NotEqual(t, x.instance, newTester(t).instance)
}

func TestHostsAreComparedByWhatTheyMean(t *testing.T) {
	t.Parallel()
	p := &binding{hosts: make(map[string]bool)}
	p.allow("my_service", "80")
	p.allow("::1", "8484")
	for header, want := range map[string]bool{
		"my_service": true, "MY_SERVICE.:80": true, "my_service:080": true, "my_service:81": false, "[::1]:8484": true, "[0:0:0:0:0:0:0:1]:8484": true, "[::1]": false, "": false, ":80": false,
	} {
		assert.Equal(t, want, p.answersTo(header), header)
	}
}

func TestARefusedRegistrationCanBeReadByAPageOfAnotherOrigin(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	w := x.kii(http.MethodPost, "/users", "application/json", `{"loginName":"carol","password":"pass"}`)
	assert.Equal(t, http.StatusCreated, w.Code)
	assert.Zero(t, x.registering, "it is over")
	x.registering = maxUsers
	w = x.kii(http.MethodPost, "/users", "application/json", `{"loginName":"bob","password":"pass"}`)
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	assert.Equal(t, "*", w.Header().Get("Access-Control-Allow-Origin"))
	x.askPIN() // who is there already is served
	x.call(http.StatusConflict, "POST", "/users", `{"loginName":"bob"}`)
}

func TestACallBesideTheAPIIsToldTheSite(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for _, target := range []string{"/apps/emulator/users/me", "/oauth2/token"} {
		w := x.do(http.MethodPost, target, "{}")
		assert.Equal(t, http.StatusNotFound, w.Code, target)
		assert.JSONEq(t, `{"errorCode":"EMULATOR_SITE_WITHOUT_API","message":"Kii Cloud's API is below /api: the site is http://`+testHost+`/api"}`, w.Body.String(), target)
		assert.Equal(t, "*", w.Header().Get("Access-Control-Allow-Origin"), "a page of another origin may read it")
		w = x.do(http.MethodOptions, target, "", "Origin", "https://app.example", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "x-kii-appid")
		assert.Equal(t, http.StatusNoContent, w.Code, target)
		assert.Equal(t, []string{"*", "POST", "x-kii-appid"},
			[]string{w.Header().Get("Access-Control-Allow-Origin"), w.Header().Get("Access-Control-Allow-Methods"), w.Header().Get("Access-Control-Allow-Headers")}, target)
	}
}

// What a client of Kii Cloud shows of an answer is its code.
func TestARefusalIsInTheFormThatTheCallerReads(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	const why = "This emulator does not answer to that host or port. It was started for http://" + testHost + "; -expose emulator:8484 adds this one."
	inCode := `{"errorCode":"EMULATOR_HOST_NOT_EXPOSED","message":"` + why + `"}`
	for target, want := range map[string]string{
		"/api/apps/emulator/users/me": inCode, "/api/oauth2/token": inCode, "/oauth2/token": inCode, apiRoot + "/messages": `{"error":"` + why + `"}`,
	} {
		w := x.do(http.MethodGet, target, "", "Host", "emulator:8484")
		assert.Equal(t, http.StatusMisdirectedRequest, w.Code, target)
		assert.JSONEq(t, want, w.Body.String(), target)
		open := want == inCode // to pages of any origin, as Kii Cloud is
		assert.Equal(t, open, w.Header().Get("Access-Control-Allow-Origin") == "*", target)
		w = x.do(http.MethodOptions, target, "", "Host", "emulator:8484", "Origin", "https://app.example", "Access-Control-Request-Method", "POST")
		assert.Equal(t, open, w.Code == http.StatusNoContent, target)
	}
	assert.Equal(t, why+"\n", x.do(http.MethodGet, "/users", "", "Host", "emulator:8484").Body.String())
	w := x.do(http.MethodPost, apiRoot+"/reset", "", "Origin", "http://evil.example")
	assert.Equal(t, http.StatusForbidden, w.Code)
	assert.JSONEq(t, `{"error":"Refused: the request comes from a page of another origin."}`, w.Body.String())

	elsewhere := httptest.NewServer(x.handler) // at a port of its own
	defer elsewhere.Close()
	client, err := kii.New("emulator", "x", kii.Site(elsewhere.URL+"/api"))
	require.NoError(t, err)
	err = client.User.ResetPassword(t.Context(), "alice-id", kii.NotificationEmail)
	require.EqualError(t, err, "kii: ResetPassword: 421 EMULATOR_HOST_NOT_EXPOSED")
	assert.False(t, kii.OutcomeUnknown(err))
	client.CloseIdleConnections()
}
