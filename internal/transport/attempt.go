package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"sync"

	"github.com/go-resty/resty/v2"
)

// An attempt is one round trip.
type attempt struct {
	request *Request
	abort   context.CancelFunc // of the call
	own     bool               // by the library's own transport; else by a RoundTripper of the caller's

	resty resty.Request
	body  witnessed
	hooks httptrace.ClientTrace

	done    chan struct{} // closed when run has ended
	reply   Reply         // these two are set once, by run or by leave
	failure *Failure

	mu         sync.Mutex // guards what follows
	finished   bool       // run has set reply or failure
	left       bool       // the deadline came first: nothing may be sent from here on
	began      bool       // the RoundTripper was called
	answered   bool       // it returned a response
	direct     bool       // it is net/http's
	plainHTTP1 bool       // and speaks no HTTP/2 without TLS
	witness
}

// run makes the attempt. Code of the caller's runs in it, which may panic, end the goroutine or
// come back after the deadline.
func (a *attempt) run(ctx context.Context) {
	defer close(a.done)
	defer func() {
		p := recover()
		switch {
		case p != nil:
			a.finish(Reply{}, a.judge(ctx, fmt.Errorf("the RoundTripper panicked: %v", p)))
		case !a.finished:
			a.finish(Reply{}, a.judge(ctx, errors.New("the RoundTripper ended its goroutine")))
		}
	}()

	r := &a.resty
	r.Header = a.request.Header
	if a.request.Body != nil {
		a.body.attempt = a
		a.body.data.Reset(a.request.Body)
		r.SetBody(&a.body.data)
	}
	r.SetContext(httptrace.WithClientTrace(context.WithValue(ctx, attemptKey{}, a), a.trace()))
	resp, err := r.Execute(a.request.Method, a.request.URL)
	if err != nil {
		failure, ok := errors.AsType[*Failure](err)
		if !ok { // resty or http.Client refused the request
			failure = a.judge(ctx, err)
		}
		a.finish(Reply{}, failure)
		return
	}
	defer resp.RawResponse.Body.Close()
	reply, err := read(resp.RawResponse)
	if err != nil {
		a.finish(Reply{}, &Failure{Err: plain(err)})
	} else {
		a.finish(reply, nil)
	}
}

// finish hands over how the attempt ended, unless that is known or the deadline was first.
func (a *attempt) finish(reply Reply, failure *Failure) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.finished && !a.left {
		a.reply, a.failure = reply, failure
	}
	a.finished = true
}

// leave gives the attempt up as ctx is done, unless it has finished. From then on nothing that was
// not sent is sent, so what is judged here stays true.
func (a *attempt) leave(ctx context.Context) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.finished {
		a.left = true
		a.failure = a.classify(ctx, ctx.Err())
	}
}

// judge classifies err, the end of a round trip without an answer.
func (a *attempt) judge(ctx context.Context, err error) *Failure {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.classify(ctx, err)
}

// classify is judge for a caller that holds a.mu.
func (a *attempt) classify(ctx context.Context, err error) *Failure {
	if a.replayed {
		return &Failure{Err: errReplay} // the cancellation was ours
	}
	dial := isDialError(err) && !mayBeDialError(context.Cause(ctx)) // which net/http returns as its own
	connecting := a.began && !a.got && !a.handshake && (a.own || a.asked)
	return &Failure{NotSent: !a.answered && (!a.began || a.unsent(dial)), Err: plain(err), again: dial || connecting}
}

type attemptKey struct{}

// A roundTripper is what http.Client is given: it makes the one round trip of an attempt.
type roundTripper struct{ next http.RoundTripper }

// RoundTrip returns a response or a [*Failure].
func (t *roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	a := req.Context().Value(attemptKey{}).(*attempt)
	if err := a.guard(req, t.next); err != nil {
		return nil, a.judge(req.Context(), err)
	}
	resp, err := t.next.RoundTrip(req)
	if resp != nil {
		return a.take(resp, err)
	}
	if err == nil {
		err = errors.New("the RoundTripper returned neither a response nor an error")
	}
	// http.Client does this by a type assertion, which a Failure would not pass.
	if hello, ok := err.(tls.RecordHeaderError); ok && string(hello.RecordHeader[:]) == "HTTP/" {
		err = http.ErrSchemeMismatch
	}
	return nil, a.judge(req.Context(), err)
}

// take hands a response to http.Client as it wants one, with no error beside it and with a body.
func (a *attempt) take(resp *http.Response, err error) (*http.Response, error) {
	a.mu.Lock()
	a.answered = true
	a.mu.Unlock()
	if err == nil && resp.Body == nil && resp.ContentLength > 0 {
		err = errors.New("the RoundTripper returned a length and no body")
	}
	if err == nil {
		return withoutLocation(resp), nil
	}
	if resp.Body != nil {
		_ = resp.Body.Close()
	}
	return nil, &Failure{Err: plain(err)}
}

// withoutLocation hides where a redirect leads. http.Client would parse Location, and rewind the
// body, before it asks CheckRedirect, and turn either's failure into an error without a status.
func withoutLocation(resp *http.Response) *http.Response {
	if resp.StatusCode/100 != 3 || resp.Header.Get("Location") == "" {
		return resp
	}
	hidden := *resp // a RoundTripper may hand out one response to several callers
	hidden.Header = resp.Header.Clone()
	hidden.Header.Del("Location")
	return &hidden
}
