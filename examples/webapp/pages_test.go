package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// input returns the tag of a field.
func input(t *testing.T, html, id string) string {
	t.Helper()
	tag := regexp.MustCompile(`<input id="` + id + `"[^>]*>`).FindString(html)
	require.NotEmpty(t, tag, "field %s", id)
	return tag
}

func Test19ThePINFieldIsOneTextInput(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.asked(t, verified)
		tag := input(t, b.get("/forgot/code").body, "code")
		assert.Contains(t, tag, `type="text"`)
		assert.Contains(t, tag, `inputmode="numeric"`)
		assert.Contains(t, tag, `autocomplete="one-time-code"`)
		for _, cuts := range []string{"maxlength", "minlength", "pattern"} {
			assert.NotContains(t, tag, cuts)
		}

		b.post("/forgot/code", "code", "01 23-45", "password", newPassword)
		sent := s.Calls(kiitest.OpCompleteReset)
		require.Len(t, sent, 1)
		assert.Contains(t, string(sent[0].Body), `"pinCode":"012345"`, "the zero is kept")
		assert.Contains(t, input(t, b.get("/forgot/code").body, "code"), `value="01 23-45"`, "and what was typed")
	})
}

func Test20PasswordFieldsHelpManagersAndPeople(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.asked(t, verified)
		html := b.get("/forgot/code").body
		assert.Contains(t, input(t, html, "username"), `autocomplete="username"`)
		tag := input(t, html, "password")
		assert.Contains(t, tag, `type="password" autocomplete="new-password" minlength="8" passwordrules="minlength: 8; maxlength: 50; allowed: ascii-printable;"`)
		for _, hinders := range []string{` maxlength="`, ` pattern="`, "onpaste"} {
			assert.NotContains(t, tag, hinders)
		}
		assert.NotContains(t, html, `id="confirm"`, "one field, since it can be shown")
		assert.Contains(t, input(t, b.get("/login").body, "password"), `autocomplete="current-password"`)
	})
}

func Test20ThePasswordCanBeShownWithoutAScript(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.asked(t, verified)
		hidden := b.get("/forgot/code").body
		link := regexp.MustCompile(`<a href="(\?reset=[A-Z2-7]+&amp;show=1)">`).FindStringSubmatch(hidden)
		require.NotNil(t, link)
		assert.Less(t, strings.Index(hidden, link[0]), strings.Index(hidden, `id="code"`), "above the fields, so that nothing typed is lost")
		shown := b.get("/forgot/code" + strings.ReplaceAll(link[1], "&amp;", "&")).body
		assert.Contains(t, input(t, shown, "password"), `type="text"`)
		assert.Contains(t, shown, `<input type="hidden" name="show" value="1">`)

		answer := b.post("/forgot/code", "show", "1", "code", "12 34", "password", "typed")
		shown = b.then(answer).body
		assert.Contains(t, input(t, shown, "password"), `type="text"`, "it stays so after an error")
		assert.Contains(t, input(t, shown, "code"), `value="12 34"`)
		assert.NotContains(t, shown, "typed")
		assert.Contains(t, input(t, b.get("/login?show=1").body, "password"), `type="text"`)
		assert.Contains(t, input(t, b.post("/login", "show", "1").body, "password"), `type="text"`)
	})
}

func Test20NothingIsTrimmedOrCut(t *testing.T) {
	t.Parallel()
	for _, password := range []string{"  padded with spaces  ", "only lower case letters", "4915827364", strings.Repeat("aB", 25)} {
		synctestRun(t, password, func(t *testing.T) {
			s := newSite(t)
			b := s.asked(t, verified)
			require.Contains(t, b.complete(s.pin(t), password).body, "Your password is changed")
			assert.Equal(t, "/profile?from=login", b.login(verified, password).location())
		})
	}
}

func TestAPasswordThatWasPastedWithASpaceIsToldSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		const hint = "There is a space before or after the password that you entered"
		b := s.browser(t)
		assert.Contains(t, text(b.login(verified, oldPassword+" ").body), hint)
		assert.Contains(t, text(b.login(nobody, "\u3000"+oldPassword).body), hint, "whether or not there is such an account")
		assert.NotContains(t, text(b.login(verified, "not quite it").body), hint)

		b.login(verified, oldPassword)
		wrong := b.post("/profile/phone/change", "address", "+819087654321", "password", oldPassword+" ")
		assert.Contains(t, text(wrong.body), "This is not your password. Nothing was changed. "+hint)
	})
}

func Test21WeakPasswordsAreRefusedBeforeThePINIsSpent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, manyAllowed)
		b := s.asked(t, verified)
		pin := s.pin(t)
		for password, want := range map[string]string{
			"":                       "Enter a new password",
			"short77":                "at least 8 characters",
			"password":               "others would try",
			"PassWord123":            "others would try",
			"qwertyuiop":             "others would try",
			"aaaaaaaaaaaa":           "others would try",
			"Example2026":            "name of this site",
			"alice@example.com":      "your own address",
			strings.Repeat("ab", 26): "at most 50 characters. This one has 52",
			"pässword-mit-umlaut":    "letters without accents",
			"with a\ttab inside":     "letters without accents",
			"パスワードです":                "letters without accents",
		} {
			shown := b.complete(pin, password)
			assert.Contains(t, text(shown.body), want, password)
			assert.Contains(t, input(t, shown.body, "password"), `aria-describedby="password-problem password-hint"`, password)
			assert.Empty(t, regexp.MustCompile(`value="[^"]*"`).FindString(input(t, shown.body, "password")))
		}
		assert.Zero(t, s.count(kiitest.OpCompleteReset))
		assert.Contains(t, text(b.complete(pin, newPassword).body), "Your password is changed", "the PIN is not spent")
	})
}

