package kii_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
)

func TestRefreshReplacesThePair(t *testing.T) {
	t.Parallel()
	c := newCloud(t, documented(t, "Refresh_done"), documented(t, "Profile_done"))
	s := c.session(t)
	require.NoError(t, s.Refresh(t.Context()))
	assert.Equal(t, request{
		http.MethodPost,
		"https://api.kii.com/api/oauth2/token",
		appHeader("application/vnd.kii.OauthTokenRequest+json"),
		`{"grant_type":"refresh_token","refresh_token":"refresh-1"}`,
	}, c.last(t))
	assert.Equal(t, "access-2", s.Token().AccessToken)
	assert.Equal(t, "refresh-2", s.Token().RefreshToken)
	assert.False(t, s.Token().Expiry.IsZero())
	_, err := s.Profile(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "Bearer access-2", c.last(t).header.Get("Authorization"))
}

func TestRefreshWithoutARefreshTokenSendsNothing(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	s, err := c.User.Resume(kii.Token{AccessToken: "access-1"})
	require.NoError(t, err)
	assertArgument(t, "token", s.Refresh(t.Context()))
}

// An asked context runs a function when its error is asked for.
type asked struct {
	context.Context
	run func()
}

func (a asked) Err() error {
	a.run()
	return a.Context.Err()
}

func TestRefreshOfASessionThatEndsJustThenSendsNothing(t *testing.T) {
	t.Parallel()
	s := newCloud(t, documented(t, "Profile_wrong_token")).session(t)
	var once sync.Once
	err := s.Refresh(asked{t.Context(), func() { once.Do(func() { _, _ = s.Profile(t.Context()) }) }})
	require.ErrorIs(t, err, kii.ErrWrongToken)
	assert.Equal(t, s.Err(), err)
}

// inBubble runs test with a session in a synctest bubble. Each request is given to answer with its
// number.
func inBubble(t *testing.T, answer func(n int32, req *http.Request) (*http.Response, error), test func(t *testing.T, s *kii.Session, requests *atomic.Int32)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var requests atomic.Int32
		client := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
			return answer(requests.Add(1), req)
		}))
		s, err := client.User.Resume(kii.Token{UserID: userID, AccessToken: "access-1", RefreshToken: "refresh-1"})
		require.NoError(t, err)
		test(t, s, &requests)
	})
}

// Promise 6.
func TestConcurrentRefreshCallsShareOneRequest(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		reply   reply
		want    error
		unknown bool
	}{
		"success":     {documented(t, "Refresh_done"), nil, false},
		"dead":        {documented(t, "Refresh_wrong_refresh_token"), kii.ErrWrongRefreshToken, false},
		"unknown":     {refusal(503, "RESOURCE_TEMPORARILY_UNAVAILABLE"), kii.ErrorCode("RESOURCE_TEMPORARILY_UNAVAILABLE"), true},
		"rate limits": {replyOf(429, ""), kii.ErrRateLimited, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var release chan struct{}
			answer := func(int32, *http.Request) (*http.Response, error) {
				<-release
				return tt.reply.response(), nil
			}
			inBubble(t, answer, func(t *testing.T, s *kii.Session, requests *atomic.Int32) {
				release = make(chan struct{})
				errs := make([]error, 16)
				var group sync.WaitGroup
				for i := range errs {
					group.Go(func() { errs[i] = s.Refresh(t.Context()) })
				}
				synctest.Wait() // one is under way, all others wait for it
				close(release)
				group.Wait()
				assert.EqualValues(t, 1, requests.Load())
				for _, err := range errs {
					assert.True(t, err == errs[0], "all get the same")
				}
				assert.Equal(t, tt.unknown, kii.OutcomeUnknown(errs[0]))
				if tt.want == nil {
					require.NoError(t, errs[0])
					assert.Equal(t, "access-2", s.Token().AccessToken)
				} else {
					require.ErrorIs(t, errs[0], tt.want)
					assert.Equal(t, "access-1", s.Token().AccessToken)
				}
			})
		})
	}
}

