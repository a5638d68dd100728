package kiitest

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"
)

// answer does what the request asks for. It never holds the lock while it waits.
func (s *Server) answer(r *http.Request) answer {
	c := &call{server: s, request: r, header: r.Header, path: r.URL.EscapedPath(), began: time.Now()}
	if a, refused := s.refuse(c); refused {
		return a
	}
	if r.Body != nil {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
		if err != nil {
			return answer{lost: err}
		}
		c.body = body
	}
	fault := s.meet(c)
	var gaveUp error
	late := fault != nil && fault.Handled // done at once, so that a client which gives up cannot know
	if !late {
		gaveUp = fault.wait(r.Context())
	}
	a := s.act(c, fault, gaveUp)
	s.reportStrict(c)
	if late {
		gaveUp = fault.wait(r.Context())
	}
	if gaveUp != nil {
		return answer{lost: gaveUp}
	}
	return a
}

// act handles the call, unless a fault keeps it from being handled, puts the fault's answer in
// place of the real one, and logs the call: all in one step, so that another call, a Reset or a
// Restore comes before it or after it.
func (s *Server) act(c *call, fault *Fault, gaveUp error) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.called++
	c.id, c.now = s.called, s.now()
	var a answer
	switch {
	case gaveUp != nil:
		c.because("the client gave up during the delay that a fault asked for")
	default:
		if fault.handles() {
			a = c.serve()
		}
		if a.code != "" && !s.assumes(ErrorsHaveACode) {
			a.dropCode()
		}
		a = fault.answer(c, a)
		if a.lost == nil {
			c.allowOrigin(&a)
			a.set("Date", c.now.UTC().Format(http.TimeFormat)) // by the clock that Advance moves
		}
	}
	s.log(c, a)
	return a
}

// refuse answers what is no call to a running server in its own time.
func (s *Server) refuse(c *call) (a answer, refused bool) {
	if complaint := s.wrongClock(); complaint != "" {
		s.strict.report("%s", complaint)
		return textAnswer(http.StatusInternalServerError, "kiitest: "+complaint), true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		return a, false
	}
	c.match(s.routes)
	s.strict.report("%v after Close", c)
	return answer{lost: refusedDial()}, true
}

// serve handles the call.
func (c *call) serve() answer {
	s := c.server
	switch {
	case c.route == nil:
		return c.notEmulated("no call that kiitest emulates has this method and path")
	case len(c.body) > maxBody:
		c.because("the body has more than %d KB", maxBody>>10)
		return failure(http.StatusRequestEntityTooLarge, "ValidationException", "INVALID_INPUT_DATA", "The body is too large", nil)
	case c.app != "" && c.app != s.appID:
		return c.appNotFound("path")
	case c.route.isPage:
		return c.route.serve(s, c)
	}
	if refused := c.identify(); refused != nil {
		return *refused
	}
	if len(c.body) > 0 && !s.assumes(AnyContentTypeWillDo) && !c.hasType(c.route.types...) {
		c.because("the call takes the content type %s", strings.Join(c.route.types, " or "))
		return failure(http.StatusBadRequest, "ValidationException", "INVALID_DATA_TYPE", "The content type is not one that this call takes", nil)
	}
	return c.route.serve(s, c)
}

// preflight answers what a browser asks before it sends a call from another origin's page.
func (s *Server) preflight(c *call) answer {
	a := noContent()
	a.set("Access-Control-Allow-Methods", strings.Join(methods(), ", "))
	a.set("Access-Control-Allow-Headers", c.header.Get("Access-Control-Request-Headers"))
	a.set("Access-Control-Max-Age", "600")
	return a
}

// allowOrigin lets a browser show the answer to a page of another origin, as Kii Cloud does for the
// JavaScript SDK. No script reads the pages that messages link to.
func (c *call) allowOrigin(a *answer) {
	isPage := c.route != nil && c.route.isPage && c.operation != OpPreflight
	if c.header.Get("Origin") == "" || isPage {
		return
	}
	a.set("Access-Control-Allow-Origin", "*")
	a.set("Access-Control-Expose-Headers", "Location, Retry-After")
}

// sleep waits, or returns the context's error. In a bubble both can be due at the same moment: then
// the deadline comes first, and not which of them chance would have it.
func sleep(ctx context.Context, d time.Duration) error {
	if end, ok := ctx.Deadline(); ok && time.Until(end) == d {
		d++
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
