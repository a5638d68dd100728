package transport_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/internal/peer"
	"github.com/go-kii/kii/internal/transport"
)

// notSent requires the failure of a request of which nothing was sent.
func notSent(t *testing.T, err error) *transport.Failure {
	t.Helper()
	failure, ok := errors.AsType[*transport.Failure](err)
	require.True(t, ok, "%v", err)
	require.True(t, failure.NotSent, "%v", err)
	return failure
}

var errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}

// taken reads the body of a request in a goroutine of its own, as transports do.
func taken(req *http.Request) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if req.Body != nil {
			_, _ = io.Copy(io.Discard, req.Body)
		}
	}()
	<-done
}

func TestWhatWasNeverReadOfTheBodyWasNeverSent(t *testing.T) {
	t.Parallel()
	failing := errors.New("no token, no proxy, no luck")
	for name, rt := range map[string]http.RoundTripper{
		"a Proxy function that fails": &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return nil, failing }},
		"a token source that fails":   tripper(func(*http.Request) (*http.Response, error) { return nil, failing }),
		"a RoundTripper that panics":  tripper(func(*http.Request) (*http.Response, error) { panic(failing) }),
		"a token fetch that is lost": tripper(func(req *http.Request) (*http.Response, error) {
			return nil, fetch(req.Context(), http.DefaultTransport, lostURL(t))
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newClient(t, rt).Do(t.Context(), post("http://127.0.0.1:1"))
			assert.Equal(t, 1, notSent(t, err).Attempts, "it is no failure to connect")
		})
	}
}

// What has no body is sent by its headers, so a body that was not read proves nothing.
func TestARequestWithoutABodyMayHaveBeenSentUnread(t *testing.T) {
	t.Parallel()
	base := trusting()
	_, err := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
		req = req.Clone(context.Background())
		if req.ContentLength == 0 {
			req.Body = nil
		}
		return base.RoundTrip(req)
	})).Do(t.Context(), &transport.Request{Method: http.MethodPost, URL: lostURL(t), Header: get("").Header})
	unknown(t, err)
}

func TestAPostWithoutABodySaysThatItHasNone(t *testing.T) {
	t.Parallel()
	for name, rt := range map[string]http.RoundTripper{"its own transport": nil, "a transport of the caller's": &http.Transport{}} {
		lengths := make(chan []string, 1)
		s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
			lengths <- append(req.TransferEncoding, req.Header["Content-Length"]...)
		}))
		client := transport.New(&http.Client{Transport: rt}, time.Minute, 0)
		_, err := client.Do(t.Context(), &transport.Request{Method: http.MethodPost, URL: s.URL, Header: get("").Header})
		require.NoError(t, err)
		assert.Equal(t, []string{"0"}, <-lengths, name)
		client.CloseIdleConnections()
		s.Close()
	}
}

// lostURL is of a server that closes without an answer.
func lostURL(t *testing.T) string {
	return peer.Start(t, peer.Kind{}, func(c *peer.Conn) { c.Next() }).URL()
}

func TestADeadlineBeforeTheBodyIsReadProvesThatNothingWasSent(t *testing.T) {
	t.Parallel()
	for name, heeds := range map[string]bool{"that heeds the context": true, "that does not": false} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			read := make(chan error, 1)
			client := transport.New(&http.Client{Transport: tripper(func(req *http.Request) (*http.Response, error) {
				if heeds {
					<-req.Context().Done() // as a limiter waits
					return nil, req.Context().Err()
				}
				<-release
				_, err := io.ReadAll(req.Body)
				read <- err
				return nil, err
			})}, time.Minute, 2)
			start := time.Now()
			_, err := client.Do(t.Context(), post("http://kii.test"))
			assert.Equal(t, time.Minute, time.Since(start), name)
			assert.Equal(t, 1, notSent(t, err).Attempts)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			close(release)
			if !heeds {
				assert.Error(t, <-read, "what is proved not sent cannot be sent later")
			}
		})
	}
}

// A hesitant context tells only after a minute whether somebody traces.
type hesitant struct{ context.Context }

