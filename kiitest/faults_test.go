package kiitest_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

// seen is what a client sees of a fault.
type seen struct {
	status      int
	contentType string
	header      http.Header
	body        string
	err         error // of the call, or of reading the body
}

// look sends a call and reads no more of the answer than a few megabytes.
func look(t *testing.T, client *http.Client, srv *kiitest.Server, path string) seen {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", string(srv.Site())+path, http.NoBody)
	require.NoError(t, err)
	r.Header.Set("X-Kii-AppID", srv.AppID())
	response, err := client.Do(r)
	if err != nil {
		return seen{err: err}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4<<20))
	return seen{response.StatusCode, response.Header.Get("Content-Type"), response.Header, string(body), err}
}

// A tally counts what is written to it, up to a gigabyte.
type tally struct{ written int }

func (*tally) Header() http.Header { return make(http.Header) }
func (*tally) WriteHeader(int)     {}

func (w *tally) Write(p []byte) (int, error) {
	if w.written += len(p); w.written > 1<<30 {
		return 0, errors.New("too much")
	}
	return len(p), nil
}

// An httptest.ResponseRecorder, a middleware that copies answers, and a recording proxy keep all.
func TestEndlessAnswerDoesNotFillTheMemory(t *testing.T) {
	t.Parallel()
	srv, _ := start(t)
	srv.Inject(kiitest.Fault{Kind: kiitest.FaultEndless})
	w := new(tally)
	srv.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, string(srv.Site())+"/apps/x/users/me", http.NoBody))
	require.Equal(t, 256<<20, w.written)
}

