package kiitest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

// caller sends what an SDK sends, by net/http alone.
type caller struct {
	t      testing.TB
	server *kiitest.Server
	client *http.Client
}

func newCaller(t testing.TB, srv *kiitest.Server) *caller {
	return &caller{t, srv, &http.Client{
		Transport:     srv.Transport(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

type reply struct {
	status int
	header http.Header
	body   map[string]any
	text   string
}

func (r reply) code() string {
	code, _ := r.body["errorCode"].(string)
	return code
}

// String is "204" or "403 WRONG_TOKEN".
func (r reply) String() string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", r.status, r.code()))
}

func (r reply) string(name string) string {
	s, _ := r.body[name].(string)
	return s
}

// send sends a call below the app; a leading slash is below the API's root.
func (c *caller) send(method, path, contentType, body, token string) reply {
	c.t.Helper()
	if !strings.HasPrefix(path, "/") {
		path = "/apps/" + c.server.AppID() + "/" + path
	}
	r, err := http.NewRequestWithContext(c.t.Context(), method, string(c.server.Site())+path, strings.NewReader(body))
	require.NoError(c.t, err)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if token == "" {
		r.Header.Set("X-Kii-AppID", c.server.AppID())
		r.Header.Set("X-Kii-AppKey", c.server.AppKey())
	} else {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return c.do(r)
}

func (c *caller) do(r *http.Request) reply {
	c.t.Helper()
	response, err := c.client.Do(r)
	require.NoError(c.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(c.t, err)
	got := reply{status: response.StatusCode, header: response.Header, text: string(text)}
	json.Unmarshal(text, &got.body)
	return got
}

func (c *caller) ask(id, body string) reply {
	c.t.Helper()
	return c.send("POST", "users/"+id+"/password/request-reset", "application/vnd.kii.ResetPasswordRequest+json", body, "")
}

const (
	byEmail = `{"notificationMethod":"EMAIL"}`
	bySMS   = `{"notificationMethod":"SMS","smsResetMethod":"URL"}`
	byPIN   = `{"notificationMethod":"SMS","smsResetMethod":"PIN"}`
)

func (c *caller) complete(id, pin, password string) reply {
	c.t.Helper()
	body := map[string]string{"pinCode": pin, "newPassword": password}
	if password == "" {
		delete(body, "newPassword")
	}
	encoded, err := json.Marshal(body)
	require.NoError(c.t, err)
	return c.send("POST", "users/"+id+"/password/complete-reset", "application/vnd.kii.CompletePasswordResetRequest+json", string(encoded), "")
}

func (c *caller) login(username, password string) reply {
	c.t.Helper()
	body, err := json.Marshal(map[string]string{"username": username, "password": password})
	require.NoError(c.t, err)
	return c.send("POST", "/oauth2/token", "application/json", string(body), "")
}

func (c *caller) me(token string) reply {
	c.t.Helper()
	return c.send("GET", "users/me", "", "", token)
}

func alice() kiitest.Account {
	return kiitest.Account{
		LoginName: "alice", Email: "alice@example.com", Phone: "+819012341234", EmailVerified: true, PhoneVerified: true, Password: "old-pass",
	}
}

func input(s *kiitest.Settings) { s.ResetFlow = kiitest.InputPassword }

func TestPINResetsOnceAndEndsWhatTheOldPasswordGave(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]func(*kiitest.Settings){"generate": func(*kiitest.Settings) {}, "input": input} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := kiitest.NewServer(kiitest.WithTest(t), kiitest.WithSettings(option), kiitest.WithSettings(func(s *kiitest.Settings) { s.RefreshTokens = true }))
			c := newCaller(t, srv)
			id := srv.AddAccount(alice())
			old := c.login("alice", "old-pass")
			require.Equal(t, "200", old.String())
			require.Equal(t, id, old.body["id"])

			require.Equal(t, "204", c.ask(id, byPIN).String())
			first, ok := srv.LastMessage(id)
			require.True(t, ok)
			require.Equal(t, "204", c.ask("PHONE:JP-09012341234", byPIN).String())
			second, _ := srv.LastMessage("alice@example.com")
			require.Equal(t, "200", c.me(old.string("access_token")).String(), "asking alone changes nothing")

			require.Equal(t, "403 INVALID_VERIFICATION_CODE", c.complete(id, first.PIN, "new-pass").String(), "replaced")
			require.Equal(t, "403 INVALID_VERIFICATION_CODE", c.complete(id, "000000", "new-pass").String(), "wrong")
			require.Equal(t, "204", c.complete(id, second.PIN, "new-pass").String())
			require.Equal(t, "403 INVALID_VERIFICATION_CODE", c.complete(id, second.PIN, "newer-pass").String(), "used")

			password := "new-pass"
			if name == "generate" {
				m, _ := srv.LastMessage(id)
				require.Equal(t, kiitest.SMS, m.Channel)
				password = m.Password
			}
			require.Equal(t, "403 WRONG_TOKEN", c.me(old.string("access_token")).String())
			refresh := fmt.Sprintf(`{"grant_type":"refresh_token","refresh_token":%q}`, old.string("refresh_token"))
			require.Equal(t, "403 WRONG_REFRESH_TOKEN", c.send("POST", "/oauth2/token", "application/json", refresh, "").String())
			require.Equal(t, "400 invalid_grant", c.login("alice", "old-pass").String())
			require.Equal(t, "200", c.me(c.login("alice", password).string("access_token")).String())
		})
	}
}

func TestBubbleNeedsOnlyTheUsualNames(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := kiitest.NewServer()
		defer srv.Close()
		c := newCaller(t, srv)
		id := srv.AddAccount(alice())
		require.Equal(t, "204", c.ask(id, byPIN).String())
		m, _ := srv.LastMessage(id)
		time.Sleep(10*time.Minute - 1)
		require.Equal(t, "403 INVALID_VERIFICATION_CODE", c.complete(id, "000000", "").String())
		time.Sleep(1)
		require.Equal(t, "410 PIN_CODE_EXPIRED", c.complete(id, m.PIN, "").String())
	})
}
