package kiitest_test

import (
	"context"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

// moments are the ways to let time pass.
func moments(t *testing.T, test func(t *testing.T, pass func(*kiitest.Server, time.Duration))) {
	t.Run("in a bubble", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			test(t, func(_ *kiitest.Server, d time.Duration) { time.Sleep(d) })
		})
	})
	t.Run("by Advance in a bubble", func(t *testing.T) { // where nothing else moves the clock
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			test(t, (*kiitest.Server).Advance)
		})
	})
}

func TestExpiryIsExact(t *testing.T) {
	t.Parallel()
	moments(t, func(t *testing.T, pass func(*kiitest.Server, time.Duration)) {
		srv, c := start(t, kiitest.WithSettings(input), kiitest.WithSettings(func(s *kiitest.Settings) {
			s.PINValidity, s.LinkValidity, s.CodeValidity, s.TokenValidity = time.Minute, 2*time.Minute, 3*time.Minute, 4*time.Minute
			s.VerifyEmail = true
		}))
		id := srv.AddAccount(alice())
		dave := c.register(registrationType, `{"loginName":"dave","emailAddress":"dave@example.com","password":"dave-pass"}`).string("userID")
		token := c.token("alice", "old-pass")
		require.Equal(t, "204", c.ask(id, bySMS).String())
		link := last(t, srv, id)
		require.Equal(t, "204", c.ask(id, byPIN).String())
		pin := last(t, srv, id)
		code := last(t, srv, dave)
		state := func(m kiitest.Message) kiitest.State { return srv.FindMessages(kiitest.Filter{ID: m.ID})[0].State }
		verify := func() string {
			return c.send("POST", "users/"+dave+"/email-address/verify", verificationType, `{"verificationCode":"`+code.Code+`"}`, "").String()
		}
		require.Equal(t, srv.Now().Add(time.Minute), pin.Expires)

		pass(srv, time.Minute-1)
		require.Equal(t, "400 INVALID_INPUT_DATA", c.complete(id, pin.PIN, "old-pass").String(), "the PIN is still good")
		require.Equal(t, kiitest.Pending, state(pin))
		pass(srv, 1)
		require.Equal(t, "410 PIN_CODE_EXPIRED", c.complete(id, pin.PIN, "new-pass").String())
		require.Equal(t, kiitest.Expired, state(pin))

		pass(srv, time.Minute-1)
		require.Equal(t, "200", c.open(link.Link).String())
		pass(srv, 1)
		require.Equal(t, "410", c.open(link.Link).String())
		require.Equal(t, "410", c.submit(link.Link, "new-pass", "new-pass").String())

		pass(srv, time.Minute-1)
		require.Equal(t, kiitest.Pending, state(code))
		pass(srv, 1)
		require.Equal(t, "410 PHONE_NUMBER_VERIFICATION_CODE_EXPIRED", verify())

		pass(srv, time.Minute-1)
		require.Equal(t, "200", c.me(token).String())
		pass(srv, 1)
		require.Equal(t, "403 WRONG_TOKEN", c.me(token).String())
	})
}

func TestExampleOfAPINThatExpires(t *testing.T) {
	t.Parallel()
	testPINExpires(t)
}

func TestDefaultValidities(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, c := start(t, kiitest.WithSettings(input))
		id := srv.AddAccount(alice())
		require.Equal(t, "204", c.ask(id, byPIN).String())
		require.Equal(t, 10*time.Minute, last(t, srv, id).Expires.Sub(srv.Now()))
		require.Equal(t, "204", c.ask(id, byEmail).String())
		require.Equal(t, time.Hour, last(t, srv, id).Expires.Sub(srv.Now()))
	})
}

func TestDelayLastsInFakeTimeAndEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, c := start(t)
		id := srv.AddAccount(alice())
		srv.Inject(
			kiitest.Fault{Operation: kiitest.OpRequestReset, Kind: kiitest.FaultDelay, Delay: 20 * time.Second},
			kiitest.Fault{Operation: kiitest.OpRequestReset, Kind: kiitest.FaultDelay, Delay: time.Hour},
		)
		began := time.Now()
		require.Equal(t, "204", c.ask(id, byPIN).String())
		require.Equal(t, 20*time.Second, time.Since(began))
		require.Len(t, srv.Messages(), 1)

		c.client.Timeout = 30 * time.Second
		giveUp := func() {
			began := time.Now()
			r, err := http.NewRequestWithContext(t.Context(), "POST", string(srv.Site())+"/apps/"+srv.AppID()+"/users/"+id+"/password/request-reset", http.NoBody)
			require.NoError(t, err)
			r.Header.Set("X-Kii-AppID", srv.AppID())
			_, err = c.client.Do(r) //nolint:bodyclose // there is none
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, 30*time.Second, time.Since(began))
		}
		giveUp()
		require.Len(t, srv.Messages(), 1, "it gave up before the call took effect")
		require.Equal(t, "the client gave up during the delay that a fault asked for", srv.Calls()[1].Why)
		srv.Inject(kiitest.Fault{Operation: kiitest.OpRequestReset, Kind: kiitest.FaultDelay, Delay: time.Hour, Handled: true})
		giveUp()
		require.Len(t, srv.Messages(), 2, "it gave up after the call took effect")
	})
}

func TestDelayAsLongAsTheDeadlineIsTooLong(t *testing.T) {
	t.Parallel()
	for range 20 { // it could come right by chance
		synctest.Test(t, func(t *testing.T) {
			srv, c := start(t)
			srv.AddAccount(alice())
			srv.Inject(kiitest.Fault{Kind: kiitest.FaultDelay, Delay: 30 * time.Second})
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			r, err := http.NewRequestWithContext(ctx, "POST", string(srv.Site())+"/apps/"+srv.AppID()+"/users/LOGIN_NAME:alice/password/request-reset", http.NoBody)
			require.NoError(t, err)
			r.Header.Set("X-Kii-AppID", srv.AppID())
			_, err = c.client.Do(r) //nolint:bodyclose // there is none
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Empty(t, srv.Messages())
		})
	}
}

func TestHandlerAnswersNobodyWhoGaveUpDuringADelay(t *testing.T) {
	t.Parallel()
	for _, handled := range []bool{false, true} {
		srv, _ := start(t)
		srv.Inject(kiitest.Fault{Kind: kiitest.FaultDelay, Delay: time.Hour, Handled: handled})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, string(srv.Site())+"/apps/x/users/me", http.NoBody)
		require.PanicsWithValue(t, http.ErrAbortHandler, func() { srv.ServeHTTP(httptest.NewRecorder(), r) })
	}
}

func TestDoneContextIsAnsweredWithItsError(t *testing.T) {
	t.Parallel()
	srv, _ := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", string(srv.Site())+"/apps/x/users/me", http.NoBody)
	require.NoError(t, err)
	_, err = srv.Transport().RoundTrip(r)
	require.Equal(t, context.Canceled, err)
	require.Empty(t, srv.Calls())
}

func TestBodyEndsWithItsContext(t *testing.T) {
	t.Parallel()
	srv, _ := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", string(srv.Site())+"/apps/x/users/me", http.NoBody)
	require.NoError(t, err)
	response, err := srv.Transport().RoundTrip(r)
	require.NoError(t, err)
	defer response.Body.Close()
	cancel()
	_, err = response.Body.Read(make([]byte, 1))
	require.Equal(t, context.Canceled, err, "as net/http has it")
}

func TestAdvanceDoesNotGoBack(t *testing.T) {
	t.Parallel()
	srv, _ := start(t)
	before := srv.Now()
	require.NotPanics(t, func() { srv.Advance(0) })
	srv.Advance(time.Hour)
	require.GreaterOrEqual(t, srv.Now().Sub(before), time.Hour)
	require.Panics(t, func() { srv.Advance(-1) })
	require.Panics(t, func() { srv.Advance(math.MaxInt64) }, "it would wrap round")
	require.Equal(t, time.Hour, srv.Advanced())
}

