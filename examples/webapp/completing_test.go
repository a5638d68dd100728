package main

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// asked returns a browser on the page that wants the code.
func (s *site) asked(t *testing.T, account string) *browser {
	t.Helper()
	b := s.browser(t)
	require.Equal(t, "/forgot/code", b.ask(account, kii.NotificationSMSPIN).path())
	synctest.Wait()
	return b
}

func Test06TriesAreLimited(t *testing.T) {
	t.Parallel()
	for _, account := range []string{verified, nobody} {
		t.Run(account, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				b := s.asked(t, account)
				pin := "123456"
				if account == verified {
					pin = s.pin(t)
				}
				for range 5 {
					require.Contains(t, text(b.complete(wrong(pin), newPassword).body), "This did not work")
				}
				require.Equal(t, 5, s.count(kiitest.OpCompleteReset))

				refusal := b.complete(pin, newPassword)
				assert.Contains(t, text(refusal.body), "Too many codes were tried. At 00:15 UTC")
				other := s.asked(t, strings.ToUpper(account))
				assert.Contains(t, text(other.complete(pin, newPassword).body), "Too many codes", "in another browser too")
				assert.Equal(t, 5, s.count(kiitest.OpCompleteReset), "the right one makes no call")
			})
		})
	}
}

func Test06WhatIsNoCodeIsToldBeforeATryIsCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.asked(t, verified)
		pin := s.pin(t)
		for _, typed := range []string{"", "the code", pin + "a", pin + ", not 654321", "090-1234-5678 sent " + pin} {
			refusal := b.complete(typed, newPassword)
			assert.Contains(t, text(refusal.body), "Enter the code from the SMS, and nothing else", "%q", typed)
			assert.NotContains(t, text(refusal.body), "This did not work", "%q", typed)
		}
		assert.Zero(t, s.count(kiitest.OpCompleteReset))
		assert.Equal(t, "/login?after=reset", b.post("/forgot/code", "code", pin, "password", newPassword).location())
	})
}

func Test06ParallelTriesAreCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(cfg *config) { cfg.triesPerClient, cfg.asksPerAccount, cfg.asksPerClient = 1000, 1000, 1000 })
		var posts sync.WaitGroup
		for range 5 {
			b := s.asked(t, verified)
			for i := range 10 {
				tab := *b
				code := strconv.Itoa(1000000 + i) // too long, and another one each time: the same ones are one try
				posts.Go(func() { tab.post("/forgot/code", "code", code, "password", newPassword) })
			}
		}
		posts.Wait()
		assert.Equal(t, 5, s.count(kiitest.OpCompleteReset))
	})
}

func Test06TriesAreLimitedPerClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(cfg *config) { cfg.asksPerClient = 1000 })
		for i := range 20 {
			b := s.asked(t, "someone"+strconv.Itoa(i)+"@example.com")
			require.Equal(t, http.StatusOK, b.complete("111111", newPassword).code)
		}
		refusal := s.asked(t, verified).complete("111111", newPassword)
		assert.Equal(t, http.StatusTooManyRequests, refusal.code)
		assert.NotEmpty(t, refusal.header.Get("Retry-After"))
		assert.Equal(t, 20, s.count(kiitest.OpCompleteReset))
	})
}

