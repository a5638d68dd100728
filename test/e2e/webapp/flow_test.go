package webapp_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func Test13To16NothingComesFromElsewhereAndTheConsoleIsQuiet(t *testing.T) {
	t.Parallel()
	url := start(t)
	b := open(t, url)
	b.login(email, oldPassword)
	b.want("Your profile")
	b.ask(phone, "SMS_PIN")
	b.fillCode(pinOf(t, url), "short")
	b.submit(send)
	b.want("at least 8 characters")
	b.fillCode(pinOf(t, url), newPassword)
	b.submit(send)
	b.want("Your password is changed")

	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.requests) < 10 {
		t.Errorf("only %d requests were recorded", len(b.requests))
	}
	for _, to := range b.requests {
		if !strings.HasPrefix(to, url+"/") {
			t.Errorf("the page loads %s", to)
		}
	}
	for _, problem := range b.problems {
		t.Errorf("the browser complains: %s", problem)
	}
}

func Test14And15BackAndHistoryHoldNoSecret(t *testing.T) {
	t.Parallel()
	url := start(t)
	b := open(t, url)
	b.ask(phone, "SMS_PIN")
	pin := pinOf(t, url)
	b.fillCode(pin, "short")
	b.submit(send)
	b.want("at least 8 characters")
	b.fillCode(pin, newPassword)
	b.submit(send)
	b.want("Your password is changed")

	history := call(b, page.GetNavigationHistory, cdp.Empty{}).Entries
	for _, entry := range history {
		for _, marker := range []string{phone, "9012345678", pin, newPassword} {
			if strings.Contains(entry.URL+entry.UserTypedURL+entry.Title, marker) {
				t.Error("the history holds a marker")
			}
		}
	}
	for back := 1; back < len(history); back++ {
		b.run(chromedp.NavigateBack())
		shown := eval[string](b, "document.documentElement.outerHTML+[...document.querySelectorAll('input')].map(i => i.value).join()")
		if strings.Contains(shown, pin) || strings.Contains(shown, newPassword) {
			t.Errorf("Back, %d times, shows a secret", back)
		}
		if back == 1 && b.path() != "/login?after=reset" {
			t.Errorf("Back leads to %s, and not to what is true", b.path())
		}
	}
}

func Test19TheCodeCanBePasted(t *testing.T) {
	t.Parallel()
	url := start(t)
	b := open(t, url)
	b.ask(phone, "SMS_PIN")
	pin := pinOf(t, url)
	spaced := pin[:2] + " " + pin[2:4] + "-" + pin[4:]
	edit := func(command string) {
		call(b, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeRawKeyDown, Commands: []string{command}})
	}
	insert := func(field, text string) {
		b.run(chromedp.Focus(chromedp.CSS(field)))
		call(b, input.InsertText, input.InsertTextParams{Text: text})
	}
	insert("#code", spaced)
	edit("selectAll")
	edit("cut")
	if left := eval[string](b, "document.querySelector('#code').value"); left != "" {
		t.Fatal("nothing was cut")
	}
	edit("paste")
	if got := eval[string](b, "document.querySelector('#code').value"); got != spaced {
		t.Error("the paste is not whole")
	}
	insert("#password", newPassword) // a password field gives nothing to cut
	b.submit(send)
	b.want("Your password is changed")
}

