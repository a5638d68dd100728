package kiitest_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

// fakeTest is a test that notes how it fails.
type fakeTest struct {
	mu       sync.Mutex
	failures []string
	cleanup  []func()
}

func (f *fakeTest) Helper() {}

func (f *fakeTest) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures = append(f.failures, fmt.Sprintf(format, args...))
}

func (f *fakeTest) Cleanup(g func()) { f.cleanup = append(f.cleanup, g) }

func (f *fakeTest) end() {
	for _, g := range f.cleanup {
		g()
	}
}

func TestStrictServerFailsTheTest(t *testing.T) {
	t.Parallel()
	const (
		user     = "4b825dc6-42cb-4eb9-a060-e54bf8d69288"
		password = "Tr0ub4dor"
		pin      = "314159"
	)
	for name, one := range map[string]struct {
		misuse func(*caller)
		want   string
	}{
		"unknown path": {
			func(c *caller) { c.send("GET", "users/"+user+"/"+pin, "", "", "") },
			"GET of a path that is no call of the user API",
		},
		"wrong method": {
			func(c *caller) { c.send("GET", "users/"+user+"/password/request-reset", "", "", "") },
			"GET of a path that is no call of the user API",
		},
		"no user": {
			func(c *caller) { c.ask("", byEmail) },
			"POST of a path that is no call of the user API",
		},
		"OPTIONS that is no preflight": {
			func(c *caller) { c.send("OPTIONS", "users/me", "", "", "") },
			"OPTIONS of a path that is no call of the user API",
		},
		"outside the API": {
			func(c *caller) {
				c.open(strings.TrimSuffix(string(c.server.Site()), "/api") + "/apps/" + c.server.AppID() + "/users/" + user)
			},
			"GET of a path that is no call of the user API",
		},
		"unknown field": {
			func(c *caller) { c.ask(user, `{"notificationMethod":"EMAIL","notifcationMethod":"SMS"}`) },
			"POST /apps/{app}/users/{user}/password/request-reset sends a JSON field that the call does not document: notifcationMethod",
		},
		"a value for a field's name": {
			func(c *caller) { c.ask(user, `{"notificationMethod":"EMAIL","`+pin+`":"SMS"}`) },
			"POST /apps/{app}/users/{user}/password/request-reset sends a JSON field that the call does not document: (not a name)",
		},
		"an address for a field's name": {
			func(c *caller) { c.ask(user, `{"notificationMethod":"EMAIL","alice@example.com":"SMS"}`) },
			"sends a JSON field that the call does not document: (not a name)",
		},
		"wrong content type": {
			func(c *caller) {
				c.send("POST", "users/"+user+"/password/complete-reset", "application/json", `{"pinCode":"`+pin+`","newPassword":"`+password+`"}`, "")
			},
			"POST /apps/{app}/users/{user}/password/complete-reset has a content type that the call does not document; it takes application/vnd.kii.CompletePasswordResetRequest+json",
		},
		"no content type": {
			func(c *caller) { c.send("POST", "/oauth2/token", "", `{"username":"x","password":"`+password+`"}`, "") },
			"POST /oauth2/token has a content type that the call does not document",
		},
		"bearer on a reset": {
			func(c *caller) {
				c.send("POST", "users/"+user+"/password/complete-reset", completeType, `{"pinCode":"`+pin+`"}`, c.token("alice", password))
			},
			"POST /apps/{app}/users/{user}/password/complete-reset carries a Bearer token",
		},
		"bearer in small letters": {
			func(c *caller) {
				r, _ := http.NewRequestWithContext(c.t.Context(), "POST", string(c.server.Site())+"/apps/"+c.server.AppID()+"/users/"+user+"/password/request-reset", http.NoBody)
				r.Header.Set("Authorization", "bearer "+c.token("alice", password))
				c.do(r)
			},
			"POST /apps/{app}/users/{user}/password/request-reset carries a Bearer token",
		},
		"bearer on a reset that a fault keeps from its effect": {
			func(c *caller) {
				c.server.Inject(kiitest.Fault{Operation: kiitest.OpRequestReset, Kind: kiitest.FaultRateLimit})
				c.send("POST", "users/"+user+"/password/request-reset", resetType, byEmail, c.token("alice", password))
			},
			"POST /apps/{app}/users/{user}/password/request-reset carries a Bearer token",
		},
		"a fault that no call met": {
			func(c *caller) {
				c.server.Inject(kiitest.Fault{Operation: kiitest.OpCompleteReset, Nth: 2, Kind: kiitest.FaultStatus, Status: 503, ErrorCode: "SOME_CODE"})
				c.complete(user, pin, password)
				c.server.Close() // the end of the test is the second time
			},
			"the server closed before a call met this fault: status on complete-reset number 2 (503 SOME_CODE)",
		},
		"a call after Close": {
			func(c *caller) {
				c.server.Close()
				r, _ := http.NewRequestWithContext(c.t.Context(), "GET", string(c.server.Site())+"/apps/"+c.server.AppID()+"/users/"+user, http.NoBody)
				_, err := c.client.Do(r)
				require.ErrorContains(c.t, err, "refused")
			},
			"GET /apps/{app}/users/{user} after Close",
		},
		"another host": {
			func(c *caller) {
				r, _ := http.NewRequestWithContext(c.t.Context(), "GET", "https://elsewhere.invalid/api/apps/x/users/"+user, http.NoBody)
				_, err := c.client.Do(r)
				require.ErrorContains(c.t, err, "no such host")
			},
			"another host",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen := new(fakeTest)
			srv := kiitest.NewServer(kiitest.WithTest(seen), kiitest.WithoutSocket())
			srv.AddAccount(kiitest.Account{ID: user, LoginName: "alice", Password: password})
			one.misuse(newCaller(t, srv))
			seen.end()
			require.Len(t, seen.failures, 1)
			require.Contains(t, seen.failures[0], one.want)
			for _, secret := range []string{user, password, pin, srv.AppID(), srv.AppKey()} {
				require.NotContains(t, seen.failures[0], secret)
			}
		})
	}
}

