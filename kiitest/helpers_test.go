package kiitest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

// caller sends what an SDK sends, with nothing but net/http.
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

// last returns the newest message to the user, which must be there.
func last(t testing.TB, srv *kiitest.Server, id string) kiitest.Message {
	t.Helper()
	m, ok := srv.LastMessage(id)
	require.True(t, ok, "a message to the user")
	return m
}

// open opens a message's link as a browser does, apart from redirects.
func (c *caller) open(link string) reply {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), "GET", link, http.NoBody)
	require.NoError(c.t, err)
	return c.do(r)
}

// submit sends the form of the page behind a link.
func (c *caller) submit(link, password, again string) reply {
	c.t.Helper()
	form := url.Values{"password": {password}, "confirm": {again}}
	r, err := http.NewRequestWithContext(c.t.Context(), "POST", link, strings.NewReader(form.Encode()))
	require.NoError(c.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.do(r)
}

func (c *caller) refresh(token string) reply {
	c.t.Helper()
	body, err := json.Marshal(map[string]string{"grant_type": "refresh_token", "refresh_token": token})
	require.NoError(c.t, err)
	return c.send("POST", "/oauth2/token", "application/json", string(body), "")
}

func (c *caller) change(token, oldPassword, newPassword string) reply {
	c.t.Helper()
	body, err := json.Marshal(map[string]string{"oldPassword": oldPassword, "newPassword": newPassword})
	require.NoError(c.t, err)
	return c.send("PUT", "users/me/password", "application/vnd.kii.ChangePasswordRequest+json", string(body), token)
}

// token logs in, which must work, and returns the access token.
func (c *caller) token(username, password string) string {
	c.t.Helper()
	got := c.login(username, password)
	require.Equal(c.t, "200", got.String())
	return got.string("access_token")
}

// start makes a strict server without a socket, and a caller.
func start(t testing.TB, opts ...kiitest.Option) (*kiitest.Server, *caller) {
	t.Helper()
	srv := kiitest.NewServer(append([]kiitest.Option{kiitest.WithTest(t), kiitest.WithoutSocket()}, opts...)...)
	return srv, newCaller(t, srv)
}

func refreshTokens(s *kiitest.Settings) { s.RefreshTokens = true }

func readAll(t testing.TB, r io.Reader) string {
	t.Helper()
	text, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(text)
}

// requireNetworkError requires that the network failed at the operation: dial, read or write.
func requireNetworkError(t testing.TB, err error, op string) {
	t.Helper()
	failed, ok := errors.AsType[*net.OpError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, op, failed.Op)
}