// Every kind of fault, handled and not, without a socket and with one.
func TestFaultsLookAsTheyShouldAndHappenOnlyWhenHandled(t *testing.T) {
	t.Parallel()
	status := func(want int) func(*testing.T, seen) {
		return func(t *testing.T, s seen) {
			require.NoError(t, s.err)
			require.Equal(t, want, s.status)
		}
	}
	for name, one := range map[string]struct {
		fault kiitest.Fault
		check func(*testing.T, seen)
	}{
		"status": {kiitest.Fault{Kind: kiitest.FaultStatus, Status: 503, ErrorCode: "RESOURCE_TEMPORARILY_UNAVAILABLE"}, func(t *testing.T, s seen) {
			status(503)(t, s)
			require.Contains(t, s.body, `"errorCode":"RESOURCE_TEMPORARILY_UNAVAILABLE"`)
			require.Contains(t, s.contentType, "application/vnd.kii.")
		}},
		"status without a code": {kiitest.Fault{Kind: kiitest.FaultStatus, Status: 500}, func(t *testing.T, s seen) {
			status(500)(t, s)
			require.Empty(t, s.body)
		}},
		"rate limit": {kiitest.Fault{Kind: kiitest.FaultRateLimit}, func(t *testing.T, s seen) {
			status(429)(t, s)
			require.Empty(t, s.body)
			require.Empty(t, s.contentType)
			require.Empty(t, s.header.Get("Retry-After"))
		}},
		"rate limit with a wait": {kiitest.Fault{Kind: kiitest.FaultRateLimit, RetryIn: 90 * time.Second}, func(t *testing.T, s seen) {
			status(429)(t, s)
			require.Equal(t, "90", s.header.Get("Retry-After"))
		}},
		"HTML": {kiitest.Fault{Kind: kiitest.FaultHTML}, func(t *testing.T, s seen) {
			status(200)(t, s)
			require.Contains(t, s.contentType, "text/html")
			require.Contains(t, s.body, "<!DOCTYPE html>")
		}},
		"redirect": {kiitest.Fault{Kind: kiitest.FaultRedirect}, func(t *testing.T, s seen) {
			status(307)(t, s)
			require.Equal(t, "https://elsewhere.invalid/", s.header.Get("Location"))
		}},
		"redirect of one's choice": {kiitest.Fault{Kind: kiitest.FaultRedirect, Status: 301, Location: "http://example.com/x"}, func(t *testing.T, s seen) {
			status(301)(t, s)
			require.Equal(t, "http://example.com/x", s.header.Get("Location"))
		}},
		"no answer": {kiitest.Fault{Kind: kiitest.FaultNoAnswer}, func(t *testing.T, s seen) {
			require.Error(t, s.err)
			if !errors.Is(s.err, io.EOF) {
				requireNetworkError(t, s.err, "read")
			}
		}},
		"cut": {kiitest.Fault{Kind: kiitest.FaultCut}, func(t *testing.T, s seen) {
			require.ErrorIs(t, s.err, io.ErrUnexpectedEOF)
			require.Equal(t, 200, s.status)
			require.NotEmpty(t, s.body)
			require.NotContains(t, s.body, "}", "half of it")
		}},
		"endless": {kiitest.Fault{Kind: kiitest.FaultEndless}, func(t *testing.T, s seen) {
			status(200)(t, s)
			require.Len(t, s.body, 4<<20, "as much as was read")
			require.True(t, strings.HasPrefix(s.body, `{"endless":"and so on, `))
		}},
		"gzip bomb": {kiitest.Fault{Kind: kiitest.FaultGzipBomb}, func(t *testing.T, s seen) {
			status(200)(t, s)
			require.Len(t, s.body, 4<<20, "as much as was read")
			require.Equal(t, "application/json", s.contentType)
		}},
	} {
		for _, handled := range []bool{false, true} {
			for _, opts := range [][]kiitest.Option{{kiitest.WithoutSocket()}, nil} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					srv := kiitest.NewServer(append(opts, kiitest.WithTest(t))...)
					client := clientOf(srv, opts == nil)
					id := srv.AddAccount(alice())
					fault := one.fault
					fault.Operation, fault.Handled = kiitest.OpRequestReset, handled
					srv.Inject(fault)
					path := "/apps/" + srv.AppID() + "/users/" + id + "/password/request-reset"
					one.check(t, look(t, client, srv, path))
					require.Equal(t, handled, len(srv.Messages()) == 1)
					call := srv.Calls()[0]
					require.Equal(t, fault.Kind, call.Fault)
					require.Equal(t, fault.Kind == kiitest.FaultNoAnswer, call.Status == 0)
					require.Equal(t, fault.ErrorCode, call.ErrorCode)
					require.Equal(t, 204, look(t, client, srv, path).status, "the next call is fine")
				})
			}
		}
	}
}

