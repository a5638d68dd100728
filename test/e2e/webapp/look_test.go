package webapp_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// axe returns the source of axe-core.
func axe(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile("../node_modules/axe-core/axe.min.js")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip("axe-core is not installed: run npm ci in test/e2e")
	}
	return string(source)
}

// Test22EveryPageIsAccessible looks at each page in both themes, on a narrow phone and on a
// desktop; axe reads it on the phone.
func Test22EveryPageIsAccessible(t *testing.T) {
	t.Parallel()
	needBrowser(t)
	source := axe(t)
	for _, theme := range []string{"light", "dark"} {
		t.Run(theme, func(t *testing.T) {
			t.Parallel()
			url := start(t)
			b := open(t, url)
			call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}},
			})
			look := func(name string) {
				t.Helper()
				for _, width := range []int64{1280, 320} {
					b.run(chromedp.EmulateViewport(width, 800))
					if wide := eval[int64](b, "document.documentElement.scrollWidth"); wide > width {
						t.Errorf("%s is %d pixels wide", name, wide)
					}
					b.photograph(fmt.Sprintf("%s-%s-%d.png", name, theme, width))
				}
				b.check(source, name)
			}

			b.visit("/login")
			look("login")
			b.submit(send)
			look("login-error")
			b.visit("/none")
			look("not-found")
			b.visit("/demo")
			look("demo-empty")
			b.visit("/forgot")
			look("forgot")
			b.submit(send)
			look("forgot-error")
			b.ask(email, "EMAIL")
			look("sent-email")
			b.ask(email, "SMS")
			b.again()
			look("sent-sms-early")
			b.ask(email, "SMS_PIN")
			look("code-used-up")
			b.ask(email, "EMAIL") // the same one again
			b.visit("/forgot")
			b.run(chromedp.Evaluate[chromedp.Void](`document.querySelector('[value="SMS_PIN"]').click()`))
			b.submit(send)
			look("asked-up")
			b.ask(phone, "SMS_PIN")
			pin := b.newPIN()
			look("code")
			b.submit(send)
			look("code-error")
			b.fillCode("000000", newPassword)
			b.submit(send)
			look("code-refused")
			b.run(chromedp.Click(chromedp.CSS("[data-shows]")))
			b.fillCode(pin, newPassword)
			look("code-shown")
			b.submit(send)
			look("success")
			b.login(email, newPassword)
			look("profile")
			b.visit("/profile/phone")
			look("phone")
			b.submit(`[action$="/change"] [type="submit"]`)
			look("phone-error")
			b.run(chromedp.Clear(chromedp.CSS("#address")), chromedp.SendKeys(chromedp.CSS("#address"), "090 1111 2222"), chromedp.SendKeys(chromedp.CSS("#password"), newPassword))
			b.submit(`[action$="/change"] [type="submit"]`)
			look("phone-asked")
			b.run(chromedp.SendKeys(chromedp.CSS("#code"), "000000"))
			b.submit(send)
			look("phone-refused")
			b.run(chromedp.Clear(chromedp.CSS("#code")), chromedp.SendKeys(chromedp.CSS("#code"), b.newPIN()))
			b.submit(send)
			look("phone-verified")
			b.visit("/profile")
			b.submit(send)
			look("logged-out")
			b.visit("/demo")
			look("demo")
			b.ask("someone@example.com", "SMS")
			b.forget("reset")
			b.visit("/forgot/sent")
			look("timeout")
			b.forget("visit")
			b.visit("/forgot/code?reset=AAAAAAAA")
			look("no-cookies")
			for i := 0; !strings.Contains(b.text(), "Too many requests"); i++ {
				b.ask(fmt.Sprint("someone", i, "@example.com"), "EMAIL")
			}
			look("too-often")
			b.quiet()
		})
	}
}

// check has axe look at the page.
func (b *tab) check(source, name string) {
	b.t.Helper()
	b.run(chromedp.Evaluate[chromedp.Void](source))
	findings, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](`axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}).then(r =>
		r.violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.target.join() + ' ' + n.failureSummary)))`, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, finding := range findings {
		b.t.Errorf("%s: %s", name, finding)
	}
}

// quiet fails the test if the browser complained of anything.
func (b *tab) quiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, problem := range b.problems {
		b.t.Errorf("the browser complains: %s", problem)
	}
}

// photograph keeps a picture of the whole page where SCREENSHOTS names a directory.
func (b *tab) photograph(name string) {
	b.t.Helper()
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), picture, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
