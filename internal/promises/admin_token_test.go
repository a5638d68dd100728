package promises_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

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

func TestAnAnswerThatRefusesNoTokenKeepsIt(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 400, 404, 429, 500} {
		c := &tokenCloud{call: func(*http.Request) *http.Response { return refusal(status, kii.ErrWrongToken) }}
		a := c.admin(t)
		require.Error(t, disable(t.Context(), a))
		require.Error(t, disable(t.Context(), a))
		assert.Equal(t, 1, c.fetches(), "%d", status)
	}
}

// A token may be refused in a way that no page of Kii's names, or by a gateway. Such an answer is
// the call's, and the next call is made with a new token.
func TestARefusalThatNobodyKnowsIsNotRepeatedUntilTheTokenEnds(t *testing.T) {
	t.Parallel()
	for _, refused := range []func() *http.Response{
		func() *http.Response { return answer(401, "{}") },
		func() *http.Response { return answer(401, "") },
		func() *http.Response { return answer(401, "<html>") },
		func() *http.Response { return refusal(401, "TOKEN_EXPIRED") },
		func() *http.Response { return answer(403, "") },
		func() *http.Response { return refusal(403, "TOKEN_REVOKED") },
	} {
		dead := false
		c := &tokenCloud{}
		c.call = func(req *http.Request) *http.Response {
			if dead && req.Header.Get("Authorization") == "Bearer token-1" {
				return refused()
			}
			return answer(204, "")
		}
		a := c.admin(t)
		require.NoError(t, disable(t.Context(), a))
		dead = true
		require.Error(t, disable(t.Context(), a))
		require.NoError(t, disable(t.Context(), a))
		assert.Equal(t, []string{"token-1", "token-1", "token-2"}, c.made())
		assert.Equal(t, 2, c.fetches())
	}
}
