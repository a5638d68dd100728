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

// Test22EveryPageIsAccessible looks at each page in both themes, on a narrow phone and on a desktop.
func Test22EveryPageIsAccessible(t *testing.T) {
	t.Parallel()
	needBrowser(t)
	source := axe(t)
	for _, theme := range []string{"light", "dark"} {
		for _, width := range []int64{320, 1280} {
			t.Run(fmt.Sprint(theme, width), func(t *testing.T) {
				t.Parallel()
				url := start(t)
				b := open(t, url)
				b.run(chromedp.EmulateViewport(width, 800))
				call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
					Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}},
				})
				look := func(name string) {
					t.Helper()
					if wide := eval[int64](b, "document.documentElement.scrollWidth"); wide > width {
						t.Errorf("%s is %d pixels wide", name, wide)
					}
					b.photograph(fmt.Sprintf("%s-%s-%d.png", name, theme, width))
					if width > 320 {
						return // axe has read the same page in the other width
					}
					b.run(chromedp.Evaluate[chromedp.Void](source))
					findings, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](`axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}).then(r =>
						r.violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.target.join() + ' ' + n.failureSummary)))`, chromedp.EvalAwaitPromise))
					if err != nil {
						t.Fatal(err)
					}
					for _, finding := range findings {
						t.Errorf("%s: %s", name, finding)
					}
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
				look("sent-sms")
				b.ask(phone, "SMS_PIN")
				pin := pinOf(t, url)
				look("code")
				b.submit(send)
				look("code-error")
				b.fillCode("000000"[:len(pin)-1]+"x", newPassword)
				b.submit(send)
				look("code-refused")
				b.run(chromedp.Click(chromedp.CSS("[data-shows]")))
				b.fillCode(pin, newPassword)
				look("code-shown")
				b.submit(send)
				look("success")
				b.login(email, newPassword)
				look("profile")
				b.submit(send)
				look("logged-out")
				b.visit("/demo")
				look("demo")
				for i := 0; !strings.Contains(b.text(), "Too many requests"); i++ {
					b.ask(fmt.Sprint("someone", i, "@example.com"), "EMAIL")
				}
				look("too-often")
				b.mu.Lock()
				defer b.mu.Unlock()
				for _, problem := range b.problems {
					t.Errorf("the browser complains: %s", problem)
				}
			})
		}
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
