package kiitest

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// A Fault makes calls go wrong: the Nth call of an operation, counted from [Server.Inject] on.
//
// The answer comes from the fault, and the call does nothing, unless Handled is set: then the call
// takes effect first, and only its answer is replaced. So
//
//	kiitest.Fault{Operation: kiitest.OpRequestReset, Kind: kiitest.FaultNoAnswer, Handled: true}
//
// sends the SMS, and the caller cannot know.
type Fault struct {
	ID        int       // counts from 1; the server sets it, and Inject ignores it
	Operation Operation // empty: any
	Nth       int       // 1, the default, is the next call
	Times     int       // how many calls from the Nth on; default: 1; see [EveryTime]
	User      string    // counts and meets only calls about this user, by ID or address; empty: any
	Kind      FaultKind
	Delay     time.Duration // before anything else, or with Handled before the answer; ends early with the request's context
	Handled   bool          // the call takes effect, whatever it gets for an answer
	Status    int           // of FaultStatus: 200 to 599; of FaultRedirect: 300 to 399, default 307
	ErrorCode string        // of FaultStatus; empty: no body
	Location  string        // of FaultRedirect; default: https://elsewhere.invalid/
	RetryIn   time.Duration // a Retry-After header, rounded down to seconds; default: none, as Kii Cloud
}

// EveryTime is Fault.Times of a fault without an end.
const EveryTime = math.MaxInt

// A FaultKind is how a call goes wrong.
type FaultKind string

// The kinds of a [Fault].
const (
	// FaultDelay does nothing but wait: the call is handled and answered as usual after
	// Fault.Delay. If the client gives up before that, nothing is done, or with Fault.Handled
	// everything.
	FaultDelay FaultKind = "delay"
	// FaultStatus answers Fault.Status with Fault.ErrorCode.
	FaultStatus FaultKind = "status"
	// FaultRateLimit answers 429 without a body, as Kii Cloud does.
	FaultRateLimit FaultKind = "rate-limit"
	// FaultHTML answers 200 with a web page, as the portal of a hotel's network does.
	FaultHTML FaultKind = "html"
	// FaultRedirect answers with a redirect to another host.
	FaultRedirect FaultKind = "redirect"
	// FaultRefused refuses the connection, so that the client knows that nothing was sent. Over a
	// socket the request is there already: the connection breaks, and the client cannot know.
	// Package kii makes two more attempts if nothing was sent: without a socket its call fails only
	// if Times is 3 or more.
	FaultRefused FaultKind = "refused"
	// FaultNoAnswer breaks the connection in place of the answer. With Fault.Handled the answer is
	// lost on its way, otherwise the call was.
	FaultNoAnswer FaultKind = "no-answer"
	// FaultCut breaks the connection in the middle of the body.
	FaultCut FaultKind = "cut"
	// FaultEndless answers 200 with JSON that never ends: it is cut at 256 MB.
	FaultEndless FaultKind = "endless"
	// FaultGzipBomb answers 200 with a megabyte of gzip that unpacks to a gigabyte.
	FaultGzipBomb FaultKind = "gzip-bomb"
	// FaultContentType answers with the content type text/plain: as usual with Fault.Handled, else
	// 200 and an empty JSON object.
	FaultContentType FaultKind = "content-type"
)

// FaultKinds lists the kinds.
func FaultKinds() []FaultKind {
	return []FaultKind{
		FaultDelay, FaultStatus, FaultRateLimit, FaultHTML, FaultRedirect, FaultRefused,
		FaultNoAnswer, FaultCut, FaultEndless, FaultGzipBomb, FaultContentType,
	}
}

// Validate returns nil, or an error that joins a [FieldError] for each field that is not valid.
func (f Fault) Validate() error {
	v := validation{of: "Fault"}
	v.check(f.Operation == "" || slices.Contains(Operations(), f.Operation), "Operation", "must be one of %s", commaList(Operations()))
	v.check(slices.Contains(FaultKinds(), f.Kind), "Kind", "must be one of %s", commaList(FaultKinds()))
	v.check(f.Nth >= 0, "Nth", "cannot be negative")
	v.check(f.Times >= 0, "Times", "cannot be negative")
	v.check(f.Delay >= 0, "Delay", "cannot be negative")
	v.check(f.RetryIn >= 0, "RetryIn", "cannot be negative")
	v.check(f.User == "" || canName(f.User), "User", "can name nobody: it must be a user ID, a login name, an e-mail address or a phone number with +")
	v.check(f.Delay != 0 || f.Kind != FaultDelay, "Delay", "must be set for a fault of kind %s", FaultDelay)
	switch {
	case f.Kind == FaultStatus:
		v.check(200 <= f.Status && f.Status <= 599, "Status", "must be 200 to 599")
	case f.Kind == FaultRedirect:
		v.check(f.Status == 0 || 300 <= f.Status && f.Status <= 399, "Status", "must be 300 to 399")
	}
	bodiless := f.Status == http.StatusNoContent || f.Status == http.StatusNotModified
	v.check(f.ErrorCode == "" || !bodiless, "ErrorCode", "needs a status that can have a body")
	v.check(headerValue(f.Location), "Location", "must be UTF-8 without control characters")
	v.check(f.Kind != FaultRefused || !f.Handled, "Handled", "cannot be set for a fault of kind %s: what was refused is not handled", FaultRefused)
	return v.err()
}

