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
	blank      resty.Request // copied for each attempt, so that resty makes no maps; those of blank are never written to
	own        *http.Transport
	timeout    time.Duration // of a call
	perAttempt time.Duration // 0: none
	maxRetries int
}

// New returns a client. It uses only hc's Transport (nil means [DefaultTransport]) and hc's
// Timeout, which bounds one attempt (0 means no bound). timeout bounds a whole call, retries
// included.
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
// was given to New belongs to the caller, and stays open.
func (c *Client) CloseIdleConnections() {
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
}

// DialTimeout bounds one dial of [DefaultTransport].
const DialTimeout = 5 * time.Second

// DefaultTransport returns a transport for a busy server. A dial that gets no answer fails long
// before the call's deadline, so that there is time to try again. As many connections stay idle as
// there are likely to be callers at once; net/http's own default is two. Idle connections are
// closed after 30 seconds, because most servers and load balancers close theirs after 60 or more: a
// request sent at that very moment is lost, and its outcome is unknown. An HTTP/2 connection whose
// peer answers no ping, or takes no bytes, is closed. The transport does not ask for compression,
// because replies are a few hundred bytes. A reply that is compressed anyway is still read.
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
	Broken string // why Body is missing, such as "too long"; empty if it is whole
	// Attempts is the number of attempts made. All but the last are proved not sent.
	Attempts int
}

// A Failure means that no whole answer arrived.
type Failure struct {
	NotSent    bool  // it is proved that no server got the whole request
	Connecting bool  // the last attempt had not got a connection
	Err        error // the context's error, its cause and the network's failure: those that exist, joined
	Attempts   int   // 0 if the context was done before the first

	retryable bool  // connecting failed, so another attempt may succeed
	late      error // context.DeadlineExceeded if the attempt's time is over
}

func (f *Failure) Error() string { return f.Err.Error() }
func (f *Failure) Unwrap() error { return f.Err }

// Do sends req. If an attempt is proved not sent because a dial, a look-up or a proxy connect
// failed, Do pauses and makes another, up to maxRetries times and until the deadline. It retries
// nothing else. Do returns by the deadline, whatever a server or a RoundTripper does. The error is
// always a [*Failure].
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
		if failure.NotSent && failure.retryable && n <= c.maxRetries && pause(call, n) {
			earlier = failure
			continue
		}
		failure.Err = explain(ctx, call, earlier.late, earlier.Err, failure.late, failure.Err)
		failure.Attempts = n
		return Reply{}, failure
	}
}

// try makes one attempt in another goroutine, which it does not wait for after the deadline: the
// caller's RoundTripper, the body of a reply and net/http's HTTP/2 locks may ignore a context.
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

// silent drops what resty would print to stderr, because it holds URLs, which hold account
// identifiers.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}
