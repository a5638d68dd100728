package transport_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/internal/peer"
	"github.com/go-kii/kii/internal/transport"
)

// tripper is a RoundTripper of the caller's.
type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// The protocols that a server may speak.
var kinds = map[string]peer.Kind{"HTTP/1": {}, "HTTP/1 TLS": {TLS: true}, "HTTP/2": {HTTP2: true, TLS: true}}

// answers answers each request by the next status, the last one over and over.
func answers(statuses ...int) func(*peer.Conn) {
	return func(c *peer.Conn) {
		for n := 0; c.Next(); n++ {
			c.Answer(statuses[min(n, len(statuses)-1)], nil)
		}
	}
}

// copied reads a copy of the body, to sign, log or audit it.
func copied(req *http.Request) error {
	if req.GetBody == nil {
		return nil
	}
	body, err := req.GetBody()
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = io.Copy(sha256.New(), body)
	return err
}

// fetch makes a request of its own with the context of another.
func fetch(ctx context.Context, rt http.RoundTripper, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("grant_type=x"))
	if err != nil {
		return err
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// A companion is what programs put between a client and the network. other is the URL of another
// server, which speaks the same protocol.
type companion struct {
	name     string
	requests int // that arrive at the server
	statuses []int
	wrap     func(base *http.Transport, other string) http.RoundTripper
}

var companions = []companion{
	{name: "signs a copy of the body", wrap: func(base *http.Transport, _ string) http.RoundTripper {
		return tripper(func(req *http.Request) (*http.Response, error) {
			if err := copied(req); err != nil {
				return nil, err
			}
			signed := req.Clone(req.Context())
			signed.Header.Set("X-Signature", "s")
			return base.RoundTrip(signed)
		})
	}},
	{name: "logs a copy of the body, then signs one", wrap: func(base *http.Transport, _ string) http.RoundTripper {
		return tripper(func(req *http.Request) (*http.Response, error) {
			if err := copied(req); err != nil {
				return nil, err
			}
			if err := copied(req); err != nil {
				return nil, err
			}
			return base.RoundTrip(req)
		})
	}},
	{name: "reads the body and gives it back by GetBody", wrap: func(base *http.Transport, _ string) http.RoundTripper {
		return tripper(func(req *http.Request) (*http.Response, error) {
			if req.GetBody != nil {
				again := req.Clone(req.Context())
				_, _ = io.ReadAll(req.Body)
				_ = req.Body.Close()
				var err error
				if again.Body, err = req.GetBody(); err != nil {
					return nil, err
				}
				req = again
			}
			return base.RoundTrip(req)
		})
	}},
	{name: "dumps the headers", wrap: func(base *http.Transport, _ string) http.RoundTripper {
		return tripper(func(req *http.Request) (*http.Response, error) {
			if _, err := httputil.DumpRequestOut(req, false); err != nil {
				return nil, err
			}
			return base.RoundTrip(req)
		})
	}},
	{name: "dumps the body", wrap: func(base *http.Transport, _ string) http.RoundTripper {
		return tripper(func(req *http.Request) (*http.Response, error) {
			dumped := req.Clone(req.Context())
			if _, err := httputil.DumpRequestOut(dumped, true); err != nil {
				return nil, err
			}
			return base.RoundTrip(dumped)
		})
	}},
	{name: "answers a challenge", requests: 2, statuses: []int{401, 204}, wrap: func(base *http.Transport, _ string) http.RoundTripper {
		return tripper(func(req *http.Request) (*http.Response, error) {
			resp, err := base.RoundTrip(req)
			if err != nil || resp.StatusCode != http.StatusUnauthorized {
				return resp, err
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			again := req.Clone(req.Context())
			if req.GetBody != nil {
				if again.Body, err = req.GetBody(); err != nil {
					return nil, err
				}
			}
			again.Header.Set("Authorization", "Digest x")
			return base.RoundTrip(again)
		})
	}},
	{name: "fetches a token elsewhere", wrap: func(base *http.Transport, other string) http.RoundTripper {
		return tripper(func(req *http.Request) (*http.Response, error) {
			if err := fetch(req.Context(), base, other); err != nil {
				return nil, err
			}
			return base.RoundTrip(req)
		})
	}},
	{name: "audits copies in the background", wrap: func(base *http.Transport, other string) http.RoundTripper {
		return tripper(func(req *http.Request) (*http.Response, error) {
			ctx := context.WithoutCancel(req.Context())
			go func() { _ = fetch(ctx, base, other) }()
			if err := copied(req); err != nil {
				return nil, err
			}
			return base.RoundTrip(req)
		})
	}},
	{name: "looks names up over HTTP", wrap: func(base *http.Transport, other string) http.RoundTripper {
		dialing := base.Clone()
		dialing.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if err := fetch(ctx, base, other); err != nil {
				return nil, err
			}
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
		return dialing
	}},
}

func TestACallArrivesInTheCompanyOfOtherRoundTrips(t *testing.T) {
	t.Parallel()
	for _, companion := range companions {
		for kindName, kind := range kinds {
			for _, call := range []func(string) *transport.Request{post, get} {
				t.Run(companion.name+" "+kindName+" "+call("").Method, func(t *testing.T) {
					t.Parallel()
					statuses := companion.statuses
					if statuses == nil {
						statuses = []int{204}
					}
					s := peer.Start(t, kind, answers(statuses...))
					other := peer.Start(t, kind, answers(200))
					base := trusting()
					t.Cleanup(base.CloseIdleConnections)
					client := newClient(t, companion.wrap(base, other.URL()))
					for range 3 { // also over a kept connection
						reply, err := client.Do(t.Context(), call(s.URL()))
						require.NoError(t, err)
						assert.Contains(t, []int{204, 401}, reply.Status)
						assert.Equal(t, 1, reply.Attempts)
					}
					assert.Equal(t, 3+max(0, companion.requests-1), s.Requests())
				})
			}
		}
	}
}

// What is written and has no answer yet may be another round trip's: as long as nothing was read of
// the body, a copy does no harm.
func TestABodyIsCopiedWhileAnotherRoundTripWaitsForItsAnswer(t *testing.T) {
	t.Parallel()
	for kindName, kind := range kinds {
		t.Run(kindName, func(t *testing.T) {
			t.Parallel()
			asked, answer := make(chan bool), make(chan bool)
			other := peer.Start(t, kind, func(c *peer.Conn) {
				c.Next()
				close(asked)
				<-answer
				c.Answer(200, nil)
				c.Hang()
			})
			s := peer.Start(t, kind, answers(204))
			base := trusting()
			t.Cleanup(base.CloseIdleConnections)
			reply, err := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
				ctx := context.WithoutCancel(req.Context())
				go func() { _ = fetch(ctx, base, other.URL()) }()
				<-asked
				defer close(answer)
				if err := copied(req); err != nil {
					return nil, err
				}
				return base.RoundTrip(req)
			})).Do(t.Context(), post(s.URL()))
			require.NoError(t, err)
			assert.Equal(t, 204, reply.Status)
		})
	}
}

