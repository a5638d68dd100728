package kiitest

import (
	"fmt"
	"strings"
	"sync"
)

// TB is what [WithTest] needs of a test; a [*testing.T], [*testing.B] or [*testing.F] is one.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Cleanup(f func())
}

// strict is the test that a server fails.
type strict struct {
	mu     sync.Mutex
	t      TB       // nil: none, or it is over
	untold []string // what a fuzz test could not be told while its target ran
}

// attach has the server closed when the test ends. Afterwards it reports nothing: to fail a test
// that has ended is a panic.
func (x *strict) attach(s *Server) {
	if x.t = s.cfg.t; x.t == nil {
		return
	}
	x.t.Cleanup(func() {
		s.Close()
		x.mu.Lock()
		defer x.mu.Unlock()
		for _, text := range x.untold {
			x.t.Errorf("in the fuzz target: %s", text)
		}
		x.t = nil
	})
}

// report fails the test without stopping it, and reports whether there is a test. A panic of the
// test's would break the call that is reported: ginkgo's has failed its test by then, and a fuzz
// test, which no report can fail while its target runs, is told when it ends.
func (x *strict) report(format string, args ...any) (reported bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.t == nil {
		return false
	}
	text := "kiitest: " + fmt.Sprintf(format, args...)
	reported = true
	defer func() {
		_, fuzz := x.t.(interface{ Fuzz(target any) })
		if recover() != nil && fuzz {
			x.untold = append(x.untold, text)
		}
	}()
	x.t.Helper()
	x.t.Errorf("%s", text)
	return true
}

// reportStrict reports what is odd about a call.
func (s *Server) reportStrict(c *call) {
	if c.route == nil {
		s.strict.report("%v; kiitest emulates what its package comment lists", c)
		return
	}
	if len(c.body) > 0 && len(c.route.types) > 0 && !c.hasType(c.route.types...) {
		s.strict.report("%v has a content type that the call does not document; it takes %s", c, strings.Join(c.route.types, ", "))
	}
	scheme, _, _ := strings.Cut(c.header.Get("Authorization"), " ")
	if c.operation.resets() && !c.admin && strings.EqualFold(scheme, "Bearer") {
		s.strict.report("%v carries a Bearer token; a reset is for users who cannot log in", c)
	}
	for _, odd := range c.odd {
		s.strict.report("%v %s", c, odd)
	}
}