func Test21OnesOwnNumberIsAWeakPassword(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, manyAllowed)
		b := s.asked(t, phone)
		pin := s.pin(t)
		for _, password := range []string{"09012345678", "+81 90-1234-5678", "(090) 1234 5678", "8190123456781", "09012345678!"} {
			assert.Contains(t, text(b.complete(pin, password).body), "your own address or number", password)
		}
		assert.Zero(t, s.count(kiitest.OpCompleteReset))
		assert.Contains(t, text(b.complete(pin, "hana 12345678").body), "Your password is changed", "a word makes it more")
	})
}

func Test21TheLeastLengthIsASetting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(cfg *config) { cfg.minPassword = 15 })
		b := s.asked(t, verified)
		assert.Contains(t, text(b.complete("111111", "fourteen chars").body), "at least 15 characters")
		assert.Contains(t, text(b.get("/forgot/code").body), "15 to 50 characters")
	})
}

func Test22EveryFieldHasALabelAndEveryErrorItsField(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, answer := range everyAnswer(t, newSite(t)) {
			if !strings.HasPrefix(answer.header.Get("Content-Type"), "text/html") || answer.code/100 == 3 {
				continue
			}
			html := answer.body
			assert.Contains(t, html, `<html lang="en" dir="ltr">`, name)
			assert.Equal(t, 1, strings.Count(html, "<h1>"), name)
			assert.Equal(t, 1, strings.Count(html, "<title>"), name)
			for _, field := range regexp.MustCompile(`<input id="([^"]+)"`).FindAllStringSubmatch(html, -1) {
				assert.Contains(t, html, `<label for="`+field[1]+`">`, name)
			}
			assert.Equal(t, strings.Contains(html, `class="summary"`), strings.Contains(html, "<title>Error: "), name)
			for _, link := range regexp.MustCompile(`<li><a href="#([^"]+)"`).FindAllStringSubmatch(html, -1) {
				assert.Contains(t, html, `id="`+link[1]+`"`, name)
				assert.Contains(t, html, `id="`+link[1]+`-problem"`, name)
			}
			for _, describes := range regexp.MustCompile(`aria-describedby="([^"]+)"`).FindAllStringSubmatch(html, -1) {
				for id := range strings.FieldsSeq(describes[1]) {
					assert.Contains(t, html, `id="`+id+`"`, name)
				}
			}
		}
		bad := newSite(t).browser(t).post("/forgot", "account", "alice", "method", "PIGEON")
		assert.Equal(t, http.StatusUnprocessableEntity, bad.code)
		assert.Contains(t, bad.body, `role="alert" tabindex="-1" autofocus`, "the summary takes the focus")
		assert.Contains(t, input(t, bad.body, "account"), `value="alice"`, "what was typed is kept")
		assert.Contains(t, input(t, bad.body, "account"), `aria-invalid="true" aria-describedby="account-problem account-hint"`)
		assert.Contains(t, text(bad.body), "Choose how we should reach you")
	})
}

func Test22WhatIsTypedIsNeverMarkup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		const markup = `"><b>x</b>@example.com`
		b := s.browser(t)
		assert.NotContains(t, b.post("/forgot", "account", markup+"@").body, "<b>x</b>")
		assert.NotContains(t, b.post("/login", "account", markup).body, "<b>x</b>")
		b.ask(markup, kii.NotificationSMSPIN)
		assert.Contains(t, input(t, b.post("/login", "account", `"onfocus='&gt;&lt;b@example.com`).body, "account"), `value="&#34;onfocus=&#39;&amp;gt;&amp;lt;b@example.com"`)
		b.ask(`o'neil&gt=b@example.com`, kii.NotificationSMSPIN)
		synctest.Wait()
		b.post("/forgot/code", "code", markup)
		shown := b.get("/forgot/code").body
		assert.NotContains(t, shown, "<b>x</b>")
		assert.Contains(t, input(t, shown, "username"), `value="o&#39;neil&amp;gt=b@example.com"`)
	})
}

