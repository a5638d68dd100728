// Package transport sends one HTTP request through resty and returns one reply
// or one classified failure. It knows HTTP and nothing of Kii Cloud.
package transport

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/go-kii/kii/internal/foreign"
	"github.com/go-resty/resty/v2"
)

// MaxReplyBytes is the most that is read of a reply's body, after decompression.
const MaxReplyBytes = 256 << 10

// A Client sends requests. It is safe for concurrent use.
type Client struct {
	blank      resty.Request // copied for each attempt; its maps, which resty would otherwise make each time, are never written to
	own        *http.Transport
	timeout    time.Duration // of a call
	perAttempt time.Duration // 0: none
	maxRetries int
}

// New returns a client that uses hc's Transport (nil: [DefaultTransport]) and its
// Timeout, and nothing else of it. timeout bounds a whole call, retries included.
func New(hc *http.Client, timeout time.Duration, maxRetries int) *Client {
	c := &Client{timeout: timeout, perAttempt: hc.Timeout, maxRetries: maxRetries}
	rt := &roundTripper{next: hc.Transport}
	if rt.next == nil {
		c.own = DefaultTransport()
		rt.next = c.own
	}
	c.blank = *resty.NewWithClient(&http.Client{Transport: rt}).SetLogger(silent{}).SetDoNotParseResponse(true).R()
	return c
}

// CloseIdleConnections closes the idle connections of the library's own transport. A transport that
// was given to New is its owner's to close.
func (c *Client) CloseIdleConnections() {
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
}

// DialTimeout bounds one dial of [DefaultTransport].
const DialTimeout = 5 * time.Second

// DefaultTransport returns a transport for a busy server. A dial fails long before the call's
// deadline, so that a black hole leaves time to try again; and as many connections stay idle as
// callers are likely to come at once, where net/http keeps two. They are closed sooner than most
// servers and load balancers close them, which is after 60 seconds or more: a request that is sent
// at that moment is lost, and its outcome unknown. The transport does not ask for compression:
// replies are a few hundred bytes, and asking costs more than it saves. A reply that is compressed
// without being asked for is still read.
func DefaultTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: DialTimeout}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second, WriteByteTimeout: 5 * time.Second},
		MaxIdleConns:           128,
		MaxIdleConnsPerHost:    128,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// A Request is one HTTP request. Header must have a User-Agent and an Accept, and a
// Content-Type if there is a Body; it is read only, so that calls can share one.
type Request struct {
	Method, URL string
	Header      http.Header
	Body        []byte
}

// A Reply is an answer of any status.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
	Broken string // why Body is missing, in a few words, such as "too long"; empty: it is whole
	// Attempts counts this one and those before it, which were proved not sent.
	Attempts int
}

// A Failure means that no whole answer arrived.
type Failure struct {
	NotSent  bool  // proved: no server got the whole request
	Err      error // the context's error, its cause and the network's failure, joined as far as there are any
	Attempts int   // 0: the context was done before the first

	again bool  // connecting failed, so another attempt may succeed
	late  error // context.DeadlineExceeded if the attempt's time is over
}

func (f *Failure) Error() string { return f.Err.Error() }
func (f *Failure) Unwrap() error { return f.Err }

// Do sends req. An attempt that is proved not sent because a dial, a look-up or a proxy connect
// failed is followed by another, after a pause and inside the deadline; no other is. Do returns by
// the deadline, whatever a server or a RoundTripper does. The error is always a [*Failure].
func (c *Client) Do(ctx context.Context, req *Request) (Reply, error) {
	call := foreign.WithTimeout(ctx, c.timeout)
	defer call.End()
	if call.Err() != nil {
		return Reply{}, &Failure{NotSent: true, Err: explain(ctx, call)}
	}
	earlier := new(Failure)
	for n := 1; ; n++ {
		reply, failure := c.try(call, req)
		if failure == nil {
			reply.Attempts = n
			return reply, nil
		}
		if failure.NotSent && failure.again && n <= c.maxRetries && pause(call, n) {
			earlier = failure
			continue
		}
		failure.Err = explain(ctx, call, earlier.late, earlier.Err, failure.late, failure.Err)
		failure.Attempts = n
		return Reply{}, failure
	}
}

// try makes one attempt, in a goroutine that the deadline can leave behind. Not all heed a context:
// not a RoundTripper of the caller's, nor the body of a reply, nor the locks of net/http's HTTP/2.
func (c *Client) try(call *foreign.Context, req *Request) (Reply, *Failure) {
	ctx := call
	if c.perAttempt > 0 {
		ctx = foreign.WithTimeout(call, c.perAttempt)
		defer ctx.End()
	}
	a := &attempt{own: c.own != nil, request: req, abort: call.Cancel, done: make(chan struct{}), resty: c.blank}
	go a.run(ctx)
	select {
	case <-a.done:
	case <-ctx.Done():
		a.end(ctx, Reply{}, ctx.Err())
		go a.closeBody()
	}
	if a.failure != nil {
		a.failure.late = ctx.Late()
	}
	return a.reply, a.failure
}

// pause waits before attempt n+1: 100 to 150 ms, then twice as long each time, up to 3 s. It
// returns false if ctx is done first.
func pause(ctx context.Context, n int) bool {
	least := min(100*time.Millisecond<<min(n-1, 10), 2*time.Second)
	select {
	case <-time.After(least + rand.N(least/2)):
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// silent drops what resty would print to stderr: it holds URLs, and they hold account identifiers.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}
