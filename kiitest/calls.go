package kiitest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	maxBody  = 128 << 10 // bytes of a request; Kii Cloud keeps less than 63 KB of a user
	maxCalls = 10_000    // in the log; the oldest go first
	maxKept  = 4 << 10   // bytes of a request's path, query, header and body in the log each, and of an answer's body
)

// A Call is a request that the server got and what it answered. It prints without its path,
// headers, bodies and reason, which hold secrets and accounts.
type Call struct {
	ID        int         `json:"id"` // counts from 1
	Time      time.Time   `json:"time"`
	Operation Operation   `json:"operation,omitempty"` // empty: no call that the server knows
	Method    string      `json:"method"`
	Path      string      `json:"path"`   // as it was sent, escapes included; its first 4 KB
	Query     string      `json:"query"`  // as it was sent; its first 4 KB
	Header    http.Header `json:"header"` // its first 4 KB, by name
	Body      []byte      `json:"body"`   // its first 4 KB
	Status    int         `json:"status"` // 0: no answer was sent
	ErrorCode string      `json:"errorCode,omitempty"`
	Fault     FaultKind   `json:"fault,omitempty"` // that it met; empty: none

	AnswerHeader http.Header   `json:"answerHeader"` // without what net/http adds
	AnswerBody   []byte        `json:"answerBody"`   // its first 4 KB
	Duration     time.Duration `json:"duration"`     // in nanoseconds, from the call's arrival to its answer, without the delay of a Handled fault

	// Why says in a sentence what the status leaves open: why the call was refused, or what a call
	// that succeeded ended or ignored. It may name accounts, and holds no password, code or token.
	// It is for people: the wording may change.
	Why string `json:"why,omitempty"`

	MessageIDs []int `json:"messageIDs,omitempty"` // of the messages that the call sent
}

// Format prints the operation and how it ended, whatever the verb.
func (c Call) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "Call{%d %s %s %d %s}", c.ID, c.Method, c.Operation, c.Status, c.ErrorCode)
}

func (c Call) clone() Call {
	c.Header, c.AnswerHeader = c.Header.Clone(), c.AnswerHeader.Clone()
	c.Body, c.AnswerBody = slices.Clone(c.Body), slices.Clone(c.AnswerBody)
	c.MessageIDs = slices.Clone(c.MessageIDs)
	return c
}

// Calls returns the calls of the given operations, or all calls, oldest first. The server keeps at
// least the last 9,000.
func (s *Server) Calls(of ...Operation) []Call {
	defer s.lock("Calls")()
	s.checkOperations("Calls", of)
	var found []Call
	for _, c := range s.calls {
		if len(of) == 0 || slices.Contains(of, c.Operation) {
			found = append(found, c.clone())
		}
	}
	return found
}

// LatestCalls returns the newest calls of the given operations, or of all, newest first and at most
// limit of them. total is how many there are.
func (s *Server) LatestCalls(limit int, of ...Operation) (part []Call, total int) {
	defer s.lock("LatestCalls")()
	s.checkOperations("LatestCalls", of)
	for _, c := range slices.Backward(s.calls) {
		if len(of) > 0 && !slices.Contains(of, c.Operation) {
			continue
		}
		if total++; len(part) < limit {
			part = append(part, c.clone())
		}
	}
	return part, total
}

// Call returns a call by its ID, if the server still keeps it.
func (s *Server) Call(id int) (Call, bool) {
	defer s.lock("Call")()
	i, found := slices.BinarySearchFunc(s.calls, id, func(c Call, id int) int { return c.ID - id })
	if !found {
		return Call{}, false
	}
	return s.calls[i].clone(), true
}

// ClearCalls forgets the calls that the log holds. Their numbers are not used again.
func (s *Server) ClearCalls() {
	defer s.lock("ClearCalls")()
	s.calls = nil
}

// checkOperations reports to a strict server's test an operation that no call can have.
func (s *Server) checkOperations(method string, of []Operation) {
	for _, o := range of {
		if !slices.Contains(Operations(), o) {
			s.strict.report("%s: there is no operation %q; there are %s", method, o, commaList(Operations()))
		}
	}
}

// log keeps what was asked and answered.
func (s *Server) log(c *call, a answer) {
	if len(s.calls) == maxCalls {
		s.calls = slices.Delete(s.calls, 0, maxCalls/10) // a tenth at once, so that most calls move nothing
	}
	kept := Call{
		ID: c.id, Time: c.now, Operation: c.operation, Method: c.request.Method, Path: firstKB(c.path), Query: firstKB(c.request.URL.RawQuery),
		Header: firstHeaders(c.header), Body: slices.Clone(firstKB(c.body)), Status: a.status, ErrorCode: a.code, Fault: c.fault,
		AnswerHeader: a.header.Clone(), AnswerBody: slices.Clone(firstKB(a.body)), Duration: time.Since(c.began),
		Why: strings.Join(c.why, "; "), MessageIDs: c.sent,
	}
	s.calls = append(s.calls, kept)
}

// firstKB returns as much of a text as the log keeps.
func firstKB[T ~string | ~[]byte](text T) T { return text[:min(maxKept, len(text))] }

// firstHeaders returns as much of a header as the log keeps: values in the order of their names,
// the last of them cut.
func firstHeaders(h http.Header) http.Header {
	kept, left := make(http.Header), maxKept
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			if left -= len(name); left <= 0 {
				return kept
			}
			value = value[:min(left, len(value))]
			kept[name] = append(kept[name], value)
			left -= len(value)
		}
	}
	return kept
}

// A call is a request while it is handled.
type call struct {
	server    *Server
	request   *http.Request
	header    http.Header
	path      string // escaped
	body      []byte
	began     time.Time // by the machine's clock
	operation Operation
	route     *route
	app       string // the path's app; empty: none
	user      string // the path's user, unescaped
	link      string // the path's link
	grant     grant  // the body of a call of the token endpoint
	id        int    // in the log
	now       time.Time
	principal *account // the token's user; nil without a token, and with one of no user
	admin     bool     // whether the token is an administrator's
	odd       []string // what a strict server says of the call
	why       []string // what the log says of the answer
	sent      []int    // the IDs of the messages that it sent
	fault     FaultKind
}

// String names the call without what is secret in it.
func (c *call) String() string {
	if c.route == nil {
		return c.request.Method + " of a path that is no call of the user API"
	}
	return c.request.Method + " " + c.route.path
}

// remark notes what a strict server should say. What it says holds no secret and no account.
func (c *call) remark(format string, args ...any) {
	c.odd = append(c.odd, fmt.Sprintf(format, args...))
}

// because notes why the call is answered as it is. What it says holds no password, code or token.
// The call is nil if a Go method does what a call would do.
func (c *call) because(format string, args ...any) {
	if c != nil {
		c.why = append(c.why, fmt.Sprintf(format, args...))
	}
}
