package kii_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata" // the machine may have none

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
)

// The tests run in London, where GMT has another name in summer.
func init() {
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		panic(err)
	}
	time.Local = london
}

// A reply is an answer of Kii Cloud, as a file of testdata holds it.
type reply struct {
	Status      int             `json:"status"`
	ContentType string          `json:"contentType"`
	Body        json.RawMessage `json:"body"`
	header      http.Header
}

// documented returns the reply in testdata/name.json.
func documented(t *testing.T, name string) reply {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	require.NoError(t, err)
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var r reply
	require.NoError(t, dec.Decode(&r))
	require.NotZero(t, r.Status)
	return r
}

// replyOf is a reply that no file holds, such as one that Kii Cloud does not give.
func replyOf(status int, body string) reply {
	return reply{Status: status, ContentType: "application/json", Body: json.RawMessage(body)}
}

// refusal is an error reply with a code.
func refusal(status int, code kii.ErrorCode) reply {
	return replyOf(status, `{"errorCode":"`+string(code)+`","message":"no"}`)
}

// A request is what arrived.
type request struct {
	method, url string
	header      http.Header
	body        string
}

const adminTokenURL = "https://api.kii.com/api/apps/appId/oauth2/token"

// A cloud gives each request the next of its replies and records what arrives. A request too many
// or too few fails the test. A request for an administrator's token gets one, and is not counted.
type cloud struct {
	*kii.Client
	mock *httpmock.MockTransport

	mu       sync.Mutex
	requests []request
}

func newCloud(t *testing.T, replies ...reply) *cloud {
	t.Helper()
	c := &cloud{mock: httpmock.NewMockTransport()}
	c.mock.RegisterNoResponder(func(req *http.Request) (*http.Response, error) {
		n := c.record(t, req)
		if n > len(replies) {
			t.Errorf("request %d arrived, of %d that were expected", n, len(replies))
			return nil, errors.New("no reply is left")
		}
		return replies[n-1].response(), nil
	})
	c.mock.RegisterResponder(http.MethodPost, adminTokenURL, httpmock.ResponderFromResponse(documented(t, "Admin_done").response()))
	t.Cleanup(func() { assert.Equal(t, len(replies), c.count(), "requests that arrived") })
	c.Client = newClient(t, c.mock)
	return c
}

// newClient is the client of the official SDKs' test app.
func newClient(t *testing.T, rt http.RoundTripper, opts ...kii.Option) *kii.Client {
	t.Helper()
	client, err := kii.New("appId", "appKey", kii.SiteUS, append(opts, kii.WithHTTPClient(&http.Client{Transport: rt}))...)
	require.NoError(t, err)
	return client
}

// record keeps req and returns how many have arrived.
func (c *cloud) record(t *testing.T, req *http.Request) int {
	var body []byte
	if req.Body != nil {
		var err error
		body, err = io.ReadAll(req.Body)
		assert.NoError(t, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, request{req.Method, req.URL.String(), req.Header.Clone(), string(body)})
	return len(c.requests)
}

func (c *cloud) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.requests)
}

// last returns the request that arrived last.
func (c *cloud) last(t *testing.T) request {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	require.NotEmpty(t, c.requests)
	return c.requests[len(c.requests)-1]
}

func (r reply) response() *http.Response {
	resp := httpmock.NewBytesResponse(r.Status, r.Body)
	maps.Copy(resp.Header, r.header)
	if r.ContentType != "" {
		resp.Header.Set("Content-Type", r.ContentType)
	}
	return resp
}

const userID = "86f3cdcf-950d-4a0a-9a6a-0f3b2d1c5e77" // of the replies in testdata

// session is a session of that user which can be refreshed.
func (c *cloud) session(t *testing.T) *kii.Session {
	t.Helper()
	return resumed(t, c.Client)
}

func resumed(tb testing.TB, client *kii.Client) *kii.Session {
	tb.Helper()
	s, err := client.User.Resume(kii.Token{UserID: userID, AccessToken: "access-1", RefreshToken: "refresh-1"})
	require.NoError(tb, err)
	return s
}

// admin is an administrator, who has no token yet.
func admin(tb testing.TB, client *kii.Client) *kii.Admin {
	tb.Helper()
	a, err := client.Admin("admin-id", "admin-secret")
	require.NoError(tb, err)
	return a
}

// An operation is one of the calls of the library, with arguments that it accepts: a User's, a
// Session's or an Admin's.
type operation struct {
	user    func(context.Context, *kii.User) error
	session func(context.Context, *kii.Session) error
	admin   func(context.Context, *kii.Admin) error
}