// Promise 6: a browser tab that is closed logs nobody out.
func TestRefreshOutlivesTheCallerWhoBeganIt(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer  func() (*http.Response, error)
		unknown bool  // to those who waited
		want    error // of those who waited
		token   string
	}{
		"success":  {answer: func() (*http.Response, error) { return documented(t, "Refresh_done").response(), nil }, token: "access-2"},
		"refusal":  {answer: func() (*http.Response, error) { return replyOf(429, "").response(), nil }, want: kii.ErrRateLimited, token: "access-1"},
		"lost":     {answer: func() (*http.Response, error) { return nil, io.ErrUnexpectedEOF }, want: io.ErrUnexpectedEOF, unknown: true, token: "access-1"},
		"not sent": {answer: func() (*http.Response, error) { return nil, errNotDialled }, want: errNotDialled, token: "access-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var release chan struct{}
			inBubble(t, func(_ int32, req *http.Request) (*http.Response, error) {
				select {
				case <-release:
				case <-req.Context().Done():
					t.Error("the request ended with its first caller")
				}
				return tt.answer()
			}, func(t *testing.T, s *kii.Session, requests *atomic.Int32) {
				release = make(chan struct{})
				ctx, leave := context.WithCancelCause(t.Context())
				var began error
				waited := make([]error, 8)
				var beginning, waiting sync.WaitGroup
				beginning.Go(func() { began = s.Refresh(ctx) })
				synctest.Wait()
				for i := range waited {
					waiting.Go(func() { waited[i] = s.Refresh(t.Context()) })
				}
				synctest.Wait()
				errLeft := errors.New("the tab was closed")
				leave(errLeft)
				beginning.Wait()
				require.ErrorIs(t, began, context.Canceled)
				require.ErrorIs(t, began, errLeft)
				assert.True(t, kii.OutcomeUnknown(began))

				close(release)
				waiting.Wait()
				for _, err := range waited {
					require.ErrorIs(t, err, tt.want)
					assert.Equal(t, tt.unknown, kii.OutcomeUnknown(err))
					assert.NotErrorIs(t, err, context.Canceled, "the context of one is not another's")
				}
				assert.Equal(t, tt.token, s.Token().AccessToken)
				assert.NoError(t, s.Err())
				if tt.token == "access-2" {
					assert.EqualValues(t, 1, requests.Load())
				}
			})
		})
	}
}

var errNotDialled = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}

func TestRefreshKeepsThePairThoughItsOnlyCallerIsGone(t *testing.T) {
	t.Parallel()
	inBubble(t, func(_ int32, req *http.Request) (*http.Response, error) {
		deadline, ok := req.Context().Deadline()
		assert.True(t, ok && time.Until(deadline) == 30*time.Second, "it ends by the time-out of a call")
		time.Sleep(time.Second)
		return documented(t, "Refresh_done").response(), nil
	}, func(t *testing.T, s *kii.Session, _ *atomic.Int32) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		require.ErrorIs(t, s.Refresh(ctx), context.DeadlineExceeded)
		assert.Equal(t, "access-1", s.Token().AccessToken)
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Equal(t, "refresh-2", s.Token().RefreshToken)
	})
}

// A reused context is a request's, which its server puts to another use when the request is over.
type reused struct {
	context.Context
	over  atomic.Bool
	asked atomic.Bool // when it was over
}

func (r *reused) Value(key any) any {
	if r.over.Load() {
		r.asked.Store(true)
		panic("a value of another request")
	}
	return r.Context.Value(key)
}

func TestRefreshAsksNoContextWhoseCallerIsGone(t *testing.T) {
	t.Parallel()
	type key struct{}
	inBubble(t, func(_ int32, req *http.Request) (*http.Response, error) {
		assert.Equal(t, "trace", req.Context().Value(key{}))
		time.Sleep(time.Second)
		assert.Nil(t, req.Context().Value(key{}))
		return documented(t, "Refresh_done").response(), nil
	}, func(t *testing.T, s *kii.Session, _ *atomic.Int32) {
		ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, "trace"), time.Millisecond)
		defer cancel()
		caller := &reused{Context: ctx}
		var waited error
		var waiting sync.WaitGroup
		waiting.Go(func() { time.Sleep(time.Microsecond); waited = s.Refresh(t.Context()) })
		require.ErrorIs(t, s.Refresh(caller), context.DeadlineExceeded)
		caller.over.Store(true)
		waiting.Wait()
		require.NoError(t, waited)
		assert.False(t, caller.asked.Load())
		assert.Equal(t, "refresh-2", s.Token().RefreshToken)
	})
}

func TestRefreshWithoutANewRefreshTokenKeepsTheOldOne(t *testing.T) {
	t.Parallel()
	for _, field := range noRefreshToken {
		c := newCloud(t, replyOf(200, `{"id":"`+userID+`","access_token":"access-2"`+field+`}`), documented(t, "Refresh_done"))
		s := c.session(t)
		require.NoError(t, s.Refresh(t.Context()), field)
		assert.True(t, s.Token() == kii.Token{UserID: userID, AccessToken: "access-2", RefreshToken: "refresh-1"}, field)
		require.NoError(t, s.Refresh(t.Context()), field)
		assert.Contains(t, c.last(t).body, `"refresh_token":"refresh-1"`)
	}
}

