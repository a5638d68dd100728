package emulator

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

const (
	testHost = "127.0.0.1:8484"
	alice    = "alice@example.com"
	phone    = "+819012341234"
)

var testOptions = Options{AppID: DefaultAppID, AppKey: DefaultAppKey, ClientID: DefaultClientID, ClientSecret: DefaultSecret}

// A tester drives an emulator's handler without a socket.
type tester struct {
	t testing.TB
	*emulator
	handler http.Handler
	stderr  *bytes.Buffer
}

// newTester makes an emulator that alice is in.
func newTester(t testing.TB) *tester {
	t.Helper()
	name := filepath.Join(t.TempDir(), "seed.json")
	seed := `{"settings": {"resetFlow": "INPUT"}, "users": [
		{"id": "alice-id", "loginName": "alice", "email": "` + alice + `", "emailVerified": true, "phone": "` + phone + `", "phoneVerified": true, "password": "old-pass"}]}`
	require.NoError(t, os.WriteFile(name, []byte(seed), 0o600))
	start, err := loadSeed(name)
	require.NoError(t, err)
	p := &binding{origin: "http://" + testHost, hosts: map[string]bool{testHost: true}}
	e := newEmulator(testOptions, p, start)
	t.Cleanup(e.srv.Close)
	stderr := new(bytes.Buffer)
	return &tester{t, e, e.handler(stderr), stderr}
}

// do sends a request; headers are pairs of name and value.
func (x *tester) do(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	x.t.Helper()
	r := httptest.NewRequestWithContext(x.t.Context(), method, target, strings.NewReader(body))
	r.Host = testHost
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
	}
	w := httptest.NewRecorder()
	x.handler.ServeHTTP(w, r)
	return w
}

// call sends a request to the JSON API, wants the status and decodes the answer.
func (x *tester) call(status int, method, path, body string) map[string]any {
	x.t.Helper()
	w := x.do(method, apiRoot+path, body)
	require.Equal(x.t, status, w.Code, "%s %s: %s", method, path, w.Body)
	var answer map[string]any
	if status == http.StatusNoContent {
		require.Empty(x.t, w.Body.String()+w.Header().Get("Content-Type"), "%s %s", method, path)
	} else {
		require.NoError(x.t, json.Unmarshal(w.Body.Bytes(), &answer))
	}
	return answer
}

// form posts a form of the page's.
func (x *tester) form(path string, fields url.Values) *httptest.ResponseRecorder {
	x.t.Helper()
	return x.do(http.MethodPost, path, fields.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
}

// askPIN has alice ask for a PIN through Kii Cloud's API.
func (x *tester) askPIN() kiitest.Message {
	x.t.Helper()
	w := x.do(http.MethodPost, "/api/apps/emulator/users/alice-id/password/request-reset", `{"notificationMethod":"SMS","smsResetMethod":"PIN"}`,
		"Content-Type", "application/vnd.kii.ResetPasswordRequest+json", "X-Kii-AppID", "emulator", "X-Kii-AppKey", "x")
	require.Equal(x.t, http.StatusNoContent, w.Code)
	m, found := x.srv.LastMessage("alice-id")
	require.True(x.t, found)
	return m
}

// page gets a page and wants the status.
func (x *tester) page(status int, target string) string {
	x.t.Helper()
	w := x.do(http.MethodGet, target, "")
	require.Equal(x.t, status, w.Code, target)
	return w.Body.String()
}

// shows fails the test if the page does not hold one of the texts. It does not print the page.
func (x *tester) shows(page string, texts ...string) {
	x.t.Helper()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			x.t.Errorf("the page does not show %s", text)
		}
	}
}

// hides fails the test if the page holds one of the texts. It does not print the page.
func (x *tester) hides(page string, texts ...string) {
	x.t.Helper()
	for _, text := range texts {
		if strings.Contains(page, text) {
			x.t.Errorf("the page shows %s", text)
		}
	}
}

// kii sends a call to Kii Cloud's API as an app does.
func (x *tester) kii(method, path, contentType, body string) *httptest.ResponseRecorder {
	x.t.Helper()
	return x.do(method, "/api/apps/emulator"+path, body, "Content-Type", contentType, "X-Kii-AppID", "emulator", "X-Kii-AppKey", "x")
}
