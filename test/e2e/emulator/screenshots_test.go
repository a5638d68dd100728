package emulator_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/go-kii/kii"
)

// seedFile writes a seed with users of each kind.
func seedFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "seed.json")
	seed := `{
  "settings": {"resetFlow": "INPUT"},
  "users": [
    {"loginName": "alice", "email": "alice@example.com", "emailVerified": true, "phone": "+819012341234", "phoneVerified": true, "password": "old-pass"},
    {"loginName": "bob", "displayName": "Bob", "email": "bob@example.com", "phone": "+14085550100", "phoneVerified": true, "password": "bobs-pass"},
    {"displayName": "Carol <b>with tags</b>", "email": "carol.with.a.rather.long.address@department.example.com", "emailVerified": true},
    {"loginName": "dave", "email": "dave@example.com", "emailVerified": true, "password": "daves-pass", "disabled": true}
  ]
}`
	if err := os.WriteFile(name, []byte(seed), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestNoPageIsWiderThanItsScreen looks at every page with 0, 3 and 500 messages, in both themes and on a phone.
// With SCREENSHOTS set to a folder it leaves pictures there.
func TestNoPageIsWiderThanItsScreen(t *testing.T) {
	origin := start(t)
	ctx, _ := browse(t)
	look(t, ctx, origin, "0", "/", "/calls")

	origin = start(t, "-seed", seedFile(t))
	c := client(t, origin)
	send := func(n int) {
		t.Helper()
		for i := range n {
			method := []kii.NotificationMethod{kii.NotificationEmail, kii.NotificationSMS, kii.NotificationSMSPIN}[i%3]
			if err := c.User.ResetPassword(t.Context(), "LOGIN_NAME:alice", method); err != nil {
				t.Fatal(err)
			}
		}
	}
	send(3)
	post(t, origin+"/emulator/v1/faults", `{"kind":"status","status":503,"errorCode":"TEMPORARY_UNAVAILABLE","operation":"complete-reset"}`)
	_ = c.User.CompleteResetPassword(t.Context(), "LOGIN_NAME:alice", "999999", nil)
	_ = c.User.ResetPassword(t.Context(), "nobody@example.com", kii.NotificationEmail)
	post(t, origin+"/emulator/v1/faults", `{"kind":"no-answer","handled":true}`)
	look(t, ctx, origin, "3", "/", "/users", "/calls", "/faults", "/settings", "/?q=is:expired")
	remove(t, origin+"/emulator/v1/faults")
	send(497)
	post(t, origin+"/emulator/v1/clock", `{"advance":"24h"}`)
	look(t, ctx, origin, "500", "/")
}

func look(t *testing.T, ctx context.Context, origin, count string, paths ...string) {
	t.Helper()
	for _, screen := range []struct {
		name          string
		width, height int64
	}{{"desk", 1280, 900}, {"phone", 360, 780}} {
		for _, theme := range []string{"light", "dark"} {
			for i, path := range paths {
				emulate(t, ctx, screen.width, screen.height, screen.name == "phone", theme)
				do(t, ctx, path, chromedp.Navigate(origin+path), chromedp.WaitVisible(chromedp.CSS("main")))
				width := ask(t, ctx, chromedp.Evaluate[int64]("innerWidth"))
				content := ask(t, ctx, chromedp.Evaluate[int64]("document.documentElement.scrollWidth"))
				picture := ask(t, ctx, chromedp.CaptureScreenshot())
				if content > screen.width || width > screen.width {
					t.Errorf("%s with %s messages is %d wide on a screen of %d", path, count, content, screen.width)
				}
				if folder := os.Getenv("SCREENSHOTS"); folder != "" {
					name := fmt.Sprintf("%s-%d-%s-%s.png", count, i, screen.name, theme)
					if err := os.WriteFile(filepath.Join(folder, name), picture, 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}

func emulate(t *testing.T, ctx context.Context, width, height int64, mobile bool, theme string) {
	t.Helper()
	metrics := emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: mobile}
	if _, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, metrics); err != nil {
		t.Fatal(err)
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, url string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
}

func post(t *testing.T, url, body string) {
	t.Helper()
	r, err := http.Post(url, "application/json", bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode >= 300 {
		t.Fatalf("the emulator answers %d", r.StatusCode)
	}
}
