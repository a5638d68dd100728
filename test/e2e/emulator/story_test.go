package emulator_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/go-kii/kii"
)

const (
	phone    = "+819012341234"
	password = "old-pass"
)

// TestThePINOfAResetShowsUpOnThePageAndExpires is a developer's first five minutes.
func TestThePINOfAResetShowsUpOnThePageAndExpires(t *testing.T) {
	t.Parallel()
	origin := start(t)
	b := open(t, origin)
	b.run("the empty page leads to the form for a user",
		chromedp.Navigate(origin+"/"),
		chromedp.Click(`//a[text()="Add a user"]`),
		chromedp.WaitVisible(chromedp.CSS("#phone")),
		chromedp.SendKeys(chromedp.CSS("#phone"), phone), chromedp.SendKeys(chromedp.CSS("#loginName"), "alice"), chromedp.SendKeys(chromedp.CSS("#password"), password),
		chromedp.Click(`//button[text()="Add the user"]`),
		chromedp.WaitVisible(`//tr[contains(@class, "marked")]/td[contains(., "`+phone+`")]`),
		chromedp.Click(`//nav/a[starts-with(., "Messages")]`),
		chromedp.WaitVisible(chromedp.CSS(".empty .steps")))

	c := client(t, origin)
	if err := c.User.ResetPassword(t.Context(), phone, kii.NotificationSMSPIN); err != nil {
		t.Fatal(err)
	}
	b.run("the PIN shows up without a reload", chromedp.WaitVisible(chromedp.CSS(".secret code")))
	shown := eval[string](b, `document.querySelector(".secret code").textContent`)
	latest := api[struct {
		PIN string `json:"pin"`
	}](t, "GET", origin+"/emulator/v1/messages/latest?to=+819012341234", "")
	if shown == "" || shown != latest.PIN {
		t.Errorf("the page shows %d characters that are not the PIN", len(shown))
	}
	if title := eval[string](b, "document.title"); !strings.HasPrefix(title, "(1) ") {
		t.Errorf("the title is %q", title)
	}
	if left := eval[string](b, `document.querySelector(".message .left").textContent`); !strings.Contains(left, "min") || !strings.Contains(left, "left") {
		t.Errorf("the time left is %q", left)
	}

	b.run("the clock is moved by ten minutes and the PIN is expired",
		chromedp.Click(`//button[text()="+10 min"]`),
		chromedp.WaitVisible(`//span[contains(@class, "state") and text()="expired"]`),
		chromedp.WaitVisible(`//span[text()="10 min ahead"]`))
	newPassword := "new-pass"
	if err := c.User.CompleteResetPassword(t.Context(), phone, shown, &newPassword); !errors.Is(err, kii.ErrPINExpired) {
		t.Errorf("the expired PIN gets %v", err)
	}
	b.run("the refused call is on the page of calls, and tells why",
		chromedp.Navigate(origin+"/calls"),
		chromedp.WaitVisible(`//li[contains(., "410") and contains(., "PIN_CODE_EXPIRED")]//span[@class="reason" and contains(., "expired")]`))
	b.run("the clock goes back",
		chromedp.Click(chromedp.CSS("#more > summary")),
		chromedp.Click(`//button[text()="Back to now"]`))
	b.until(`!document.querySelector(".ahead")`)
}

// TestTheLinkOpensThePageThatResets follows an e-mail that the page sent to a new password.
func TestTheLinkOpensThePageThatResets(t *testing.T) {
	t.Parallel()
	origin := start(t, "-seed", seedFile(t))
	b := open(t, origin)
	b.run("a user's row sends a reset",
		chromedp.Navigate(origin+"/users"),
		chromedp.Click(chromedp.CSS("#user-alice summary")),
		chromedp.Click(`//tr[@id="user-alice"]//button[text()="Reset link by e-mail"]`),
		chromedp.WaitVisible(`//h1[text()="Message 1"]`))
	link := eval[string](b, `document.querySelector("a[rel='noopener noreferrer']").href`)
	b.run("the link leads to a form",
		chromedp.Navigate(link),
		chromedp.SendKeys(chromedp.CSS("#password"), "new-pass"), chromedp.SendKeys(chromedp.CSS("#confirm"), "new-pass"),
		chromedp.Click(chromedp.CSS("button[type=submit]")),
		chromedp.WaitVisible(`//h1[text()="Your password was changed"]`),
		chromedp.Navigate(origin+"/"),
		chromedp.WaitVisible(`//span[contains(@class, "state") and text()="used"]`))
	if _, err := client(t, origin).User.Login(t.Context(), "alice@example.com", "new-pass"); err != nil {
		t.Errorf("the new password: %v", err)
	}
}

