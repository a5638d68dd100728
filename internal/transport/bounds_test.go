package transport_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/internal/peer"
	"github.com/go-kii/kii/internal/transport"
)

// A held body heeds no context: its Read, or its Close, ends when it is released.
type held struct {
	release      chan struct{}
	closed       chan bool
	onlyItsClose bool
}

func (h held) Read([]byte) (int, error) {
	if !h.onlyItsClose {
		<-h.release
	}
	return 0, io.EOF
}

func (h held) Error() string { <-h.release; return "late" }

func (h held) Close() error {
	<-h.release
	h.closed <- true
	return nil
}

func TestACallReturnsByItsDeadlineWhateverIsHeld(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		hold     func(held, *http.Request) (*http.Response, error)
		onlyIts  bool
		answered bool // what came before the deadline counts
		perTry   time.Duration
	}{
		"a RoundTripper":                {hold: func(h held, _ *http.Request) (*http.Response, error) { <-h.release; return nil, io.EOF }},
		"a RoundTripper of one attempt": {perTry: time.Second, hold: func(h held, req *http.Request) (*http.Response, error) { taken(req); <-h.release; return nil, io.EOF }},
		"the text of an error":          {hold: func(h held, req *http.Request) (*http.Response, error) { taken(req); return nil, h }},
		"a late response": {hold: func(h held, _ *http.Request) (*http.Response, error) {
			<-h.release
			return &http.Response{StatusCode: 204, Body: h}, nil
		}},
		"a body": {hold: func(h held, _ *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: h}, nil
		}},
		"the close of a body": {onlyIts: true, answered: true, hold: func(h held, _ *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: h}, nil
		}},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := held{release: make(chan struct{}), closed: make(chan bool, 1), onlyItsClose: row.onlyIts}
			client := transport.New(&http.Client{Timeout: row.perTry, Transport: tripper(func(req *http.Request) (*http.Response, error) {
				if req.Method == http.MethodGet {
					return &http.Response{StatusCode: 204}, nil
				}
				return row.hold(h, req)
			})}, time.Minute, 0)
			start := time.Now()
			reply, err := client.Do(t.Context(), post("http://kii.test"))
			want := time.Minute
			if row.perTry > 0 {
				want = row.perTry
			}
			assert.Equal(t, want, time.Since(start), name)
			if row.answered {
				require.NoError(t, err, name)
				assert.Equal(t, 200, reply.Status, name)
			} else {
				require.ErrorIs(t, err, context.DeadlineExceeded, name)
			}
			start = time.Now()
			_, err = client.Do(t.Context(), get("http://kii.test"))
			require.NoError(t, err, "the next call")
			assert.Zero(t, time.Since(start), "the next call")
			close(h.release)
			if strings.Contains(name, "body") || strings.Contains(name, "response") {
				assert.True(t, <-h.closed, "%s is closed when it comes back", name)
			}
		})
	}
}

// A detached context hides the end of the one in it, and forgets to hide its deadline.
type detached struct{ context.Context }

func (detached) Done() <-chan struct{} { return nil }
func (detached) Err() error            { return nil }

func TestACallReturnsByItsOwnDeadlineWhateverItsContextSays(t *testing.T) {
	t.Parallel()
	for _, perTry := range []time.Duration{0, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			client := transport.New(&http.Client{Timeout: perTry, Transport: tripper(func(req *http.Request) (*http.Response, error) {
				deadline, _ := req.Context().Deadline()
				assert.Equal(t, time.Millisecond, time.Until(deadline), "a RoundTripper sees what it says")
				<-req.Context().Done()
				return nil, req.Context().Err()
			})}, time.Minute, 0)
			start := time.Now()
			_, err := client.Do(detached{ctx}, post("http://kii.test"))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			if perTry == 0 {
				perTry = time.Minute
			}
			assert.Equal(t, perTry, time.Since(start))
		})
	}
}

// A tardy context ends a moment after it says, as a timer of the same time may.
type tardy struct {
	context.Context
	deadline time.Time
}

func (c tardy) Deadline() (time.Time, bool) { return c.deadline, true }

