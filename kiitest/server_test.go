package kiitest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

// socketCaller calls over the network.
func socketCaller(t *testing.T, srv *kiitest.Server) *caller {
	t.Helper()
	c := newCaller(t, srv)
	network := &http.Transport{}
	t.Cleanup(network.CloseIdleConnections)
	c.client.Transport = network
	return c
}

func TestSocketServesTheSameAsTheTransport(t *testing.T) {
	t.Parallel()
	srv := kiitest.NewServer(kiitest.WithTest(t), kiitest.WithSettings(input))
	c := socketCaller(t, srv)
	id := srv.AddAccount(alice())
	token := c.token("alice", "old-pass")
	require.Equal(t, "204", c.ask("PHONE%3AJP-09012341234", byPIN).String())
	require.Equal(t, "403 INVALID_VERIFICATION_CODE", c.complete(id, "123456", "new-pass").String())
	require.Equal(t, "204", c.complete(id, last(t, srv, id).PIN, "new-pass").String())
	require.Equal(t, "403 WRONG_TOKEN", c.me(token).String())
	require.Equal(t, "204", c.ask(id, byEmail).String())
	require.Equal(t, "200", c.open(last(t, srv, id).Link).String())
	require.Equal(t, "200", newCaller(t, srv).login("alice", "new-pass").String(), "Transport works beside the socket")
}

func TestServerIsAnHTTPHandler(t *testing.T) {
	t.Parallel()
	var srv *kiitest.Server
	outer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { srv.ServeHTTP(w, r) }))
	t.Cleanup(outer.Close)
	srv = kiitest.NewServer(kiitest.WithTest(t), kiitest.WithOrigin(outer.URL))
	c := socketCaller(t, srv)
	id := srv.AddAccount(alice())
	require.Equal(t, "204", c.ask(id, byEmail).String())
	require.Equal(t, "200", c.open(last(t, srv, id).Link).String())
}

func TestCloseEndsCallsThatWait(t *testing.T) {
	t.Parallel()
	srv := kiitest.NewServer()
	c := socketCaller(t, srv)
	srv.Inject(kiitest.Fault{Kind: kiitest.FaultDelay, Delay: time.Hour})
	failed := make(chan error)
	go func() {
		r, _ := http.NewRequest("GET", string(srv.Site())+"/apps/x/users/me", http.NoBody)
		_, err := c.client.Do(r)
		failed <- err
	}()
	for len(srv.Faults()) > 0 {
		runtime.Gosched()
	}
	srv.Close()
	require.Error(t, <-failed)
	require.NotPanics(t, srv.Close, "a second time")
	require.Equal(t, 0, srv.Calls()[0].Status)
}

func TestResetForgetsEverything(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithSettings(input))
	id := srv.AddAccount(alice())
	token := c.token("alice", "old-pass")
	require.Equal(t, "204", c.ask(id, byEmail).String())
	link := last(t, srv, id).Link
	srv.SetSettings(func(s *kiitest.Settings) { s.ResetFlow = kiitest.GeneratePassword })
	srv.Inject(kiitest.Fault{Kind: kiitest.FaultHTML})
	srv.Advance(time.Minute)
	app, before := srv.AppID(), srv.Now()
	srv.Reset()
	require.Empty(t, srv.Accounts())
	require.Empty(t, srv.Messages())
	require.Empty(t, srv.Calls())
	require.Empty(t, srv.Faults())
	require.Equal(t, kiitest.InputPassword, srv.Settings().ResetFlow, "as it started")
	require.Equal(t, app, srv.AppID())
	require.False(t, srv.Now().Before(before))
	require.Equal(t, "403 WRONG_TOKEN", c.me(token).String())
	require.Equal(t, "404", c.open(link).String())
	require.NotPanics(t, func() { srv.AddAccount(alice()) })
}

// A mock of testify prints each argument by %v, one that it expects as well.
func TestServerPrintsWhileCallsRun(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	id := srv.AddAccount(alice())
	var calls sync.WaitGroup
	calls.Go(func() {
		for range 50 {
			c.ask(id, byEmail)
		}
	})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
		for _, v := range []any{srv, srv.Transport(), &http.Client{Transport: srv.Transport()}} {
			text := fmt.Sprintf(verb, v)
			for _, secret := range []string{"alice", id, "old-pass", srv.AppKey(), srv.ClientSecret()} {
				require.NotContains(t, text, secret)
			}
			require.Contains(t, text, "Server{"+string(srv.Site())+"}")
		}
	}
	calls.Wait()
}

func TestServersShareNothing(t *testing.T) {
	t.Parallel()
	var servers sync.WaitGroup
	for range 8 {
		servers.Go(func() {
			srv, c := start(t)
			id := srv.AddAccount(alice())
			c.ask(id, byPIN)
			if len(srv.Messages()) != 1 || len(srv.Accounts()) != 1 || len(srv.Calls()) != 1 {
				t.Error("a server shows what another one did")
			}
		})
	}
	servers.Wait()
}

