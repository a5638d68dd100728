package emulator_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// A record is what a browser did beyond what it shows.
type record struct {
	mu       sync.Mutex
	requests []string
	problems []string // on the console, content policy violations included
}

func (r *record) note(event any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		r.requests = append(r.requests, e.Request.URL)
	case *runtime.EventExceptionThrown:
		r.problems = append(r.problems, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		r.problems = append(r.problems, "console."+string(e.Type))
	case *log.EventEntryAdded:
		r.problems = append(r.problems, e.Entry.Text)
	}
}

// check fails the test if the page loaded something from elsewhere, or complained.
func (r *record) check(t *testing.T, origin string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.requests) == 0 {
		t.Error("no request was recorded")
	}
	for _, url := range slices.Compact(slices.Sorted(slices.Values(r.requests))) {
		if !strings.HasPrefix(url, origin+"/") {
			t.Errorf("the page loads %s", url)
		}
	}
	for _, p := range r.problems {
		t.Errorf("the browser complains: %s", p)
	}
}
