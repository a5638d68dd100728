package promises_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
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

func TestAHangingHandshakeEndsAtTheTransportsLimitAndIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, op := range matrixOps {
		synctest.Test(t, func(t *testing.T) {
			s := peer.New(peer.Kind{}, (*peer.Conn).Hang)
			tr := bubbleTransport(s.Dial)
			client, err := kii.New("app", markerKey, "https://127.0.0.1:1", kii.WithHTTPClient(&http.Client{Transport: tr}))
			require.NoError(t, err)
			start := time.Now()
			err = op.call(t.Context(), client.User)
			failure, ok := err.(*kii.TransportError)
			require.True(t, ok, "%T", err)
			assert.True(t, failure.NotSent, "%v", err)
			assert.Equal(t, 10*time.Second, time.Since(start), op.name)
			assert.Equal(t, 1, s.Connections(), op.name)
			s.Close()
		})
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
	ofADatabase := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	ofAnotherCall := &kii.APIError{Op: "Login", StatusCode: 404, Code: kii.ErrUserNotFound}
	overElsewhere := &kii.SessionError{Err: &kii.APIError{Op: "Profile", StatusCode: 403, Code: kii.ErrWrongToken}}
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
		for _, cause := range []error{nil, why, ofADatabase, ofAnotherCall, overElsewhere} {
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
						goesOn := op.name == "Refresh" && row.after > 0 // its request outlives the caller, who learns no more
						assert.Equal(t, row.notSent && !goesOn, failure.NotSent)
						assert.ErrorIs(t, err, context.Canceled)
						switch cause {
						case why, ofADatabase:
							assert.ErrorIs(t, err, cause)
						default: // another call's, which says nothing of this one
							assert.False(t, errorIs[*kii.APIError](err) || errorIs[*kii.SessionError](err) || errors.Is(err, kii.ErrWrongToken), "%v", err)
						}
						assert.Equal(t, !failure.NotSent, kii.OutcomeUnknown(err))
						assert.False(t, kii.RevealsAccount(err))
						if row.also != nil && !goesOn {
							assert.ErrorIs(t, err, row.also)
						}
						assert.Equal(t, row.after, time.Since(start), "not a moment longer")
						if goesOn {
							time.Sleep(time.Minute) // until it has ended by itself
						}
						synctest.Wait() // until net/http has taken notice, and no longer waits for the dial
						tr.CloseIdleConnections()
						s.Close()
					})
				})
			}
		}
	}
}
