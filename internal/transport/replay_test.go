package transport_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/internal/peer"
	"github.com/go-kii/kii/internal/transport"
)

// trusting returns the library's transport with the test's roots.
func trusting() *http.Transport {
	tr := transport.DefaultTransport()
	tr.TLSClientConfig = &tls.Config{RootCAs: peer.Roots()}
	return tr
}

// newClient closes rt's idle connections when t ends.
func newClient(t *testing.T, rt http.RoundTripper) *transport.Client {
	hc := &http.Client{Transport: rt}
	t.Cleanup(hc.CloseIdleConnections)
	return transport.New(hc, 20*time.Second, 2)
}

// ownClient is of the library's own transport.
func ownClient(t *testing.T) *transport.Client {
	client := newClient(t, nil)
	client.Own().TLSClientConfig = &tls.Config{RootCAs: peer.Roots()}
	t.Cleanup(client.CloseIdleConnections)
	return client
}

func post(url string) *transport.Request {
	return &transport.Request{
		Method: http.MethodPost, URL: url + "/reset", Body: []byte(`{"pinCode":"1234"}`),
		Header: http.Header{"User-Agent": {"t"}, "Accept": {"*/*"}, "Content-Type": {"application/json"}},
	}
}

func get(url string) *transport.Request {
	return &transport.Request{Method: http.MethodGet, URL: url + "/me", Header: http.Header{"User-Agent": {"t"}, "Accept": {"*/*"}}}
}

// unknown requires the failure of a request that may have arrived.
func unknown(t *testing.T, err error) {
	t.Helper()
	failure, ok := errors.AsType[*transport.Failure](err)
	require.True(t, ok, "%v", err)
	require.False(t, failure.NotSent, "%v", err)
}

// mute hides the httptrace hooks from a RoundTripper, as one that fires none would behave.
type mute struct{ next http.RoundTripper }

type noValues struct{ context.Context }

func (noValues) Value(any) any { return nil }

func (m mute) RoundTrip(req *http.Request) (*http.Response, error) {
	return m.next.RoundTrip(req.WithContext(noValues{req.Context()}))
}

func (m mute) CloseIdleConnections() { m.next.(*http.Transport).CloseIdleConnections() }

func TestAnHTTP2PeerThatRefusesGetsARequestOnce(t *testing.T) {
	t.Parallel()
	faults := map[string]func(*peer.Conn){
		"closed without a word": func(c *peer.Conn) { c.Next() },
		"GOAWAY before the answer, last 1": func(c *peer.Conn) {
			c.Next()
			c.GoAway(1, 0, "")
			c.Close()
		},
		"GOAWAY and RST": func(c *peer.Conn) {
			for c.Next() {
				c.GoAway(0, 0, "")
				c.RST(7)
			}
		},
	}
	for code := range uint32(16) {
		faults[fmt.Sprintf("RST_STREAM %#x", code)] = func(c *peer.Conn) {
			for c.Next() {
				c.RST(code)
			}
		}
		faults[fmt.Sprintf("GOAWAY %#x, last 0", code)] = func(c *peer.Conn) {
			for c.Next() {
				c.GoAway(0, code, "")
			}
		}
	}
	for name, fault := range faults {
		for _, call := range []func(string) *transport.Request{post, get} {
			t.Run(name+" to "+call("").Method, func(t *testing.T) {
				t.Parallel()
				for _, client := range []*transport.Client{newClient(t, trusting()), ownClient(t)} {
					s := peer.Start(t, peer.Kind{HTTP2: true, TLS: true}, fault)
					_, err := client.Do(t.Context(), call(s.URL()))
					unknown(t, err)
					assert.Equal(t, 1, s.Requests())
				}
			})
		}
	}
}

func TestAPostIsNotReplayedThroughARoundTripperWithoutHooks(t *testing.T) {
	t.Parallel()
	s := peer.Start(t, peer.Kind{HTTP2: true, TLS: true}, func(c *peer.Conn) {
		for c.Next() {
			c.RST(7)
		}
	})
	_, err := newClient(t, mute{trusting()}).Do(t.Context(), post(s.URL()))
	unknown(t, err)
	require.EqualError(t, err, "the request may have arrived, so it was not sent again")
	assert.Equal(t, 1, s.Requests())
}

// A gateway's RoundTripper copies the request, to another place.
func TestARequestThatWasRewrittenIsNotReplayed(t *testing.T) {
	t.Parallel()
	for name, rewrite := range map[string]func(*url.URL){
		"a query":                    func(u *url.URL) { u.RawQuery = "key=1" },
		"another prefix":             func(u *url.URL) { u.Path, u.RawPath = "/gw"+u.Path[len("/api"):], "" },
		"an address without escapes": func(u *url.URL) { u.RawPath = "" },
	} {
		for _, call := range []func(string) *transport.Request{post, get} {
			t.Run(name+" to "+call("").Method, func(t *testing.T) {
				t.Parallel()
				s := peer.Start(t, peer.Kind{HTTP2: true, TLS: true}, func(c *peer.Conn) {
					for c.Next() {
						c.RST(7)
					}
				})
				next := trusting()
				t.Cleanup(next.CloseIdleConnections)
				_, err := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
					copied := req.Clone(req.Context())
					rewrite(copied.URL)
					if req.Method == http.MethodPost {
						text, err := io.ReadAll(req.Body)
						assert.NoError(t, err)
						copied.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }
						copied.Body, _ = copied.GetBody()
					}
					return next.RoundTrip(copied)
				})).Do(t.Context(), call(s.URL()+"/api/users/EMAIL:a%40b"))
				unknown(t, err)
				assert.Equal(t, 1, s.Requests())
			})
		}
	}
}