func Test19ACodeThatTheBrowserReadsIsFilledIn(t *testing.T) {
	t.Parallel()
	url := start(t)
	b := open(t, url)
	call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		window.OTPCredential = class {}
		navigator.credentials.get = options => { window.asked = options; return new Promise(read => { window.read = read }) }`})
	b.ask(email, "EMAIL")
	if eval[bool](b, "'asked' in window") {
		t.Error("an SMS is read where none was asked for")
	}
	b.ask(phone, "SMS_PIN")
	if got := eval[string](b, "asked.otp.transport.join()"); got != "sms" {
		t.Fatalf("asked for %q", got)
	}
	pin := pinOf(t, url)
	b.run(chromedp.Evaluate[chromedp.Void]("read({ code: '" + pin + "' })"))
	if got := eval[string](b, "document.querySelector('#code').value"); got != pin {
		t.Error("the code is not filled in")
	}
	if eval[bool](b, "asked.signal.aborted") {
		t.Error("it is no longer waited for")
	}
	b.run(chromedp.Evaluate[chromedp.Void](`document.forms[0].addEventListener('submit', e => e.preventDefault()); document.forms[0].requestSubmit()`))
	if !eval[bool](b, "asked.signal.aborted") {
		t.Error("a form that was sent still waits for a code")
	}
}

func Test20AutofillFindsTheFields(t *testing.T) {
	t.Parallel()
	b := open(t, start(t))
	b.ask(phone, "SMS_PIN")
	got := eval[string](b, "[...document.forms[0].elements].filter(e => e.tagName == 'INPUT').map(e => e.id+':'+e.type+':'+e.autocomplete+':'+e.inputMode+':'+e.maxLength).join(' ')")
	want := ":hidden:::-1 username:text:username::-1 code:text:one-time-code:numeric:-1 password:password:new-password::-1"
	if got != want {
		t.Errorf("got %s", got)
	}
}

func Test20ThePasswordIsShownWithoutLoss(t *testing.T) {
	t.Parallel()
	url := start(t)
	b := open(t, url)
	b.ask(phone, "SMS_PIN")
	b.fillCode("12 34", newPassword)
	field := func() string {
		return eval[string](b, "document.querySelector('#password').type+' '+document.querySelector('#password').value+' '+document.querySelector('[data-shows]').innerText")
	}
	for _, want := range []string{"text " + newPassword + " Hide the password", "password " + newPassword + " Show the password"} {
		b.run(chromedp.Click(chromedp.CSS("[data-shows]")))
		if got := field(); got != want {
			t.Errorf("got %q, not %q", got, want)
		}
	}
	if eval[bool](b, "[...document.querySelectorAll('.unscripted')].some(e => e.checkVisibility())") {
		t.Error("the way without a script is shown beside the one with it")
	}
	b.run(chromedp.Click(chromedp.CSS("[data-shows]")))
	b.run(chromedp.Evaluate[chromedp.Void](`document.querySelector('#password').form.addEventListener('submit', e => e.preventDefault())`)) // as when it is stopped
	b.run(chromedp.Click(chromedp.CSS(send)))
	if got := field(); got != "password "+newPassword+" Show the password" {
		t.Errorf("on a page whose form was not sent: %q", got)
	}
	b.visit("/login")
	b.run(chromedp.SendKeys(chromedp.CSS("#password"), oldPassword), chromedp.Click(chromedp.CSS("[data-shows]")))
	if got := field(); got != "text "+oldPassword+" Hide the password" {
		t.Errorf("got %q", got)
	}
	b.submit(send)
	b.want("Your profile")
}

func Test22TheKeyboardIsEnough(t *testing.T) {
	t.Parallel()
	url := start(t)
	b := open(t, url)
	b.visit("/login")
	focused := func() string {
		return eval[string](b, "document.activeElement?.id || document.activeElement?.className || document.activeElement?.innerText || ''")
	}
	// tab moves on until the element with the focus is the one that is wanted.
	tab := func(to string) {
		t.Helper()
		for range 12 {
			b.run(chromedp.KeyEvent(kb.Tab))
			if focused() == to {
				if eval[float64](b, "document.activeElement.getBoundingClientRect().left") < 0 {
					t.Errorf("%s has the focus and cannot be seen", to)
				}
				return
			}
		}
		t.Fatalf("the tab key does not lead to %s", to)
	}
	press := func(key string) {
		t.Helper()
		if _, err := chromedp.RunResponse(b.ctx, chromedp.KeyEvent(key)); err != nil {
			t.Fatal(err)
		}
	}
	tab("skip")
	tab("link")
	press(kb.Enter)
	tab("account")
	press(kb.Enter)
	b.want("There is a problem")
	if got := focused(); got != "summary" {
		t.Errorf("the focus is on %s, not on the summary of errors", got)
	}
	tab("account")
	b.run(chromedp.KeyEvent(phone))
	tab("method")
	tab("Send the message")
	press(kb.Enter)
	b.want("Choose a new password")
	tab("code")
	b.run(chromedp.KeyEvent(pinOf(t, url)))
	tab("password")
	b.run(chromedp.KeyEvent(newPassword))
	tab("second")                      // Show the password
	b.run(chromedp.KeyEvent(kb.Enter)) // it sends nothing
	tab("Change the password")
	press(kb.Enter)
	b.want("Your password is changed")
}

func Test22EverythingWorksWithoutJavaScript(t *testing.T) {
	t.Parallel()
	url := start(t)
	b := open(t, url)
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.ask(phone, "SMS_PIN")
	b.submit(".unscripted a")
	if got := eval[string](b, "document.querySelector('#password').type"); got != "text" {
		t.Errorf("shown, the password field is a %s", got)
	}
	b.fillCode(pinOf(t, url), newPassword)
	b.submit(send)
	b.want("Your password is changed")
	b.login(email, newPassword)
	b.want("Your profile")
	b.submit(send)
	b.want("You are logged out")
}

func Test24ADoubleClickSendsOnce(t *testing.T) {
	t.Parallel()
	url := start(t)
	b := open(t, url)
	b.visit("/forgot")
	b.run(chromedp.SendKeys(chromedp.CSS("#account"), phone))
	if _, err := chromedp.RunResponse(b.ctx, chromedp.DoubleClick(chromedp.CSS(send))); err != nil {
		t.Fatal(err)
	}
	b.run(chromedp.WaitVisible(chromedp.CSS("#code")))
	if pins := sent(t, url, `Code: <code>([0-9]+)</code>`); len(pins) != 1 {
		t.Errorf("%d messages were sent", len(pins))
	}
}

func Test10TheSecondBrowserIsOutAtItsNextClick(t *testing.T) {
	t.Parallel()
	url := start(t)
	first, second := open(t, url), open(t, url)
	second.login(email, oldPassword)
	second.want("Your profile")
	first.ask(email, "SMS_PIN")
	first.fillCode(pinOf(t, url), newPassword)
	first.submit(send)
	first.want("Your password is changed")
	second.submit(".brand")
	second.want("You were logged out")
	second.login(email, newPassword)
	second.want("Your profile")
}

func TestLinksLeadToANewPassword(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"EMAIL", "SMS"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			url := start(t)
			b := open(t, url)
			b.ask(email, method)
			b.want("Open the link, and choose a new password")
			link := sent(t, url, `<a href="([^"]+)">Open the link`)[0]
			b.run(chromedp.Navigate(link),
				chromedp.SendKeys(chromedp.CSS("#password"), newPassword), chromedp.SendKeys(chromedp.CSS("#confirm"), newPassword))
			b.submit(send)
			b.login(email, newPassword)
			b.want("Your profile")
		})
	}
}

