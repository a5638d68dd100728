package webapp_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/go-kii/kii/test/e2e"
)

// The account of the demo that can reset.
const (
	email       = "alice@example.com"
	phone       = "+819012345678"
	oldPassword = "old-password"
	newPassword = "seven quiet otters"
)

// send is the button of a page's form; the others are for something else.
const send = `main form [type="submit"]:not(.link)`

var (
	program = sync.OnceValues(build)
	chrome  = sync.OnceValue(launch)
	folder  string
)

func TestMain(m *testing.M) {
	code := func() int {
		var err error
		if folder, err = os.MkdirTemp("", "webapp-e2e-"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(folder)
		code := m.Run()
		if launched != nil {
			_ = chromedp.Cancel(launched)
		}
		return code
	}()
	os.Exit(code)
}

func build() (string, error) {
	path := filepath.Join(folder, "webapp")
	out, err := exec.Command("go", "-C", "../../../examples/webapp", "build", "-o", path).CombinedOutput() // a module of its own
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
}

// launched is the one browser process, in which each test has a profile of its own.
var launched context.Context

func launch() context.Context {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(filepath.Join(folder, "profile")),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("ignore-certificate-errors", true), // the test's own certificate
	)
	allocator, _ := chromedp.NewExecAllocator(context.Background(), options...)
	launched, _ = chromedp.NewContext(allocator)
	if err := chromedp.Do(launched); err != nil {
		panic(err)
	}
	return launched
}

// needBrowser skips a test on a machine without chromium; where CI runs it must not be missing.
func needBrowser(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("chromium"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("chromium is not installed")
		}
		t.Skip("chromium is not installed: apt-get install chromium")
	}
}

// start runs the program until the test ends, and returns its URL.
func start(t *testing.T, args ...string) string {
	t.Helper()
	return startStoppable(t, args...).url
}

// A server is the program, which can be restarted at the same address.
type server struct {
	t    *testing.T
	args []string
	url  string
	stop func()
}

func startStoppable(t *testing.T, args ...string) *server {
	t.Helper()
	needBrowser(t)
	s := &server{t: t, args: append([]string{"-listen", e2e.Address(t)}, args...)}
	s.start()
	t.Cleanup(func() { s.stop() })
	return s
}

func (s *server) start() {
	s.t.Helper()
	path, err := program()
	if err != nil {
		s.t.Fatal(err)
	}
	var line string
	line, s.stop = launchProgram(s.t, path, s.args...)
	s.url = strings.TrimSpace(line)
}

func (s *server) restart() {
	s.t.Helper()
	s.stop()
	s.start()
}

// run runs a program until the test ends, and returns its first line.
func run(t *testing.T, path string, args ...string) string {
	t.Helper()
	line, stop := launchProgram(t, path, args...)
	t.Cleanup(stop)
	return line
}

func launchProgram(t *testing.T, path string, args ...string) (firstLine string, stop func()) {
	t.Helper()
	cmd := exec.Command(path, args...)
	cmd.Env = []string{}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	firstLine, err = lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	return firstLine, func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the program did not end well: %v", err)
		}
	}
}

// startTLS is start with a certificate of the test's.
func startTLS(t *testing.T) string {
	t.Helper()
	lender := httptest.NewTLSServer(http.NotFoundHandler())
	pair := lender.TLS.Certificates[0]
	lender.Close()
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, keyFile: {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	addr := e2e.Address(t)
	return start(t, "-listen", addr, "-url", "https://"+addr, "-cert", certFile, "-key", keyFile)
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
	case *log.EventEntryAdded:
		if strings.HasPrefix(e.Entry.Text, "Failed to load resource: the server responded with a status of 4") && !strings.Contains(e.Entry.URL, "/static/") {
			return // a page with an error in it
		}
		r.problems = append(r.problems, e.Entry.Text)
	case *runtime.EventExceptionThrown:
		r.problems = append(r.problems, e.ExceptionDetails.Text)
	}
}

// A tab is a browser of its own, with no cookie of another, unless it was opened by another.
type tab struct {
	t   *testing.T
	ctx context.Context
	url string
	record
}

