package kii_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
)

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

// A cloud gives each request the next of its replies and records what arrives. A request too many
// or too few fails the test.
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
	for name, values := range r.header {
		resp.Header[name] = values
	}
	if r.ContentType != "" {
		resp.Header.Set("Content-Type", r.ContentType)
	}
	return resp
}

const userID = "86f3cdcf-950d-4a0a-9a6a-0f3b2d1c5e77" // of the replies in testdata

// session is a session of that user which can be refreshed.
func (c *cloud) session(t *testing.T) *kii.Session {
	t.Helper()
	s, err := c.User.Resume(kii.Token{UserID: userID, AccessToken: "access-1", RefreshToken: "refresh-1"})
	require.NoError(t, err)
	return s
}

// An operation is one of the calls of the library, with arguments that it accepts.
type operation func(t *testing.T, c *cloud) error

var operations = map[string]operation{
	"ResetPassword": func(t *testing.T, c *cloud) error {
		return c.User.ResetPassword(t.Context(), "nobody@kii.com", kii.NotificationEmail)
	},
	"CompleteResetPassword": func(t *testing.T, c *cloud) error {
		return c.User.CompleteResetPassword(t.Context(), userID, "1234", new("password"))
	},
	"Login": func(t *testing.T, c *cloud) error {
		_, err := c.User.Login(t.Context(), "alice@example.com", "password")
		return err
	},
	"Profile": func(t *testing.T, c *cloud) error {
		_, err := c.session(t).Profile(t.Context())
		return err
	},
	"ChangePassword": func(t *testing.T, c *cloud) error {
		return c.session(t).ChangePassword(t.Context(), "old-pass", "new-pass")
	},
	"Refresh": func(t *testing.T, c *cloud) error { return c.session(t).Refresh(t.Context()) },
	"ResendEmailVerification": func(t *testing.T, c *cloud) error {
		return c.session(t).ResendEmailVerification(t.Context())
	},
	"ResendPhoneVerification": func(t *testing.T, c *cloud) error {
		return c.session(t).ResendPhoneVerification(t.Context())
	},
	"VerifyEmail": func(t *testing.T, c *cloud) error { return c.session(t).VerifyEmail(t.Context(), "012345") },
	"VerifyPhone": func(t *testing.T, c *cloud) error { return c.session(t).VerifyPhone(t.Context(), "012345") },
	"ChangeEmail": func(t *testing.T, c *cloud) error {
		return c.session(t).ChangeEmail(t.Context(), "new@example.com")
	},
	"ChangePhone": func(t *testing.T, c *cloud) error {
		return c.session(t).ChangePhone(t.Context(), "+819087654321")
	},
}
