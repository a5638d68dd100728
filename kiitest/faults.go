package kiitest

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A Fault makes calls go wrong: the Nth call of an operation, counted from [Server.Inject] on.
//
// The answer comes from the fault, and the call does nothing, unless Handled is set: then the call
// takes effect first, and only its answer is exchanged. So
//
//	kiitest.Fault{Operation: kiitest.OpRequestReset, Kind: kiitest.FaultNoAnswer, Handled: true}
//
// sends the SMS, and the caller cannot know.
type Fault struct {
	Operation Operation     `json:"operation,omitempty"` // empty: any
	Nth       int           `json:"nth,omitempty"`       // 1, the default, is the next call
	Times     int           `json:"times,omitempty"`     // how many calls from the Nth on; default: 1; see [EveryTime]
	User      string        `json:"user,omitempty"`      // counts and meets only calls about this user, by ID or address; empty: any
	Kind      FaultKind     `json:"kind"`
	Delay     time.Duration `json:"delay,omitempty"`     // before anything else; ends early with the request's context
	Handled   bool          `json:"handled,omitempty"`   // the call takes effect, whatever it gets for an answer
	Status    int           `json:"status,omitempty"`    // of FaultStatus; of FaultRedirect: default 307
	ErrorCode string        `json:"errorCode,omitempty"` // of FaultStatus; empty: no body
	Location  string        `json:"location,omitempty"`  // of FaultRedirect; default: https://elsewhere.invalid/
	RetryIn   time.Duration `json:"retryIn,omitempty"`   // a Retry-After header, in whole seconds; default: none, as Kii Cloud
}

// EveryTime is Fault.Times of a fault without an end.
const EveryTime = math.MaxInt

// A FaultKind is how a call goes wrong.
type FaultKind string

// The kinds of a [Fault].
const (
	// FaultDelay does nothing but wait: the call is handled and answered as usual after Fault.Delay.
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
	FaultRefused FaultKind = "refused"
	// FaultNoAnswer breaks the connection in place of the answer. With Fault.Handled the answer is
	// lost on its way, else the call was.
	FaultNoAnswer FaultKind = "no-answer"
	// FaultCut breaks the connection in the middle of the body.
	FaultCut FaultKind = "cut"
	// FaultEndless answers 200 with JSON that never ends.
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

// Validate says what is wrong with the fault, or returns nil.
func (f Fault) Validate() error {
	switch {
	case f.Operation != "" && !slices.Contains(Operations(), f.Operation):
		return errors.New("kiitest: Fault.Operation is none of Operations")
	case f.Nth < 0 || f.Times < 0 || f.Delay < 0 || f.RetryIn < 0:
		return errors.New("kiitest: Fault.Nth, Times, Delay and RetryIn cannot be negative")
	case !slices.Contains(FaultKinds(), f.Kind):
		return errors.New("kiitest: Fault.Kind is none of FaultKinds")
	case f.Kind == FaultDelay && f.Delay == 0:
		return errors.New("kiitest: Fault.Delay of a FaultDelay is not set")
	case f.Kind == FaultStatus && (f.Status < 200 || f.Status > 599):
		return errors.New("kiitest: Fault.Status of a FaultStatus must be 200 to 599")
	case f.ErrorCode != "" && (f.Status == http.StatusNoContent || f.Status == http.StatusNotModified):
		return errors.New("kiitest: Fault.ErrorCode needs a Fault.Status that can have a body")
	case f.Kind == FaultRefused && f.Handled:
		return errors.New("kiitest: Fault.Handled of a FaultRefused: what was refused cannot be handled")
	case f.Kind == FaultRedirect && f.Status != 0 && (f.Status < 300 || f.Status > 399):
		return errors.New("kiitest: Fault.Status of a FaultRedirect must be 300 to 399")
	}
	return nil
}

// String describes the fault in a line.
func (f Fault) String() string {
	where := string(f.Operation)
	if where == "" {
		where = "any call"
	}
	text := fmt.Sprintf("%s on %s number %d", f.Kind, where, max(1, f.Nth))
	if f.Kind == FaultStatus {
		text += fmt.Sprintf(" (%d %s)", f.Status, f.ErrorCode)
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

// Inject makes calls go wrong. Where several faults are due on a call, it meets the one that was
// injected first, and the others wait for the next call. It panics where a fault is malformed; a
// program that takes faults from a person asks [Fault.Validate] first.
func (s *Server) Inject(faults ...Fault) {
	s.checkHome("Inject")
	for _, f := range faults {
		if err := f.Validate(); err != nil {
			panic(err.Error())
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		s.faults = append(s.faults, &pendingFault{Fault: f})
	}
}

// Faults returns the faults that are still to be met. Nth and Times are what is left of them.
func (s *Server) Faults() []Fault {
	s.checkHome("Faults")
	s.mu.Lock()
	defer s.mu.Unlock()
	var left []Fault
	for _, f := range s.faults {
		rest := f.Fault
		rest.Nth = max(1, max(1, f.Nth)-f.seen)
		if f.Times != EveryTime {
			rest.Times = max(1, f.Times) - f.met
		}
		left = append(left, rest)
	}
	return left
}

// ClearFaults takes back all faults that are still to be met.
func (s *Server) ClearFaults() {
	s.checkHome("ClearFaults")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
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

// meet counts a call and returns the fault that it meets, or nil.
func (s *Server) meet(c *call) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
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

// isAbout tells whether the call names the user: in its path, as the one who logs in, or by a token.
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
	_, credentials, _ := strings.Cut(c.header.Get("Authorization"), " ")
	for _, shown := range []string{credentials, c.grant.refreshToken} {
		if t := s.tokens[shown]; t != nil && t.account == wanted {
			return true
		}
	}
	l := s.links[c.link]
	return l != nil && l.account == wanted
}
