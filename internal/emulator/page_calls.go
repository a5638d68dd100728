package emulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-kii/kii/kiitest"
)

const shownCalls = 200 // on the page of calls

// A callView is a call as the list and its own page show it.
type callView struct {
	kiitest.Call
	Short    string // the path below the app
	Asked    string // headers and body
	Answered string
	Curl     string
	Took     string
	Failed   bool
	Whole    bool // the log kept all of it, so that it can be sent again
	Here     string
}

// A callsView is the page of calls.
type callsView struct {
	frame
	Query     string
	Errors    bool
	Operation string
	Calls     []callView
	All       int
	Limited   bool // there are older ones
	Filtered  bool
	Options   []kiitest.Operation
}

func (e *emulator) showCalls(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	v := callsView{
		frame: e.newFrame(r, "/calls", "Calls"), Query: strings.TrimSpace(query.Get("q")), Errors: query.Has("errors"), Operation: query.Get("operation"),
		Options: kiitest.Operations(),
	}
	v.Filtered = v.Query != "" || v.Errors || v.Operation != ""
	f := callFilter{errors: v.Errors, operation: kiitest.Operation(v.Operation), text: v.Query}
	if v.Operation != "" && !slices.Contains(v.Options, f.operation) {
		return problemf(http.StatusUnprocessableEntity, "operation must be one of %s", joinWords(v.Options))
	}
	calls, total := e.findCalls(f, shownCalls)
	_, v.All = e.srv.LatestCalls(0)
	v.Limited = total > len(calls)
	for _, c := range calls {
		v.Calls = append(v.Calls, e.viewCall(c, v.Here))
	}
	render(w, http.StatusOK, "calls", v)
	return nil
}

// A callDetail is the page of one call.
type callDetail struct {
	frame
	Call         callView
	Newer, Older int // the IDs of its neighbours; 0: none
}

func (e *emulator) showCall(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "call")
	if err != nil {
		return err
	}
	c, found := e.srv.Call(id)
	if !found {
		return notFound("call; it may have been cleared")
	}
	v := callDetail{frame: e.newFrame(r, "/calls", "Call "+strconv.Itoa(id))}
	v.Call = e.viewCall(c, v.Here)
	if _, there := e.srv.Call(id + 1); there {
		v.Newer = id + 1
	}
	if _, there := e.srv.Call(id - 1); there {
		v.Older = id - 1
	}
	render(w, http.StatusOK, "call", v)
	return nil
}

func (e *emulator) formClearCalls(w http.ResponseWriter, r *http.Request) error {
	_, total := e.srv.LatestCalls(0)
	if e.ask(w, r, plural(total, "call")+" will be gone from the list. What they did stays.", "Clear the list", "/calls") {
		return nil
	}
	e.srv.ClearCalls()
	return redirectBack(w, r, "/calls", "calls-cleared")
}

func (e *emulator) formReplay(w http.ResponseWriter, r *http.Request) error {
	id, err := parseID(r.PostForm.Get("id"), "call")
	if err != nil {
		return err
	}
	again, err := e.replay(r.Context(), id)
	if err != nil {
		return err
	}
	r.PostForm.Del("back")
	return redirectBack(w, r, "/calls/"+strconv.Itoa(again.ID), "replayed", "n", strconv.Itoa(again.ID))
}

func (e *emulator) viewCall(c kiitest.Call, here string) callView {
	return callView{
		Call: c, Short: e.shortPath(c.Path), Here: here,
		Asked:    headText(c.Header) + bodyText(c.Header.Get("Content-Type"), c.Body),
		Answered: headText(c.AnswerHeader) + bodyText(c.AnswerHeader.Get("Content-Type"), c.AnswerBody),
		Curl:     e.curlOf(c), Took: took(c.Duration), Failed: failed(c), Whole: whole(c),
	}
}

// shortPath is a call's path below the app, if it is one.
func (e *emulator) shortPath(path string) string {
	if rest, found := strings.CutPrefix(path, "/api/apps/"+url.PathEscape(e.srv.AppID())+"/"); found {
		return "/" + rest
	}
	return path
}

// failed reports whether a person looks for the call among the errors.
func failed(c kiitest.Call) bool { return c.Status == 0 || c.Status >= 400 || c.Fault != "" }

func statusClass(status int) string {
	if status == 0 {
		return "none"
	}
	return "s" + strconv.Itoa(status/100)
}

func took(d time.Duration) string {
	if d < time.Millisecond {
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	}
	return d.Round(time.Millisecond).String()
}

// headText writes headers as HTTP does, in order.
func headText(h http.Header) string {
	var b strings.Builder
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range h[name] {
			b.WriteString(name + ": " + value + "\n")
		}
	}
	return b.String()
}

// bodyText writes a body as a person reads it: JSON in lines.
func bodyText(contentType string, body []byte) string {
	switch {
	case len(body) == 0:
		return "\n(no body)"
	case !utf8.Valid(body):
		return "\n(a body that is not text)"
	case strings.Contains(contentType, "json"):
		var value any
		if json.Unmarshal(body, &value) == nil {
			return "\n" + indented(json.RawMessage(body))
		}
	}
	return "\n" + string(body)
}

func indented(value any) string {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		panic(err) // every value is the emulator's own
	}
	return string(text)
}