// What is refused is not sent again by net/http, whatever stands between.
func TestARefusedRequestArrivesOnceInTheCompanyOfOtherRoundTrips(t *testing.T) {
	t.Parallel()
	for _, companion := range companions {
		for _, call := range []func(string) *transport.Request{post, get} {
			t.Run(companion.name+" "+call("").Method, func(t *testing.T) {
				t.Parallel()
				s := peer.Start(t, peer.Kind{HTTP2: true, TLS: true}, func(c *peer.Conn) {
					for c.Next() {
						c.RST(7)
					}
				})
				other := peer.Start(t, peer.Kind{HTTP2: true, TLS: true}, answers(200))
				base := trusting()
				t.Cleanup(base.CloseIdleConnections)
				_, err := newClient(t, companion.wrap(base, other.URL())).Do(t.Context(), call(s.URL()))
				unknown(t, err)
				assert.Equal(t, 1, s.Requests())
			})
		}
	}
}

// Two round trips with one context write their headers in goroutines of their own, so the fields
// may come mixed. The second connection that is asked for is a replay only to where this request
// may have been written.
func TestAReplayIsKnownByWhereTheHeadersWent(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		overlap bool
		http1   bool // the audit speaks it
		path    string
		again   string
		replay  bool
	}{
		"mixed, this one again":        {overlap: true, again: "kii.test:80", replay: true},
		"mixed, also in version":       {overlap: true, http1: true, again: "kii.test:80", replay: true},
		"in turn, this one again":      {again: "kii.test:80", replay: true},
		"in turn, the audit once more": {again: "audit.test:80"},
		"a path that cannot be read":   {path: "%zz", again: "kii.test:80", replay: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
				trace := httptrace.ContextClientTrace(req.Context())
				for _, host := range []string{"kii.test", "audit.test"} {
					connected(trace, host+":80")
				}
				if row.http1 {
					trace.WroteHeaderField("Host", []string{"audit.test"})
				} else {
					trace.WroteHeaderField(":authority", []string{"audit.test"})
				}
				if !row.overlap {
					trace.WroteHeaderField(":path", []string{"/audit"})
					trace.WroteHeaders()
				}
				trace.WroteHeaderField(":authority", []string{"kii.test"})
				trace.WroteHeaderField(":path", []string{cmp.Or(row.path, req.URL.Path)})
				if row.overlap {
					trace.WroteHeaderField(":path", []string{"/audit"})
				}
				for name, values := range req.Header {
					trace.WroteHeaderField(strings.ToLower(name), values)
				}
				trace.WroteHeaders()
				trace.GotFirstResponseByte() // of the audit
				connected(trace, row.again)
				if err := req.Context().Err(); err != nil {
					return nil, err
				}
				return &http.Response{StatusCode: 204, Body: http.NoBody}, nil
			}))
			_, err := client.Do(t.Context(), get("http://kii.test"))
			if !row.replay {
				require.NoError(t, err)
				return
			}
			unknown(t, err)
			require.EqualError(t, err, "the request may have arrived, so it was not sent again")
		})
	}
}