// A strict server and one without a test answer alike: strictness concerns only the test.
func TestStrictnessChangesNoAnswer(t *testing.T) {
	t.Parallel()
	answers := func(opts ...kiitest.Option) []string {
		srv := kiitest.NewServer(append(opts, kiitest.WithoutSocket(), kiitest.WithSeed(1), kiitest.WithApp("app", "key"))...)
		defer srv.Close()
		c := newCaller(t, srv)
		id := srv.AddAccount(alice())
		return []string{
			c.send("GET", "nothing", "", "", "").text,
			c.send("POST", "users/"+id+"/password/request-reset", "text/plain", `{"notificationMethod":"EMAIL","x":1}`, "").String(),
			c.send("POST", "users/"+id+"/password/request-reset", resetType, byPIN, c.token("alice", "old-pass")).String(),
		}
	}
	seen := new(fakeTest)
	strict := answers(kiitest.WithTest(seen))
	require.NotEmpty(t, seen.failures)
	require.Equal(t, answers(), strict)
	require.Equal(t, []string{"204", "204"}, strict[1:])
	require.Contains(t, strict[0], "OPERATION_NOT_IMPLEMENTED")
}

func TestServerEndsWithItsTest(t *testing.T) {
	t.Parallel()
	var open net.Conn // not a call to the port, which another test's server may have by then
	t.Run("over soon", func(t *testing.T) {
		srv := kiitest.NewServer(kiitest.WithTest(t))
		var err error
		open, err = net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(string(srv.Site()), "http://"), "/api"))
		require.NoError(t, err)
	})
	defer open.Close()
	require.NoError(t, open.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, err := open.Read(make([]byte, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the server holds the connection")
}

// To fail a test that is over is a panic, so a strict server must let go of it.
func TestStrictServerLeavesATestThatIsOver(t *testing.T) {
	t.Parallel()
	var srv *kiitest.Server
	t.Run("over soon", func(t *testing.T) { srv = kiitest.NewServer(kiitest.WithTest(t), kiitest.WithoutSocket()) })
	r, err := http.NewRequestWithContext(t.Context(), "GET", "https://kiitest.invalid/api/nothing", http.NoBody)
	require.NoError(t, err)
	require.NotPanics(t, func() { srv.Transport().RoundTrip(r) })
}

func TestStrictServerReportsFromAnyGoroutine(t *testing.T) {
	t.Parallel()
	seen := new(fakeTest)
	srv := kiitest.NewServer(kiitest.WithTest(seen))
	var calls sync.WaitGroup
	for range 16 {
		calls.Go(func() {
			response, err := http.Get(string(srv.Site()) + "/nothing")
			if err == nil {
				response.Body.Close()
			}
		})
	}
	calls.Wait()
	seen.end()
	require.Len(t, seen.failures, 16)
}

// panickyTest is a test that panics when it is failed, as ginkgo's do.
type panickyTest struct{ fakeTest }

func (p *panickyTest) Errorf(format string, args ...any) {
	p.fakeTest.Errorf(format, args...)
	panic("stop here")
}

// fuzzTest is a fuzz test, which can be told nothing while its target runs.
type fuzzTest struct {
	fakeTest
	inTarget bool
}

func (f *fuzzTest) Fuzz(any) {}

func (f *fuzzTest) Helper() {
	if f.inTarget {
		panic("use t.Helper instead")
	}
}

func TestStrictServerBreaksNoCallWhoseTestPanics(t *testing.T) {
	t.Parallel()
	for name, seen := range map[string]interface {
		kiitest.TB
		end()
	}{
		"ginkgo": new(panickyTest),
		"fuzz":   &fuzzTest{inTarget: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := kiitest.NewServer(kiitest.WithTest(seen))
			response, err := http.Get(string(srv.Site()) + "/nothing")
			require.NoError(t, err)
			response.Body.Close()
			require.Equal(t, http.StatusNotImplemented, response.StatusCode)
			seen.end()
		})
	}
}

func TestStrictServerTellsAFuzzTestWhenItEnds(t *testing.T) {
	t.Parallel()
	seen := new(fuzzTest)
	srv := kiitest.NewServer(kiitest.WithTest(seen), kiitest.WithoutSocket())
	seen.inTarget = true
	newCaller(t, srv).send("GET", "/nothing", "", "", "")
	seen.inTarget = false
	require.Empty(t, seen.failures)
	seen.end()
	require.Len(t, seen.failures, 1)
	require.Contains(t, seen.failures[0], "in the fuzz target: kiitest: GET of a path that is no call of the user API")
}