// clientOf makes a client without redirects, over the socket or not.
func clientOf(srv *kiitest.Server, socket bool) *http.Client {
	client := &http.Client{
		Transport:     srv.Transport(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if socket {
		client.Transport = &http.Transport{DisableKeepAlives: true} // no idle connection outlives the test
	}
	return client
}

func TestRefusedFaultIsAFailedDial(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	id := srv.AddAccount(alice())
	srv.Inject(kiitest.Fault{Kind: kiitest.FaultRefused})
	got := look(t, c.client, srv, "/apps/"+srv.AppID()+"/users/"+id+"/password/request-reset")
	var dial *net.OpError
	require.ErrorAs(t, got.err, &dial)
	require.Equal(t, "dial", dial.Op)
	requireNetworkError(t, got.err, "dial")
	require.ErrorContains(t, got.err, "refused")
	require.Empty(t, srv.Messages())
}

func TestContentTypeFaultKeepsAHandledAnswer(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	srv.AddAccount(alice())
	srv.Inject(
		kiitest.Fault{Operation: kiitest.OpLogin, Kind: kiitest.FaultContentType, Handled: true},
		kiitest.Fault{Operation: kiitest.OpLogin, Kind: kiitest.FaultContentType},
	)
	got := c.login("alice", "old-pass")
	require.Equal(t, "text/plain", got.header.Get("Content-Type"))
	require.NotEmpty(t, got.string("access_token"))
	got = c.login("alice", "old-pass")
	require.Equal(t, "text/plain", got.header.Get("Content-Type"))
	require.Equal(t, "{}", got.text)
	require.Equal(t, "application/json", c.login("alice", "old-pass").header.Get("Content-Type"))
}

func TestCutFaultCutsAHandledAnswer(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	srv.AddAccount(alice())
	srv.Inject(kiitest.Fault{Operation: kiitest.OpLogin, Kind: kiitest.FaultCut, Handled: true})
	r, err := http.NewRequestWithContext(t.Context(), "POST", string(srv.Site())+"/oauth2/token", strings.NewReader(`{"username":"alice","password":"old-pass"}`))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Kii-AppID", srv.AppID())
	response, err := c.client.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.True(t, strings.HasPrefix(string(body), `{"access_token":"`))
	require.Greater(t, response.ContentLength, int64(len(body)))
}

func TestFaultsAreCounted(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	id := srv.AddAccount(alice())
	bob := srv.AddAccount(kiitest.Account{LoginName: "bob", Email: "bob@example.com", EmailVerified: true, Password: "bob-pass"})
	fault := func(code string, f kiitest.Fault) kiitest.Fault {
		f.Kind, f.Status, f.ErrorCode = kiitest.FaultStatus, 503, code
		return f
	}
	require.Equal(t, "204", c.ask(id, byEmail).String(), "before the injection nothing counts")
	srv.Inject(
		fault("SECOND", kiitest.Fault{Operation: kiitest.OpRequestReset, Nth: 2, Times: 2}),
		fault("ALSO_SECOND", kiitest.Fault{Operation: kiitest.OpRequestReset, Nth: 2}),
		fault("BOB", kiitest.Fault{User: "bob@example.com", Operation: kiitest.OpRequestReset, Nth: 2, Times: kiitest.EveryTime}),
		fault("LOGIN", kiitest.Fault{Operation: kiitest.OpLogin}),
		fault("UNKNOWN", kiitest.Fault{User: "EMAIL:nobody@example.com"}),
	)
	left := srv.Faults()
	require.Len(t, left, 5)
	require.Equal(t, []int{2, 2}, []int{left[0].Nth, left[0].Times})
	require.Equal(t, []int{1, 1}, []int{left[3].Nth, left[3].Times}, "what a fault without either means")
	require.Equal(t, "204", c.ask(id, byEmail).String())
	left = srv.Faults()
	require.Equal(t, []int{1, 2}, []int{left[0].Nth, left[0].Times})
	require.Equal(t, "503 SECOND", c.ask(id, byEmail).String())
	left = srv.Faults()
	require.Equal(t, []int{1, 1}, []int{left[0].Nth, left[0].Times}, "one is left of two")
	for _, want := range []string{"503 SECOND", "503 ALSO_SECOND", "204"} {
		require.Equal(t, want, c.ask(id, byEmail).String())
	}
	require.Equal(t, "503 LOGIN", c.login("alice", "old-pass").String(), "other operations have their own count")
	require.Equal(t, "404 USER_NOT_FOUND", c.ask("EMAIL:nobody-else@example.com", byEmail).String())
	require.Equal(t, "200", c.send("GET", "configuration/parameters", "", "", c.admin()).String(), "an administrator is not nobody")
	require.Equal(t, "503 UNKNOWN", c.ask("EMAIL:nobody@example.com", byEmail).String())
	require.Equal(t, "404 USER_NOT_FOUND", c.ask("EMAIL:nobody@example.com", byEmail).String())
	for _, want := range []string{"204", "503 BOB", "503 BOB"} {
		require.Equal(t, want, c.ask("EMAIL:bob@example.com", byEmail).String())
	}
	require.Equal(t, "503 BOB", c.ask(bob, byEmail).String(), "by whatever name")
	require.Equal(t, kiitest.EveryTime, srv.Faults()[0].Times)
	srv.ClearFaults()
	require.Equal(t, "204", c.ask(bob, byEmail).String())
}

func TestFaultOfAUserMeetsAllThatUserDoes(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithSettings(refreshTokens), kiitest.WithSettings(input))
	id := srv.AddAccount(alice())
	bob := kiitest.Account{LoginName: "bob", Email: "bob@example.com", EmailVerified: true, Password: "bob-pass"}
	srv.AddAccount(bob)
	tokens, bobs := c.login("alice", "old-pass"), c.login("bob", "bob-pass")
	require.Equal(t, "204", c.ask(id, byEmail).String())
	link := last(t, srv, id).Link
	require.Equal(t, "204", c.ask("LOGIN_NAME:bob", byEmail).String())
	srv.Inject(kiitest.Fault{User: id, Kind: kiitest.FaultStatus, Status: 503, Times: kiitest.EveryTime})
	for name, call := range map[string]func() reply{
		"login":   func() reply { return c.login("+819012341234", "old-pass") },
		"refresh": func() reply { return c.refresh(tokens.string("refresh_token")) },
		"profile": func() reply { return c.me(tokens.string("access_token")) },
		"in small letters": func() reply {
			r, err := http.NewRequestWithContext(t.Context(), "GET", string(srv.Site())+"/apps/"+srv.AppID()+"/users/me", http.NoBody)
			require.NoError(t, err)
			r.Header.Set("Authorization", "bearer "+tokens.string("access_token"))
			return c.do(r)
		},
		"open the link": func() reply { return c.open(link) },
		"reset":         func() reply { return c.ask("PHONE:JP-9012341234", byPIN) },
	} {
		require.Equal(t, 503, call().status, name)
	}
	require.Equal(t, "200", c.me(bobs.string("access_token")).String())
	require.Equal(t, "200", c.refresh(bobs.string("refresh_token")).String())
	require.Equal(t, "200", c.open(last(t, srv, "bob").Link).String())
}

func TestFaultPrintsWhatItDoesAndNobodysName(t *testing.T) {
	t.Parallel()
	for want, fault := range map[string]kiitest.Fault{
		"html on any call number 1":                                  {Kind: kiitest.FaultHTML},
		"status on login number 1 (503)":                             {Operation: kiitest.OpLogin, Kind: kiitest.FaultStatus, Status: 503},
		"status on login number 2 (503 X)":                           {Operation: kiitest.OpLogin, Nth: 2, Kind: kiitest.FaultStatus, Status: 503, ErrorCode: "X"},
		"cut on login number 1, 3 times, handled":                    {Operation: kiitest.OpLogin, Kind: kiitest.FaultCut, Times: 3, Handled: true},
		"cut on login number 1 and every later one":                  {Operation: kiitest.OpLogin, Kind: kiitest.FaultCut, Times: kiitest.EveryTime},
		"delay on any call number 1, of one user":                    {Kind: kiitest.FaultDelay, Times: 1, User: "alice@example.com"},
		"delay on any call number 4, 2 times, of one user":           {Kind: kiitest.FaultDelay, Nth: 4, Times: 2, User: "alice"},
		"redirect on any call number 1 and every later one, handled": {Kind: kiitest.FaultRedirect, Times: kiitest.EveryTime, Handled: true},
	} {
		require.Equal(t, want, fault.String())
	}
}

func TestMalformedFaultsAreRefused(t *testing.T) {
	t.Parallel()
	srv, _ := start(t)
	for _, one := range []struct {
		want  string
		fault kiitest.Fault
	}{
		{"Fault.Operation must be one of request-reset, ", kiitest.Fault{Operation: "compleet-reset", Kind: kiitest.FaultHTML}},
		{"Fault.Kind must be one of delay, ", kiitest.Fault{}},
		{"cannot be negative", kiitest.Fault{Kind: kiitest.FaultHTML, Nth: -1}},
		{"cannot be negative", kiitest.Fault{Kind: kiitest.FaultHTML, Times: -1}},
		{"cannot be negative", kiitest.Fault{Kind: kiitest.FaultHTML, Delay: -1}},
		{"cannot be negative", kiitest.Fault{Kind: kiitest.FaultHTML, RetryIn: -1}},
		{"Fault.Delay must be set", kiitest.Fault{Kind: kiitest.FaultDelay}},
		{"must be 200 to 599", kiitest.Fault{Kind: kiitest.FaultStatus, Status: 199}},
		{"must be 200 to 599", kiitest.Fault{Kind: kiitest.FaultStatus, Status: 600}},
		{"that can have a body", kiitest.Fault{Kind: kiitest.FaultStatus, Status: 204, ErrorCode: "X"}},
		{"that can have a body", kiitest.Fault{Kind: kiitest.FaultStatus, Status: 304, ErrorCode: "X"}},
		{"must be 300 to 399", kiitest.Fault{Kind: kiitest.FaultRedirect, Status: 299}},
		{"must be 300 to 399", kiitest.Fault{Kind: kiitest.FaultRedirect, Status: 400}},
		{"Fault.Location must be", kiitest.Fault{Kind: kiitest.FaultRedirect, Location: "https://a.example/\r\nX: y"}},
		{"Fault.Location must be", kiitest.Fault{Kind: kiitest.FaultRedirect, Location: "https://a.example/\x7f"}},
		{"Fault.Location must be", kiitest.Fault{Kind: kiitest.FaultRedirect, Location: "https://a.example/\xff"}},
		{"what was refused", kiitest.Fault{Kind: kiitest.FaultRefused, Handled: true}},
	} {
		require.ErrorContains(t, one.fault.Validate(), one.want)
		require.Contains(t, panicText(func() { srv.Inject(kiitest.Fault{Kind: kiitest.FaultHTML}, one.fault) }), one.want)
	}
	require.Empty(t, srv.Faults(), "one bad fault and none is injected")
	for _, status := range []int{200, 204, 304, 599} {
		require.NoError(t, kiitest.Fault{Kind: kiitest.FaultStatus, Status: status}.Validate())
	}
	require.NoError(t, kiitest.Fault{Kind: kiitest.FaultRedirect, Status: 399, Location: "/a page"}.Validate())
	for _, kind := range kiitest.FaultKinds() {
		require.NoError(t, kiitest.Fault{Kind: kind, Status: 300, Delay: 1}.Validate())
	}
}

// net/http sends some requests again if a kept connection ends without a byte: the fault would be
// met, and its caller would not see it.
func TestLostAnswerIsLostOnAKeptConnectionToo(t *testing.T) {
	t.Parallel()
	for _, kind := range []kiitest.FaultKind{kiitest.FaultNoAnswer, kiitest.FaultRefused} {
		for call, key := range map[string]string{
			"GET users/me": "", "HEAD password-reset/none": "", "POST users/me/password/request-reset": "Idempotency-Key", "PUT users/me/password": "X-Idempotency-Key",
		} {
			for _, kept := range []bool{false, true} {
				srv := kiitest.NewServer(kiitest.WithTest(t))
				client := &http.Client{Transport: new(http.Transport)}
				method, path, _ := strings.Cut(call, " ")
				send := func() error {
					r, err := http.NewRequestWithContext(t.Context(), method, string(srv.Site())+"/apps/"+srv.AppID()+"/"+path, http.NoBody)
					require.NoError(t, err)
					r.Header.Set("X-Kii-AppID", srv.AppID())
					if key != "" {
						r.Header.Set(key, "k")
					}
					response, err := client.Do(r)
					if err == nil {
						_, err = io.Copy(io.Discard, response.Body)
						response.Body.Close()
					}
					return err
				}
				if kept {
					require.NoError(t, send())
				}
				srv.ClearCalls()
				srv.Inject(kiitest.Fault{Kind: kind})
				require.Error(t, send(), "%s to %s, kept: %t", kind, call, kept)
				require.Len(t, srv.Calls(), 1)
				require.NoError(t, send(), "the next call is fine")
				client.CloseIdleConnections()
			}
		}
	}
}