func (h hesitant) Value(key any) any {
	if fmt.Sprintf("%T", key) == "httptrace.clientEventContextKey" {
		time.Sleep(time.Minute)
	}
	return nil
}

func TestADeadlineBeforeTheRoundTripProvesThatNothingWasSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, call := range []func(string) *transport.Request{post, get} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			called := false
			_, err := newClient(t, tripper(func(*http.Request) (*http.Response, error) {
				called = true
				return nil, io.ErrUnexpectedEOF
			})).Do(hesitant{ctx}, call("http://kii.test"))
			assert.Equal(t, 1, notSent(t, err).Attempts)
			time.Sleep(time.Hour) // until it has been told
			assert.False(t, called, "what is not sent cannot be sent later")
		}
	})
}

// A RoundTripper may go on without the call's context, and be given a connection when the call is
// over.
func TestAConnectionThatComesAfterTheCallCarriesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := peer.New(peer.Kind{TLS: true}, answers(204))
		base := trusting()
		base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			time.Sleep(time.Minute)
			return s.Dial(ctx, network, address)
		}
		for _, call := range []func(string) *transport.Request{post, get} {
			_, err := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
				return base.RoundTrip(req.Clone(context.WithoutCancel(req.Context())))
			})).Do(t.Context(), call(s.URL()))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			time.Sleep(time.Hour)
			assert.Zero(t, s.Requests())
		}
		base.CloseIdleConnections()
		s.Close()
	})
}

// The first of two transports fires hooks and cannot dial; the second sends without them.
func TestHooksOfHalfARoundTripProveNothing(t *testing.T) {
	t.Parallel()
	for name, combined := range map[string]func(first, second error) error{
		"the second's error": func(_, second error) error { return second },
		"the first's error":  func(first, _ error) error { return first },
		"both":               func(first, second error) error { return errors.Join(first, second) },
		"both, by fmt":       func(first, second error) error { return fmt.Errorf("%w, then %w", first, second) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, call := range []func(string) *transport.Request{post, get} {
				if name == "the first's error" && call("").Method == http.MethodGet {
					continue // a refusal, and no body to speak against it
				}
				s := peer.Start(t, peer.Kind{}, func(c *peer.Conn) { c.Next() })
				base := trusting()
				_, err := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
					first := req.Clone(req.Context())
					first.Body = http.NoBody
					first.URL, _ = url.Parse("http://127.0.0.1:1")
					_, firstErr := base.RoundTrip(first)
					_, secondErr := base.RoundTrip(req.Clone(context.Background()))
					return nil, combined(firstErr, secondErr)
				})).Do(t.Context(), call(s.URL()))
				unknown(t, err)
				assert.Equal(t, 1, s.Requests())
			}
		})
	}
}

func TestADialErrorIsNoProofIfItIsAContextsCause(t *testing.T) {
	t.Parallel()
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for sender, wrap := range map[string]func(*http.Transport) http.RoundTripper{
				"net/http": func(base *http.Transport) http.RoundTripper { return base },
				"one without hooks": func(base *http.Transport) http.RoundTripper {
					return tripper(func(req *http.Request) (*http.Response, error) {
						_, err := base.RoundTrip(req.Clone(noValues{req.Context()}))
						return nil, fmt.Errorf("%v: %w", err, context.Cause(req.Context()))
					})
				},
				"one that copies the body": func(base *http.Transport) http.RoundTripper {
					return tripper(func(req *http.Request) (*http.Response, error) {
						body, _ := io.ReadAll(req.Body)
						sent := req.Clone(noValues{req.Context()})
						sent.Body = io.NopCloser(bytes.NewReader(body))
						_, err := base.RoundTrip(sent)
						return nil, fmt.Errorf("%v: %w", err, context.Cause(req.Context()))
					})
				},
			} {
				ctx, cancel := context.WithCancelCause(t.Context())
				s := peer.Start(t, kind, func(c *peer.Conn) {
					c.Next()
					cancel(fmt.Errorf("the database is away: %w", errRefused))
					c.Hang()
				})
				base := trusting()
				t.Cleanup(base.CloseIdleConnections)
				_, err := newClient(t, wrap(base)).Do(ctx, post(s.URL()))
				unknown(t, err)
				require.ErrorIs(t, err, context.Canceled, sender)
				require.ErrorIs(t, err, errRefused, "the caller finds the cause")
				assert.Equal(t, 1, s.Requests())
			}
		})
	}
}