func TestTransportAnswersAsNetHTTPDoes(t *testing.T) {
	t.Parallel()
	srv := kiitest.NewServer(kiitest.WithoutSocket())
	get := func(change func(*http.Request)) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), "GET", string(srv.Site())+"/apps/"+srv.AppID()+"/users/me", nil)
		require.NoError(t, err)
		change(r)
		response, err := srv.Transport().RoundTrip(r)
		require.NoError(t, err)
		require.Same(t, r, response.Request)
		return response
	}
	response := get(func(*http.Request) {})
	require.Equal(t, "401 Unauthorized", response.Status)
	require.Equal(t, "HTTP/1.1", response.Proto)
	body := readAll(t, response.Body)
	require.Equal(t, int64(len(body)), response.ContentLength)
	require.NoError(t, response.Body.Close())
	_, err := response.Body.Read(make([]byte, 1))
	require.Equal(t, http.ErrBodyReadAfterClose, err)

	srv.Inject(kiitest.Fault{Kind: kiitest.FaultGzipBomb, Times: 2})
	response = get(func(r *http.Request) { r.Header.Set("Accept-Encoding", "gzip") })
	require.Equal(t, "gzip", response.Header.Get("Content-Encoding"), "who asks for gzip unpacks it")
	packed, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Less(t, len(packed), 4<<20)
	require.Equal(t, []byte{0x1f, 0x8b}, packed[:2])
	response = get(func(*http.Request) {})
	require.True(t, response.Uncompressed)
	require.Empty(t, response.Header.Get("Content-Encoding"))
}

func TestBrokenRequestBodyIsTheClientsOwnFailure(t *testing.T) {
	t.Parallel()
	srv, _ := start(t)
	broken := errors.New("broken")
	body := &closing{Reader: io.MultiReader(strings.NewReader("{"), failingReader{broken})}
	r, err := http.NewRequestWithContext(t.Context(), "POST", string(srv.Site())+"/oauth2/token", body)
	require.NoError(t, err)
	_, err = srv.Transport().RoundTrip(r)
	require.ErrorIs(t, err, broken)
	require.True(t, body.closed, "a RoundTripper closes the body in any case")
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

type failingReader struct{ err error }

func (f failingReader) Read([]byte) (int, error) { return 0, f.err }

// Not parallel: other tests' sockets have goroutines.
func TestNothingGoesOnOutsideACall(t *testing.T) {
	before := stacksOfKiitest()
	srv, c := start(t)
	id := srv.AddAccount(alice())
	c.ask(id, byPIN)
	c.complete(id, last(t, srv, id).PIN, "")
	require.Equal(t, before, stacksOfKiitest())
	synctest.Test(t, func(t *testing.T) {
		require.Equal(t, "https://127.0.0.1:1/api", string(kiitest.NewServer().Site()), "no socket")
		require.Equal(t, before, stacksOfKiitest())
	})
	kiitest.NewServer().Close()
	require.Eventually(t, func() bool { return stacksOfKiitest() == before }, time.Minute, time.Millisecond,
		"a socket's goroutine ends with Close, which waits for all but its last instructions")
}

// A look-up of the site's name in a bubble would end the program at the next one outside. Not
// parallel: the resolver must be the bubble's if there is one.
func TestForgottenTransportLooksUpNoNameInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := &http.Client{Transport: new(http.Transport)}
		r, err := http.NewRequestWithContext(t.Context(), "GET", string(kiitest.NewServer().Site()), http.NoBody)
		require.NoError(t, err)
		_, err = client.Do(r) //nolint:bodyclose // there is none
		var lookUp *net.DNSError
		require.False(t, errors.As(err, &lookUp), "%v", err)
		requireNetworkError(t, err, "dial")
	})
}

func TestStartWithoutSocketTakesLessThanAMillisecond(t *testing.T) {
	var took []time.Duration
	for range 99 {
		began := time.Now()
		kiitest.NewServer(kiitest.WithoutSocket())
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	require.Less(t, took[len(took)/2], time.Millisecond)
}

// stacksOfKiitest counts the goroutines that the package started.
func stacksOfKiitest() int {
	stacks := make([]byte, 4<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	return bytes.Count(stacks, []byte("created by github.com/go-kii/kii/kiitest."))
}

func BenchmarkStartWithoutSocket(b *testing.B) {
	for b.Loop() {
		kiitest.NewServer(kiitest.WithoutSocket()).Close()
	}
}

func BenchmarkStartWithSocket(b *testing.B) {
	for b.Loop() {
		kiitest.NewServer().Close()
	}
}

func BenchmarkResetByPIN(b *testing.B) {
	srv := kiitest.NewServer(kiitest.WithoutSocket())
	c := newCaller(b, srv)
	id := srv.AddAccount(alice())
	for b.Loop() {
		c.ask(id, byPIN)
		m, _ := srv.LastMessage(id)
		c.complete(id, m.PIN, "")
	}
}
