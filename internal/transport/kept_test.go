package transport_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/internal/peer"
	"github.com/go-kii/kii/internal/transport"
)

// A server that closes a kept connection after it has read a request makes net/http send it again
// if it has an Idempotency-Key, in any form.
func TestAnIdempotencyKeyDeliversAPostOnce(t *testing.T) {
	t.Parallel()
	for name, values := range map[string][]string{"Idempotency-Key": {"k"}, "X-Idempotency-Key": {"k"}, "Idempotency-Key ": nil, "X-Idempotency-Key ": {}, "Idempotency-Key  ": {""}} {
		for kindName, kind := range kinds {
			for _, rebuilt := range []bool{false, true} {
				t.Run(fmt.Sprintf("%q %q %s rebuilt %v", name, values, kindName, rebuilt), func(t *testing.T) {
					t.Parallel()
					s := peer.Start(t, kind, func(c *peer.Conn) {
						c.Next()
						c.Answer(204, nil)
						c.Next()
					})
					base := trusting()
					t.Cleanup(base.CloseIdleConnections)
					client := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
						keyed := req.Clone(req.Context())
						keyed.Header[strings.TrimSpace(name)] = values
						if rebuilt && req.GetBody != nil {
							body, _ := io.ReadAll(req.Body)
							keyed.Body = io.NopCloser(bytes.NewReader(body))
							keyed.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
						}
						return base.RoundTrip(keyed)
					}))
					_, err := client.Do(t.Context(), get(s.URL()))
					require.NoError(t, err)
					_, err = client.Do(t.Context(), post(s.URL()))
					unknown(t, err)
					assert.Equal(t, 2, s.Requests())
				})
			}
		}
	}
}

// withKey returns a copy of req, with another context, that has an Idempotency-Key.
func withKey(ctx context.Context, req *http.Request) *http.Request {
	keyed := req.Clone(ctx)
	keyed.Header.Set("Idempotency-Key", "k")
	return keyed
}

// What a token was fetched by says nothing of the request that follows.
func TestAnIdempotencyKeyDeliversAPostOnceAfterAFetchOverHTTP2(t *testing.T) {
	t.Parallel()
	tokens := peer.Start(t, peer.Kind{HTTP2: true, TLS: true}, answers(204))
	s := peer.Start(t, peer.Kind{TLS: true}, func(c *peer.Conn) {
		c.Next()
		c.Answer(204, nil)
		c.Next()
	})
	base := trusting()
	t.Cleanup(base.CloseIdleConnections)
	client := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
		if err := fetch(req.Context(), base, tokens.URL()+"/token"); err != nil {
			return nil, err
		}
		keyed := withKey(req.Context(), req)
		if req.Method == http.MethodPost {
			body, err := io.ReadAll(req.Body)
			if err != nil {
				return nil, err
			}
			keyed.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
			keyed.Body, _ = keyed.GetBody()
		}
		return base.RoundTrip(keyed)
	}))
	_, err := client.Do(t.Context(), get(s.URL()))
	require.NoError(t, err)
	_, err = client.Do(t.Context(), post(s.URL()))
	unknown(t, err)
	assert.Equal(t, 2, s.Requests())
}

func TestAnInterimReplyOfHTTP2DoesNotAllowAReplay(t *testing.T) {
	t.Parallel()
	for _, call := range []func(string) *transport.Request{post, get} {
		for _, wrapped := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s wrapped %v", call("").Method, wrapped), func(t *testing.T) {
				t.Parallel()
				s := peer.Start(t, peer.Kind{HTTP2: true, TLS: true}, func(c *peer.Conn) {
					for c.Next() {
						c.Headers(false, 103, "link", "x")
						c.RST(7)
					}
				})
				base := trusting()
				t.Cleanup(base.CloseIdleConnections)
				var rt http.RoundTripper = base
				if wrapped {
					rt = tripper(base.RoundTrip)
				}
				_, err := newClient(t, rt).Do(t.Context(), call(s.URL()))
				unknown(t, err)
				assert.Equal(t, 1, s.Requests())
			})
		}
	}
}

func TestInterimRepliesAreBoundedWhateverACallersHookReturns(t *testing.T) {
	t.Parallel()
	for _, kind := range []peer.Kind{{}, {TLS: true}, {TLS: true, HTTP2: true}} {
		s := peer.Start(t, kind, func(c *peer.Conn) {
			for c.Next() {
				for kind.HTTP2 && c.Headers(false, 103, "link", "x") || c.Raw("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n") == nil {
				}
			}
		})
		var rt http.RoundTripper // the library's own
		if kind.TLS {
			rt = tripper(trusting().RoundTrip)
		}
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			Got1xxResponse: func(int, textproto.MIMEHeader) error { return nil },
		})
		_, err := newClient(t, rt).Do(ctx, post(s.URL()))
		unknown(t, err)
		require.ErrorContains(t, err, "too many 1xx responses")
		require.NotErrorIs(t, err, context.Canceled)
	}
}

