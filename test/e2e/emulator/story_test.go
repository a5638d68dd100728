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
	origin := start(t)
	ctx, seen := browse(t)
	do(t, ctx, "the empty page leads to the form for a user",
		chromedp.Navigate(origin+"/"),
		chromedp.Click(`//a[text()="Add a user"]`),
		chromedp.WaitVisible(chromedp.CSS("#phone")),
		chromedp.SendKeys(chromedp.CSS("#phone"), phone), chromedp.SendKeys(chromedp.CSS("#loginName"), "alice"), chromedp.SendKeys(chromedp.CSS("#password"), password),
		chromedp.Click(`//button[text()="Add the user"]`),
		chromedp.WaitVisible(`//td[contains(., "`+phone+`")]`),
		chromedp.Click(`//nav/a[starts-with(., "Messages")]`),
		chromedp.WaitVisible(chromedp.CSS(".empty .steps")))

	c := client(t, origin)
	if err := c.User.ResetPassword(t.Context(), phone, kii.NotificationSMSPIN); err != nil {
		t.Fatal(err)
	}
	do(t, ctx, "the PIN shows up without a reload", chromedp.WaitVisible(chromedp.CSS(".secret code")))
	shown := ask(t, ctx, chromedp.Text(chromedp.CSS(".secret code")))
	title := ask(t, ctx, chromedp.Title())
	state := ask(t, ctx, chromedp.Text(chromedp.CSS(".message .left")))
	var latest struct {
		PIN string `json:"pin"`
	}
	get(t, origin+"/emulator/v1/messages/latest?to=%2B819012341234", &latest)
	if shown == "" || shown != latest.PIN {
		t.Errorf("the page shows %d characters that are not the PIN", len(shown))
	}
	if !strings.HasPrefix(title, "(1) ") {
		t.Errorf("the title is %q", title)
	}
	if !strings.Contains(state, "min") || !strings.Contains(state, "left") {
		t.Errorf("the time left is %q", state)
	}

	do(t, ctx, "the clock is moved by ten minutes and the PIN is expired",
		chromedp.Click(`//button[text()="+10 min"]`),
		chromedp.WaitVisible(`//span[contains(@class, "state") and text()="expired"]`))
	newPassword := "new-pass"
	if err := c.User.CompleteResetPassword(t.Context(), phone, shown, &newPassword); !errors.Is(err, kii.ErrPINExpired) {
		t.Errorf("the expired PIN gets %v", err)
	}
	do(t, ctx, "the refused call is on the page of calls",
		chromedp.Navigate(origin+"/calls"),
		chromedp.WaitVisible(`//td[contains(., "410") and contains(., "PIN_CODE_EXPIRED")]`))
	seen.check(t, origin)
}

// TestTheLinkOpensThePageThatResets follows an e-mail from the page to a new password.
func TestTheLinkOpensThePageThatResets(t *testing.T) {
	origin := start(t, "-seed", seedFile(t))
	c := client(t, origin)
	if err := c.User.ResetPassword(t.Context(), "alice@example.com", kii.NotificationEmail); err != nil {
		t.Fatal(err)
	}
	ctx, seen := browse(t)
	do(t, ctx, "the message is there", chromedp.Navigate(origin+"/"))
	link := ask(t, ctx, chromedp.AttributeValue(chromedp.CSS(`a[rel="noopener noreferrer"]`), "href")).Value
	do(t, ctx, "the link leads to a form",
		chromedp.Navigate(link),
		chromedp.SendKeys(chromedp.CSS("#password"), "new-pass"), chromedp.SendKeys(chromedp.CSS("#confirm"), "new-pass"),
		chromedp.Click(chromedp.CSS("button[type=submit]")),
		chromedp.WaitVisible(`//h1[text()="Your password was changed"]`),
		chromedp.Navigate(origin+"/"),
		chromedp.WaitVisible(`//span[contains(@class, "state") and text()="used"]`))
	if _, err := c.User.Login(t.Context(), "alice@example.com", "new-pass"); err != nil {
		t.Errorf("the new password: %v", err)
	}
	seen.check(t, origin)
}

// TestThePageWorksWithoutJavaScript does with forms alone what the first story does.
func TestThePageWorksWithoutJavaScript(t *testing.T) {
	origin := start(t)
	ctx, seen := browse(t)
	if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	do(t, ctx, "a user is added",
		chromedp.Navigate(origin+"/users"),
		chromedp.SendKeys(chromedp.CSS("#phone"), phone), chromedp.SendKeys(chromedp.CSS("#password"), password),
		chromedp.Click(`//button[text()="Add the user"]`),
		chromedp.WaitVisible(`//td[contains(., "`+phone+`")]`))
	if err := client(t, origin).User.ResetPassword(t.Context(), phone, kii.NotificationSMSPIN); err != nil {
		t.Fatal(err)
	}
	do(t, ctx, "the PIN is there, expires and is deleted",
		chromedp.Navigate(origin+"/"),
		chromedp.WaitVisible(chromedp.CSS(".secret code")),
		chromedp.WaitNotVisible(chromedp.CSS(".copy")),
		chromedp.Click(`//button[text()="+1 day"]`),
		chromedp.WaitVisible(`//span[contains(@class, "state") and text()="expired"]`),
		chromedp.Click(`//button[text()="Delete all"]`),
		chromedp.WaitVisible(chromedp.CSS(".empty .steps")))
	seen.check(t, origin)
}
