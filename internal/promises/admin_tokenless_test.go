package promises_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
)

// The request for a token is everybody's, so it outlives the caller who began it.
func TestACallerWhoGivesUpLosesTheTokenForNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		c := &tokenCloud{}
		c.issue = func(req *http.Request, n int) *http.Response {
			select {
			case <-release:
				return c.token(n)
			case <-req.Context().Done():
				return nil
			}
		}
		a := c.admin(t)
		ctx, giveUp := context.WithCancelCause(t.Context())
		first, second := make(chan error), make(chan error)
		go func() { first <- disable(ctx, a) }()
		synctest.Wait()
		go func() { second <- disable(t.Context(), a) }()
		synctest.Wait()
		errBored := errors.New("bored")
		giveUp(errBored)
		err := <-first
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, errBored)
		require.EqualError(t, err, "kii: SetDisabled: not sent: context canceled; bored")
		assert.False(t, kii.OutcomeUnknown(err))
		close(release)
		require.NoError(t, <-second)
		assert.Equal(t, 1, c.fetches())
		assert.Equal(t, []string{"token-1"}, c.made())
	})
}

func TestEachCallerWaitsForATokenNoLongerThanItsOwnTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &tokenCloud{issue: func(req *http.Request, _ int) *http.Response {
			<-req.Context().Done()
			return answer(503, "")
		}}
		a := c.admin(t, kii.WithTimeout(10*time.Second))
		start := time.Now()
		ends := make(chan time.Duration, 3)
		call := func(ctx context.Context) {
			err := disable(ctx, a)
			assert.False(t, kii.OutcomeUnknown(err))
			require.Error(t, err)
			ends <- time.Since(start)
		}
		go call(t.Context())
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		go call(ctx)
		assert.Equal(t, 3*time.Second, <-ends, "by the deadline of its own context")
		go call(t.Context())
		assert.Equal(t, 10*time.Second, <-ends)
		assert.Equal(t, 10*time.Second, <-ends, "the request that it shared has ended")
		assert.Empty(t, c.made())
	})
}

// A detached context hides the end of the one in it, and forgets to hide its deadline.
type detached struct{ context.Context }

func (detached) Done() <-chan struct{} { return nil }
func (detached) Err() error            { return nil }

// The wait for a token, both attempts and their retries are one call.
func TestACallWithItsTokensEndsByOneDeadline(t *testing.T) {
	t.Parallel()
	for name, from := range map[string]func(context.Context) context.Context{
		"of a context without an end":     func(ctx context.Context) context.Context { return context.WithoutCancel(ctx) },
		"of a context that hides its end": func(ctx context.Context) context.Context { return detached{ctx} },
	} {
		synctest.Test(t, func(t *testing.T) {
			c := &tokenCloud{}
			c.issue = func(_ *http.Request, n int) *http.Response { time.Sleep(3 * time.Second); return c.token(n) }
			c.call = func(req *http.Request) *http.Response {
				if req.Header.Get("Authorization") == "Bearer token-1" {
					time.Sleep(3 * time.Second)
					return refusal(403, kii.ErrWrongToken)
				}
				<-req.Context().Done()
				return nil
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			start := time.Now()
			err := disable(from(ctx), c.admin(t, kii.WithTimeout(10*time.Second)))
			assert.Equal(t, 10*time.Second, time.Since(start), name)
			require.ErrorIs(t, err, context.DeadlineExceeded, name)
			assert.True(t, kii.OutcomeUnknown(err), "%s: the second attempt was under way: %v %v", name, err, c.made())
		})
	}
}

func TestACallOfADoneContextAsksForNoToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &tokenCloud{}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := disable(ctx, c.admin(t))
		require.ErrorIs(t, err, context.Canceled)
		require.EqualError(t, err, "kii: SetDisabled: not sent: context canceled")
		synctest.Wait()
		assert.Zero(t, c.fetches())
	})
}

func TestAFailureToGetATokenIsKeptForNobody(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func() (*http.Response, error){
		"a panic":          func() (*http.Response, error) { panic("admin-secret") },
		"an end":           func() (*http.Response, error) { runtime.Goexit(); return nil, nil },
		"a refused dial":   func() (*http.Response, error) { return nil, &net.OpError{Op: "dial", Err: errors.New("refused")} },
		"no answer":        func() (*http.Response, error) { return nil, errors.New("connection reset by peer") },
		"a 5xx":            func() (*http.Response, error) { return refusal(500, "UNDEFINED_ERROR"), nil },
		"a refusal":        func() (*http.Response, error) { return refusal(400, kii.ErrWrongCredentials), nil },
		"an unexpected ID": func() (*http.Response, error) { return answer(200, `{"access_token":7}`), nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &tokenCloud{}
			failing := true
			client := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
				if failing {
					return fail()
				}
				return c.RoundTrip(req)
			}), kii.WithMaxRetries(0))
			a, err := client.Admin("admin-id", "admin-secret")
			require.NoError(t, err)
			err = disable(t.Context(), a)
			require.Error(t, err)
			assert.False(t, kii.OutcomeUnknown(err), "%v", err)
			assert.NotContains(t, err.Error(), "secret")
			failing = false
			require.NoError(t, disable(t.Context(), a), "the next call tries again")
		})
	}
}

// The token's request fails by the network: the caller sees the failure, and that nothing was sent.
func TestAFailedRequestForATokenIsFoundInTheError(t *testing.T) {
	t.Parallel()
	reset := errors.New("connection reset by peer")
	client := newClient(t, tripper(func(*http.Request) (*http.Response, error) { return nil, reset }))
	a, err := client.Admin("admin-id", "admin-secret")
	require.NoError(t, err)
	_, err = a.User(t.Context(), "alice")
	require.ErrorIs(t, err, reset)
	failure, ok := err.(*kii.TransportError)
	require.True(t, ok)
	assert.True(t, failure.NotSent)
	require.EqualError(t, err, "kii: User: not sent: no token for the administrator: connection reset by peer")
}

// FuzzAdminTokenReply: whatever the request for a token is answered, an administrator's call is
// made with a token that can be sent, or it is not sent and its outcome is known.
func FuzzAdminTokenReply(f *testing.F) {
	for _, body := range []string{
		`{"id":"x","access_token":"t","expires_in":3600}`, `{"access_token":"t"}`, `{"access_token":"a\nb"}`, `{"access_token":""}`, `{"ACCESS_TOKEN":"t"}`,
		`{"access_token":"t","expires_in":1e400}`, `{"access_token":"t","expires_in":"soon"}`, `null`, `{`, `{"errorCode":"USER_NOT_FOUND"}`, `{"error":"invalid_client"}`,
	} {
		f.Add(200, body)
		f.Add(404, body)
		f.Add(503, body)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		sent := false
		client := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
			if req.URL.Path == "/api/apps/appId/oauth2/token" {
				return httpmock.NewStringResponse(status, body), nil
			}
			sent = true
			if token := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer "); token == "" || strings.ContainsAny(token, "\r\n") {
				t.Errorf("sent with the token %q", token)
			}
			return httpmock.NewStringResponse(http.StatusNoContent, ""), nil
		}))
		err := disable(t.Context(), tokenless(t, client))
		switch {
		case sent != (err == nil):
			t.Fatalf("sent: %t, and %v", sent, err)
		case kii.OutcomeUnknown(err) || kii.RevealsAccount(err):
			t.Fatal(err)
		case sent && status != http.StatusOK:
			t.Fatalf("%d is a token", status)
		}
	})
}