// noRefreshToken are the ends of a reply with a login and no refresh token that could be used.
var noRefreshToken = []string{
	"", `,"refresh_token":null`, `,"refresh_token":""`, `,"refresh_token":" "`, `,"refresh_token":7`, `,"refresh_token":["r"]`,
	`,"refresh_token":{"a":"b"}`, `,"refresh_token":true`, `,"refresh_token":"a\u0000b"`, `,"refresh_token":"` + strings.Repeat("r", 1001) + `"`,
}

// Kii Cloud does not document the answer to a refresh, and OAuth has no user ID in it.
func TestNoFreshPairIsLostForWantOfAUserID(t *testing.T) {
	t.Parallel()
	for _, known := range []string{userID, ""} {
		for _, field := range []string{"", `,"id":null`, `,"id":""`, `,"id":7`} {
			c := newCloud(t, replyOf(200, `{"access_token":"access-2","refresh_token":"refresh-2"`+field+`}`))
			s, err := c.User.Resume(kii.Token{UserID: known, AccessToken: "access-1", RefreshToken: "refresh-1"})
			require.NoError(t, err)
			require.NoError(t, s.Refresh(t.Context()), field)
			assert.True(t, s.Token() == kii.Token{UserID: known, AccessToken: "access-2", RefreshToken: "refresh-2"}, field)
		}
	}
}

// Then the answer is somebody else's: its pair is not the session's.
func TestAFreshPairOfNobodyIsRefused(t *testing.T) {
	t.Parallel()
	for _, known := range []string{userID, ""} {
		c := newCloud(t, replyOf(200, `{"id":"a\u0000b","access_token":"access-2","refresh_token":"refresh-2"}`))
		s, err := c.User.Resume(kii.Token{UserID: known, AccessToken: "access-1", RefreshToken: "refresh-1"})
		require.NoError(t, err)
		err = s.Refresh(t.Context())
		require.ErrorIs(t, err, kii.ErrUnexpectedReply)
		assert.Equal(t, "no user ID", err.(*kii.APIError).Reason)
		assert.True(t, s.Token() == kii.Token{UserID: known, AccessToken: "access-1", RefreshToken: "refresh-1"})
	}
}

// A session that does not know its user may learn it while a refresh is under way.
func TestAUserIDThatCameMeanwhileOutlivesARefresh(t *testing.T) {
	t.Parallel()
	for _, field := range []string{"", `,"id":"` + userID + `"`} {
		profile := documented(t, "Profile_done")
		asked, answer := make(chan struct{}), make(chan struct{})
		client := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
			if req.Method == http.MethodGet {
				return profile.response(), nil
			}
			close(asked)
			<-answer
			return replyOf(200, `{"access_token":"access-2","refresh_token":"refresh-2"`+field+`}`).response(), nil
		}))
		s, err := client.User.Resume(kii.Token{AccessToken: "access-1", RefreshToken: "refresh-1"})
		require.NoError(t, err)
		done := make(chan error, 1)
		go func() { done <- s.Refresh(t.Context()) }()
		<-asked
		_, err = s.Profile(t.Context())
		require.NoError(t, err)
		close(answer)
		require.NoError(t, <-done)
		assert.True(t, s.Token() == kii.Token{UserID: userID, AccessToken: "access-2", RefreshToken: "refresh-2"}, field)
	}
}

func TestNoLoginIsLostForWantOfARefreshToken(t *testing.T) {
	t.Parallel()
	for _, field := range noRefreshToken {
		c := newCloud(t, replyOf(200, `{"id":"`+userID+`","access_token":"access-1","token_type":7,"scope":[]`+field+`}`))
		s, err := c.User.Login(t.Context(), "alice", "password")
		require.NoError(t, err, field)
		assert.True(t, s.Token() == kii.Token{UserID: userID, AccessToken: "access-1"}, field)
		assertArgument(t, "token", s.Refresh(t.Context()))
	}
}

