package webapp_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

func TestWithCookiesOffAPageSaysSoAndNothingLoops(t *testing.T) {
	t.Parallel()
	needBrowser(t)
	source := axe(t)
	target := start(t)
	site, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	requests := 0
	proxy := httptest.NewServer(&httputil.ReverseProxy{ // a browser that keeps no cookie looks like this to the site
		Rewrite: func(r *httputil.ProxyRequest) { // keeps the site's own host
			r.SetURL(site)
			r.Out.Header.Del("Cookie")
			requests++
		},
		ModifyResponse: func(r *http.Response) error { r.Header.Del("Set-Cookie"); return nil },
	})
	defer proxy.Close()
	b := open(t, proxy.URL)
	b.ask(phone, "SMS_PIN")
	b.want("Cookies are needed")
	b.want("Nothing was changed")
	b.check(source, "no cookies")
	if got := len(sent(t, target, `Code: <code>([0-9]+)</code>`)); got != 1 {
		t.Errorf("%d messages were sent", got)
	}
	b.login(email, oldPassword)
	b.want("Cookies are needed")
	b.quiet()
}

func TestTwoTabsActOnWhatTheyShow(t *testing.T) {
	t.Parallel()
	url := start(t)
	first := open(t, url)
	second := first.another()
	first.ask(phone, "SMS_PIN")
	pin := pinOf(t, url)
	second.ask("carol@example.com", "SMS_PIN")
	second.want("Choose a new password")
	first.fillCode(pin, newPassword)
	first.submit(send)
	first.want("Your password is changed")
	if got := eval[string](second, "document.querySelector('#username').value"); got != "carol@example.com" {
		t.Errorf("the second tab shows %s", got)
	}
	second.fillCode(pin, newPassword+"!")
	second.submit(send)
	second.want("This did not work")
	first.login(email, newPassword)
	first.want("Your profile")
	first.quiet()
	second.quiet()
}

func TestAfterARestartThePageSaysSo(t *testing.T) {
	t.Parallel()
	site := startStoppable(t)
	b := open(t, site.url)
	b.ask(phone, "SMS_PIN")
	b.fillCode("123456", newPassword)
	site.restart()
	b.submit(send)
	b.want("Your time for this is up")
	b.want("Nothing was changed")
	b.submit(`main a[href="/forgot"]`)
	b.want("Forgot your password?") // the console tells that the site was down
}

func TestTheWaitEndsOnThePageWithoutLoss(t *testing.T) {
	t.Parallel()
	url := start(t)
	b := open(t, url)
	b.ask(phone, "SMS_PIN")
	visible := func() bool {
		return eval[bool](b, `document.querySelector('[action="/forgot/again"] button').checkVisibility()`)
	}
	if visible() {
		t.Error("there is a button that would do nothing")
	}
	b.want("You can ask again at")
	b.fillCode("12", newPassword)
	slept := time.Now()
	b.run(chromedp.Evaluate[chromedp.Void](`{ const now = Date.now; Date.now = () => now() + 60_000 }`)) // as after a sleep, in which timers stand still
	b.run(chromedp.WaitVisible(chromedp.CSS(`[action="/forgot/again"] button`)))
	if time.Since(slept) > 15*time.Second {
		t.Error("the button came only when as much time had passed again")
	}
	if got := eval[string](b, "document.querySelector('#password').value"); got != newPassword {
		t.Error("what was typed is lost")
	}
	if strings.Contains(b.text(), "You can ask again at") {
		t.Error("the page still says to wait")
	}
}

