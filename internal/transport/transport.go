// Package transport sends one HTTP request through resty and returns one reply
// or one classified failure. It knows HTTP and nothing of Kii Cloud.
package transport

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"time"

	"github.com/go-resty/resty/v2"
)

// MaxReplyBytes is the most that is read of a reply's body, after decompression.
const MaxReplyBytes = 256 << 10

// A Client sends requests. It is safe for concurrent use.
type Client struct {
	resty   *resty.Client
	blank   resty.Request // copied for each call; its maps are never written to
	timeout time.Duration
	// plainIsHTTP1 says that an unencrypted connection never speaks HTTP/2.
	plainIsHTTP1 bool
}

// New returns a client that uses hc's Transport (nil: [DefaultTransport]) and its
// Timeout, and nothing else of it. timeout bounds a whole call, retries included.
func New(hc *http.Client, timeout time.Duration, maxRetries int) *Client {
	rt := hc.Transport
	if rt == nil {
		rt = DefaultTransport()
	}
	r := resty.NewWithClient(&http.Client{Transport: noRedirect{rt}, Timeout: hc.Timeout})
	r.SetLogger(silent{}).SetRetryCount(maxRetries).SetResponseBodyLimit(MaxReplyBytes).SetPreRequestHook(guard)
	return &Client{resty: r, blank: *r.R(), timeout: timeout, plainIsHTTP1: plainIsHTTP1(rt)}
}

// A Request is one HTTP request. Header must have a User-Agent and an Accept, and a
// Content-Type where there is a Body; it is read only, so that calls can share one.
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
	NotSent  bool  // proved: nothing of the request reached a server
	Err      error // the context's error, its cause and the network's failure, joined as far as there are any
	Attempts int   // 0: the context was done before the first
}

func (f *Failure) Error() string { return f.Err.Error() }
func (f *Failure) Unwrap() error { return f.Err }

// Do sends req. What is proved not sent by a failed dial, look-up or proxy connect is tried
// again, with backoff, inside the deadline; nothing else is. The error is always a [*Failure].
func (c *Client) Do(ctx context.Context, req *Request) (Reply, error) {
	if ctx.Err() != nil {
		return Reply{}, &Failure{NotSent: true, Err: errors.Join(contextErrors(ctx, ctx)...)}
	}
	sendCtx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	w := &witness{Context: sendCtx, abort: cancel, plainIsHTTP1: c.plainIsHTTP1}
	r := c.blank
	r.Header = req.Header
	if req.Body != nil {
		w.body.Reset(req.Body)
		r.SetBody(&w.body)
	}
	r.SetContext(httptrace.WithClientTrace(w, w.trace())).AddRetryCondition(w.retry)

	resp, err := r.Execute(req.Method, req.URL)
	switch {
	case err == nil:
		return Reply{Status: resp.StatusCode(), Header: resp.Header(), Body: resp.Body(), Broken: mayBeCut(resp), Attempts: w.attempts}, nil
	case answered(resp) && broken(err) != "":
		return Reply{Status: resp.StatusCode(), Header: resp.Header(), Broken: broken(err), Attempts: w.attempts}, nil
	}

	inBackoff := err == sendCtx.Err() // bare; that of an attempt comes in a *url.Error
	notSent := !answered(resp) && (w.notSent(err) || inBackoff && w.notSent(w.failed))
	if w.replayed.Load() {
		err, sendCtx = errReplay, ctx // the cancellation was ours
	}
	errs := contextErrors(ctx, sendCtx)
	for _, e := range []error{w.failed, err} {
		if e = withoutURL(e); e != nil && !contains(errs, e) {
			errs = append(errs, e)
		}
	}
	return Reply{}, &Failure{NotSent: notSent, Err: errors.Join(errs...), Attempts: w.attempts}
}

// answered says whether the headers of a reply have arrived.
func answered(resp *resty.Response) bool { return resp != nil && resp.RawResponse != nil }

// mayBeCut returns "cut short" if resp would be a success without a body and nothing was said of its
// length, so that the connection may as well have ended before the body came.
func mayBeCut(resp *resty.Response) string {
	raw := resp.RawResponse
	if len(resp.Body()) == 0 && raw.StatusCode/100 == 2 && raw.StatusCode != http.StatusNoContent &&
		raw.ProtoMajor == 1 && raw.ContentLength < 0 && len(raw.TransferEncoding) == 0 {
		return "cut short"
	}
	return ""
}

// broken returns why a body that arrived cannot be used; empty if it was cut short.
func broken(err error) string {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	switch {
	case errors.Is(err, resty.ErrResponseBodyTooLarge):
		return "too long"
	case corrupt || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum):
		return "cannot be decompressed"
	}
	return ""
}

// silent drops what resty would print to stderr: it holds URLs, and they hold account identifiers.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}
