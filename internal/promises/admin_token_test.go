package promises_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
)

// A tokenCloud issues the tokens "token-1", "token-2" and so on, and answers calls with the newest.
// It stands in a synctest bubble, where a request takes no time unless a test holds it.
type tokenCloud struct {
	expiresIn string                                  // of a token, in seconds; "" for 3600
	issue     func(*http.Request, int) *http.Response // nil: a token
	call      func(*http.Request) *http.Response      // nil: 204 to a live token, else WRONG_TOKEN

	mu     sync.Mutex
	issued []*http.Request
	bodies []string // of issued
	dead   map[string]bool
	calls  []string // the tokens that calls were made with
}

func (c *tokenCloud) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	if !strings.HasSuffix(req.URL.Path, "/apps/appId/oauth2/token") {
		c.mu.Lock()
		token := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
		c.calls = append(c.calls, token)
		dead := c.dead[token]
		c.mu.Unlock()
		switch {
		case c.call != nil:
			if resp := c.call(req); resp != nil {
				return resp, nil
			}
			return nil, errors.New("no answer")
		case dead:
			return refusal(403, kii.ErrWrongToken), nil
		}
		return answer(204, ""), nil
	}
	c.mu.Lock()
	c.issued, c.bodies = append(c.issued, req), append(c.bodies, string(body))
	n := len(c.issued)
	c.mu.Unlock()
	if c.issue == nil {
		return c.token(n), nil
	}
	if resp := c.issue(req, n); resp != nil {
		return resp, nil
	}
	return nil, errors.New("no answer")
}

func (c *tokenCloud) token(n int) *http.Response {
	expires := c.expiresIn
	if expires == "" {
		expires = "3600"
	}
	return answer(200, fmt.Sprintf(`{"id":"x","access_token":"token-%d","expires_in":%s}`, n, expires))
}

// kill ends a token.
func (c *tokenCloud) kill(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead == nil {
		c.dead = make(map[string]bool)
	}
	c.dead[token] = true
}

// made returns the tokens that calls were made with since it was last asked.
func (c *tokenCloud) made() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	calls := c.calls
	c.calls = nil
	return calls
}

func (c *tokenCloud) fetches() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.issued)
}

func (c *tokenCloud) admin(t *testing.T, opts ...kii.Option) *kii.Admin {
	t.Helper()
	return tokenless(t, newClient(t, c, opts...))
}

// tokenless returns an administrator who has no token yet.
func tokenless(t *testing.T, client *kii.Client) *kii.Admin {
	t.Helper()
	a, err := client.Admin("admin-id", "admin-secret")
	require.NoError(t, err)
	return a
}

// disable is a call of an administrator.
func disable(ctx context.Context, a *kii.Admin) error { return a.SetDisabled(ctx, "alice", true) }

func TestAdminGetsAnHoursTokenAtTheFirstCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &tokenCloud{}
		a := c.admin(t)
		assert.Zero(t, c.fetches(), "Admin sends nothing")
		require.NoError(t, disable(t.Context(), a))
		require.NoError(t, disable(t.Context(), a))
		require.Equal(t, 1, c.fetches())
		sent := c.issued[0]
		assert.Equal(t, http.MethodPost, sent.Method)
		assert.Equal(t, "https://api.kii.com/api/apps/appId/oauth2/token", sent.URL.String())
		assert.Equal(t, "application/json", sent.Header.Get("Content-Type"))
		assert.Equal(t, "appId", sent.Header.Get("X-Kii-AppID"))
		assert.Equal(t, "appKey", sent.Header.Get("X-Kii-AppKey"))
		assert.Empty(t, sent.Header.Get("Authorization"))
		var body map[string]any
		require.NoError(t, json.Unmarshal([]byte(c.bodies[0]), &body))
		assert.Equal(t, map[string]any{
			"grant_type": "client_credentials", "client_id": "admin-id", "client_secret": "admin-secret",
			"expiresAt": float64(time.Now().Add(time.Hour).UnixMilli()),
		}, body)
	})
}

func TestAHundredCallsShareOneToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		c := &tokenCloud{}
		c.issue = func(_ *http.Request, n int) *http.Response { <-release; return c.token(n) }
		a := c.admin(t)
		errs := make(chan error, 100)
		for range 100 {
			go func() { errs <- disable(t.Context(), a) }()
		}
		synctest.Wait() // one asks for a token, all others wait for it
		assert.Equal(t, 1, c.fetches())
		close(release)
		for range 100 {
			require.NoError(t, <-errs)
		}
		assert.Equal(t, 1, c.fetches())
		assert.Len(t, c.made(), 100)
	})
}

