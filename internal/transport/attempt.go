package transport

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"runtime"
	"sync"

	"github.com/go-kii/kii/internal/foreign"
	"github.com/go-resty/resty/v2"
)

// An attempt is one round trip.
type attempt struct {
	request *Request
	own     bool               // sent by the library's own transport, not by the caller's RoundTripper
	abort   context.CancelFunc // cancels the call

	resty   resty.Request // these three are values, so that an attempt needs one allocation for them all
	reqBody witnessed
	hooks   httptrace.ClientTrace

	done    chan struct{} // closed when run has ended
	reply   Reply         // this and failure are set once ended is
	failure *Failure

	mu       sync.Mutex // guards what follows
	ended    bool       // nothing may be sent any more
	began    bool       // the RoundTripper was called
	answered bool       // and returned a response
	respBody io.Closer  // the body of that response
	witness
}

// run makes the attempt. It calls the caller's code, which may panic, end the goroutine or return
// after the deadline.
func (a *attempt) run(ctx context.Context) {
	growStack(false)
	defer close(a.done)
	defer func() {
		err := errGoexit
		switch p := recover().(type) {
		case nil:
		case error, string:
			err = fmt.Errorf("the RoundTripper panicked: %v", p)
		default: // its text is not used: it may hold the request, with bytes printed as numbers
			err = fmt.Errorf("the RoundTripper panicked with a %T", p)
		}
		a.end(ctx, Reply{}, err) // does nothing after a normal return
	}()
	r := &a.resty
	r.Header = a.request.Header
	if a.request.Body != nil {
		a.reqBody.data.Reset(a.request.Body)
		r.SetBody(&a.reqBody.data)
	}
	r.SetContext(httptrace.WithClientTrace(context.WithValue(ctx, attemptKey{}, a), a.trace(ctx)))
	resp, err := r.Execute(a.request.Method, a.request.URL)
	var reply Reply
	if err == nil {
		defer resp.RawResponse.Body.Close()
		reply, err = read(ctx, resp.RawResponse)
	}
	a.end(ctx, reply, err)
}

// growStack grows the stack once to the size that net/http needs, while there is little on it to
// copy. Otherwise it would be grown and copied three times in each attempt. A function claims its
// whole frame when it is called, even if it does not use it.
//
//go:noinline
func growStack(use bool) {
	if use {
		var frame [9 << 10]byte // the smallest stack that holds it is 16 KiB
		runtime.KeepAlive(&frame)
	}
}

var errLate = errors.New("the response came after the deadline")

var errGoexit = errors.New("the RoundTripper ended its goroutine")

// end records how the attempt ended. Only the first call counts. At the deadline run may still be
// under way, but nothing is sent after end, so what is proved not sent stays unsent.
func (a *attempt) end(ctx context.Context, reply Reply, err error) {
	// The methods of err may be the caller's code and block, so they are called before a.mu is
	// held.
	err = foreign.Error(err)
	dial := ctx.Err() == nil && isDialError(err) // once ctx is done, err may be its cause, such as another call's dial error
	plain := withoutURL(err)
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.ended:
		return
	case err == nil:
		a.reply = reply
	case a.stopped != nil:
		a.failure = &Failure{Err: a.stopped} // the cancellation was ours
	default:
		connecting := a.began && !a.connected && (a.own || len(a.asked) > 0)
		a.failure = &Failure{NotSent: a.unsent(dial), Connecting: connecting, Err: plain, retryable: dial || connecting && !a.handshake}
	}
	a.ended = true
}

// unsent reports whether it is proved that a failed attempt sent nothing. dial reports whether it
// failed with a dial error. That alone is no proof, since net/http can write, then dial again and
// fail. Nor are the hooks alone, since a RoundTripper may fire them for some of its requests only.
func (a *attempt) unsent(dial bool) bool {
	switch {
	case a.answered:
		return false
	case !a.began || a.watched && !a.read && len(a.request.Body) > 0: // without a body, headers are the whole request
		return true
	case a.connected || a.hookless:
		return false
	}
	return a.own || dial || a.direct && len(a.asked) > 0 && !a.watched
}

// closeBody closes the body of the response, if there is one, which ends a Read that waits.
func (a *attempt) closeBody() {
	defer func() { _ = recover() }() // Close may be the caller's code
	a.mu.Lock()
	body := a.respBody
	a.mu.Unlock()
	if body != nil {
		_ = body.Close()
	}
}

type attemptKey struct{}

// A roundTripper makes the one round trip of an attempt. It is the Transport of the http.Client.
type roundTripper struct{ next http.RoundTripper }

// RoundTrip hides two things from http.Client. One is a response that came with an error, which it
// would log. The other is the target of a redirect: http.Client parses Location and rewinds the
// body before it calls CheckRedirect, and if either fails it returns an error and no status.
// RoundTrip does not wrap an error, since http.Client recognises an HTTP reply to a TLS hello by
// the error's type.
func (t *roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	a := req.Context().Value(attemptKey{}).(*attempt)
	if err := a.guard(req, t.next); err != nil {
		return nil, err
	}
	resp, err := t.next.RoundTrip(req)
	if resp == nil {
		return nil, err
	}
	a.mu.Lock()
	a.answered, a.respBody = true, resp.Body
	late := a.ended
	a.mu.Unlock()
	if err != nil || late {
		a.closeBody()
		return nil, cmp.Or(err, errLate)
	}
	if resp.Header.Get("Location") == "" {
		return resp, nil
	}
	hidden := *resp // a RoundTripper may hand out one response to several callers
	hidden.Header = resp.Header.Clone()
	hidden.Header.Del("Location")
	return &hidden, nil
}
