package emulator_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/go-kii/kii"
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

// findings is what axe finds, incomplete contrasts but for those that it cannot see included.
const findings = `axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then((r) =>
	r.violations.flatMap((v) => v.nodes.map((n) => v.id + ": " + n.target.join() + " " + n.failureSummary)))`

// contrasts finds text with a contrast below 4.5 and fields and buttons with a border below 3.
const contrasts = `(() => {
	const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
	const known = new Map();
	const rgba = (color) => { if (!known.has(color)) known.set(color, painted(color)); return known.get(color); };
	const painted = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
	const light = ([r, g, b]) => { const [x, y, z] = [r, g, b].map((c) => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; }); return 0.2126 * x + 0.7152 * y + 0.0722 * z; };
	const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
	const ground = (e) => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; } return [255, 255, 255, 255]; };
	const shown = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0 && !e.closest(".unseen, .skip");
	const faded = (e) => { for (; e; e = e.parentElement) if (getComputedStyle(e).opacity !== "1") return true; return false; };
	const bad = [];
	for (const e of document.querySelectorAll("body *")) {
		if (!shown(e)) continue;
		const text = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
		if (text && (faded(e) || ratio(rgba(getComputedStyle(e).color), ground(e)) < 4.5)) bad.push("text " + e.className + " " + e.textContent.trim().slice(0, 30));
		if (e.matches("input:not([type=checkbox], [type=hidden]), select")) {
			if (ratio(rgba(getComputedStyle(e).borderTopColor), ground(e.parentElement)) < 3) bad.push("border of " + e.name);
			const hint = getComputedStyle(e, "::placeholder");
			if (e.placeholder && (hint.opacity !== "1" || ratio(rgba(hint.color), ground(e)) < 4.5)) bad.push("placeholder of " + e.name);
		}
	}
	return bad;
})()`

// sticksOut finds what is wider than the part of the page that holds it, or is cut off.
const sticksOut = `[...document.querySelectorAll("main *, header *")].filter((e) => e.checkVisibility() && !e.closest(".unseen, pre, .skip, dialog, .sheet")).flatMap((e) => {
	const r = e.getBoundingClientRect(), box = (e.closest(".card, .empty, .messages, .calls, .scroll") || document.documentElement).getBoundingClientRect();
	return r.width > 0 && (r.right > box.right + 1 || r.left < box.left - 1) && !e.closest(".text summary, .head") ? [e.nodeName + "." + e.className + " " + (e.name || e.textContent.trim().slice(0, 20))] : [];
})`

// menusOut opens each menu and finds those that leave the screen.
const menusOut = `[...document.querySelectorAll("details.menu")].flatMap((menu) => {
	menu.open = true;
	const r = menu.querySelector(".sheet").getBoundingClientRect();
	menu.open = false;
	return r.left < 0 || r.right > innerWidth || r.width < 100 ? [menu.textContent.trim().slice(0, 20)] : [];
})`

// TestEveryPageIsWhatOneWouldShowAFriend looks at every page with 0, 3, 500 and 10,000 messages, on
// four screens, in both themes and in forced colours. With SCREENSHOTS set to a folder it leaves
// pictures there.
func TestEveryPageIsWhatOneWouldShowAFriend(t *testing.T) {
	t.Parallel()
	source := axe(t)
	empty, full := start(t), start(t, "-seed", seedFile(t))
	fill(t, full)
	look(t, source, empty, "0", "/", "/users", "/users/_new", "/calls", "/faults", "/settings", "/nothing")
	pages := []string{"/", "/messages/1", "/messages/4", "/users", "/users/bob", "/calls", "/calls/5", "/faults", "/settings", "/?q=is:expired"}
	look(t, source, full, "some", pages...)
	send(t, full, 497)
	look(t, source, full, "500", "/", "/?before=300")
	send(t, full, 9_500)
	look(t, source, full, "10000", "/", "/calls")
}

// fill makes messages and calls of each kind.
func fill(t *testing.T, origin string) {
	t.Helper()
	user := client(t, origin).User
	_ = user.ResetPassword(t.Context(), "hanako@example.com", kii.NotificationEmail)
	send(t, origin, 3)
	post(t, origin+"/emulator/v1/faults", `{"kind":"status","status":503,"errorCode":"TEMPORARY_UNAVAILABLE","operation":"complete-reset"}`)
	_ = user.CompleteResetPassword(t.Context(), "LOGIN_NAME:alice", "999999", nil)
	_ = user.ResetPassword(t.Context(), "nobody@example.com", kii.NotificationEmail)
	_ = user.ResetPassword(t.Context(), "carol.with.a.rather.long.address@department.example.com", kii.NotificationEmail)
	_, _ = user.Login(t.Context(), "alice@example.com", "old-pass")
	_ = user.CompleteResetPassword(t.Context(), "LOGIN_NAME:alice", "999999", nil)
	post(t, origin+"/emulator/v1/faults", `{"kind":"no-answer","handled":true,"user":"alice","operation":"request-reset","always":true,"nth":20000}`)
	post(t, origin+"/emulator/v1/faults", `{"kind":"delay","delay":"100ms","operation":"login"}`)
	post(t, origin+"/emulator/v1/users/bob/send", `{"kind":"reset-pin"}`)
	post(t, origin+"/emulator/v1/clock", `{"advance":"10m"}`)
	send(t, origin, 1)
}

func look(t *testing.T, source, origin, count string, paths ...string) {
	t.Helper()
	b := open(t, origin)
	for _, width := range []int64{1280, 768, 390, 320} {
		for _, path := range paths {
			b.emulate(width, 900)
			b.visit(path)
			if wide := eval[int64](b, "document.documentElement.scrollWidth"); wide > width {
				t.Errorf("%s at %d is %d wide", path, width, wide)
			}
			for _, out := range eval[[]string](b, sticksOut) {
				t.Errorf("%s at %d: %s sticks out", path, width, out)
			}
			for _, out := range eval[[]string](b, menusOut) {
				t.Errorf("%s at %d: the menu %s leaves the screen", path, width, out)
			}
			for _, theme := range []string{"light", "dark", "forced"} {
				name := fmt.Sprintf("%s %s %d %s", count, path, width, theme)
				if theme == "forced" {
					b.emulate(width, 900, "forced-colors", "active")
				} else {
					b.emulate(width, 900, "prefers-color-scheme", theme)
					if width == 1280 || width == 320 {
						b.contrasts(name)
					}
				}
				b.photograph(strings.NewReplacer("/", "_", "?", "_", " ", "-").Replace(name), count == "some")
			}
			if width == 1280 || width == 320 { // axe reads the same page in between
				b.run("axe", chromedp.Evaluate[chromedp.Void](source))
				for _, finding := range unique(eval[[]string](b, findings)) {
					t.Errorf("%s at %d: %s", path, width, finding)
				}
			}
		}
	}
}

// contrasts fails the test for what cannot be read.
func (b *tab) contrasts(name string) {
	b.t.Helper()
	for _, bad := range unique(eval[[]string](b, contrasts)) {
		b.t.Errorf("%s: the contrast is too low: %s", name, bad)
	}
}

func unique(all []string) []string { return slices.Compact(slices.Sorted(slices.Values(all))) }
