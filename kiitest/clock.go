package kiitest

import (
	"fmt"
	"runtime"
	"strings"
	"time"
)

// Now returns the server's time: the real one, or the bubble's, plus what Advance has added.
func (s *Server) Now() time.Time {
	defer s.lock("Now")()
	return s.now()
}

// Advance moves the server's clock forward, so that codes, links and tokens expire without waiting.
// It moves no other clock: delays that a fault asks for, and the client's deadlines, keep real
// time. It panics if d is negative, or if the clock would be more than 292 years ahead.
func (s *Server) Advance(d time.Duration) {
	s.checkClock("Advance")
	if d < 0 {
		panic(fmt.Sprintf("kiitest: Advance(%v): time only goes forward", d))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.offset+d < 0 { // a Duration holds no more
		panic(fmt.Sprintf("kiitest: Advance(%v): the clock is %v ahead, and goes no further than 292 years", d, s.offset))
	}
	s.offset += d
}

// Advanced returns how far [Server.Advance] has moved the clock since the start or the last
// ResetClock.
func (s *Server) Advanced() time.Duration {
	defer s.lock("Advanced")()
	return s.offset
}

// ResetClock takes back what [Server.Advance] has added. It is for a program in which a person
// moves the clock. What was sent meanwhile is then dated in the future, and lives longer by as
// much.
func (s *Server) ResetClock() {
	defer s.lock("ResetClock")()
	s.offset = 0
}

func (s *Server) now() time.Time {
	return time.Now().Round(0).Add(s.offset) // Round drops the monotonic reading, which JSON cannot carry
}

// lock checks the caller's clock and locks the server: defer s.lock("Now")() opens a method.
func (s *Server) lock(method string) (unlock func()) {
	s.checkClock(method)
	s.mu.Lock()
	return s.mu.Unlock
}

// checkClock fails the test that was given to [WithTest], or panics if there is none, if a method
// is called from another bubble than the server's.
func (s *Server) checkClock(method string) {
	complaint := s.wrongClock()
	if complaint == "" {
		return
	}
	if !s.strict.report("%s: %s", method, complaint) {
		panic("kiitest: " + method + ": " + complaint)
	}
}

// wrongClock describes the mistake if the caller's clock is not the server's. Such a test would
// pass for the wrong reason: no code expires in a year before its own. The time itself proves
// nothing, as a machine's clock may be set back.
func (s *Server) wrongClock() string {
	switch here := bubble(); {
	case here == s.bubble:
		return ""
	case s.bubble == "":
		return "this Server was made outside the testing/synctest bubble that uses it: there the clock starts again in the year 2000, so " +
			"nothing would expire, and a socket would hang. Call kiitest.NewServer inside the bubble, and give the client Server.Transport"
	case here == "":
		return "this Server was made inside a testing/synctest bubble and is used outside it, where the clock is years ahead, so " +
			"everything would have expired. Use it only inside the bubble, and make another Server outside"
	default:
		return "this Server was made inside another testing/synctest bubble, which has a clock of its own. Call kiitest.NewServer in each bubble"
	}
}

// bubble names the testing/synctest bubble that the calling goroutine is in; empty: none. Only the
// head line of a stack trace shows it: "goroutine 7 [running, synctest bubble 3]:".
func bubble() string {
	var head [128]byte
	line, _, _ := strings.Cut(string(head[:runtime.Stack(head[:], false)]), "]")
	_, name, _ := strings.Cut(line, "synctest bubble ")
	return name
}