func TestTimesOfDayAreTheVisitors(t *testing.T) {
	t.Parallel()
	url := start(t, "-time-zone", "America/New_York")
	b := open(t, url)
	call(b, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Tokyo"})
	b.ask(phone, "SMS_PIN")
	got := eval[string](b, "document.querySelector('.wait time').innerText")
	at, err := time.Parse(time.RFC3339, eval[string](b, "document.querySelector('.wait time').dateTime"))
	if err != nil {
		t.Fatal(err)
	}
	want := at.In(time.FixedZone("", 9*60*60)).Format("3:04:05 PM")
	if strings.ReplaceAll(got, "\u202f", " ") != want && at.Second() != 0 {
		t.Errorf("it is %s and not %s", got, want)
	}
}

func TestEverythingWorksWithoutStyles(t *testing.T) {
	t.Parallel()
	url := start(t)
	b := open(t, url)
	call(b, network.SetBlockedURLs, network.SetBlockedURLsParams{URLPatterns: []*network.BlockPattern{{URLPattern: "*://*:*/static/*.css", Block: true}}})
	labels := func() {
		t.Helper()
		crowded := eval[[]string](b, `[...document.querySelectorAll('label')].filter(l => {
			const fields = [...document.querySelectorAll('input:not([type=radio]):not([type=hidden])')].filter(f => f.compareDocumentPosition(l) & Node.DOCUMENT_POSITION_FOLLOWING)
			return !l.closest('.choice') && fields.some(f => f.getBoundingClientRect().bottom > l.getBoundingClientRect().top + 1)
		}).map(l => l.innerText)`)
		for _, label := range crowded {
			t.Errorf("%s stands in the line of the field before", label)
		}
	}
	b.visit("/login")
	if eval[string](b, "getComputedStyle(document.body).display") != "block" {
		t.Fatal("there are styles")
	}
	labels()
	b.ask(phone, "SMS_PIN")
	labels()
	b.fillCode(pinOf(t, url), newPassword)
	b.submit(send)
	b.want("Your password is changed")
	b.login(email, newPassword)
	b.visit("/profile/email")
	labels()
	b.want("Your e-mail address")
}

// TestBesideTheEmulator goes through the whole flow on the emulator, and then with its portal set
// as it starts: the password that is typed is ignored, and the site does not speak of success.
func TestBesideTheEmulator(t *testing.T) {
	t.Parallel()
	needBrowser(t)
	source := axe(t)
	program := filepath.Join(t.TempDir(), "kii-emulator")
	if out, err := exec.Command("go", "-C", "../../..", "build", "-o", program, "./cmd/kii-emulator").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	line := run(t, program, "-addr", "127.0.0.1:0")
	emulator := strings.TrimRight(line[strings.Index(line, "http://"):], "/\n")
	url := start(t, "-emulator", emulator)
	b := open(t, url)
	beside := b.another()
	beside.url = emulator
	beside.visit("/")
	b.ask(email, "SMS_PIN")
	code := `Number(document.body.innerText.match(/#([0-9]{4,})/)?.[1] ?? 0)`
	beside.run(chromedp.Poll[chromedp.Void](code))
	pin := eval[string](beside, `document.body.innerText.match(/#([0-9]{4,})/)[1]`)
	b.fillCode(pin, newPassword)
	b.submit(send)
	b.want("Your password is changed")
	if got := eval[string](b, `document.querySelector('.panel a').href`); got != emulator+"/" {
		t.Errorf("the panel leads to %s", got)
	}

	patch(t, emulator+"/emulator/v1/settings", `{"resetFlow": "GENERATE"}`)
	b.forget("visit") // its count says that alice was asked for a moment ago
	b.ask(phone, "SMS_PIN")
	beside.run(chromedp.Poll[chromedp.Void](`document.body.innerText.match(/#([0-9]{4,})/)?.[1] != "` + pin + `"`))
	b.fillCode(eval[string](beside, `document.body.innerText.match(/#([0-9]{4,})/)[1]`), newPassword+"!")
	b.submit(send)
	b.want("Your code was accepted, but the password that you chose does not log you in")
	b.check(source, "mismatch")
	b.quiet()
}

func patch(t *testing.T, url, body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPatch, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status)
	}
}
