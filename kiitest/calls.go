package kiitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	maxBody  = 128 << 10 // bytes of a request; Kii Cloud keeps less than 63 KB of a user
	maxCalls = 10_000    // in the log; the oldest go first
	maxKept  = 4 << 10   // bytes of a request's body in the log
)

// A Call is a request that the server got and what it answered. It prints without its path, headers
// and body, which hold secrets.
type Call struct {
	ID        int         `json:"id"` // counts from 1
	Time      time.Time   `json:"time"`
	Operation Operation   `json:"operation,omitempty"` // empty: no call that the server knows
	Method    string      `json:"method"`
	Path      string      `json:"path"`  // as it was sent, escapes included
	Query     string      `json:"query"` // likewise
	Header    http.Header `json:"header"`
	Body      []byte      `json:"body"`   // its first 4 KB
	Status    int         `json:"status"` // 0: no answer was sent
	ErrorCode string      `json:"errorCode,omitempty"`
	Fault     FaultKind   `json:"fault,omitempty"` // that it met; empty: none
}

// Format prints the operation and how it ended, whatever the verb.
func (c Call) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "Call{%d %s %s %d %s}", c.ID, c.Method, c.Operation, c.Status, c.ErrorCode)
}

// Calls returns the calls of the given operations, or all calls, oldest first. The server keeps the
// last 9,000 at least.
func (s *Server) Calls(of ...Operation) []Call {
	s.checkHome("Calls")
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []Call
	for _, c := range s.calls {
		if len(of) == 0 || slices.Contains(of, c.Operation) {
			c.Header = c.Header.Clone()
			c.Body = slices.Clone(c.Body)
			found = append(found, c)
		}
	}
	return found
}

// logged puts a call in the log.
func (s *Server) logged(c *call, a answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.called++
	if len(s.calls) == maxCalls {
		s.calls = slices.Delete(s.calls, 0, maxCalls/10) // a tenth at once, so that most calls move nothing
	}
	status := a.status
	if a.lost != nil {
		status = 0
	}
	s.calls = append(s.calls, Call{
		ID: s.called, Time: s.now(), Operation: c.operation, Method: c.request.Method, Path: c.path, Query: c.request.URL.RawQuery,
		Header: c.header.Clone(), Body: slices.Clone(c.body[:min(maxKept, len(c.body))]), Status: status, ErrorCode: a.code, Fault: c.fault,
	})
}

// A call is a request while it is handled.
type call struct {
	server    *Server
	request   *http.Request
	header    http.Header
	path      string // escaped
	body      []byte
	operation Operation
	route     *route
	app       string // the path's app; empty: none
	user      string // the path's user, unescaped
	link      string // the path's link
	grant     grant  // the body, where the call is one of the token endpoint
	now       time.Time
	principal *account // the token's user; nil without a token, and with an anonymous one
	odd       []string // what a strict server says of the call
	fault     FaultKind
}

// String names the call without what is secret in it.
func (c *call) String() string {
	if c.route == nil {
		return c.request.Method + " of a path that is no call of the user API"
	}
	return c.request.Method + " " + c.route.path
}

// remark notes what a strict server should say. What it says holds no secret.
func (c *call) remark(format string, args ...any) {
	c.odd = append(c.odd, fmt.Sprintf(format, args...))
}

// object reads the body as a JSON object. The call documents the given fields.
func (c *call) object(documented ...string) (object, *answer) {
	o, refused := c.anyObject()
	if refused != nil {
		return nil, refused
	}
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if slices.Contains(documented, name) {
			continue
		}
		c.remark("sends a JSON field that the call does not document: %s", namely(name))
		if !c.server.Assumes(UnknownFieldsAreIgnored) {
			return nil, new(invalidInput("The body has an unknown field"))
		}
	}
	return o, nil
}

// anyObject reads the body as a JSON object with whatever fields.
func (c *call) anyObject() (object, *answer) {
	var o object
	if err := json.Unmarshal(c.body, &o); err != nil || o == nil || !utf8.Valid(c.body) {
		return nil, new(invalidJSON())
	}
	return o, nil
}

// namely repeats a field's name where it is one, and no value in the wrong place.
func namely(name string) string {
	if made(name, 1, 40, "_") && !strings.ContainsAny(name, "0123456789") {
		return name
	}
	return "(not a name)"
}

// texts reads the body as a JSON object whose documented fields are strings. A null or missing one is
// not in the map.
func (c *call) texts(documented ...string) (map[string]string, *answer) {
	body, refused := c.object(documented...)
	if refused != nil {
		return nil, refused
	}
	texts := make(map[string]string)
	for _, name := range documented {
		text, given, refused := body.text(name)
		if refused != nil {
			return nil, refused
		}
		if given {
			texts[name] = text
		}
	}
	return texts, nil
}

// form reads the body as a form.
func (c *call) form() (object, *answer) {
	values, err := url.ParseQuery(string(c.body))
	if err != nil {
		return nil, new(invalidInput("The body is not a form"))
	}
	o := make(object)
	for name := range values {
		encoded, _ := json.Marshal(values.Get(name)) // a string always encodes
		o[name] = encoded
	}
	return o, nil
}

// An object is a JSON object whose values were not looked at.
type object map[string]json.RawMessage

// text returns a field that must be a string; a null or missing one is absent.
func (o object) text(name string) (value string, present bool, refused *answer) {
	raw := o[name]
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return "", false, nil
	}
	if err := json.Unmarshal(raw, &value); err != nil {
		return "", false, new(invalidInput("A field must be a string: " + name))
	}
	return value, true, nil
}

// hasType tells whether the body is of one of the content types.
func (c *call) hasType(types ...string) bool {
	t, _, _ := mime.ParseMediaType(c.header.Get("Content-Type"))
	return slices.ContainsFunc(types, func(one string) bool { return strings.EqualFold(one, t) })
}