// The call may see the end of the round trip before that of its context, so this is tried often.
func TestADialErrorIsNoProofIfTheContextEndsWithIt(t *testing.T) {
	t.Parallel()
	for range 200 {
		ctx, cancel := context.WithCancelCause(t.Context())
		_, err := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
			_, _ = io.Copy(io.Discard, req.Body)
			cancel(errRefused)
			return nil, context.Cause(req.Context())
		})).Do(ctx, post("http://kii.test"))
		unknown(t, err)
	}
}

func TestADialErrorIsAProofWithoutHooks(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"dial":    errRefused,
		"look-up": &net.DNSError{Err: "no such host", Name: "kii.test"},
		"proxy":   &net.OpError{Op: "proxyconnect", Err: errors.New("refused")},
		"SOCKS":   &net.OpError{Op: "socks connect", Err: errors.New("refused")},
		"wrapped": fmt.Errorf("gateway: %w", errRefused),
		"joined":  errors.Join(errRefused, errRefused),
	} {
		synctest.Test(t, func(t *testing.T) {
			attempts := 0
			client := transport.New(&http.Client{Transport: tripper(func(req *http.Request) (*http.Response, error) {
				_, _ = io.Copy(io.Discard, req.Body)
				attempts++
				return nil, err
			})}, time.Minute, 2)
			_, err := client.Do(t.Context(), post("http://kii.test"))
			assert.Equal(t, 3, notSent(t, err).Attempts, name)
			assert.Equal(t, 3, attempts, name)
		})
	}
	for name, rt := range map[string]tripper{
		"who takes the body may send it": func(req *http.Request) (*http.Response, error) { taken(req); return nil, errRefused },
		"also if it is read again": func(req *http.Request) (*http.Response, error) {
			taken(req)
			_, _ = io.Copy(io.Discard, req.Body)
			return nil, errRefused
		},
		"another failure may be of what was sent": func(req *http.Request) (*http.Response, error) {
			_, _ = io.Copy(io.Discard, req.Body)
			return nil, errors.Join(errRefused, io.ErrUnexpectedEOF)
		},
	} {
		_, err := newClient(t, rt).Do(t.Context(), post("http://kii.test"))
		require.Error(t, err, name)
		unknown(t, err)
	}
}

func TestThePausesBetweenAttemptsDoubleUpToAFewSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var at []time.Time
		client := transport.New(&http.Client{Transport: tripper(func(*http.Request) (*http.Response, error) {
			at = append(at, time.Now())
			return nil, errRefused
		})}, time.Hour, 12)
		_, err := client.Do(t.Context(), post("http://kii.test"))
		assert.Equal(t, 13, notSent(t, err).Attempts)
		least := 100 * time.Millisecond
		for n := 1; n < len(at); n++ {
			pause := at[n].Sub(at[n-1])
			assert.GreaterOrEqual(t, pause, least, n)
			assert.LessOrEqual(t, pause, least*3/2, n)
			least = min(2*least, 2*time.Second)
		}
	})
}

func TestTheLastFailureIsToldBesideTheDeadline(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		timeout  time.Duration
		attempts int
	}{
		"of a pause":            {timeout: time.Millisecond, attempts: 1},
		"of the second attempt": {timeout: time.Minute, attempts: 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			attempts := 0
			client := transport.New(&http.Client{Transport: tripper(func(req *http.Request) (*http.Response, error) {
				if attempts++; attempts == 1 {
					return nil, errRefused
				}
				<-req.Context().Done()
				return nil, req.Context().Err()
			})}, row.timeout, 2)
			_, err := client.Do(t.Context(), post("http://kii.test"))
			assert.Equal(t, row.attempts, notSent(t, err).Attempts, name)
			require.ErrorIs(t, err, context.DeadlineExceeded, name)
			require.ErrorIs(t, err, errRefused, name)
		})
	}
}

