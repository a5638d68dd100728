package emulator

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-kii/kii/kiitest"
)

const (
	maxKept  = 4 << 10 // bytes of a call's path, query, headers and body each: kiitest keeps no more
	longName = 100     // bytes of a header's name; kiitest drops a header whose name does not fit
	allCalls = 10_000  // as many as kiitest keeps
)

// A callFilter chooses calls. An empty field lets everything through.
type callFilter struct {
	operation kiitest.Operation
	errors    bool   // only what was refused, had no answer, or met a fault
	text      string // in the path, the code, the reason or a body, in upper or lower case
}

// findCalls returns the newest calls that the filter lets through, at most limit of them. total is
// how many there are.
func (e *emulator) findCalls(f callFilter, limit int) (found []kiitest.Call, total int) {
	var of []kiitest.Operation
	if f.operation != "" {
		of = append(of, f.operation)
	}
	if !f.errors && f.text == "" {
		return e.srv.LatestCalls(limit, of...)
	}
	all, _ := e.srv.LatestCalls(allCalls, of...)
	for _, c := range all {
		if f.errors && !failed(c) || !f.inText(c) {
			continue
		}
		if total++; len(found) < limit {
			found = append(found, c)
		}
	}
	return found, total
}

// inText reports whether the call holds the text. A + in a query comes as a space.
func (f callFilter) inText(c kiitest.Call) bool {
	text := strings.ToLower(strings.TrimSpace(f.text))
	return strings.Contains(callText(c), text) || strings.Contains(callText(c), strings.ReplaceAll(text, " ", "+"))
}

// callText is what a search looks at.
func callText(c kiitest.Call) string {
	path, err := url.PathUnescape(c.Path)
	if err != nil {
		path = c.Path
	}
	return strings.ToLower(strings.Join([]string{c.Method, string(c.Operation), path, c.ErrorCode, c.Why, string(c.Body), string(c.AnswerBody)}, "\n"))
}

// callThatSent returns the call that sent a message, or nil.
func (e *emulator) callThatSent(m kiitest.Message) *callView {
	calls, _ := e.srv.LatestCalls(allCalls)
	for _, c := range calls {
		if slices.Contains(c.MessageIDs, m.ID) {
			v := e.viewCall(c, "/calls")
			return &v
		}
	}
	return nil
}

// whole reports whether the log kept all of the call.
func whole(c kiitest.Call) bool {
	return max(len(c.Path), len(c.Query), len(headText(c.Header))+longName, len(c.Body)) < maxKept
}

// curlOf is a command that sends the call again.
func (e *emulator) curlOf(c kiitest.Call) string {
	var b strings.Builder
	b.WriteString("curl -i")
	if c.Method != http.MethodGet && (c.Method != http.MethodPost || len(c.Body) == 0) {
		b.WriteString(" -X " + shellQuoted(c.Method))
	}
	for line := range strings.SplitSeq(strings.TrimSpace(headText(c.Header)), "\n") {
		name, _, _ := strings.Cut(line, ":")
		if !slices.Contains([]string{"", "Content-Length", "Accept-Encoding", "Connection", "User-Agent", "Traceparent"}, name) {
			b.WriteString(" \\\n  -H " + shellQuoted(line))
		}
	}
	if len(c.Body) > 0 {
		b.WriteString(" \\\n  --data-binary " + shellQuoted(string(c.Body)))
	}
	b.WriteString(" \\\n  " + shellQuoted(e.bound.origin+requestPath(c)))
	return b.String()
}

func requestPath(c kiitest.Call) string {
	if c.Query == "" {
		return c.Path
	}
	return c.Path + "?" + c.Query
}

// shellQuoted is a word that no shell changes.
func shellQuoted(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

// replay sends a call of the log again and returns the new one.
func (e *emulator) replay(ctx context.Context, id int) (kiitest.Call, error) {
	c, found := e.srv.Call(id)
	if !found {
		return c, notFound("call")
	}
	if !whole(c) {
		return c, problemf(http.StatusConflict, "the log keeps %d bytes of a call's path, query, headers and body each, and this one has more, so it cannot be sent again", maxKept)
	}
	r, err := http.NewRequestWithContext(ctx, c.Method, strings.TrimSuffix(string(e.srv.Site()), "/api")+requestPath(c), bytes.NewReader(c.Body))
	if err != nil {
		return c, problemf(http.StatusConflict, "the call cannot be sent again")
	}
	r.Header = c.Header
	before := e.newestCall()
	if answer, err := e.srv.Transport().RoundTrip(r); err == nil { // without an answer, as a fault asks for, the call is in the log too
		_, _ = io.CopyN(io.Discard, answer.Body, maxBody)
		answer.Body.Close()
	}
	calls, _ := e.srv.LatestCalls(allCalls)
	for _, one := range slices.Backward(calls) {
		if one.ID > before && one.Method == c.Method && one.Path == c.Path && one.Query == c.Query && bytes.Equal(one.Body, c.Body) {
			return one, nil
		}
	}
	return c, problemf(http.StatusConflict, "the call was sent again and is not in the log")
}

func (e *emulator) newestCall() int {
	if newest, _ := e.srv.LatestCalls(1); len(newest) > 0 {
		return newest[0].ID
	}
	return 0
}