func Test23TextsSayTheNextStep(t *testing.T) {
	t.Parallel()
	faults := map[string]struct {
		fault kiitest.Fault
		want  string
	}{
		"wrong code":  {kiitest.Fault{}, "Check that the code is from the newest SMS. Choose a password that is new. If both are right, ask for a new code below"},
		"unknown":     {kiitest.Fault{Kind: kiitest.FaultNoAnswer}, "Try to log in with the new one. If that fails, ask for a new code below"},
		"500":         {kiitest.Fault{Kind: kiitest.FaultStatus, Status: 500, ErrorCode: "UNDEFINED_ERROR"}, "Try to log in with the new one"},
		"a portal":    {kiitest.Fault{Kind: kiitest.FaultHTML}, "Try to log in with the new one"},
		"429":         {kiitest.Fault{Kind: kiitest.FaultRateLimit}, "Try again in a few minutes with the same code"},
		"unreachable": {kiitest.Fault{Kind: kiitest.FaultRefused, Times: 3}, "Try again in a few minutes with the same code"},
		"no such app": {kiitest.Fault{Kind: kiitest.FaultStatus, Status: 404, ErrorCode: "APP_NOT_FOUND"}, "Try again in a few minutes with the same code"},
	}
	for name, tt := range faults {
		synctestRun(t, name, func(t *testing.T) {
			s := newSite(t)
			b := s.asked(t, verified)
			if tt.fault.Kind != "" {
				tt.fault.Operation = kiitest.OpCompleteReset
				s.Inject(tt.fault)
			}
			shown := b.complete(wrong(s.pin(t)), newPassword)
			assert.Contains(t, text(shown.body), tt.want)
			noGoError(t, shown.body)
			assert.Contains(t, shown.body, `action="/forgot/again"`)
		})
	}
}

func Test23LoginTextsSayTheNextStep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser(t)
		start := time.Now()
		var shown []page
		for _, account := range everyone {
			shown = append(shown, sameFor(account, s.browser(t).login(account, "not the password")))
		}
		shown = append(shown, sameFor(disabled, s.browser(t).login(disabled, oldPassword)))
		assert.Equal(t, 6*time.Second, time.Since(start), "a second each")
		for _, p := range shown {
			assert.Equal(t, shown[0], p)
			assert.Contains(t, text(p.body), "Check both, or use “Forgot your password?” below")
		}
		s.Inject(kiitest.Fault{Operation: kiitest.OpLogin, Kind: kiitest.FaultNoAnswer})
		down := b.login(verified, oldPassword).body
		assert.Contains(t, text(down), "Try again in a few minutes")
		noGoError(t, down)
		for range 10 {
			b.login(verified, "wrong")
		}
		calls := s.count(kiitest.OpLogin)
		assert.Contains(t, text(b.login(verified, oldPassword).body), "There were too many tries on this account. Try again at 00:15 UTC")
		assert.Equal(t, calls, s.count(kiitest.OpLogin), "without a call")
	})
}

func Test23PagesMentionSpamAndTheOtherWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		for method, path := range map[kii.NotificationMethod]string{
			kii.NotificationSMSPIN: "/forgot/code", kii.NotificationSMS: "/forgot/sent", kii.NotificationEmail: "/forgot/sent",
		} {
			b := s.browser(t)
			answer := b.ask(verified, method)
			require.Equal(t, path, answer.path())
			words := text(b.get(path).body)
			assert.Contains(t, words, "choose another way or address", method)
			assert.Contains(t, words, "If there is such an account", method)
			assert.Contains(t, words, "newest", method)
			if method != kii.NotificationSMS {
				assert.Contains(t, words, "spam", method)
			}
		}
		b := s.browser(t)
		b.login(verified, oldPassword)
		s.Inject(kiitest.Fault{Operation: kiitest.OpGetUser, Kind: kiitest.FaultNoAnswer})
		down := b.get("/profile")
		assert.Equal(t, http.StatusServiceUnavailable, down.code)
		assert.Contains(t, text(down.body), "You are still logged in. Try again in a few minutes")
		noGoError(t, down.body)
		assert.Equal(t, http.StatusOK, b.get("/profile").code)
	})
}

// noGoError looks for what only a program would say.
func noGoError(t *testing.T, html string) {
	t.Helper()
	html = resetName.ReplaceAllString(html, "") // random letters may be EOF
	for _, word := range []string{"kii:", "Error{", "TransportError", "INVALID_", "UNEXPECTED", "EOF", "dial", "context", "status 5", "nil"} {
		assert.NotContains(t, html, word)
	}
}

// In a right-to-left language a number's plus would move to its other end.
func TestWhatIsTypedIsNeitherCorrectedNorTurnedRound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.asked(t, verified)
		b.login(verified, oldPassword)
		fields := 0
		for _, path := range []string{"/forgot", "/forgot/code", "/profile/email", "/profile/phone"} {
			for _, field := range regexp.MustCompile(`<input [^>]*type="(?:text|password)"[^>]*>`).FindAllString(b.get(path).body, -1) {
				fields++
				assert.Contains(t, field, ` dir="ltr"`, path)
				if !strings.Contains(field, " readonly") {
					assert.Contains(t, field, ` autocorrect="off"`, path)
					assert.Contains(t, field, ` spellcheck="false"`, path)
				}
			}
		}
		login := s.browser(t).get("/login").body
		assert.Equal(t, 2, strings.Count(login, ` dir="ltr" autocorrect="off" spellcheck="false"`))
		assert.Equal(t, 10, fields)
		assert.Contains(t, b.get("/profile").body, "<bdi>&#43;819012345678</bdi>")
	})
}