// Behind an https proxy the handshake that succeeds is the proxy's.
func TestAConnectRefusedByAnHTTPSProxyIsTriedAgain(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	proxy := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(proxy.Close)
	for _, call := range []func(string) *transport.Request{post, get} {
		asked.Store(0)
		tr := proxy.Client().Transport.(*http.Transport).Clone()
		tr.ForceAttemptHTTP2 = true // so that they negotiate
		at, err := url.Parse(proxy.URL)
		require.NoError(t, err)
		tr.Proxy = http.ProxyURL(at)
		_, err = newClient(t, tr).Do(t.Context(), call("https://kii.test"))
		assert.Equal(t, 3, notSent(t, err).Attempts)
		assert.EqualValues(t, 3, asked.Load())
	}
}

// It fails before the RoundTripper is called.
func TestAURLThatCannotBeReadIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	for _, client := range []*transport.Client{newClient(t, trusting()), ownClient(t)} {
		_, err := client.Do(t.Context(), post("http://[::1"))
		assert.Equal(t, 1, notSent(t, err).Attempts)
	}
}

func TestAHandshakeThatHangsIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var opened []net.Conn
		base := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			opened = append(opened, far)
			return near, nil
		}}
		client := transport.New(&http.Client{Transport: base, Timeout: time.Second}, time.Minute, 2)
		_, err := client.Do(t.Context(), post("https://kii.test"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 1, notSent(t, err).Attempts)
		for _, far := range opened {
			_ = far.Close() // which net/http waits for
		}
	})
}

func TestAnAnswerIsNeverNotSent(t *testing.T) {
	t.Parallel()
	broken := &http.Response{StatusCode: 200, ContentLength: 1, Body: io.NopCloser(failing{io.ErrUnexpectedEOF})}
	for name, rt := range map[string]tripper{
		"a body that breaks": func(*http.Request) (*http.Response, error) { return broken, nil },
		"a body that panics": func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(nil)}, nil
		},
		"a length and no body": func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, ContentLength: 1}, nil
		},
		"a response, an error": func(*http.Request) (*http.Response, error) { return broken, errRefused },
		"an error and no body": func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: 200}, errRefused },
		"a body with a refusal": func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(failing{errRefused})}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newClient(t, rt).Do(t.Context(), post("http://kii.test"))
			unknown(t, err)
			assert.Equal(t, 1, err.(*transport.Failure).Attempts)
		})
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// Below net/http another protocol's RoundTripper can send without a hook, as some do for HTTP/3.
func TestARequestThatAnotherProtocolSentIsUnknown(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(nil)
	s.TLS = &tls.Config{NextProtos: []string{"other"}}
	s.StartTLS()
	t.Cleanup(s.Close)
	trusted := s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	withoutBody := &transport.Request{Method: http.MethodPost, URL: s.URL, Header: get("").Header}
	for name, row := range map[string]struct {
		request    *transport.Request
		registered bool // for the scheme; else negotiated by TLS
		hooks      bool // it fires half of them
	}{
		"negotiated":                 {request: post(s.URL), hooks: true},
		"negotiated, without a body": {request: withoutBody, hooks: true},
		"registered":                 {request: post(s.URL), registered: true, hooks: true},
		"registered, without a body": {request: withoutBody, registered: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent := 0
			other := tripper(func(req *http.Request) (*http.Response, error) {
				if row.hooks {
					httptrace.ContextClientTrace(req.Context()).GetConn("other:443")
				}
				if _, err := io.ReadAll(req.Body); err != nil {
					return nil, err
				}
				sent++
				return nil, io.ErrUnexpectedEOF
			})
			below := &http.Transport{
				TLSClientConfig: &tls.Config{RootCAs: trusted, NextProtos: []string{"other"}},
				TLSNextProto:    map[string]func(string, *tls.Conn) http.RoundTripper{"other": func(string, *tls.Conn) http.RoundTripper { return other }},
			}
			if row.registered {
				below.RegisterProtocol("https", other)
			}
			_, err := newClient(t, below).Do(t.Context(), row.request)
			unknown(t, err)
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			assert.Equal(t, 1, sent)
		})
	}
}