func open(t *testing.T, url string) *tab {
	t.Helper()
	needBrowser(t)
	return openIn(t, url, chrome(), chromedp.WithNewBrowserContext())
}

// another opens one more tab of the same browser, with its cookies.
func (b *tab) another() *tab {
	b.t.Helper()
	return openIn(b.t, b.url, b.ctx)
}

func openIn(t *testing.T, url string, parent context.Context, options ...chromedp.ContextOption) *tab {
	t.Helper()
	b := &tab{t: t, url: url}
	ctx, closeTab := chromedp.NewContext(parent, append(options, chromedp.WithListener(b.note))...)
	t.Cleanup(closeTab)
	if err := chromedp.Do(ctx); err != nil { // without a deadline, which would be the tab's
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	b.ctx = ctx
	call(b, network.Enable, network.EnableParams{})
	call(b, log.Enable, cdp.Empty{})
	return b
}

func (b *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
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

func (b *tab) visit(path string) { b.t.Helper(); b.run(chromedp.Navigate(b.url + path)) }

// submit clicks a button, and waits for the page that follows.
func (b *tab) submit(button string) {
	b.t.Helper()
	if _, err := chromedp.RunResponse(b.ctx, chromedp.Click(chromedp.CSS(button))); err != nil {
		b.t.Fatal(err)
	}
}

// eval returns what an expression is in the page.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatal(err)
	}
	return value
}

func (b *tab) path() string {
	b.t.Helper()
	return eval[string](b, "location.pathname+location.search")
}
func (b *tab) text() string { b.t.Helper(); return eval[string](b, "document.body.innerText") }

func (b *tab) want(part string) {
	b.t.Helper()
	if text := b.text(); !strings.Contains(text, part) {
		b.t.Fatalf("the page at %s does not say %q", b.path(), part)
	}
}

// ask fills in the first page.
func (b *tab) ask(account, method string) {
	b.t.Helper()
	b.visit("/forgot")
	b.run(chromedp.Clear(chromedp.CSS("#account")), chromedp.SendKeys(chromedp.CSS("#account"), account), chromedp.Click(chromedp.CSS(`[value="`+method+`"]`)))
	b.submit(send)
}

// again presses the button for another message, even if it is hidden.
func (b *tab) again() {
	b.t.Helper()
	b.press(`document.querySelector('[action="/forgot/again"]').requestSubmit()`)
}

// press runs a script that leads to another page, and waits for that.
func (b *tab) press(script string) {
	b.t.Helper()
	if _, err := chromedp.RunResponse(b.ctx, chromedp.Evaluate[chromedp.Void](script)); err != nil {
		b.t.Fatal(err)
	}
}

// newPIN is the code of the newest message, once the panel shows that it is pending.
func (b *tab) newPIN() string {
	b.t.Helper()
	b.run(chromedp.WaitReady(chromedp.CSS("#newest code")))
	return eval[string](b, "document.querySelector('#newest code').innerText")
}

// forget makes the browser lose a cookie.
func (b *tab) forget(cookie string) {
	b.t.Helper()
	call(b, network.DeleteCookies, network.DeleteCookiesParams{Name: cookie, URL: b.url})
}

func (b *tab) fillCode(pin, password string) {
	b.t.Helper()
	b.run(
		chromedp.Clear(chromedp.CSS("#code")), chromedp.SendKeys(chromedp.CSS("#code"), pin),
		chromedp.SendKeys(chromedp.CSS("#password"), password),
	)
}

func (b *tab) login(account, password string) {
	b.t.Helper()
	b.visit("/login")
	b.run(chromedp.Clear(chromedp.CSS("#account")), chromedp.SendKeys(chromedp.CSS("#account"), account), chromedp.SendKeys(chromedp.CSS("#password"), password))
	b.submit(send)
}

// anyCertificate trusts the test's own one.
var anyCertificate = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}

// sent reads what matches on the demo page, as often as it takes for a first match to be there.
func sent(t *testing.T, url, pattern string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/demo", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := anyCertificate.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(body), -1) {
			found = append(found, match[1])
		}
		if found != nil {
			return found
		}
	}
}

func pinOf(t *testing.T, url string) string {
	t.Helper()
	return sent(t, url, `Code: <code>([0-9]+)</code>`)[0]
}