// headerValue reports whether a header can hold the text.
func headerValue(text string) bool {
	control := func(r rune) bool { return r < ' ' || r == 0x7f }
	return utf8.ValidString(text) && !strings.ContainsFunc(text, control)
}

// commaList writes constants as a sentence lists them.
func commaList[T ~string](all []T) string {
	var text strings.Builder
	for i, one := range all {
		if i > 0 {
			text.WriteString(", ")
		}
		text.WriteString(string(one))
	}
	return text.String()
}

// String describes the fault in a line.
func (f Fault) String() string {
	where := string(f.Operation)
	if where == "" {
		where = "any call"
	}
	text := fmt.Sprintf("%s on %s number %d", f.Kind, where, max(1, f.Nth))
	if f.Kind == FaultStatus {
		text += " (" + strings.TrimSpace(fmt.Sprint(f.Status, " ", f.ErrorCode)) + ")"
	}
	switch {
	case f.Times == EveryTime:
		text += " and every later one"
	case f.Times > 1:
		text += fmt.Sprintf(", %d times", f.Times)
	}
	if f.User != "" {
		text += ", of one user"
	}
	if f.Handled {
		text += ", handled"
	}
	return text
}

type pendingFault struct {
	Fault
	seen int // calls since it was injected
	met  int
}

// Inject makes calls go wrong. If several faults are due on a call, it meets the one that was
// injected first, and the others wait for the next call. It panics if a fault is not valid; a
// program that takes faults from a person asks [Fault.Validate] first.
func (s *Server) Inject(faults ...Fault) {
	s.checkClock("Inject")
	for _, f := range faults {
		if err := f.Validate(); err != nil {
			panic(err.Error())
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		s.injected++
		f.ID = s.injected
		s.faults = append(s.faults, &pendingFault{Fault: f})
	}
}

// Faults returns the faults that are still to be met. Nth and Times are what is left of them.
func (s *Server) Faults() []Fault {
	defer s.lock("Faults")()
	var left []Fault
	for _, f := range s.faults {
		rest := f.Fault
		rest.Nth = max(1, f.Nth-f.seen)
		if f.Times != EveryTime {
			rest.Times = max(1, f.Times) - f.met
		}
		left = append(left, rest)
	}
	return left
}

// ClearFaults takes back all faults that are still to be met.
func (s *Server) ClearFaults() {
	defer s.lock("ClearFaults")()
	s.faults = nil
}

// RemoveFault takes back a fault, by the ID that [Server.Faults] shows, and reports whether it was
// still to be met.
func (s *Server) RemoveFault(id int) bool {
	defer s.lock("RemoveFault")()
	before := len(s.faults)
	s.faults = slices.DeleteFunc(s.faults, func(f *pendingFault) bool { return f.ID == id })
	return len(s.faults) < before
}

func (s *Server) unmetFaults() []Fault {
	var unmet []Fault
	for _, f := range s.faults {
		if f.met == 0 {
			unmet = append(unmet, f.Fault)
		}
	}
	return unmet
}

// meet finds out what the call asks for, counts it, and returns the fault that it meets, or nil.
func (s *Server) meet(c *call) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.match(s.routes)
	t := s.tokens[c.bearer()]
	c.admin = t != nil && t.admin
	var due *pendingFault
	for _, f := range s.faults {
		if f.Operation != "" && f.Operation != c.operation || f.User != "" && !c.isAbout(f.User) {
			continue
		}
		f.seen++
		if due == nil && f.seen >= f.Nth {
			due = f
		}
	}
	if due == nil {
		return nil
	}
	due.met++
	if due.met == max(1, due.Times) {
		s.faults = slices.DeleteFunc(s.faults, func(f *pendingFault) bool { return f == due })
	}
	c.fault = due.Kind
	return new(due.Fault)
}

// isAbout reports whether the call names the user: in its path, as the user who logs in, or by a
// token.
func (c *call) isAbout(id string) bool {
	s := c.server
	wanted := s.find(id)
	for _, named := range []string{c.user, c.grant.username} {
		if named == id || wanted != nil && s.find(named) == wanted {
			return true
		}
	}
	if wanted == nil {
		return false
	}
	for _, shown := range []string{c.bearer(), c.grant.refreshToken} {
		if t := s.tokens[shown]; t != nil && t.account == wanted {
			return true
		}
	}
	l := s.links[c.link]
	return l != nil && l.account == wanted
}