func TestAFailureAtTheDeadlineIsToldAsSuch(t *testing.T) {
	t.Parallel()
	for name, perTry := range map[string]time.Duration{"of the caller's context": 0, "of an attempt": time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				timed := tripper(func(req *http.Request) (*http.Response, error) {
					deadline, _ := req.Context().Deadline()
					time.Sleep(time.Until(deadline))
					return nil, os.ErrDeadlineExceeded
				})
				client := transport.New(&http.Client{Timeout: perTry, Transport: timed}, time.Minute, 0)
				for range 20 { // for an attempt's own deadline, which timer is first is chance
					ctx := t.Context()
					if perTry == 0 {
						late, cancel := context.WithTimeoutCause(ctx, time.Second+time.Millisecond, io.EOF)
						defer cancel()
						ctx = tardy{late, time.Now().Add(time.Second)}
					}
					_, err := client.Do(ctx, post("http://kii.test"))
					require.ErrorIs(t, err, context.DeadlineExceeded)
					if perTry == 0 {
						require.ErrorIs(t, err, io.EOF, "the cause")
						require.ErrorIs(t, err, os.ErrDeadlineExceeded)
					}
				}
			})
		})
	}
}

func TestAnEarlierAttemptThatRanOutOfTimeIsToldAsSuch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for range 20 { // which timer is first is chance
			var attempts atomic.Int32
			refused := errors.New("refused")
			client := transport.New(&http.Client{Timeout: time.Second, Transport: tripper(func(req *http.Request) (*http.Response, error) {
				httptrace.ContextClientTrace(req.Context()).GetConn("kii.test:80")
				if attempts.Add(1) > 1 {
					return nil, refused
				}
				deadline, _ := req.Context().Deadline()
				time.Sleep(time.Until(deadline))
				return nil, &net.OpError{Op: "socks connect", Err: os.ErrDeadlineExceeded}
			})}, time.Minute, 1)
			_, err := client.Do(t.Context(), post("http://kii.test"))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorIs(t, err, refused)
		}
	})
}

func TestABodyThatWaitsToBeClosedIsClosedAtTheDeadline(t *testing.T) {
	t.Parallel()
	for name, delay := range map[string]time.Duration{"of a reply": 0, "of a late one": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				body, peer := io.Pipe()
				client := transport.New(&http.Client{Transport: tripper(func(*http.Request) (*http.Response, error) {
					time.Sleep(delay)
					return &http.Response{StatusCode: 200, Body: body}, nil
				})}, time.Minute, 0)
				_, err := client.Do(t.Context(), post("http://kii.test"))
				require.ErrorIs(t, err, context.DeadlineExceeded)
				synctest.Wait()
				_, err = peer.Write([]byte("x"))
				require.ErrorIs(t, err, io.ErrClosedPipe)
			})
		})
	}
}

// A fragile body panics when it is closed, and ends when it is.
type fragile struct{ io.ReadCloser }

func (f fragile) Close() error {
	_ = f.ReadCloser.Close()
	panic("closed")
}

func TestABodyWhoseCloseAtTheDeadlinePanicsEndsNoProgram(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		body, _ := io.Pipe()
		client := transport.New(&http.Client{Transport: tripper(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: fragile{body}}, nil
		})}, time.Minute, 0)
		_, err := client.Do(t.Context(), post("http://kii.test"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		unknown(t, err)
	})
}

// A reused context is a request's, which its server puts to another use when the request is over.
// It ends without an error.
type reused struct {
	context.Context
	done  chan struct{}
	over  atomic.Bool
	asked atomic.Bool // when it was over
}

func (r *reused) Done() <-chan struct{} { return r.done }
func (r *reused) Err() error            { return nil }

func (r *reused) Value(any) any {
	if r.over.Load() {
		r.asked.Store(true)
		panic("a value of another request")
	}
	return "value"
}