// HTTP/1 is not assumed: a transport may hand a scheme to another one, which speaks HTTP/2.
func TestARegisteredProtocolIsNotTakenForHTTP1(t *testing.T) {
	t.Parallel()
	for _, call := range []func(string) *transport.Request{post, get} {
		t.Run(call("").Method, func(t *testing.T) {
			t.Parallel()
			s := peer.Start(t, peer.Kind{HTTP2: true}, func(c *peer.Conn) {
				for c.Next() {
					c.RST(7)
				}
			})
			h2c := &http.Transport{Protocols: new(http.Protocols)}
			h2c.Protocols.SetUnencryptedHTTP2(true)
			t.Cleanup(h2c.CloseIdleConnections)
			base := new(http.Transport)
			base.RegisterProtocol("http", h2c)
			_, err := newClient(t, base).Do(t.Context(), call(s.URL()))
			unknown(t, err)
			assert.Equal(t, 1, s.Requests())
		})
	}
}

// As an HTTP/3 transport may: it fires hooks, and none that proves what it speaks.
func TestACopyIsRefusedIfHTTP1IsNotProved(t *testing.T) {
	t.Parallel()
	var refused error
	_, err := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
		trace := httptrace.ContextClientTrace(req.Context())
		trace.GetConn("kii.test:443")
		trace.GotConn(httptrace.GotConnInfo{})
		taken(req)
		trace.WroteHeaders()
		_, refused = req.GetBody()
		return nil, refused
	})).Do(t.Context(), post("https://kii.test"))
	unknown(t, err)
	assert.Error(t, refused)
}

func TestAStaleConnectionIsRescued(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]peer.Kind{"the library's own": {}, "the library's own, TLS": {TLS: true}, "behind a wrapper": {}, "behind a wrapper, TLS": {TLS: true}, "behind one that logs": {}} {
		synctest.Test(t, func(t *testing.T) {
			s := peer.New(kind, func(c *peer.Conn) {
				for c.Next() {
					c.Answer(204, nil)
					if c.Number == 1 {
						c.Refuse() // takes no more, which shows when it is written to
						return
					}
				}
			})
			client := ownClient(t)
			base := client.Own()
			if strings.HasPrefix(name, "behind") {
				base = trusting()
				client = newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
					if name == "behind one that logs" {
						body, err := io.ReadAll(req.Body)
						require.NoError(t, err)
						req = req.Clone(req.Context())
						req.Body = io.NopCloser(bytes.NewReader(body)) // whose type is known, so it is written with the headers
					}
					return base.RoundTrip(req)
				}))
			}
			base.DialContext = s.Dial
			for range 2 {
				reply, err := client.Do(t.Context(), post(s.URL()))
				require.NoError(t, err, name)
				assert.Equal(t, 204, reply.Status)
				synctest.Wait()
			}
			assert.Equal(t, 2, s.Requests())
			assert.Equal(t, 2, s.Connections())
			base.CloseIdleConnections()
			s.Close()
		})
	}
}

// HTTP/1 may write a replay before it looks at the context, which need not be that of the call.
func TestAReplayThatIsStoppedIsNotWritten(t *testing.T) {
	t.Parallel()
	for _, kind := range []peer.Kind{{}, {TLS: true}} {
		synctest.Test(t, func(t *testing.T) {
			s := peer.New(kind, func(c *peer.Conn) {
				c.Next()
				c.Answer(204, nil)
				c.Next() // and closes
			})
			base := trusting()
			base.DialContext = s.Dial
			client := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
				return base.RoundTrip(withKey(context.WithoutCancel(req.Context()), req))
			}))
			_, err := client.Do(t.Context(), get(s.URL()))
			require.NoError(t, err)
			_, err = client.Do(t.Context(), get(s.URL()))
			unknown(t, err)
			synctest.Wait()
			assert.Equal(t, 2, s.Requests())
			base.CloseIdleConnections()
			s.Close()
		})
	}
}

// A connection of the caller's may take its time to close, as one of TLS does if the peer reads no
// more.
func TestAReplayThatIsStoppedReturnsBeforeItsConnectionIsClosed(t *testing.T) {
	t.Parallel()
	s := peer.Start(t, peer.Kind{}, func(c *peer.Conn) {
		c.Next()
		c.Answer(204, nil)
		c.Next()
	})
	release := make(chan bool)
	defer close(release)
	var dials atomic.Int32
	base := trusting()
	base.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if dials.Add(1) == 1 || err != nil {
			return conn, err
		}
		return slow{conn, release}, nil
	}
	client := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
		return base.RoundTrip(withKey(req.Context(), req))
	}))
	_, err := client.Do(t.Context(), get(s.URL()))
	require.NoError(t, err)
	_, err = client.Do(t.Context(), get(s.URL()))
	unknown(t, err)
	assert.Equal(t, 2, s.Requests())
}

// A slow connection is closed when it is released.
type slow struct {
	net.Conn
	release chan bool
}

func (s slow) Close() error { <-s.release; return s.Conn.Close() }
