package emulator_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is the one process, in which each test has a profile of its own.
var (
	browser      = sync.OnceValue(launch)
	closeBrowser = func() {}
)

func launch() context.Context {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(filepath.Join(folder, "profile")),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1280, 900))
	allocator, closeAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	launched, closeTab := chromedp.NewContext(allocator)
	if err := chromedp.Do(launched); err != nil {
		panic(err)
	}
	closeBrowser = func() { closeTab(); closeAllocator() }
	return launched
}

// A record is what a browser did beyond what it shows.
type record struct {
	mu       sync.Mutex
	requests []string
	problems []string // on the console, violations of the content policy included
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
		if strings.HasPrefix(e.Entry.Text, "Failed to load resource: the server responded with a status of 4") && !strings.Contains(e.Entry.URL, "/assets/") {
			return // a page with an error in it
		}
		r.problems = append(r.problems, e.Entry.Text)
	}
}

// A tab is a browser of its own, with no cookie of another.
type tab struct {
	t      *testing.T
	ctx    context.Context
	origin string
	record
}

// open opens a tab for an emulator. When the test ends it fails if the page has loaded something
// from elsewhere, or complained.
func open(t *testing.T, origin string) *tab {
	t.Helper()
	if _, err := exec.LookPath("chromium"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("chromium is not installed")
		}
		t.Skip("chromium is not installed: apt-get install chromium")
	}
	b := &tab{t: t, origin: origin}
	ctx, closeTab := chromedp.NewContext(browser(), chromedp.WithNewBrowserContext(), chromedp.WithListener(b.note))
	t.Cleanup(func() { b.check(); closeTab() })
	if err := chromedp.Do(ctx); err != nil { // without a deadline, which would be the tab's
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	b.ctx = ctx
	call(b, network.Enable, network.EnableParams{})
	call(b, log.Enable, cdp.Empty{})
	call(b, runtime.Enable, cdp.Empty{})
	return b
}

func (b *tab) check() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.requests) == 0 {
		b.t.Error("no request was recorded")
	}
	for _, url := range slices.Compact(slices.Sorted(slices.Values(b.requests))) {
		if !strings.HasPrefix(url, b.origin+"/") {
			b.t.Errorf("the page loads %s", url)
		}
	}
	for _, p := range b.problems {
		b.t.Errorf("the browser complains: %s", p)
	}
}

func (b *tab) run(what string, actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

// call sends a command of the browser's protocol.
func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	result, err := chromedp.Call(b.ctx, command, params)
	if err != nil {
		b.t.Fatal(err)
	}
	return result
}

func (b *tab) visit(path string) {
	b.t.Helper()
	b.run(path, chromedp.Navigate(b.origin+path), chromedp.WaitVisible(chromedp.CSS("main")))
}

// eval returns what an expression is in the page, or what its promise comes to.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// until waits until an expression holds in the page.
func (b *tab) until(expression string) {
	b.t.Helper()
	if !eval[bool](b, fmt.Sprintf(`(async () => {
		for (let i = 0; i < 400; i++) { if (%s) return true; await new Promise((wake) => setTimeout(wake, 25)); }
		return false; })()`, expression)) {
		b.t.Fatalf("it does not come to %s; the focus is on %s", expression, b.focused())
	}
}

// focused names what has the focus.
func (b *tab) focused() string {
	b.t.Helper()
	return eval[string](b, `(document.activeElement.getAttribute("aria-label") || document.activeElement.textContent.trim().slice(0, 60) || document.activeElement.nodeName) + (document.activeElement.id && " #" + document.activeElement.id)`)
}

// emulate sets the screen and what the visitor's system prefers.
func (b *tab) emulate(width, height int64, features ...string) {
	b.t.Helper()
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 500})
	media := emulation.SetEmulatedMediaParams{}
	for i := 0; i < len(features); i += 2 {
		media.Features = append(media.Features, &emulation.MediaFeature{Name: features[i], Value: features[i+1]})
	}
	call(b, emulation.SetEmulatedMedia, media)
}

// point moves the mouse to the middle of an element.
func (b *tab) point(selector string) {
	b.t.Helper()
	at := eval[[]float64](b, fmt.Sprintf(`(() => { const r = document.querySelector(%q).getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()`, selector))
	call(b, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseMoved, X: at[0], Y: at[1]})
}

// press sends a key to what has the focus.
func (b *tab) press(key string) {
	b.t.Helper()
	b.run(key, chromedp.KeyEvent(key))
}

// photograph keeps a picture if SCREENSHOTS names a folder.
func (b *tab) photograph(name string, whole bool) {
	b.t.Helper()
	pictures := os.Getenv("SCREENSHOTS")
	if pictures == "" {
		return
	}
	take := chromedp.CaptureScreenshot()
	if whole {
		take = chromedp.FullScreenshot(100)
	}
	picture, err := chromedp.Run(b.ctx, take)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(pictures, name+".png"), picture, 0o600); err != nil {
		b.t.Fatal(err)
	}
}