func TestATokenThatDiesUnderAHundredCallsIsRenewedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &tokenCloud{}
		a := c.admin(t)
		require.NoError(t, disable(t.Context(), a))
		c.kill("token-1")
		c.made()
		release := make(chan struct{})
		var arrived sync.WaitGroup
		arrived.Add(100)
		c.call = func(req *http.Request) *http.Response {
			if req.Header.Get("Authorization") == "Bearer token-1" {
				arrived.Done()
				<-release
				return refusal(403, kii.ErrWrongToken)
			}
			return answer(204, "")
		}
		errs := make(chan error, 100)
		for range 100 {
			go func() { errs <- disable(t.Context(), a) }()
		}
		arrived.Wait()
		close(release)
		for range 100 {
			require.NoError(t, <-errs)
		}
		assert.Equal(t, 2, c.fetches())
		assert.Len(t, c.made(), 200, "each call twice, and no more")
	})
}

// An answer that comes late speaks of a token that another call has replaced by then.
func TestATokenThatWasReplacedMeanwhileIsUsedAndNotFetchedAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &tokenCloud{}
		a := c.admin(t)
		require.NoError(t, disable(t.Context(), a))
		late := make(chan struct{})
		c.call = func(req *http.Request) *http.Response {
			if req.Header.Get("Authorization") == "Bearer token-2" {
				return answer(204, "")
			}
			if req.Header.Get("Content-Type") != "application/vnd.kii.ChangePasswordRequest+json" { // SetDisabled
				<-late
			}
			return refusal(401, kii.ErrAuthenticationFailed)
		}
		done := make(chan error)
		go func() { done <- disable(t.Context(), a) }()
		synctest.Wait()
		require.NoError(t, a.SetPassword(t.Context(), "alice", "new-pass")) // replaces the token
		close(late)
		require.NoError(t, <-done)
		assert.Equal(t, 2, c.fetches())
	})
}

func TestADeadTokenLeadsToOneMoreAttemptAndNeverMore(t *testing.T) {
	t.Parallel()
	for _, status := range []int{401, 403} {
		for _, code := range []kii.ErrorCode{kii.ErrWrongToken, kii.ErrAuthenticationFailed, "invalid_token"} {
			c := &tokenCloud{call: func(*http.Request) *http.Response { return refusal(status, code) }}
			err := disable(t.Context(), c.admin(t))
			answer, ok := err.(*kii.APIError)
			require.True(t, ok, "%T: an administrator has no session", err)
			assert.Equal(t, code, answer.Code)
			assert.Equal(t, "a new token is dead: check the clock of this machine", answer.Reason)
			assert.Equal(t, []string{"token-1", "token-2"}, c.made())
			assert.Equal(t, 2, c.fetches())
		}
	}
}

// UNAUTHORIZED is what a token without rights is answered, and perhaps a dead one too.
func TestUnauthorizedIsTriedWithANewTokenUnlessTheTokenIsNew(t *testing.T) {
	t.Parallel()
	c := &tokenCloud{}
	a := c.admin(t)
	c.call = func(*http.Request) *http.Response { return refusal(401, kii.ErrUnauthorized) }
	require.ErrorIs(t, disable(t.Context(), a), kii.ErrUnauthorized)
	assert.Equal(t, []string{"token-1"}, c.made(), "no other would have more rights")
	c.call = nil
	require.NoError(t, disable(t.Context(), a))
	c.call = func(req *http.Request) *http.Response {
		if req.Header.Get("Authorization") == "Bearer token-2" {
			return refusal(401, kii.ErrUnauthorized)
		}
		return answer(204, "")
	}
	c.made()
	require.NoError(t, disable(t.Context(), a))
	assert.Equal(t, []string{"token-2", "token-3"}, c.made())
}

// The second token is one that another call got.
func TestUnauthorizedTwiceSaysWhatToCheck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &tokenCloud{}
		a := c.admin(t)
		require.NoError(t, disable(t.Context(), a))
		late := make(chan struct{})
		c.call = func(req *http.Request) *http.Response {
			if req.Header.Get("Content-Type") == "application/vnd.kii.ChangePasswordRequest+json" { // SetPassword replaces the token
				if req.Header.Get("Authorization") == "Bearer token-1" {
					return refusal(403, kii.ErrWrongToken)
				}
				return answer(204, "")
			}
			<-late
			return refusal(401, kii.ErrUnauthorized)
		}
		done := make(chan error)
		go func() { done <- disable(t.Context(), a) }()
		synctest.Wait()
		require.NoError(t, a.SetPassword(t.Context(), "alice", "new-pass"))
		close(late)
		require.ErrorContains(t, <-done, "the token gives no rights")
		assert.Equal(t, 2, c.fetches())
	})
}

func TestWhatIsNoDeadTokenIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, r := range []*http.Response{
		refusal(401, kii.ErrUserDisabled), refusal(401, kii.ErrWrongPassword), refusal(403, "APP_DISABLED"), refusal(404, kii.ErrWrongToken),
		refusal(500, kii.ErrWrongToken), answer(401, ""), answer(403, "<html>"), answer(429, ""), answer(200, "{}"),
	} {
		c := &tokenCloud{call: func(*http.Request) *http.Response { return r }}
		require.Error(t, disable(t.Context(), c.admin(t)))
		assert.Equal(t, []string{"token-1"}, c.made(), "%d", r.StatusCode)
	}
}

func TestATokenIsRenewedAMinuteBeforeItEnds(t *testing.T) {
	t.Parallel()
	for expiresIn, want := range map[string]time.Duration{
		"3600": 59 * time.Minute, `"3600"`: 59 * time.Minute, "null": 59 * time.Minute, "600": 9 * time.Minute, "61": 30500 * time.Millisecond,
		"2": time.Second, "0": 0, "-5": 0,
	} {
		t.Run(expiresIn, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := &tokenCloud{expiresIn: expiresIn}
				a := c.admin(t)
				require.NoError(t, disable(t.Context(), a))
				if want > 0 {
					time.Sleep(want - time.Millisecond)
					require.NoError(t, disable(t.Context(), a))
					assert.Equal(t, 1, c.fetches())
					time.Sleep(time.Millisecond)
				}
				require.NoError(t, disable(t.Context(), a))
				assert.Equal(t, 2, c.fetches())
			})
		})
	}
	c := &tokenCloud{expiresIn: "9223372036854775807"}
	a := c.admin(t)
	require.NoError(t, disable(t.Context(), a))
	require.NoError(t, disable(t.Context(), a))
	assert.Equal(t, 1, c.fetches())
}

// A machine whose clock is hours slow asks for a token that has ended to Kii Cloud, which the
// answer's own time tells.
func TestATokenIsAskedForByKiiCloudsClockIfThisMachinesIsWrong(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		ahead   time.Duration // Kii Cloud's clock
		status  int
		code    kii.ErrorCode
		fetches int
	}{
		"slow":                       {3 * time.Hour, 400, kii.ErrInvalidInput, 2},
		"fast":                       {-3 * time.Hour, 400, kii.ErrInvalidInput, 2},
		"right":                      {time.Second, 400, kii.ErrInvalidInput, 1},
		"slow, and a wrong secret":   {3 * time.Hour, 400, kii.ErrWrongCredentials, 1},
		"slow, and another refusal":  {3 * time.Hour, 403, "APP_DISABLED", 1},
		"slow, and an unknown cause": {3 * time.Hour, 503, "UNDEFINED_ERROR", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := &tokenCloud{}
				c.issue = func(_ *http.Request, n int) *http.Response {
					now := time.Now().Add(tt.ahead)
					var body struct{ ExpiresAt int64 }
					assert.NoError(t, json.Unmarshal([]byte(c.bodies[n-1]), &body))
					if end := time.UnixMilli(body.ExpiresAt).Sub(now); end > 0 && end <= time.Hour && n == 2 {
						return c.token(n)
					}
					r := refusal(tt.status, tt.code)
					r.Header.Set("Date", now.UTC().Format(http.TimeFormat))
					return r
				}
				err := disable(t.Context(), c.admin(t))
				assert.Equal(t, tt.fetches, c.fetches())
				assert.Equal(t, tt.fetches == 2, err == nil, "%v", err)
				assert.False(t, kii.OutcomeUnknown(err))
			})
		})
	}
}

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

// The wait for a token, both attempts and their retries are one call.
func TestACallWithItsTokensEndsByOneDeadline(t *testing.T) {
	t.Parallel()
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
		start := time.Now()
		err := disable(t.Context(), c.admin(t, kii.WithTimeout(10*time.Second)))
		assert.Equal(t, 10*time.Second, time.Since(start))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.True(t, kii.OutcomeUnknown(err), "the second attempt was under way: %v %v", err, c.made())
	})
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
