package kiitest

import (
	"context"
	"io"
	"net/http"
	"time"
)

// answer does what the request asks for. It never holds the lock while it waits.
func (s *Server) answer(r *http.Request) answer {
	c := &call{server: s, request: r, header: r.Header, path: r.URL.EscapedPath()}
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
	c.match(s.routes)
	fault := s.meet(c)
	a := s.act(c, fault)
	s.logged(c, a)
	s.reportStrict(c)
	return a
}

// act handles the call, unless a fault keeps it from being handled, and puts the fault's answer in
// place of the real one.
func (s *Server) act(c *call, fault *Fault) answer {
	if err := fault.wait(c.request.Context()); err != nil {
		return answer{lost: err}
	}
	var a answer
	if fault.handles() {
		s.mu.Lock()
		c.now = s.now()
		a = c.serve()
		s.mu.Unlock()
	}
	a = fault.answer(a)
	c.allowOrigin(&a)
	return a
}

// refuse answers what is no call to a running server in its own time.
func (s *Server) refuse(c *call) (a answer, refused bool) {
	if complaint := s.strayed(); complaint != "" {
		s.strict.report("%s", complaint)
		return textAnswer(http.StatusInternalServerError, "kiitest: "+complaint), true
	}
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if !closed {
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
		return notEmulated()
	case len(c.body) > maxBody:
		return failure(http.StatusRequestEntityTooLarge, "ValidationException", "INVALID_INPUT_DATA", "The body is too large", nil)
	case c.app != "" && c.app != s.appID:
		return s.appNotFound()
	case c.route.isPage:
		return c.route.serve(s, c)
	}
	if refused := c.identify(); refused != nil {
		return *refused
	}
	if len(c.body) > 0 && !s.Assumes(AnyContentTypeWillDo) && !c.hasType(c.route.types...) {
		return failure(http.StatusBadRequest, "ValidationException", "INVALID_DATA_TYPE", "The content type is not one that this call takes", nil)
	}
	return c.route.serve(s, c)
}

// preflight answers what a browser asks before it sends a call from another origin's page.
func (s *Server) preflight(c *call) answer {
	a := noContent()
	a.set("Access-Control-Allow-Methods", "GET, POST, PUT")
	a.set("Access-Control-Allow-Headers", c.header.Get("Access-Control-Request-Headers"))
	a.set("Access-Control-Max-Age", "600")
	return a
}

// allowOrigin lets a browser show the answer to a page of another origin, as Kii Cloud does for the
// JavaScript SDK. The pages that messages link to are for nobody's script.
func (c *call) allowOrigin(a *answer) {
	isPage := c.route != nil && c.route.isPage && c.operation != OpPreflight
	if c.header.Get("Origin") == "" || isPage {
		return
	}
	a.set("Access-Control-Allow-Origin", "*")
	a.set("Access-Control-Expose-Headers", "Location, Retry-After")
}

// sleep waits, or returns the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
