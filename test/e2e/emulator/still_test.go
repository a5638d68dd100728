package emulator_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/go-kii/kii/test/e2e"
)

// TestEveryTabFollowsTheEmulator watches each page while a message comes.
func TestEveryTabFollowsTheEmulator(t *testing.T) {
	t.Parallel()
	origin := start(t, "-seed", seedFile(t))
	b := open(t, origin)
	for i, path := range []string{"/", "/users", "/users/bob", "/calls", "/faults", "/settings", "/messages/1", "/?q=is:used"} {
		b.visit(path)
		send(t, origin, 1)
		b.until(fmt.Sprintf(`document.querySelector("#tabs .count").textContent === "%d" && document.title.startsWith("(%d)")`, i+1, i+1))
	}
	b.visit("/messages/8")
	b.until(`!document.querySelector("#neighbours [rel=prev]")`)
	send(t, origin, 1)
	b.until(`document.querySelector("#neighbours [rel=prev]")?.textContent === "Newer: 9"`)
}

// TestTheTitleCountsWhatCameBehindAnotherTab and is as before when the tab is in front again.
func TestTheTitleCountsWhatCameBehindAnotherTab(t *testing.T) {
	t.Parallel()
	origin := start(t, "-seed", seedFile(t))
	send(t, origin, 1)
	b := open(t, origin)
	b.visit("/users")
	turn := func(hidden bool) {
		b.run("turn", chromedp.Evaluate[chromedp.Void](fmt.Sprintf(
			`Object.defineProperty(document, "hidden", { value: %t, configurable: true }); document.dispatchEvent(new Event("visibilitychange"));`, hidden)))
	}
	turn(true)
	send(t, origin, 2)
	b.until(`document.title === "(2 new) Users · Kii emulator"`)
	turn(false)
	b.until(`document.title === "(3) Users · Kii emulator"`)
}

// TestTheFocusStaysWhereItIs when rows and counts change.
func TestTheFocusStaysWhereItIs(t *testing.T) {
	t.Parallel()
	origin := start(t, "-seed", seedFile(t))
	send(t, origin, 3)
	b := open(t, origin)
	b.visit("/")
	sent := 3
	for _, selector := range []string{"#m3 .copy", "#m2 .secret a", "#m1 [data-open]", "#m2 summary", "#m1 .danger", "#tabs a:nth-child(2)", "#tabs a[aria-current]", "#clock button", "#q"} {
		b.run("the focus", chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector(%q).focus()`, selector)))
		send(t, origin, 1)
		sent++
		b.until(fmt.Sprintf(`document.getElementById("m%d") !== null && document.querySelector("#tabs .count").textContent === "%d"`, sent, sent))
		if !eval[bool](b, fmt.Sprintf(`document.activeElement === document.querySelector(%q)`, selector)) {
			t.Errorf("the focus went from %s to %s", selector, b.focused())
		}
	}
	b.run("the focus on a row that is deleted goes to the next", chromedp.Evaluate[chromedp.Void](`document.querySelector("#m5 .danger").focus()`))
	b.press(kb.Enter)
	b.until(`!document.getElementById("m5")`)
	b.until(`document.activeElement.closest("#m4") !== null`)
}

// TestNoRowMovesUnderThePointer while messages come, change and go.
func TestNoRowMovesUnderThePointer(t *testing.T) {
	t.Parallel()
	origin := start(t, "-seed", seedFile(t))
	send(t, origin, 120)
	b := open(t, origin)
	top := func(selector string) float64 {
		t.Helper()
		return eval[float64](b, fmt.Sprintf(`document.querySelector(%q).getBoundingClientRect().top`, selector))
	}
	comes := func(n int) {
		t.Helper()
		send(t, origin, 1)
		b.until(fmt.Sprintf(`document.querySelector("#tabs .count").textContent === "%d" && document.getElementById("news").textContent.startsWith("1 new message")`, n))
	}

	b.visit("/")
	b.point("#m118 .danger")
	before := top("#m118")
	comes(121)
	if now := top("#m118"); now != before || eval[bool](b, `!document.querySelector("#m118 .danger").matches(":hover")`) {
		t.Errorf("the row below the pointer went from %v to %v", before, now)
	}
	if state := eval[string](b, `document.querySelector("#m120 .state").textContent`); state != "replaced" {
		t.Errorf("a row that stays does not change: %s", state)
	}
	b.photograph("news", false)
	b.point("h1 + form button")
	b.until(`document.getElementById("m121") !== null && document.getElementById("news").hidden`)

	b.run("scrolled", chromedp.Evaluate[chromedp.Void](`scrollTo(0, 1500)`))
	before = top("#m90")
	comes(122)
	if now := top("#m90"); now != before {
		t.Errorf("the list moved from %v to %v although it was scrolled", before, now)
	}
	b.run("the button shows it", chromedp.Click(chromedp.CSS("#news")))
	b.until(`document.getElementById("m122") !== null && scrollY === 0`)

	before = top("#m119")
	b.run("a press moves nothing either", chromedp.Click(chromedp.CSS("#expire-119 button")), chromedp.WaitVisible(`//p[@id="toast" and text()="Message 119 is expired."]`), chromedp.WaitVisible(`//li[@id="m119"]//span[text()="expired"]`))
	if now := top("#m119"); now != before {
		t.Errorf("the row that was pressed went from %v to %v", before, now)
	}

	b.visit("/?before=60")
	before = top("#m59")
	comes(123)
	if now := top("#m59"); now != before {
		t.Errorf("a page of older messages moved from %v to %v", before, now)
	}
	b.run("the button leads to the newest", chromedp.Click(chromedp.CSS("#news")), chromedp.WaitVisible(chromedp.CSS("#m123")))
}

// TestOpenRowsAndSelectedTextStay while the list goes on.
func TestOpenRowsAndSelectedTextStay(t *testing.T) {
	t.Parallel()
	origin := start(t, "-seed", seedFile(t))
	send(t, origin, 2)
	b := open(t, origin)
	for path, rows := range map[string]string{"/": "m", "/calls": "c"} {
		b.visit(path)
		count := eval[int](b, `document.querySelectorAll("[data-row]").length`)
		first := "#" + rows + "1"
		b.run("a row is opened and its text selected", chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`(() => {
			document.querySelector("%[1]s details").open = true;
			getSelection().selectAllChildren(document.querySelector("%[1]s pre, %[1]s .whole"));
		})()`, first)))
		selected := eval[string](b, `getSelection().toString()`)
		send(t, origin, 1)
		b.until(fmt.Sprintf(`document.querySelectorAll("[data-row]").length === %d`, count+1))
		if now := eval[string](b, `getSelection().toString()`); now != selected || selected == "" {
			t.Errorf("%s: the selection of %d characters has %d", path, len(selected), len(now))
		}
		if !eval[bool](b, fmt.Sprintf(`document.querySelector("%s details").open`, first)) {
			t.Errorf("%s: the row is closed", path)
		}
	}
}