func Test07CompletingGivesOneAnswerInTheSameTime(t *testing.T) {
	t.Parallel()
	type try struct {
		name, account string
		prepare       func(t *testing.T, s *site, b *browser) (pin string)
	}
	guess := func(*testing.T, *site, *browser) string { return "424242" }
	tries := []try{
		{"wrong", verified, func(t *testing.T, s *site, _ *browser) string { return wrong(s.pin(t)) }},
		{"expired", verified, func(t *testing.T, s *site, _ *browser) string {
			pin := s.pin(t)
			time.Sleep(10 * time.Minute)
			return pin
		}},
		{"used", verified, func(t *testing.T, s *site, b *browser) string {
			pin := s.pin(t)
			require.NoError(t, s.client.User.CompleteResetPassword(t.Context(), verified, pin, new(newPassword)))
			return pin
		}},
		{"the old password again", verified, func(t *testing.T, s *site, _ *browser) string { return s.pin(t) }},
		{"unverified", unverified, guess},
		{"unknown", nobody, guess},
		{"without password", passless, guess},
		{"disabled", disabled, guess},
	}
	for _, assumed := range []kiitest.Assumption{"", kiitest.NoPendingPINIsWrongPIN, kiitest.PINCheckedBeforePassword} {
		synctestRun(t, string(assumed)+" turned", func(t *testing.T) {
			var answers, pages []page
			var times []time.Duration
			for _, try := range tries {
				s := newSite(t)
				for _, account := range []string{verified, disabled, passless} {
					s.Inject(kiitest.Fault{Operation: kiitest.OpCompleteReset, User: account, Kind: kiitest.FaultDelay, Delay: 300 * time.Millisecond, Times: kiitest.EveryTime})
				}
				b := s.asked(t, try.account)
				pin := try.prepare(t, s, b)
				time.Sleep(time.Minute) // so that all of them may ask again, and no page says when
				password := newPassword + "!"
				if try.name == "the old password again" {
					password = oldPassword
				}
				start := time.Now()
				answer := b.post("/forgot/code", "code", pin, "password", password)
				times = append(times, time.Since(start))
				answers = append(answers, sameFor(try.account, answer))
				shown := sameFor(try.account, b.then(answer))
				shown.body = strings.ReplaceAll(shown.body, pin, "PIN")
				pages = append(pages, shown)
				assert.Positive(t, s.count(kiitest.OpCompleteReset))
				s.ClearFaults()
			}
			for i, try := range tries {
				assert.Equal(t, answers[0], answers[i], try.name)
				assert.Equal(t, pages[0], pages[i], try.name)
				assert.Equal(t, times[0], times[i], try.name)
			}
			assert.Contains(t, text(pages[0].body), "the code is wrong or has expired")
			assert.Equal(t, time.Second, times[0])
		})
	}
}

func synctestRun(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { t.Parallel(); synctest.Test(t, f) })
}

func Test07PasswordTooShortForKiiCloudIsToldToEverybody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.SetSettings(func(portal *kiitest.Settings) { portal.MinPasswordLength = 20 })
		b := s.asked(t, verified)
		assert.Contains(t, text(b.complete(s.pin(t), newPassword).body), "This did not work", "a stranger learns nothing")
		assert.Contains(t, s.log.String(), "set -min-password")

		calls := s.count(kiitest.OpCompleteReset)
		for _, account := range []string{verified, nobody} {
			assert.Contains(t, text(s.asked(t, account).complete("111111", newPassword).body), "Use at least 20 characters")
		}
		assert.Equal(t, calls, s.count(kiitest.OpCompleteReset))
	})
}

func Test08TheFlowIsBoundToTheBrowser(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		victim := s.asked(t, verified)
		for _, path := range []string{"/forgot/code", "/forgot/sent"} {
			assert.Equal(t, "/forgot", s.browser(t).get(path).location(), "without a cookie the first page asks again")
		}
		other := s.browser(t)
		other.reset = victim.reset
		assert.Equal(t, "/forgot/code", other.post("/forgot/code", "account", verified, "code", s.pin(t), "password", newPassword).path())
		assert.Equal(t, "/forgot/code", other.post("/forgot/again", "account", verified).path())
		assert.Contains(t, text(other.get("/forgot/code?reset="+victim.reset).body), "Your time for this is up", "a name without its cookie opens nothing")
		assert.Zero(t, s.count(kiitest.OpCompleteReset))

		form := victim.get("/forgot/code").body
		assert.Equal(t, 2, strings.Count(form, `type="hidden"`))
		assert.Equal(t, 2, strings.Count(form, `<input type="hidden" name="reset" value="`+victim.reset+`">`), "a name that is worth nothing without the cookie")
		assert.Regexp(t, `<input id="username" type="text" value="alice@example.com" autocomplete="username" dir="ltr" readonly>`, form, "shown, and not sent back")
		first := victim.cookie("__Host-reset")
		victim.ask(verified, kii.NotificationEmail)
		assert.NotEqual(t, first, victim.cookie("__Host-reset"), "each start has a name of its own")
	})
}

