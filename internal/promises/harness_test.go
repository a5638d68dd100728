// Package promises_test attacks the promises of package kii from outside: by servers, networks,
// proxies and callers that misbehave.
package promises_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
)

// tripper is a RoundTripper that answers in the caller's goroutine.
type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// unreachable fails the test if anything is sent.
func unreachable(t *testing.T) tripper {
	return func(*http.Request) (*http.Response, error) {
		t.Error("a request was sent")
		return nil, errors.New("no reply is left")
	}
}

// answer returns a response of JSON.
func answer(status int, body string) *http.Response {
	resp := httpmock.NewStringResponse(status, body)
	resp.Header.Set("Content-Type", "application/json")
	return resp
}

// refusal returns a response with a code.
func refusal(status int, code kii.ErrorCode) *http.Response {
	return answer(status, `{"errorCode":"`+string(code)+`","message":"no"}`)
}

// newClient returns a client that sends through rt.
func newClient(t *testing.T, rt http.RoundTripper, opts ...kii.Option) *kii.Client {
	t.Helper()
	client, err := kii.New("appId", "appKey", kii.SiteUS, append(opts, kii.WithHTTPClient(&http.Client{Transport: rt}))...)
	require.NoError(t, err)
	return client
}

// resume returns a session that can be refreshed.
func resume(t *testing.T, client *kii.Client) *kii.Session {
	t.Helper()
	s, err := client.User.Resume(kii.Token{UserID: "alice", AccessToken: "access-1", RefreshToken: "refresh-1"})
	require.NoError(t, err)
	return s
}

// closedAddress returns an address that nobody listens on.
func closedAddress(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// operations are the calls of the library, with arguments that it accepts.
func operations(ctx context.Context, client *kii.Client, s *kii.Session) map[string]func() error {
	a := administrator(client.User)
	return map[string]func() error{
		"ResetPassword":         func() error { return client.User.ResetPassword(ctx, "alice", kii.NotificationEmail) },
		"CompleteResetPassword": func() error { return client.User.CompleteResetPassword(ctx, "alice", "1234", nil) },
		"Login":                 func() error { _, err := client.User.Login(ctx, "alice", "password"); return err },
		"Profile":               func() error { _, err := s.Profile(ctx); return err },
		"ChangePassword":        func() error { return s.ChangePassword(ctx, "old-pass", "new-pass") },
		"Refresh":               func() error { return s.Refresh(ctx) },

		"ResendEmailVerification": func() error { return s.ResendEmailVerification(ctx) },
		"ResendPhoneVerification": func() error { return s.ResendPhoneVerification(ctx) },
		"VerifyEmail":             func() error { return s.VerifyEmail(ctx, "012345") },
		"VerifyPhone":             func() error { return s.VerifyPhone(ctx, "012345") },
		"ChangeEmail":             func() error { return s.ChangeEmail(ctx, "new@example.com") },
		"ChangePhone":             func() error { return s.ChangePhone(ctx, "+819087654321") },

		"User":        func() error { _, err := a.User(ctx, "alice"); return err },
		"SetPassword": func() error { return a.SetPassword(ctx, "alice", "new-pass") },
		"SetEmail":    func() error { return a.SetEmail(ctx, "alice", "new@example.com") },
		"SetPhone":    func() error { return a.SetPhone(ctx, "alice", "+819087654321") },
		"SetDisabled": func() error { return a.SetDisabled(ctx, "alice", true) },
	}
}