func TestACallersContextIsNotAskedAfterTheCall(t *testing.T) {
	t.Parallel()
	for name, timeout := range map[string]time.Duration{"that is answered": time.Minute, "that the deadline ends": time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				over := make(chan struct{})
				client := transport.New(&http.Client{Transport: tripper(func(req *http.Request) (*http.Response, error) {
					late := func() {
						assert.Equal(t, "value", req.Context().Value("key"))
						<-over
						assert.Nil(t, req.Context().Value("key"))
					}
					if timeout == time.Minute {
						go late() // as net/http's dials do
						synctest.Wait()
					} else {
						late()
					}
					return &http.Response{StatusCode: 204, Body: http.NoBody}, nil
				})}, timeout, 0)
				ctx := &reused{Context: t.Context()}
				_, err := client.Do(ctx, get("http://kii.test"))
				if timeout == time.Minute {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, context.DeadlineExceeded)
				}
				ctx.over.Store(true)
				close(over)
				synctest.Wait()
				assert.False(t, ctx.asked.Load())
			})
		})
	}
}

func TestACallersContextThatEndsWithoutAnErrorCancelsTheCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx := &reused{Context: t.Context(), done: make(chan struct{})}
		client := transport.New(&http.Client{Transport: tripper(func(req *http.Request) (*http.Response, error) {
			close(ctx.done)
			<-req.Context().Done()
			return nil, req.Context().Err()
		})}, time.Minute, 0)
		_, err := client.Do(ctx, post("http://kii.test"))
		require.ErrorIs(t, err, context.Canceled)
	})
}

// A ring wraps itself.
type ring struct{ next error }

func (*ring) Error() string   { return "a ring" }
func (r *ring) Unwrap() error { return r.next }

func TestAnErrorThatWrapsItselfEndsTheCallAlone(t *testing.T) {
	t.Parallel()
	endless := &ring{}
	endless.next = endless
	_, err := newClient(t, tripper(func(req *http.Request) (*http.Response, error) { taken(req); return nil, endless })).Do(t.Context(), post("http://kii.test"))
	unknown(t, err)
	require.NotErrorIs(t, err, endless)

	s := peer.Start(t, peer.Kind{}, func(c *peer.Conn) { c.Next(); <-t.Context().Done() })
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := tripper(func(req *http.Request) (*http.Response, error) {
		time.AfterFunc(time.Millisecond, func() { cancel(endless) })
		return http.DefaultTransport.RoundTrip(req)
	})
	_, err = newClient(t, cause).Do(ctx, post(s.URL()))
	require.ErrorIs(t, err, context.Canceled)
}

// What follows a 101 is a connection that nobody ends.
func TestAnUpgradeThatNobodyAskedForEndsAtOnce(t *testing.T) {
	t.Parallel()
	for _, kind := range []peer.Kind{{}, {TLS: true}} {
		for _, call := range []func(string) *transport.Request{post, get} {
			synctest.Test(t, func(t *testing.T) {
				s := peer.New(kind, func(c *peer.Conn) {
					c.Next()
					_ = c.Raw("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
					c.Hang()
				})
				tr := trusting()
				tr.DialContext = s.Dial
				start := time.Now()
				reply, err := transport.New(&http.Client{Transport: tr}, time.Minute, 2).Do(t.Context(), call(s.URL()))
				require.NoError(t, err)
				assert.Equal(t, 101, reply.Status)
				assert.Zero(t, time.Since(start))
				synctest.Wait()
				assert.Zero(t, s.Open(), "the client has closed the connection")
			})
		}
	}
}

// A peer that reads no more blocks what is written to it, and HTTP/2 shares the connection.
func TestAnHTTP2PeerThatReadsNoMoreHoldsUpNobodyForLong(t *testing.T) {
	t.Parallel()
	s := peer.New(peer.Kind{HTTP2: true, TLS: true}, answers(204))
	t.Cleanup(s.Close)
	var first *clogged
	tr := trusting()
	t.Cleanup(tr.CloseIdleConnections)
	require.NotZero(t, tr.HTTP2.WriteByteTimeout)
	tr.HTTP2.WriteByteTimeout = 50 * time.Millisecond
	tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := s.Dial(ctx, network, addr)
		if first == nil {
			first = &clogged{Conn: conn, broken: make(chan struct{})}
			conn = first
		}
		return conn, err
	}
	client := transport.New(&http.Client{Transport: tr}, 5*time.Second, 0)
	_, err := client.Do(t.Context(), post(s.URL()))
	require.NoError(t, err)
	first.full.Store(true)
	_, err = client.Do(t.Context(), post(s.URL()))
	notSent(t, err) // its body was not read
	_, err = client.Do(t.Context(), post(s.URL()))
	require.NoError(t, err, "over another connection")
}

