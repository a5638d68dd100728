package kiitest

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
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
	Times     int           `json:"times,omitempty"`     // how many calls from the Nth on; default: 1
	Kind      FaultKind     `json:"kind"`
	Delay     time.Duration `json:"delay,omitempty"`     // before anything else; ends early with the request's context
	Handled   bool          `json:"handled,omitempty"`   // the call takes effect, whatever it gets for an answer
	Status    int           `json:"status,omitempty"`    // of FaultStatus; of FaultRedirect: default 307
	ErrorCode string        `json:"errorCode,omitempty"` // of FaultStatus; empty: no body
	Location  string        `json:"location,omitempty"`  // of FaultRedirect; default: https://elsewhere.invalid/
	RetryIn   time.Duration `json:"retryIn,omitempty"`   // of FaultStatus and FaultRateLimit, a Retry-After header in whole seconds; default: none, as Kii Cloud
}

// A FaultKind is how a call goes wrong.
type FaultKind string

// The kinds.
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
	if f.Times > 1 {
		text += fmt.Sprintf(", %d times", f.Times)
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
		rest.Times = max(1, f.Times) - f.met
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
		if f.Operation != "" && f.Operation != c.operation {
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

// wait delays the call, or returns the error of the context that ended meanwhile.
func (f *Fault) wait(ctx context.Context) error {
	if f == nil || f.Delay == 0 {
		return nil
	}
	return sleep(ctx, f.Delay)
}

// handles tells whether the call takes effect.
func (f *Fault) handles() bool {
	return f == nil || f.Handled || f.Kind == FaultDelay
}

// answer puts the fault's answer in place of the real one, which is empty where the call was not
// handled.
func (f *Fault) answer(a answer) answer {
	if f == nil {
		return a
	}
	const asJSON = "application/json"
	made := answer{status: http.StatusOK}
	made.set("Content-Type", asJSON)
	switch f.Kind {
	case FaultDelay:
		return a
	case FaultStatus:
		made = answer{status: f.Status}
		if f.ErrorCode != "" {
			made = failure(f.Status, "InjectedException", f.ErrorCode, "A fault of kiitest", nil)
		}
	case FaultRateLimit:
		made = answer{status: http.StatusTooManyRequests}
	case FaultHTML:
		made = answer{status: http.StatusOK, body: []byte("<!DOCTYPE html><title>Welcome</title><p>Please accept the terms of this network.</p>\n")}
		made.set("Content-Type", "text/html; charset=utf-8")
	case FaultRedirect:
		made = answer{status: http.StatusTemporaryRedirect}
		if f.Status != 0 {
			made.status = f.Status
		}
		made.set("Location", "https://elsewhere.invalid/")
		if f.Location != "" {
			made.set("Location", f.Location)
		}
	case FaultRefused:
		return answer{lost: refusedDial()}
	case FaultNoAnswer:
		return answer{lost: brokenConnection()}
	case FaultCut:
		if len(a.body) > 1 {
			made = a
		} else {
			made.body = []byte(`{"cut":"in the middle of this"}`)
		}
		made.cut = true
	case FaultEndless:
		made.stream = io.MultiReader(bytes.NewReader([]byte(`{"endless":"`)), repeated{[]byte("and so on, ")})
	case FaultGzipBomb:
		made.body = gzipBomb()
		made.set("Content-Encoding", "gzip")
	case FaultContentType:
		if a.status != 0 {
			made = a
		} else {
			made.body = []byte("{}")
		}
		made.set("Content-Type", "text/plain")
	}
	if f.RetryIn > 0 {
		made.set("Retry-After", strconv.Itoa(int(f.RetryIn/time.Second)))
	}
	return made
}

// repeated reads the same for ever. The text is read whole only where the buffer is long enough.
type repeated struct{ text []byte }

func (r repeated) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		n += copy(p[n:], r.text)
	}
	return n, nil
}

// gzipBomb packs a gigabyte of blanks. A gzip file may consist of many, so one megabyte is packed
// and repeated.
func gzipBomb() []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write(bytes.Repeat([]byte(" "), 1<<20))
	w.Close()
	return bytes.Repeat(packed.Bytes(), 1<<10)
}