// The trap: a server from outside, in a bubble's year 2000, where nothing it gave out ever expires.
func TestServerFromOutsideSaysSoInABubble(t *testing.T) {
	t.Parallel()
	for name, opt := range map[string][]kiitest.Option{"socket": nil, "no socket": {kiitest.WithoutSocket()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := kiitest.NewServer(opt...)
			t.Cleanup(srv.Close)
			site, transport := string(srv.Site()), srv.Transport()
			synctest.Test(t, func(t *testing.T) {
				for _, call := range []func(){
					func() { srv.Site() }, func() { srv.Now() }, func() { srv.LastMessage("x") }, func() { srv.AddAccount(alice()) },
				} {
					require.Contains(t, panicText(call), "Call kiitest.NewServer inside the bubble")
				}
				_, err := srv.WaitMessage(t.Context(), kiitest.Filter{})
				require.ErrorContains(t, err, "Call kiitest.NewServer inside the bubble")
				require.Contains(t, strayCall(t, transport, site), "Call kiitest.NewServer inside the bubble")
			})
		})
	}
}

// Every method that shows or changes what time has to do with.
func TestEachMethodKnowsItsBubble(t *testing.T) {
	t.Parallel()
	srv := kiitest.NewServer(kiitest.WithoutSocket())
	elsewhere := []string{"Assumes", "Close", "Format", "ServeHTTP", "Transport", "WaitMessage"} // no matter of time, or with a way of their own
	synctest.Test(t, func(t *testing.T) {
		server := reflect.ValueOf(srv)
		for i := range server.NumMethod() {
			name := server.Type().Method(i).Name
			if slices.Contains(elsewhere, name) {
				continue
			}
			method := server.Method(i)
			var args []reflect.Value
			for j := range method.Type().NumIn() {
				if !method.Type().IsVariadic() || j < method.Type().NumIn()-1 {
					args = append(args, reflect.Zero(method.Type().In(j)))
				}
			}
			require.Contains(t, panicText(func() { method.Call(args) }), "kiitest: ", name)
			require.Contains(t, panicText(func() { method.Call(args) }), "Call kiitest.NewServer inside the bubble", name)
		}
	})
}

func TestServerOfABubbleSaysSoOutside(t *testing.T) {
	t.Parallel()
	var srv *kiitest.Server
	synctest.Test(t, func(*testing.T) { srv = kiitest.NewServer() })
	require.Contains(t, panicText(func() { srv.Now() }), "Use it only inside the bubble")
	require.Contains(t, strayCall(t, srv.Transport(), "https://127.0.0.1:1/api"), "Use it only inside the bubble")
	synctest.Test(t, func(t *testing.T) {
		require.Contains(t, panicText(func() { srv.Now() }), "in each bubble")
	})
	require.NotPanics(t, srv.Close, "cleaning up is fine anywhere")
}

func TestServerWithATestFailsItAcrossTheEdge(t *testing.T) {
	t.Parallel()
	seen := new(fakeTest)
	srv := kiitest.NewServer(kiitest.WithTest(seen), kiitest.WithoutSocket())
	transport, site := srv.Transport(), string(srv.Site())
	synctest.Test(t, func(t *testing.T) {
		srv.Now()
		strayCall(t, transport, site)
		_, err := srv.WaitMessage(t.Context(), kiitest.Filter{})
		require.Error(t, err)
	})
	require.Len(t, seen.failures, 3)
	for _, failure := range seen.failures {
		require.Contains(t, failure, "Call kiitest.NewServer inside the bubble")
	}
	srv = kiitest.NewServer(kiitest.WithTest(new(panickyTest)), kiitest.WithoutSocket())
	synctest.Test(t, func(t *testing.T) {
		require.NotPanics(t, func() { srv.Now() }, "the test knows, and may go on")
	})
}

func panicText(f func()) (text string) {
	defer func() { text, _ = recover().(string) }()
	f()
	return ""
}

func strayCall(t *testing.T, transport http.RoundTripper, site string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", site+"/apps/x/users/me", strings.NewReader(""))
	require.NoError(t, err)
	response, err := transport.RoundTrip(r)
	require.NoError(t, err)
	require.Equal(t, 500, response.StatusCode)
	defer response.Body.Close()
	return readAll(t, response.Body)
}

// A client whose clock Advance has not moved learns the server's from its answers.
func TestAnswersTellTheServersTime(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	srv.Advance(5 * time.Hour)
	told, err := http.ParseTime(c.send("GET", "users/nobody", "", "", "").header.Get("Date"))
	require.NoError(t, err)
	require.WithinDuration(t, srv.Now(), told, 2*time.Second)
}