// A clogged connection, once it is full, blocks each write until its deadline.
type clogged struct {
	net.Conn
	full     atomic.Bool
	deadline time.Time
	once     sync.Once
	broken   chan struct{}
}

func (c *clogged) SetWriteDeadline(at time.Time) error { c.deadline = at; return nil }

func (c *clogged) Close() error {
	c.once.Do(func() { close(c.broken) })
	return c.Conn.Close()
}

func (c *clogged) Write(p []byte) (int, error) {
	if !c.full.Load() {
		return c.Conn.Write(p)
	}
	var late <-chan time.Time
	if !c.deadline.IsZero() {
		late = time.After(time.Until(c.deadline))
	}
	select {
	case <-late:
	case <-c.broken:
	}
	return 0, os.ErrDeadlineExceeded
}

func TestAPanicOrGoexitEndsTheCallAlone(t *testing.T) {
	t.Parallel()
	for _, end := range []func(){func() { panic("a RoundTripper's own") }, func() { panic(error(nil)) }, runtime.Goexit} {
		for name, rt := range map[string]tripper{
			"before the body is read": func(*http.Request) (*http.Response, error) { end(); return nil, nil },
			"after it":                func(req *http.Request) (*http.Response, error) { taken(req); end(); return nil, nil },
			"in the reply": func(req *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: 200, Body: ending{end}}, nil
			},
		} {
			_, err := newClient(t, rt).Do(t.Context(), post("http://kii.test"))
			require.Error(t, err)
			require.NotEmpty(t, err.Error())
			if name == "before the body is read" {
				notSent(t, err)
			} else {
				unknown(t, err)
			}
		}
	}
}

func TestAPanicIsTold(t *testing.T) {
	t.Parallel()
	for told, p := range map[string]any{
		"panicked: out of luck":    "out of luck",
		"panicked: EOF":            io.EOF,
		"panicked with a []uint8":  []byte("a secret"),
		"panicked with a struct {": struct{ body []byte }{[]byte("a secret")},
	} {
		_, err := newClient(t, tripper(func(*http.Request) (*http.Response, error) { panic(p) })).Do(t.Context(), post("http://kii.test"))
		require.ErrorContains(t, err, "the RoundTripper "+told)
		assert.NotContains(t, err.Error(), "115") // an s among bytes
	}
}

type ending struct{ end func() }

func (e ending) Read([]byte) (int, error) { e.end(); return 0, io.EOF }
func (e ending) Close() error             { return nil }

func TestADialerThatEndsItsGoroutineCostsTheTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tr := trusting()
		tr.DialContext = func(context.Context, string, string) (net.Conn, error) { runtime.Goexit(); return nil, nil }
		_, err := transport.New(&http.Client{Transport: tr}, time.Minute, 0).Do(t.Context(), post("https://kii.test"))
		notSent(t, err)
	})
}

func TestTheLibrarysIdleConnectionsCanBeClosedAndACallersAreLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := peer.New(peer.Kind{}, answers(204))
		own := ownClient(t)
		own.Own().DialContext = s.Dial
		_, err := own.Do(t.Context(), post(s.URL()))
		require.NoError(t, err)
		synctest.Wait()
		assert.Equal(t, 1, s.Open())
		own.CloseIdleConnections()
		synctest.Wait() // by itself it would be closed later
		assert.Zero(t, s.Open())
		s.Close()
	})

	s := peer.Start(t, peer.Kind{}, answers(204))
	callers := newClient(t, trusting())
	for range 2 {
		_, err := callers.Do(t.Context(), post(s.URL()))
		require.NoError(t, err)
		callers.CloseIdleConnections()
	}
	assert.Equal(t, 1, s.Connections())
}
