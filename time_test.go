package kii_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/internal/peer"
	"github.com/go-kii/kii/internal/transport"
)

// In these tests the time is synctest's: an hour passes at once, and to the nanosecond.

// bubbleTransport is the library's transport over connections in memory.
func bubbleTransport(dial func(context.Context, string, string) (net.Conn, error)) *http.Transport {
	tr := transport.DefaultTransport()
	tr.Proxy = nil
	tr.DialContext = dial
	tr.TLSClientConfig = &tls.Config{RootCAs: peer.Roots()}
	return tr
}

func bubbleUser(t *testing.T, s *peer.Server, rt http.RoundTripper, opts ...kii.Option) *kii.User {
	opts = append([]kii.Option{kii.WithHTTPClient(&http.Client{Transport: rt})}, opts...)
	client, err := kii.New("app", markerKey, kii.Site(s.URL()), opts...)
	require.NoError(t, err)
	return client.User
}

func TestWhatIsNotSentIsRetriedOnlyWhereAConnectionFailed(t *testing.T) {
	t.Parallel()
	refused := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	blackHole := func(ctx context.Context, _, _ string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second) // as the library's dialer
		defer cancel()
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: context.Cause(ctx)}
	}
	noSuchHost := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "kii.invalid", IsNotFound: true}}
	}
	proxied := func(tr *http.Transport) { tr.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.invalid:1"}) }
	table := []struct {
		name     string
		dial     func(context.Context, string, string) (net.Conn, error)
		peer     func(*peer.Conn) // what answers in place of Kii Cloud, where dial is nil
		setup    func(*http.Transport)
		attempts int
		is       error
	}{
		{"refused", refused, nil, nil, 3, syscall.ECONNREFUSED},
		{"black hole", blackHole, nil, nil, 3, context.DeadlineExceeded},
		{"no such host", noSuchHost, nil, nil, 3, nil},
		{"unknown CA", nil, nil, func(tr *http.Transport) { tr.TLSClientConfig.RootCAs = x509.NewCertPool() }, 1, nil},
		{"another host's certificate", nil, nil, func(tr *http.Transport) { tr.TLSClientConfig.ServerName = "other.test" }, 1, nil},
		{"TLS garbage", nil, func(c *peer.Conn) { _ = c.Raw("HTTP/1.1 400 " + everySecret + "\r\n\r\n") }, nil, 1, nil},
		{"TLS alert", nil, func(c *peer.Conn) { _ = c.Raw("\x15\x03\x03\x00\x02\x02\x28") }, nil, 1, nil},
		{"TLS time-out", nil, func(c *peer.Conn) { c.Hang() }, nil, 1, nil},
		{"proxy 407", nil, each(func(c *peer.Conn) { c.Answer(407, nil) }), proxied, 3, nil},
		{"proxy 502", nil, each(func(c *peer.Conn) { c.Answer(502, []byte(everySecret)) }), proxied, 3, nil},
		{"proxy closes", nil, func(c *peer.Conn) { c.Next() }, proxied, 3, nil},
		{"proxy garbage", nil, func(c *peer.Conn) { c.Next(); _ = c.Raw("HTTP/1.1 " + everySecret + "\r\n\r\n") }, proxied, 3, nil},
	}
	for _, row := range table {
		for _, op := range matrixOps {
			t.Run(row.name+" "+op.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := peer.New(peer.Kind{TLS: row.peer == nil}, func(c *peer.Conn) {
						if row.peer != nil {
							row.peer(c)
						}
					})
					var attempts atomic.Int64
					tr := bubbleTransport(func(ctx context.Context, network, addr string) (net.Conn, error) {
						attempts.Add(1)
						if row.dial != nil {
							return row.dial(ctx, network, addr)
						}
						return s.Dial(ctx, network, addr)
					})
					if row.setup != nil {
						row.setup(tr)
					}
					client, err := kii.New("app", markerKey, "https://127.0.0.1:1", kii.WithHTTPClient(&http.Client{Transport: tr}))
					require.NoError(t, err)
					err = op.call(t.Context(), client.User)
					failure, ok := err.(*kii.TransportError)
					require.True(t, ok, "%T", err)
					assert.True(t, failure.NotSent, "%v", err)
					assert.False(t, kii.OutcomeUnknown(err))
					if row.attempts == 3 && row.peer != nil { // a proxy may have been dialled in vain for a connection that came too late
						assert.LessOrEqual(t, attempts.Load(), int64(6))
					} else {
						assert.Equal(t, int64(row.attempts), attempts.Load())
					}
					if row.is != nil {
						assert.ErrorIs(t, err, row.is)
					}
					requireErrorKeepsSecrets(t, op, err)
					tr.CloseIdleConnections()
					s.Close()
				})
			})
		}
	}
}

