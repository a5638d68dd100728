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
	own     bool               // by the library's own transport; else by a RoundTripper of the caller's
	abort   context.CancelFunc // ends the call

	resty resty.Request
	sent  witnessed
	hooks httptrace.ClientTrace

	done    chan struct{} // closed when run has ended
	reply   Reply         // this and failure are set once ended is
	failure *Failure

	mu       sync.Mutex // guards what follows
	ended    bool       // nothing may be sent from here on
	began    bool       // the RoundTripper was called
	answered bool       // it returned a response
	body     io.Closer  // of that
	witness
}

// run makes the attempt. Code of the caller's runs in it, which may panic, end the goroutine or
// come back after the deadline.
func (a *attempt) run(ctx context.Context) {
	growStack(false)
	defer close(a.done)
	defer func() {
		err := errGoexit
		switch p := recover().(type) {
		case nil:
		case error, string:
			err = fmt.Errorf("the RoundTripper panicked: %v", p)
		default: // it may hold the request, whose bytes would be printed as numbers
			err = fmt.Errorf("the RoundTripper panicked with a %T", p)
		}
		a.end(ctx, Reply{}, err) // unless it has ended
	}()
	r := &a.resty
	r.Header = a.request.Header
	if a.request.Body != nil {
		a.sent.data.Reset(a.request.Body)
		r.SetBody(&a.sent.data)
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

// growStack makes room at once for what net/http needs, while there is little on the stack to copy.
// Else it would grow, and be copied, three times in each attempt. A function asks for its whole
// frame when it is called, also for what it then does not use.
//
//go:noinline
func growStack(use bool) {
	if use {
		var frame [9 << 10]byte // 16 KiB is the least stack that holds it
		runtime.KeepAlive(&frame)
	}
}

var errLate = errors.New("the response came after the deadline")

var errGoexit = errors.New("the RoundTripper ended its goroutine")

// end sets how the attempt ended, unless it has. If it did so because ctx is done, run may still be
// under way: as nothing is sent from here on, what is proved not sent stays so.
func (a *attempt) end(ctx context.Context, reply Reply, err error) {
	// Methods of the caller's errors may block, so they are called before another end waits for it.
	err = foreign.Error(err)
	dial := ctx.Err() == nil && isDialError(err) // else it may be a context's cause
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
		connecting := a.began && !a.got && !a.handshake && (a.own || len(a.asked) > 0)
		a.failure = &Failure{NotSent: a.unsent(dial), Err: plain, again: dial || connecting}
	}
	a.ended = true
}

// unsent reports whether an attempt that failed sent nothing. dial reports whether it failed by an
// error that says so. On its own that is no proof, since net/http can write, dial again and fail
// then; nor are the hooks, which a RoundTripper may fire for half of what it does.
func (a *attempt) unsent(dial bool) bool {
	switch {
	case a.answered:
		return false
	case !a.began || a.watched && !a.read && len(a.request.Body) > 0: // without a body the headers are all
		return true
	case a.got || a.handed:
		return false
	}
	return a.own || dial || a.direct && len(a.asked) > 0 && !a.watched
}

// closeBody closes the body of the response, if there is one. A Read of it may wait for that.
func (a *attempt) closeBody() {
	defer func() { _ = recover() }() // it may be the caller's
	a.mu.Lock()
	body := a.body
	a.mu.Unlock()
	if body != nil {
		_ = body.Close()
	}
}

type attemptKey struct{}

// A roundTripper is what http.Client is given: it makes the one round trip of an attempt.
type roundTripper struct{ next http.RoundTripper }

// RoundTrip hides two things from http.Client: a response that came with an error, which it would
// log; and the target of a redirect. It would parse Location, and rewind the body, before it asks
// CheckRedirect, and turn either's failure into an error without a status. An error is passed on as
// it is: by its type http.Client recognises an HTTP reply to a TLS hello.
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
	a.answered, a.body = true, resp.Body
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
