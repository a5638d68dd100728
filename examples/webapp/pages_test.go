package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nyaruka/phonenumbers"
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

func Test19ThePINFieldTakesWhatIsPasted(t *testing.T) {
	t.Parallel()
	tests := []struct {
		typed, pin string
		ok         bool
	}{
		{"123456", "123456", true},
		{"12 34-56", "123456", true},
		{"  012345\n", "012345", true},
		{"12\u201334\u00a056", "123456", true},
		{"\uff11\uff12\uff13\uff14", "1234", true},
		{"12345678901234567890", "12345678901234567890", true},
		{"Your code is 123456.", "123456", true},
		{"G-123456 is your code", "123456", true},
		{"code: 123 456", "123456", true},
		{"認証コード123456です。", "123456", true},
		{"123456 is your code.@www.example.com #123456", "123456", true},
		{"\u200b123\u2060456\ufeff", "123456", true},
		{"\u202a123456\u202c", "123456", true},
		{"Your code is 123456. It works for 10 minutes.", "", false},
		{"Your code is 123456 10 minutes", "", false},
		{"2026-11-25: your code is 123456", "", false},
		{"AB12", "", false},
		{"12ab", "", false},
		{"12O456", "", false},
		{"\uff21123", "", false},
		{"l23456", "", false},
		{"code", "", false},
		{"", "", false},
		{" - ", "", false},
		{"12\x0034", "", false},
		{"12.34", "", false},
		{strings.Repeat("1", 65), "", false},
	}
	for _, tt := range tests {
		pin, ok := parsePIN(tt.typed)
		assert.Equal(t, tt.ok, ok, "%q", tt.typed)
		if tt.ok {
			assert.Equal(t, tt.pin, pin, "%q", tt.typed)
		}
	}
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
		b.ask(`"onfocus='>&lt;b@example.com`, kii.NotificationSMSPIN)
		synctest.Wait()
		b.post("/forgot/code", "code", markup)
		shown := b.get("/forgot/code").body
		assert.NotContains(t, shown, "<b>x</b>")
		assert.Contains(t, input(t, shown, "username"), `value="&#34;onfocus=&#39;&gt;&amp;lt;b@example.com"`)
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
	for _, word := range []string{"kii:", "Error{", "TransportError", "INVALID_", "UNEXPECTED", "EOF", "dial", "context", "status 5", "nil"} {
		assert.NotContains(t, html, word)
	}
}

func TestAccountsAreEMailAddressesOrPhoneNumbers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		typed string
		want  account
		ok    bool
	}{
		{" Alice@Example.com ", account{"Alice@Example.com", "alice@example.com"}, true},
		{"+81 90-1234-5678", account{"+819012345678", "+819012345678"}, true},
		{"+81 (0)90 1234 5678", account{"+819012345678", "+819012345678"}, true},
		{"090 1234 5678", account{"+819012345678", "+819012345678"}, true},
		{"0044 20 7946 0000", account{"+442079460000", "+442079460000"}, true},
		{"\uff10\uff19\uff10\u30fc\uff11\uff12\uff13\uff14\u30fc\uff15\uff16\uff17\uff18", account{"+819012345678", "+819012345678"}, true},
		{"+81(0)90 1234 5678", account{"+819012345678", "+819012345678"}, true},
		{"+44 (0)20 7946 0000", account{"+442079460000", "+442079460000"}, true},
		{"\uff0b81\u3000(\uff10)90 1234 5678", account{"+819012345678", "+819012345678"}, true},
		{"+225 07 12 34 56 78", account{"+2250712345678", "+2250712345678"}, true},
		{"+81 090 1234 5678", account{"+8109012345678", "+8109012345678"}, true}, // never altered
		{"+39 06 1234 5678", account{"+390612345678", "+390612345678"}, true},
		{"(090) 1234.5678", account{"+819012345678", "+819012345678"}, true},
		{"090/1234/5678", account{"+819012345678", "+819012345678"}, true},
		{"010 44 20 7946 0000", account{"+442079460000", "+442079460000"}, true},          // as dialled from Japan
		{"\u202a+81 90-1234-5678\u202c", account{"+819012345678", "+819012345678"}, true}, // as copied from a phone's contacts
		{"Alice <alice@example.com>", account{"alice@example.com", "alice@example.com"}, true},
		{"\u200balice@example.com", account{"alice@example.com", "alice@example.com"}, true},
		{"090 1234 5678 ext 5", account{}, false},
		{"090-CALL-NOW", account{}, false},
		{"++819012345678", account{}, false},
		{"090+12345678", account{}, false},
		{"<alice@example.com", account{}, false},
		{"", account{}, false},
		{"alice", account{}, false},
		{"a@b@c", account{}, false},
		{"@example.com", account{}, false},
		{"alice@", account{}, false},
		{"EMAIL:alice@example.com", account{}, false},
		{"LOGIN_NAME:alice", account{}, false},
		{"86f3cdcf-950d-4a3e-8f2b-1c2d3e4f5a6b", account{}, false},
		{"12345678", account{}, false},
		{"+12", account{}, false},
		{"+123456789012345678901", account{}, false},
		{"al ice@example.com", account{}, false},
		{"alice\x00@example.com", account{}, false},
		{"alic\xe9@example.com", account{}, false},
		{strings.Repeat("a", 250) + "@example.com", account{}, false},
	}
	for _, tt := range tests {
		got, ok := parseAccount(tt.typed, "JP")
		assert.Equal(t, tt.ok, ok, "%q", tt.typed)
		assert.Equal(t, tt.want, got, "%q", tt.typed)
	}
}