func TestWaiterMayStopWaitingForARefresh(t *testing.T) {
	t.Parallel()
	var release chan struct{}
	inBubble(t, func(int32, *http.Request) (*http.Response, error) {
		<-release
		return documented(t, "Refresh_done").response(), nil
	}, func(t *testing.T, s *kii.Session, requests *atomic.Int32) {
		release = make(chan struct{})
		var led, late, early error
		var group sync.WaitGroup
		group.Go(func() { led = s.Refresh(t.Context()) })
		synctest.Wait()
		errBored := errors.New("bored")
		ctx, stop := context.WithCancelCause(t.Context())
		var waiting sync.WaitGroup
		waiting.Go(func() { late = s.Refresh(ctx) })
		synctest.Wait()
		stop(errBored)
		waiting.Wait()
		early = s.Refresh(ctx) // which never waited
		close(release)
		group.Wait()

		for err, unknown := range map[error]bool{late: true, early: false} {
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, err, errBored)
			assert.IsType(t, &kii.TransportError{}, err)
			assert.Equal(t, unknown, kii.OutcomeUnknown(err))
		}
		require.NoError(t, led)
		assert.EqualValues(t, 1, requests.Load())
		assert.Equal(t, "access-2", s.Token().AccessToken)
	})
}

// Promise 6: the request is sent by a goroutine of the library's, where nobody else would recover.
func TestRefreshThatPanicsReleasesThoseThatWait(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(){
		"panic":  func() { panic("a RoundTripper's own") },
		"goexit": runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var release chan struct{}
			inBubble(t, func(n int32, _ *http.Request) (*http.Response, error) {
				if n == 1 {
					<-release
					fail()
				}
				return documented(t, "Refresh_done").response(), nil
			}, func(t *testing.T, s *kii.Session, _ *atomic.Int32) {
				release = make(chan struct{})
				errs := make([]error, 2)
				var group sync.WaitGroup
				for i := range errs {
					group.Go(func() { errs[i] = s.Refresh(t.Context()) })
				}
				synctest.Wait()
				close(release)
				group.Wait()
				for _, err := range errs {
					assert.IsType(t, &kii.TransportError{}, err)
					assert.True(t, kii.OutcomeUnknown(err))
				}
				require.NoError(t, s.Refresh(t.Context()), "the next one is free to try")
			})
		})
	}
}

// Promises 6 and 7: nobody waits for longer than a call's own time-out, also for another's request
// whose RoundTripper heeds no context.
func TestRefreshThatHangsHoldsNobodyPastTheTimeout(t *testing.T) {
	t.Parallel()
	var release chan struct{}
	inBubble(t, func(int32, *http.Request) (*http.Response, error) {
		<-release
		return nil, io.ErrUnexpectedEOF
	}, func(t *testing.T, s *kii.Session, requests *atomic.Int32) {
		release = make(chan struct{})
		defer close(release)
		start := time.Now()
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() {
				err := s.Refresh(t.Context())
				assert.ErrorIs(t, err, context.DeadlineExceeded)
				assert.True(t, kii.OutcomeUnknown(err))
			})
			time.Sleep(time.Second)
		}
		group.Wait()
		assert.Equal(t, 30*time.Second, time.Since(start))
		assert.EqualValues(t, 1, requests.Load())
	})
}

func TestRefreshOfATimeoutWithoutEndWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, documented(t, "Refresh_done"))
		slow := tripper(func(req *http.Request) (*http.Response, error) { time.Sleep(time.Hour); return c.mock.RoundTrip(req) })
		s := resumed(t, newClient(t, slow, kii.WithTimeout(math.MaxInt64)))
		require.NoError(t, s.Refresh(t.Context()))
	})
}

// A handler that refreshes waits for the request whose record it writes.
func TestRefreshOfALoggerThatRefreshesEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, documented(t, "Refresh_done"), documented(t, "Refresh_done"))
		var s *kii.Session
		var within error
		s = resumed(t, newClient(t, c.mock, kii.WithTimeout(time.Minute), kii.WithLogger(slog.New(handler(func() {
			if within == nil {
				within = s.Refresh(t.Context())
			}
		})))))
		start := time.Now()
		_ = s.Refresh(t.Context())
		synctest.Wait()
		require.ErrorIs(t, within, context.DeadlineExceeded)
		assert.True(t, kii.OutcomeUnknown(within))
		assert.Equal(t, time.Minute+time.Second, time.Since(start))
		require.NoError(t, s.Refresh(t.Context()), "a later one")
	})
}

// A single-use pair is stored before anything else can fail.
func TestLoggerThatPanicsLosesNoFreshPair(t *testing.T) {
	t.Parallel()
	c := newCloud(t, replyOf(429, ""), documented(t, "Refresh_done"))
	s := resumed(t, newClient(t, c.mock, kii.WithLogger(slog.New(panicking{}))))
	err := s.Refresh(t.Context())
	assert.IsType(t, &kii.TransportError{}, err)
	assert.True(t, kii.OutcomeUnknown(err), "nobody saw the answer")
	require.NoError(t, s.Refresh(t.Context()))
	assert.Equal(t, "refresh-2", s.Token().RefreshToken)
}