func TestASilentServerCostsTheTimeoutAndIsAskedOnce(t *testing.T) {
	t.Parallel()
	table := map[string]func(*peer.Conn){
		"silent": func(c *peer.Conn) { c.Hang() },
		"stuck in the headers": func(c *peer.Conn) {
			c.Next()
			if !c.HTTP2 {
				_ = c.Raw("HTTP/1.1 204 No Content\r\nX-")
			}
			c.Hang()
		},
		"stuck in the body": func(c *peer.Conn) {
			c.Next()
			if c.HTTP2 {
				c.Headers(false, 200)
			} else {
				_ = c.Raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
			}
			c.Hang()
		},
	}
	for name, serve := range table {
		for _, kind := range []peer.Kind{{}, {TLS: true}, {HTTP2: true, TLS: true}} {
			for _, op := range matrixOps {
				synctest.Test(t, func(t *testing.T) {
					s := peer.New(kind, serve)
					tr := bubbleTransport(s.Dial)
					tr.HTTP2.SendPingTimeout = time.Hour // the server answers none while it is stuck
					u := bubbleUser(t, s, tr, kii.WithTimeout(7*time.Minute))
					start := time.Now()
					err := op.call(t.Context(), u)
					lost.check(t, op, err)
					assert.ErrorIs(t, err, context.DeadlineExceeded, name)
					assert.Equal(t, 7*time.Minute, time.Since(start), name)
					assert.Equal(t, 1, s.Requests(), name)
					tr.CloseIdleConnections()
					s.Close()
				})
			}
		}
	}
}

func TestACallersClientTimeoutBoundsAnAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := peer.New(peer.Kind{}, func(c *peer.Conn) { c.Hang() })
		tr := bubbleTransport(s.Dial)
		client, err := kii.New("app", "key", kii.Site(s.URL()), kii.WithHTTPClient(&http.Client{Transport: tr, Timeout: 3 * time.Second}))
		require.NoError(t, err)
		start := time.Now()
		err = client.User.ResetPassword(t.Context(), "id", kii.NotificationSMS)
		assert.True(t, kii.OutcomeUnknown(err))
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 3*time.Second, time.Since(start))
		assert.Equal(t, 1, s.Requests())
		tr.CloseIdleConnections()
		s.Close()
	})
}

func TestACancelledCallTellsWhyAndWhetherItWasSent(t *testing.T) {
	t.Parallel()
	why := errors.New("the visitor left")
	hang := func(c *peer.Conn) { c.Hang() }
	inBody := func(c *peer.Conn) { c.Next(); _ = c.Raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"); c.Hang() }
	never := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	refused := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	table := []struct {
		name    string
		serve   func(*peer.Conn)
		dial    func(context.Context, string, string) (net.Conn, error)
		after   time.Duration
		notSent bool
		also    error
	}{
		{name: "before the call", serve: hang, after: 0, notSent: true},
		{name: "while dialling", dial: never, after: time.Second, notSent: true},
		{name: "in backoff", dial: refused, after: 50 * time.Millisecond, notSent: true, also: syscall.ECONNREFUSED},
		{name: "in flight", serve: hang, after: time.Second},
		{name: "while reading", serve: inBody, after: time.Second},
	}
	for _, row := range table {
		for _, cause := range []error{nil, why} {
			for _, op := range matrixOps {
				t.Run(row.name+" "+op.name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						s := peer.New(peer.Kind{}, row.serve)
						tr := bubbleTransport(s.Dial)
						if row.dial != nil {
							tr.DialContext = row.dial
						}
						ctx, cancel := context.WithCancelCause(t.Context())
						defer cancel(nil)
						if row.after == 0 {
							cancel(cause)
						}
						time.AfterFunc(row.after, func() { cancel(cause) })
						start := time.Now()
						err := op.call(ctx, bubbleUser(t, s, tr))
						failure, ok := err.(*kii.TransportError)
						require.True(t, ok, "%T %v", err, err)
						assert.Equal(t, row.notSent, failure.NotSent)
						assert.ErrorIs(t, err, context.Canceled)
						if cause != nil {
							assert.ErrorIs(t, err, cause)
						}
						if row.also != nil {
							assert.ErrorIs(t, err, row.also)
						}
						assert.Equal(t, row.after, time.Since(start), "not a moment longer")
						tr.CloseIdleConnections()
						s.Close()
					})
				})
			}
		}
	}
}
