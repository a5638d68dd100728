package emulator

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-kii/kii/kiitest"
)

// A faultView is a fault that waits for its call, in words.
type faultView struct {
	ID   int
	Text string
}

// A faultsView is the page of faults.
type faultsView struct {
	frame
	Faults  []faultView
	Presets []preset
	Fields  []field
	Open    bool // the form, because it is wrong
}

// A preset is a fault that one press adds.
type preset struct {
	Name  string
	Label string
	Text  string
	fault kiitest.Fault
}

var presets = []preset{
	{
		"sms-lost", "Lose the answer", "The next request for a reset sends its message, and the app gets no answer.",
		kiitest.Fault{Operation: kiitest.OpRequestReset, Kind: kiitest.FaultNoAnswer, Handled: true},
	},
	{"503", "503 once", "The next call is answered 503 and does nothing.", kiitest.Fault{Kind: kiitest.FaultStatus, Status: http.StatusServiceUnavailable, ErrorCode: "TEMPORARY_UNAVAILABLE"}},
	{"rate-limit", "Rate limit", "The next call is answered 429, as Kii Cloud does: without a body.", kiitest.Fault{Kind: kiitest.FaultRateLimit}},
	{"slow", "Slow by 5 s", "The next call is answered as usual, after 5 seconds.", kiitest.Fault{Kind: kiitest.FaultDelay, Delay: 5 * time.Second}},
	{"html", "Hotel network", "The next call gets 200 and a web page that is not Kii Cloud's.", kiitest.Fault{Kind: kiitest.FaultHTML}},
	{"down", "Down for good", "The connection of every call breaks, until you remove this fault.", kiitest.Fault{Kind: kiitest.FaultRefused, Times: kiitest.EveryTime}},
}

var faultTexts = map[kiitest.FaultKind]string{
	kiitest.FaultDelay:       "is answered as usual, but later",
	kiitest.FaultStatus:      "is answered with a status and an errorCode",
	kiitest.FaultRateLimit:   "is answered 429 without a body, the rate limit",
	kiitest.FaultHTML:        "is answered 200 and a web page, as in a hotel's network",
	kiitest.FaultRedirect:    "is redirected to another host",
	kiitest.FaultRefused:     "breaks before it is handled",
	kiitest.FaultNoAnswer:    "breaks in place of its answer",
	kiitest.FaultCut:         "gets half of its answer",
	kiitest.FaultEndless:     "gets an answer without an end",
	kiitest.FaultGzipBomb:    "gets a megabyte that unpacks to a gigabyte",
	kiitest.FaultContentType: "is answered as text/plain",
}

// faultText says in words what a fault does, to which call and of whom.
func (e *emulator) faultText(f kiitest.Fault) string {
	of := ""
	if f.User != "" {
		of = " of " + f.User
		if a, known := e.srv.Account(f.User); known {
			of = " of " + nameOf(a)
		}
	}
	call := strings.TrimSpace(string(f.Operation) + " call")
	var b strings.Builder
	switch nth, always := max(1, f.Nth), f.Times == kiitest.EveryTime; {
	case always && nth == 1:
		fmt.Fprintf(&b, "Every %s%s", call, of)
	case always:
		fmt.Fprintf(&b, "Every %s%s from number %d on", call, of, nth)
	case f.Times > 1 && nth == 1:
		fmt.Fprintf(&b, "Each of the next %d %ss%s", f.Times, call, of)
	case f.Times > 1:
		fmt.Fprintf(&b, "Each of %d %ss%s from number %d on", f.Times, call, of, nth)
	case nth == 1:
		fmt.Fprintf(&b, "The next %s%s", call, of)
	default:
		fmt.Fprintf(&b, "Number %d of the next %ss%s", nth, call, of)
	}
	switch f.Kind {
	case kiitest.FaultStatus:
		b.WriteString(" is answered " + strings.TrimSpace(strconv.Itoa(f.Status)+" "+f.ErrorCode))
	case kiitest.FaultDelay:
		b.WriteString(" is answered as usual")
	default:
		b.WriteString(" " + faultTexts[f.Kind])
	}
	if f.Delay > 0 {
		b.WriteString(", after " + duration(f.Delay).String())
	}
	if f.Handled {
		b.WriteString("; it takes effect")
	}
	return b.String() + "."
}