// A RoundTripper may refresh a session in the background, by this library and with the context of
// the request that it then sends.
func TestARequestIsSentWhileAnotherOfItsContextAndHeadersIsUnderWay(t *testing.T) {
	t.Parallel()
	arrived := make(chan bool)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			arrived <- true
			<-r.Context().Done()
		}
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	next := server.Client().Transport
	for _, call := range []func(string) *transport.Request{post, get} {
		var background sync.WaitGroup
		_, err := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
			token := req.Clone(req.Context())
			token.Method, token.Body, token.GetBody, token.ContentLength = http.MethodGet, nil, nil, 0
			token.URL.Path = "/token"
			background.Go(func() {
				_, err := next.RoundTrip(token)
				assert.ErrorIs(t, err, context.Canceled)
			})
			<-arrived
			return next.RoundTrip(req)
		})).Do(t.Context(), call(server.URL))
		require.NoError(t, err)
		background.Wait()
	}
}

func TestARefusedHTTP2RequestIsNotReplayedOverHTTP1(t *testing.T) {
	t.Parallel()
	for _, call := range []func(string) *transport.Request{post, get} {
		t.Run(call("").Method, func(t *testing.T) {
			t.Parallel()
			var s *peer.Server
			s = peer.Start(t, peer.Kind{HTTP2: true, TLS: true}, func(c *peer.Conn) {
				if !c.HTTP2 {
					for c.Next() {
						c.Answer(204, nil)
					}
					return
				}
				c.Next()
				s.Offer("http/1.1")
				c.GoAway(0, 0, "")
				c.Hang()
			})
			rt := trusting()
			_, err := newClient(t, rt).Do(t.Context(), call(s.URL()))
			unknown(t, err)
			rt.CloseIdleConnections() // a connection that came too late for the call would stay
			s.Finish()
			assert.Equal(t, 1, s.Requests())
		})
	}
}

func TestARefusedH2CRequestArrivesOnce(t *testing.T) {
	t.Parallel()
	for _, call := range []func(string) *transport.Request{post, get} {
		t.Run(call("").Method, func(t *testing.T) {
			t.Parallel()
			s := peer.Start(t, peer.Kind{HTTP2: true}, func(c *peer.Conn) {
				for c.Next() {
					c.RST(7)
				}
			})
			tr := trusting()
			tr.Protocols = new(http.Protocols)
			tr.Protocols.SetUnencryptedHTTP2(true)
			_, err := newClient(t, tr).Do(t.Context(), call(s.URL()))
			unknown(t, err)
			assert.Equal(t, 1, s.Requests())
		})
	}
}

// A repeating RoundTripper sends what failed again, as retrying RoundTrippers do.
type repeating struct{ next http.RoundTripper }

func (r repeating) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.next.RoundTrip(req)
	for range 3 {
		if err == nil {
			break
		}
		again := req.Clone(req.Context())
		if req.GetBody != nil {
			if again.Body, err = req.GetBody(); err != nil {
				return nil, err
			}
		}
		resp, err = r.next.RoundTrip(again)
	}
	return resp, err
}

func TestARetryingRoundTripperCannotReplayAnHTTP2Request(t *testing.T) {
	t.Parallel()
	for _, call := range []func(string) *transport.Request{post, get} {
		t.Run(call("").Method, func(t *testing.T) {
			t.Parallel()
			s := peer.Start(t, peer.Kind{HTTP2: true, TLS: true}, func(c *peer.Conn) { c.Next() })
			tr := trusting()
			t.Cleanup(tr.CloseIdleConnections)
			_, err := newClient(t, repeating{tr}).Do(t.Context(), call(s.URL()))
			unknown(t, err)
			assert.Equal(t, 1, s.Requests())
		})
	}
}

func TestAStaleHTTP1ConnectionIsRescuedAndThePostArrivesOnce(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS %v", secure), func(t *testing.T) {
			t.Parallel()
			closed := make(chan bool)
			s := peer.Start(t, peer.Kind{TLS: secure}, func(c *peer.Conn) {
				c.Next()
				c.Answer(204, nil)
				if c.Number == 1 {
					c.Close()
					close(closed)
					return
				}
				c.Hang()
			})
			client := newClient(t, trusting())
			_, err := client.Do(t.Context(), get(s.URL()))
			require.NoError(t, err)
			<-closed
			reply, err := client.Do(t.Context(), post(s.URL()))
			if err == nil { // else the client had written before it saw the FIN; that is no proof
				assert.Equal(t, 204, reply.Status)
				assert.Equal(t, 2, s.Requests())
				return
			}
			unknown(t, err)
			assert.LessOrEqual(t, s.Requests(), 2)
		})
	}
}

func TestADeafHTTP2PeerIsGivenUpAfterAPing(t *testing.T) {
	t.Parallel()
	for _, call := range []func(string) *transport.Request{post, get} {
		synctest.Test(t, func(t *testing.T) {
			s := peer.New(peer.Kind{HTTP2: true, TLS: true}, func(c *peer.Conn) {
				c.Deaf = true
				c.Hang()
			})
			tr := trusting()
			tr.DialContext = s.Dial
			client := transport.New(&http.Client{Transport: tr}, time.Hour, 2)
			start := time.Now()
			_, err := client.Do(t.Context(), call(s.URL()))
			unknown(t, err)
			assert.Equal(t, 20*time.Second, time.Since(start), "15 s to the PING and 5 s for its answer")
			assert.Equal(t, 1, s.Requests())
			tr.CloseIdleConnections()
			s.Close()
		})
	}
}