func Test12AFormOfAnotherSiteIsRefused(t *testing.T) {
	t.Parallel()
	url := start(t)
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<form method="post" action="%s/forgot"><input name="account" value="%s"><input name="method" value="SMS_PIN"><button>x</button></form>`, url, phone)
	}))
	defer evil.Close()
	for _, from := range []string{evil.URL, strings.Replace(evil.URL, "127.0.0.1", "localhost", 1)} { // same-site, and cross-site
		b := open(t, url)
		b.run(chromedp.Navigate(from))
		b.run(chromedp.Click(chromedp.CSS("button")), chromedp.WaitVisible(chromedp.CSS("main h1")))
		b.want("This form came from another site")
	}
	if none := sent(t, url, `(No message yet)`); len(none) != 1 {
		t.Error("a message was sent")
	}
}

func Test17CookiesOnLoopbackAndOverTLS(t *testing.T) {
	t.Parallel()
	for name, secure := range map[string]bool{"loopback": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begin := map[bool]func() string{false: func() string { return start(t) }, true: func() string { return startTLS(t) }}
			url := begin[secure]()
			b := open(t, url)
			b.ask(phone, "SMS_PIN")
			b.want("Choose a new password")
			read := func() []*network.Cookie { return call(b, network.GetCookies, network.GetCookiesParams{}).Cookies }
			cookies := read()
			cookies = slices.DeleteFunc(cookies, func(c *network.Cookie) bool { return strings.HasSuffix(c.Name, "visit") })
			if len(cookies) != 1 {
				t.Fatalf("%d cookies", len(cookies))
			}
			c := cookies[0]
			if !c.HTTPOnly || c.SameSite != network.CookieSameSiteStrict || c.Secure != secure || c.Path != "/" {
				t.Errorf("HttpOnly %v, SameSite %s, Secure %v, Path %s", c.HTTPOnly, c.SameSite, c.Secure, c.Path)
			}
			if want := map[bool]string{true: "__Host-reset", false: "reset"}[secure]; c.Name != want {
				t.Errorf("the cookie is called %s", c.Name)
			}
			b.fillCode(pinOf(t, url), newPassword)
			b.submit(send)
			b.want("Your password is changed")
			if cookies := read(); len(cookies) != 1 || !strings.HasSuffix(cookies[0].Name, "visit") || !cookies[0].HTTPOnly {
				t.Errorf("%d cookies are left after success, where only the one that remembers the address should be", len(cookies))
			}
		})
	}
}