var operations = map[string]operation{
	"ResetPassword": {user: func(ctx context.Context, u *kii.User) error {
		return u.ResetPassword(ctx, "nobody@kii.com", kii.NotificationEmail)
	}},
	"CompleteResetPassword": {user: func(ctx context.Context, u *kii.User) error {
		return u.CompleteResetPassword(ctx, userID, "1234", new("password"))
	}},
	"Login": {user: func(ctx context.Context, u *kii.User) error {
		_, err := u.Login(ctx, "alice@example.com", "password")
		return err
	}},
	"Profile": {session: func(ctx context.Context, s *kii.Session) error {
		_, err := s.Profile(ctx)
		return err
	}},
	"ChangePassword": {session: func(ctx context.Context, s *kii.Session) error {
		return s.ChangePassword(ctx, "old-pass", "new-pass")
	}},
	"Refresh": {session: func(ctx context.Context, s *kii.Session) error { return s.Refresh(ctx) }},
	"ResendEmailVerification": {session: func(ctx context.Context, s *kii.Session) error {
		return s.ResendEmailVerification(ctx)
	}},
	"ResendPhoneVerification": {session: func(ctx context.Context, s *kii.Session) error {
		return s.ResendPhoneVerification(ctx)
	}},
	"VerifyEmail": {session: func(ctx context.Context, s *kii.Session) error { return s.VerifyEmail(ctx, "012345") }},
	"VerifyPhone": {session: func(ctx context.Context, s *kii.Session) error { return s.VerifyPhone(ctx, "012345") }},
	"ChangeEmail": {session: func(ctx context.Context, s *kii.Session) error {
		return s.ChangeEmail(ctx, "new@example.com")
	}},
	"ChangePhone": {session: func(ctx context.Context, s *kii.Session) error {
		return s.ChangePhone(ctx, "+819087654321")
	}},
	"User": {admin: func(ctx context.Context, a *kii.Admin) error {
		_, err := a.User(ctx, "alice@example.com")
		return err
	}},
	"SetPassword": {admin: func(ctx context.Context, a *kii.Admin) error {
		return a.SetPassword(ctx, "alice@example.com", "new-pass")
	}},
	"SetEmail": {admin: func(ctx context.Context, a *kii.Admin) error {
		return a.SetEmail(ctx, "alice@example.com", "new@example.com")
	}},
	"SetPhone": {admin: func(ctx context.Context, a *kii.Admin) error {
		return a.SetPhone(ctx, "alice@example.com", "+819087654321")
	}},
	"SetDisabled": {admin: func(ctx context.Context, a *kii.Admin) error {
		return a.SetDisabled(ctx, "alice@example.com", true)
	}},
}

// call makes the operation, on a session that was just resumed if it is a session's, and by a new
// administrator if it is one's.
func (o operation) call(ctx context.Context, tb testing.TB, client *kii.Client) error {
	tb.Helper()
	switch {
	case o.user != nil:
		return o.user(ctx, client.User)
	case o.admin != nil:
		return o.admin(ctx, admin(tb, client))
	}
	return o.session(ctx, resumed(tb, client))
}

// operate makes the operation of this name.
func operate(t *testing.T, op string, c *cloud) error {
	t.Helper()
	return operations[op].call(t.Context(), t, c.Client)
}

// operateWithToken makes an administrator's operation, with the replies of c for the request for a
// token.
func operateWithToken(t *testing.T, op string, c *cloud) error {
	t.Helper()
	c.mock.RegisterResponder(http.MethodPost, adminTokenURL, nil)
	c.mock.RegisterResponder(http.MethodGet, "https://api.kii.com/api/apps/appId/users/EMAIL:alice%40example.com",
		httpmock.ResponderFromResponse(documented(t, "User_done").response()))
	return operate(t, op, c)
}

// sessionCalls are the operations of a session.
var sessionCalls = func() map[string]func(context.Context, *kii.Session) error {
	calls := make(map[string]func(context.Context, *kii.Session) error)
	for name, op := range operations {
		if op.session != nil {
			calls[name] = op.session
		}
	}
	return calls
}()

// The doubles of http.RoundTripper.

// tripper answers in the caller's goroutine, so that a test in a bubble decides when.
type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(req *http.Request) (*http.Response, error) {
	send(req)
	return f(req)
}

// send reads a request's body, as transports do: what is not read is proved not sent.
func send(req *http.Request) {
	if req.Body != nil {
		_, _ = io.Copy(io.Discard, req.Body)
	}
}

// withAdminToken answers a request for an administrator's token, and leaves all others to next.
func withAdminToken(t *testing.T, next tripper) tripper {
	t.Helper()
	token := documented(t, "Admin_done")
	return func(req *http.Request) (*http.Response, error) {
		if req.URL.String() == adminTokenURL {
			return token.response(), nil
		}
		return next(req)
	}
}

// silence waits for the end of the request's context, as a server does that never answers.
func silence(req *http.Request) (*http.Response, error) {
	send(req)
	<-req.Context().Done()
	return nil, req.Context().Err()
}

// canned answers every request the same, without a socket, so that only the client's own work is
// counted.
type canned struct {
	status int
	body   string
}

func (c canned) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	body := io.ReadCloser(http.NoBody)
	if c.body != "" {
		body = io.NopCloser(strings.NewReader(c.body))
	}
	return &http.Response{StatusCode: c.status, Body: body, ContentLength: int64(len(c.body)), Request: req}, nil
}