func faultFields() []field {
	kinds := []choice{}
	for _, kind := range kiitest.FaultKinds() {
		kinds = append(kinds, choice{string(kind), "the call " + faultTexts[kind]})
	}
	operations := []choice{{"", "any"}}
	for _, o := range kiitest.Operations() {
		operations = append(operations, choice{string(o), string(o)})
	}
	return []field{
		{Name: "kind", Label: "What goes wrong", Type: "select", Choices: kinds, Value: string(kiitest.FaultStatus)},
		{Name: "operation", Label: "On which call", Type: "select", Choices: operations},
		{Name: "user", Label: "Only of the user", Placeholder: "ID or address", Hint: "Empty: of anybody."},
		{Name: "nth", Label: "From which one on", Mode: "numeric", Value: "1", Hint: "1 is the next."},
		{
			Name: "times", Label: "How many times", Mode: "numeric", Value: "1",
			Also: []field{{Name: "always", Label: "Every time from then on", Type: "checkbox"}},
		},
		{Name: "status", Label: "Status", Mode: "numeric", Value: "503", Hint: "For “a status”, and for a redirect."},
		{Name: "errorCode", Label: "errorCode", Placeholder: "TEMPORARY_UNAVAILABLE", Hint: "For “a status”."},
		{Name: "delay", Label: "Delay", Placeholder: "5s", Hint: "In real time, before anything else; before the answer of a call that takes effect in any case."},
		{Name: "handled", Label: "The call takes effect in any case", Type: "checkbox"},
	}
}

func (e *emulator) faultsPage(r *http.Request) faultsView {
	v := faultsView{frame: e.newFrame(r, "/faults", "Faults"), Presets: presets, Fields: faultFields()}
	for _, f := range e.srv.Faults() {
		v.Faults = append(v.Faults, faultView{f.ID, e.faultText(f)})
	}
	return v
}

func (e *emulator) showFaults(w http.ResponseWriter, r *http.Request) error {
	render(w, http.StatusOK, "faults", e.faultsPage(r))
	return nil
}

func (e *emulator) formFault(w http.ResponseWriter, r *http.Request) error {
	for _, p := range presets {
		if p.Name == r.PostForm.Get("preset") {
			if _, err := e.inject(p.fault); err != nil {
				return err
			}
			return redirectBack(w, r, "/faults", "fault-added")
		}
	}
	if _, err := e.injectForm(formReader{form: r.PostForm}); err != nil {
		v := e.faultsPage(r)
		v.refuse(err, labels(v.Fields))
		v.Fields, v.Open = fill(v.Fields, r.PostForm, v.Wrong), true
		render(w, statusOf(err), "faults", v)
		return nil
	}
	return redirectBack(w, r, "/faults", "fault-added")
}

// injectForm adds the fault of a form. The form's other fields are left from another kind.
func (e *emulator) injectForm(form formReader) (kiitest.Fault, error) {
	f := kiitest.Fault{
		Operation: kiitest.Operation(form.text("operation")), Kind: kiitest.FaultKind(form.text("kind")), Nth: form.number("nth"), Times: form.number("times"),
		User: form.text("user"), Delay: form.duration("delay"), Handled: form.form.Has("handled"),
	}
	if form.form.Has("always") {
		f.Times = kiitest.EveryTime
	}
	switch f.Kind {
	case kiitest.FaultStatus:
		f.Status, f.ErrorCode = form.number("status"), form.text("errorCode")
	case kiitest.FaultRedirect:
		if f.Status = form.number("status"); f.Status/100 != 3 {
			f.Status = 0
		}
	}
	if err := form.with(e.checkFault(f)); err != nil {
		return f, err
	}
	return e.inject(f)
}

func (e *emulator) formRemoveFault(w http.ResponseWriter, r *http.Request) error {
	id, err := parseID(r.PostForm.Get("id"), "fault")
	if err != nil {
		return err
	}
	if !e.srv.RemoveFault(id) {
		return notFound("fault; a call may have met it")
	}
	return redirectBack(w, r, "/faults", "fault-removed")
}

func (e *emulator) formClearFaults(w http.ResponseWriter, r *http.Request) error {
	n := len(e.srv.Faults())
	if e.ask(w, r, plural(n, "fault")+" will be removed.", "Remove "+plural(n, "fault"), "/faults") {
		return nil
	}
	e.srv.ClearFaults()
	return redirectBack(w, r, "/faults", "faults-removed", "n", strconv.Itoa(n))
}