// A handler may read the session, end its goroutine as t.FailNow does, or never come back.
func TestFreshPairIsTheSessionsBeforeItIsLogged(t *testing.T) {
	t.Parallel()
	for name, then := range map[string]func(){
		"returns":            func() {},
		"ends its goroutine": runtime.Goexit,
		"panics":             func() { panic("a logger's own") },
		"blocks":             func() { <-t.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, documented(t, "Refresh_done"))
			seen := make(chan string, 1)
			var s *kii.Session
			s = resumed(t, newClient(t, c.mock, kii.WithLogger(slog.New(handler(func() {
				seen <- s.Token().RefreshToken
				then()
			})))))
			ctx, cancel := context.WithCancel(t.Context())
			refreshed := make(chan error)
			go func() { refreshed <- s.Refresh(ctx) }()
			assert.Equal(t, "refresh-2", <-seen)
			if name == "blocks" {
				cancel()
			}
			err := <-refreshed
			cancel()
			assert.Equal(t, name == "ends its goroutine" || name == "blocks", kii.OutcomeUnknown(err), "%v", err)
			if name == "ends its goroutine" {
				assert.ErrorContains(t, err, "the logger panicked or ended its goroutine")
			}
			assert.Equal(t, "refresh-2", s.Token().RefreshToken)
		})
	}
}

// A handler is a slog.Handler that only does what it is.
type handler func()

func (handler) Enabled(context.Context, slog.Level) bool    { return true }
func (h handler) Handle(context.Context, slog.Record) error { h(); return nil }
func (h handler) WithAttrs([]slog.Attr) slog.Handler        { return h }
func (h handler) WithGroup(string) slog.Handler             { return h }

type panicking struct{ slog.Handler }

func (panicking) Enabled(context.Context, slog.Level) bool  { return true }
func (panicking) Handle(context.Context, slog.Record) error { panic("a logger's own") }

// Promise 6.
func TestTokenErrorEndsTheSessionOnlyWhereTheTokenIsStillCurrent(t *testing.T) {
	t.Parallel()
	for _, order := range []string{"after the refresh", "during the refresh"} {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			var profile, refresh chan struct{}
			inBubble(t, func(_ int32, req *http.Request) (*http.Response, error) {
				switch {
				case req.Method == http.MethodPost:
					<-refresh
					return documented(t, "Refresh_done").response(), nil
				case req.Header.Get("Authorization") == "Bearer access-1":
					<-profile
					return documented(t, "Profile_wrong_token").response(), nil
				}
				return documented(t, "Profile_done").response(), nil
			}, func(t *testing.T, s *kii.Session, _ *atomic.Int32) {
				profile, refresh = make(chan struct{}), make(chan struct{})
				var stale, refreshed error
				var calls, refreshing sync.WaitGroup
				calls.Go(func() { _, stale = s.Profile(t.Context()) })
				refreshing.Go(func() { refreshed = s.Refresh(t.Context()) })
				synctest.Wait()
				if order == "after the refresh" {
					close(refresh)
					refreshing.Wait()
					close(profile)
					calls.Wait()
				} else {
					close(profile)
					calls.Wait()
					close(refresh)
					refreshing.Wait()
				}
				require.NoError(t, refreshed)
				require.ErrorIs(t, stale, kii.ErrWrongToken)
				assert.IsType(t, &kii.APIError{}, stale)
				require.NoError(t, s.Err())
				_, err := s.Profile(t.Context())
				require.NoError(t, err)
			})
		})
	}
}

func TestSessionThatEndedMeanwhileStaysEnded(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Refresh_done", "Refresh_wrong_refresh_token"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var release chan struct{}
			inBubble(t, func(_ int32, req *http.Request) (*http.Response, error) {
				if req.Method == http.MethodPut {
					return documented(t, "ChangePassword_done").response(), nil
				}
				<-release
				return documented(t, name).response(), nil
			}, func(t *testing.T, s *kii.Session, _ *atomic.Int32) {
				release = make(chan struct{})
				var refreshed error
				var group sync.WaitGroup
				group.Go(func() { refreshed = s.Refresh(t.Context()) })
				synctest.Wait()
				require.NoError(t, s.ChangePassword(t.Context(), "old-pass", "new-pass"))
				close(release)
				group.Wait()
				end := s.Err()
				require.Error(t, end)
				assert.Same(t, end, refreshed)
				assert.Same(t, end, s.Refresh(t.Context()))
			})
		})
	}
}