// connected fires the hooks of a connection that is handed out.
func connected(trace *httptrace.ClientTrace, addr string) {
	trace.GetConn(addr)
	trace.GotConn(httptrace.GotConnInfo{})
}

// wrote fires the hooks of headers that are written. hostField proves the version of HTTP.
func wrote(trace *httptrace.ClientTrace, hostField, host string, header http.Header) {
	trace.WroteHeaderField(hostField, []string{host})
	for name, values := range header {
		trace.WroteHeaderField(name, values)
	}
	trace.WroteHeaders()
}

// HTTP/1 tells no path of an audit that follows. Its headers must not be taken for this request's.
func TestAReplayIsKnownThoughAnAuditWroteSince(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]http.Header{
		"what anybody accepts":     {"Accept": {"*/*"}},
		"what anybody sends":       {"Content-Type": {"application/json"}},
		"another program's agent":  {"User-Agent": {"audit"}},
		"a header without a value": {"X-Audit": nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
				trace := httptrace.ContextClientTrace(req.Context())
				trace.WroteHeaderField("Idempotency-Key", nil)
				connected(trace, "kii.test:80")
				wrote(trace, "Host", "kii.test", req.Header)
				connected(trace, "audit.test:80")
				wrote(trace, "Host", "audit.test", header)
				trace.GotFirstResponseByte() // of the audit
				connected(trace, "kii.test:80")
				return nil, req.Context().Err()
			})).Do(t.Context(), post("http://kii.test"))
			unknown(t, err)
			require.EqualError(t, err, "the request may have arrived, so it was not sent again")
		})
	}
}

// A proxy is asked for in the place of the host that the headers name.
func TestAReplayThroughAProxyIsKnown(t *testing.T) {
	t.Parallel()
	_, err := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
		trace := httptrace.ContextClientTrace(req.Context())
		connected(trace, "proxy.test:3128")
		wrote(trace, ":authority", "kii.test", req.Header)
		connected(trace, "proxy.test:3128")
		return nil, req.Context().Err()
	})).Do(t.Context(), get("https://kii.test"))
	unknown(t, err)
	require.EqualError(t, err, "the request may have arrived, so it was not sent again")
}

// After a challenge was answered, net/http may find that a kept connection takes nothing.
func TestWhatWasAnsweredIsNoPartOfAReplay(t *testing.T) {
	t.Parallel()
	_, err := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
		trace := httptrace.ContextClientTrace(req.Context())
		connected(trace, "kii.test:443")
		wrote(trace, ":authority", "kii.test", req.Header)
		trace.GotFirstResponseByte()
		connected(trace, "kii.test:443")
		connected(trace, "kii.test:443")
		if err := req.Context().Err(); err != nil {
			return nil, err
		}
		return &http.Response{StatusCode: 204, Body: http.NoBody}, nil
	})).Do(t.Context(), get("https://kii.test"))
	require.NoError(t, err)
}