// TestThePageWorksWithoutJavaScript does with forms what the first story does.
func TestThePageWorksWithoutJavaScript(t *testing.T) {
	t.Parallel()
	origin := start(t)
	b := open(t, origin)
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.run("a user is added",
		chromedp.Navigate(origin+"/users/_new"),
		chromedp.SendKeys(chromedp.CSS("#phone"), phone), chromedp.SendKeys(chromedp.CSS("#password"), password),
		chromedp.Click(`//button[text()="Add the user"]`),
		chromedp.WaitVisible(`//td[contains(., "`+phone+`")]`))
	if err := client(t, origin).User.ResetPassword(t.Context(), phone, kii.NotificationSMSPIN); err != nil {
		t.Fatal(err)
	}
	b.run("the PIN is there, expires and is deleted after a question",
		chromedp.Navigate(origin+"/"),
		chromedp.WaitVisible(chromedp.CSS(".secret code")),
		chromedp.WaitVisible(`//time[contains(@class, "left") and contains(., "min")]`),
		chromedp.WaitNotVisible(chromedp.CSS(".copy")),
		chromedp.Click(`//button[text()="+1 day"]`),
		chromedp.WaitVisible(`//span[contains(@class, "state") and text()="expired"]`),
		chromedp.Click(`//button[text()="Delete all"]`),
		chromedp.WaitVisible(`//h1[text()="Delete 1 message?"]`),
		chromedp.Click(`//button[text()="Delete 1 message"]`),
		chromedp.WaitVisible(chromedp.CSS(".empty .steps")))
	b.run("the theme is kept", chromedp.Click(chromedp.CSS("#more > summary")), chromedp.Click(`//button[text()="Dark"]`), chromedp.WaitVisible(chromedp.CSS("[data-theme=dark] .steps")))
}

// TestWhatCannotBeTakenBackIsAskedFirst deletes messages and a user.
func TestWhatCannotBeTakenBackIsAskedFirst(t *testing.T) {
	t.Parallel()
	origin := start(t, "-seed", seedFile(t))
	send(t, origin, 3)
	b := open(t, origin)
	b.visit("/")
	b.run("a question", chromedp.Click(`//button[text()="Delete all"]`), chromedp.WaitVisible(`//dialog//h2[text()="Delete all 3 messages?"]`))
	if on := b.focused(); on != "Cancel" {
		t.Errorf("the focus of the question is on %q", on)
	}
	b.run("a no", chromedp.Click(`//dialog//button[text()="Cancel"]`))
	b.until(`!document.querySelector("dialog[open]") && document.querySelectorAll(".message").length === 3`)
	b.run("a yes", chromedp.Click(`//button[text()="Delete all"]`), chromedp.Click(chromedp.CSS("#ask-yes")), chromedp.WaitVisible(`//p[text()="3 messages deleted."]`), chromedp.WaitVisible(chromedp.CSS(".steps")))
	b.visit("/users")
	b.run("a user", chromedp.Click(`//button[@aria-label="Delete dave"]`), chromedp.Click(chromedp.CSS("#ask-yes")), chromedp.WaitVisible(`//p[text()="The user is deleted."]`))
	b.until(`!document.getElementById("user-dave") && document.querySelectorAll("#users tr").length === 4`)
	b.visit("/settings")
	b.run("everything", chromedp.Click(`//button[text()="Reset everything"]`), chromedp.Click(chromedp.CSS("#ask-yes")), chromedp.WaitVisible(`//p[text()="Everything is as it was at the start."]`))
}

// TestAnErrorStandsAtItsField follows the summary to the field.
func TestAnErrorStandsAtItsField(t *testing.T) {
	t.Parallel()
	origin := start(t, "-seed", seedFile(t))
	b := open(t, origin)
	b.visit("/users/_new")
	b.run("a form that is wrong",
		chromedp.SendKeys(chromedp.CSS("#email"), "nonsense"), chromedp.SendKeys(chromedp.CSS("#country"), "japan"),
		chromedp.Click(`//button[text()="Add the user"]`), chromedp.WaitVisible(chromedp.CSS("#email-error")))
	b.until(`document.activeElement.matches("[data-focus]")`)
	b.run("the summary leads to the field", chromedp.Click(`//a[starts-with(text(), "E-mail must be")]`))
	b.until(`document.activeElement.id === "email"`)
	b.photograph("user-error", true)
	if !eval[bool](b, `document.activeElement.getAttribute("aria-invalid") === "true" && document.activeElement.getAttribute("aria-describedby").includes("email-error") && document.activeElement.value === "nonsense"`) {
		t.Error("the field does not say what is wrong with it")
	}
}

// TestACallIsSentAgain from the page of calls.
func TestACallIsSentAgain(t *testing.T) {
	t.Parallel()
	origin := start(t, "-seed", seedFile(t))
	send(t, origin, 1)
	b := open(t, origin)
	b.visit("/calls")
	b.run("the call is opened and sent again",
		chromedp.Click(chromedp.CSS("#c1 summary")), chromedp.WaitVisible(chromedp.CSS("#c1 .halves")))
	b.photograph("call-open", true)
	b.run("again", chromedp.Click(`//button[@aria-label="Send it again: call 1"]`), chromedp.WaitVisible(`//h1[text()="Call 2"]`), chromedp.Click(`//a[text()="message 2"]`), chromedp.WaitVisible(`//h1[text()="Message 2"]`))
}