func TestLocalNumbersAreReadAsTheirCountryWritesThem(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		callingCode int
		typed, want string
	}{
		{225, "07 12 34 56 78", "+2250712345678"},
		{39, "06 1234 5678", "+390612345678"},
		{1, "(212) 555-0123", "+12125550123"},
		{1, "1-212-555-0123", "+12125550123"},
		{1, "011 44 20 7946 0000", "+442079460000"},
		{7, "8 912 345-67-89", "+79123456789"},
		{44, "020 7946 0000", "+442079460000"},
		{36, "06 20 123 4567", "+36201234567"},
		{81, "090-1234-5678", "+819012345678"},
	} {
		got, ok := parseAccount(tt.typed, phonenumbers.GetRegionCodeForCountryCode(tt.callingCode))
		assert.True(t, ok, "%s", tt.typed)
		assert.Equal(t, account{tt.want, tt.want}, got, "%d %s", tt.callingCode, tt.typed)
	}
}

func FuzzAccountsAreTakenByTheLibrary(f *testing.F) {
	for _, seed := range []string{"alice@example.com", "090-1234-5678", "+81 (0)9012345678", "a/b?c#d@e", "\uff10\uff11", "é@ü", "+81000000", "+81000012345678"} {
		f.Add(seed)
	}
	srv := kiitest.NewServer(kiitest.WithoutSocket())
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site(), kii.WithHTTPClient(&http.Client{Transport: srv.Transport()}))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, typed string) {
		acct, ok := parseAccount(typed, "JP")
		if !ok {
			return
		}
		err := client.User.ResetPassword(t.Context(), acct.ID, kii.NotificationSMSPIN)
		require.ErrorIs(t, err, kii.ErrUserNotFound, "not refused as an argument")
		again, ok := parseAccount(acct.ID, "JP")
		require.True(t, ok && again == acct, "what was read reads as itself")
	})
}

func TestAMemoryIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("").(*memory)
		put := func(key string) {
			require.NoError(t, m.update(t.Context(), key, time.Minute, func([]byte) []byte { return []byte(key) }))
		}
		put("first")
		time.Sleep(time.Second)
		for i := range maxValues {
			put(fmt.Sprint(i))
		}
		assert.Len(t, m.values, maxValues)
		assert.NotContains(t, m.values, "first", "the oldest went")
		time.Sleep(2 * time.Minute)
		put("1")
		assert.Len(t, m.values, 1)

		take := func(key string) time.Duration {
			wait, err := m.take(t.Context(), key, 1, time.Minute)
			require.NoError(t, err)
			return wait
		}
		for i := range maxCounts {
			require.Zero(t, take(fmt.Sprint(i)))
		}
		assert.Equal(t, time.Minute, take("one more"))
		time.Sleep(time.Minute)
		assert.Zero(t, take("one more"))
		assert.Len(t, m.counts, 1)
	})
}