func Test09SuccessLogsNobodyIn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.asked(t, verified)
		answer := b.post("/forgot/code", "code", s.pin(t), "password", newPassword)
		assert.Equal(t, http.StatusSeeOther, answer.code)
		assert.Equal(t, "/login?after=reset", answer.location())
		assert.Empty(t, b.cookie("__Host-login"))
		assert.Equal(t, "/login", b.get("/profile").location())
		assert.Equal(t, 1, s.count(kiitest.OpLogin), "the check that the new password works; its session is for nobody")
		assert.Equal(t, "/profile?from=login", b.login(verified, newPassword).location())
	})
}

func Test17CookiesAreStrictShortAndGoneAfterSuccess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser(t)
		attributes := func(p page, name string) string {
			for _, line := range p.header.Values("Set-Cookie") {
				if value, ok := strings.CutPrefix(line, name+"="); ok {
					_, rest, _ := strings.Cut(value, ";")
					return rest
				}
			}
			return "no such cookie"
		}
		answer := b.ask(verified, kii.NotificationSMSPIN)
		assert.Equal(t, " Path=/; Max-Age=900; HttpOnly; Secure; SameSite=Strict", attributes(answer, "__Host-reset"))
		assert.Equal(t, " Path=/; HttpOnly; Secure; SameSite=Lax", attributes(answer, "__Host-visit"), "it opens nothing: it remembers what was typed")
		stolen := b.cookie("__Host-reset")

		time.Sleep(15*time.Minute - 1)
		assert.Equal(t, http.StatusOK, b.get("/forgot/code").code)
		time.Sleep(time.Nanosecond)
		late := s.browser(t)
		late.send = http.Header{"Cookie": {"__Host-reset=" + stolen}}
		assert.Contains(t, text(late.get("/forgot/code").body), "Your time for this is up", "the server forgets it too")

		b = s.asked(t, verified)
		b.complete(s.pin(t), newPassword)
		assert.Empty(t, b.cookie("__Host-reset"))
		assert.Equal(t, "/login?after=reset", b.get("/forgot/code").location(), "Back leads to what is true")

		answer = b.login(verified, newPassword)
		assert.Equal(t, " Path=/; HttpOnly; Secure; SameSite=Lax", attributes(answer, "__Host-login"))
	})
}

func Test24ADoubleClickOnTheLastButtonSucceedsTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.asked(t, verified)
		pin := s.pin(t)
		s.Inject(kiitest.Fault{Operation: kiitest.OpCompleteReset, Kind: kiitest.FaultDelay, Delay: time.Second})
		var clicks sync.WaitGroup
		for range 2 {
			tab := *b
			clicks.Go(func() {
				answer := tab.post("/forgot/code", "code", pin, "password", newPassword)
				assert.Equal(t, "/login?after=reset", answer.location())
			})
		}
		clicks.Wait()
		assert.Equal(t, 1, s.count(kiitest.OpCompleteReset))
	})
}

func Test25TheOwnerIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.asked(t, verified)
		done := text(b.complete(s.pin(t), newPassword).body)
		assert.Contains(t, done, "Your password is changed")
		assert.Contains(t, done, "If it was not you")
		assert.Contains(t, done, "support@example.com")

		told := s.FindMessages(kiitest.Filter{Purpose: kiitest.PasswordReset})
		require.Len(t, told, 1)
		for _, secret := range []string{newPassword, oldPassword} {
			assert.NotContains(t, told[0].Text+done, secret)
		}
	})
}