// TestCopyingWorksWithoutAClipboard as on plain http from another machine.
func TestCopyingWorksWithoutAClipboard(t *testing.T) {
	t.Parallel()
	origin := start(t, "-seed", seedFile(t))
	send(t, origin, 2)
	b := open(t, origin)
	b.visit("/")
	b.run("no clipboard", chromedp.Evaluate[chromedp.Void](`Object.defineProperty(navigator, "clipboard", { value: undefined }); document.execCommand = () => false;`))
	for _, row := range []string{"#m2", "#m1"} {
		b.run("copied", chromedp.Click(chromedp.CSS(row+" .copy")))
		b.until(fmt.Sprintf(`document.activeElement.matches("input[readonly]") && document.activeElement.value === document.querySelector("%[1]s .copy").dataset.copy && document.activeElement.selectionStart === 0 && document.activeElement.selectionEnd === document.activeElement.value.length && document.querySelector("%[1]s .copy").textContent === "Press Ctrl-C"`, row))
	}
	b.run("copied by the old way", chromedp.Evaluate[chromedp.Void](`document.execCommand = () => { window.copied = getSelection().toString() || document.activeElement.value; return true; }`), chromedp.Click(chromedp.CSS("#m2 .copy")))
	b.until(`window.copied === document.querySelector("#m2 .copy").dataset.copy && document.activeElement === document.querySelector("#m2 .copy")`)
}

// TestTheListHasKeys that go through it, and can be switched off.
func TestTheListHasKeys(t *testing.T) {
	t.Parallel()
	origin := start(t, "-seed", seedFile(t))
	send(t, origin, 3)
	b := open(t, origin)
	b.visit("/")
	for _, step := range []struct{ key, then string }{
		{"j", `document.activeElement.closest("#m3")`},
		{"j", `document.activeElement.closest("#m2")`},
		{"k", `document.activeElement.closest("#m3")`},
		{"c", `document.querySelector("#m3 .copy").textContent !== "Copy"`},
		{"/", `document.activeElement.id === "q"`},
		{"j", `document.activeElement.value.endsWith("j")`},
	} {
		b.press(step.key)
		b.until(step.then)
	}
	b.visit("/")
	b.press("?")
	b.until(`document.getElementById("keys").open`)
	b.photograph("keys", false)
	b.run("the keys are switched off", chromedp.Click(chromedp.CSS("#keys-on")), chromedp.Click(`//dialog[@id="keys"]//button`))
	b.press("j")
	b.visit("/")
	b.press("j")
	if eval[bool](b, `document.activeElement.closest("[data-row]") !== null`) {
		t.Error("a key works that was switched off")
	}
}

// TestThePageTellsWhyItHasNothingToShow apart from an emulator that is gone.
func TestThePageTellsWhyItHasNothingToShow(t *testing.T) {
	t.Parallel()
	origin := start(t, "-seed", seedFile(t))
	send(t, origin, 1)
	b := open(t, origin)
	b.visit("/messages/1")
	api[any](t, "DELETE", origin+"/emulator/v1/messages/1", "")
	b.until(`document.getElementById("trouble").textContent.includes("There is no such message") && document.getElementById("lost").hidden`)
	b.visit("/?q=is:nonsense")
	send(t, origin, 1)
	b.until(`document.querySelector("#notices").textContent.includes("wants one of")`)
	if !eval[bool](b, `document.getElementById("lost").hidden`) {
		t.Error("a filter that makes no sense passes for an emulator that is gone")
	}
}

// TestThePageHealsWhenTheEmulatorIsBack at the same address.
func TestThePageHealsWhenTheEmulatorIsBack(t *testing.T) {
	t.Parallel()
	program, address, addrFile := filepath.Join(folder, "kii-emulator"), e2e.Address(t), filepath.Join(t.TempDir(), "addr")
	first := exec.Command(program, "-addr", address, "-addr-file", addrFile)
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	for ready := false; !ready && t.Context().Err() == nil; {
		_, err := os.Stat(addrFile)
		ready = err == nil
	}
	b := open(t, "http://"+address)
	b.visit("/users")
	_ = first.Process.Kill()
	_ = first.Wait()
	b.until(`!document.getElementById("lost").hidden`)
	again := exec.Command(program, "-addr", address)
	if err := again.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Process.Signal(os.Interrupt); _ = again.Wait() }()
	b.until(`document.getElementById("lost").hidden`)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = nil // the browser says that the connection was refused, as it was
}
