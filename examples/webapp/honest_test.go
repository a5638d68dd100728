package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// The site does what its pages promise to the person in front of them.

func TestAnAgainThatSendsNothingSaysSoAndWhenItWould(t *testing.T) {
	t.Parallel()
	for _, method := range []kii.NotificationMethod{kii.NotificationEmail, kii.NotificationSMS, kii.NotificationSMSPIN} {
		synctestRun(t, string(method), func(t *testing.T) {
			var seen [][]page
			for _, account := range everyone {
				start := time.Now()
				s := newSite(t)
				b := s.browser(t)
				again := func() page { return b.get(b.post("/forgot/again").location()) }
				var pages []page
				keep := func(p page, calls int, says string, button bool) {
					t.Helper()
					synctest.Wait()
					assert.Equal(t, calls, s.count(kiitest.OpRequestReset), says)
					assert.Contains(t, text(p.body), says)
					assert.Equal(t, button, strings.Contains(p.body, `action="/forgot/again">`), "a button that would do nothing is hidden")
					p.body = strings.ReplaceAll(p.body, start.Format(time.DateOnly), "TODAY")
					pages = append(pages, sameFor(account, p))
				}
				keep(b.then(b.ask(account, method)), 1, "You can ask again at 00:00:30 UTC", false)
				keep(again(), 1, "Nothing new was sent just now. You can ask again at 00:00:30 UTC", false)
				time.Sleep(29 * time.Second)
				keep(again(), 1, "You can ask again at 00:00:30 UTC", false)
				time.Sleep(time.Second)
				keep(b.get(b.page), 1, "Nothing new was sent", true)
				keep(again(), 2, "You have asked for a new", false)
				keep(again(), 2, "You have asked for a new", false) // a double click: what it tells is so
				time.Sleep(time.Minute)
				keep(again(), 3, "You have asked 3 times. You can ask again at 00:15 UTC", false)
				time.Sleep(13 * time.Minute)
				keep(again(), 3, "You have asked 3 times. You can ask again at 00:15 UTC", false)
				seen = append(seen, pages)
				time.Sleep(24*time.Hour - time.Since(start)) // so that each begins at midnight
			}
			for i := range seen {
				assert.Equal(t, seen[0], seen[i], "alike for %s", everyone[i])
			}
		})
	}
}

func TestAskingAnewIsCountedForTheBrowserToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, account := range []string{verified, nobody} {
			s := newSite(t)
			b := s.browser(t)
			for range 3 {
				require.Equal(t, "/forgot/code", b.ask(account, kii.NotificationSMSPIN).path())
				time.Sleep(time.Minute)
			}
			refusal := b.ask(account, kii.NotificationSMSPIN)
			assert.Equal(t, http.StatusUnprocessableEntity, refusal.code)
			assert.Contains(t, text(refusal.body), "You have asked 3 times for this account, and no more messages are sent to it for now. You can ask again at")
			assert.Contains(t, input(t, refusal.body, "account"), `aria-invalid="true"`)
			assert.Equal(t, "/forgot/code", b.ask("other@example.com", kii.NotificationSMSPIN).path(), "another account is not counted")
			assert.Equal(t, "/forgot/code", s.browser(t).ask(account, kii.NotificationSMSPIN).path(), "the account's own count is not told")
			time.Sleep(12 * time.Minute)
			assert.Equal(t, "/forgot/code", b.ask(account, kii.NotificationSMSPIN).path())
			synctest.Wait()
			assert.Equal(t, 5, s.count(kiitest.OpRequestReset))
		}
	})
}

func TestALostResetSaysWhyAndThatNothingWasChanged(t *testing.T) {
	t.Parallel()
	forms := map[string][]string{
		"/forgot/code":  {"code", "123456", "password", newPassword},
		"/forgot/again": nil,
	}
	tests := map[string]struct {
		lose func(t *testing.T, s *site, b *browser)
		says string
	}{
		"time is up":   {func(*testing.T, *site, *browser) { time.Sleep(15 * time.Minute) }, "Your time for this is up"},
		"a restart":    {func(t *testing.T, s *site, _ *browser) { s.start(t) }, "Your time for this is up"},
		"lost cookies": {func(t *testing.T, s *site, b *browser) { b.jar = s.browser(t).jar }, "Your time for this is up"},
	}
	for name, tt := range tests {
		synctestRun(t, name, func(t *testing.T) {
			for _, account := range []string{verified, nobody} {
				s := newSite(t)
				b := s.asked(t, account)
				tt.lose(t, s, b)
				for path, form := range forms {
					answer := b.post(path, form...)
					require.Equal(t, http.StatusSeeOther, answer.code)
					shown := b.then(answer)
					assert.Equal(t, http.StatusOK, shown.code, "no loop")
					assert.Contains(t, text(shown.body), tt.says)
					assert.Contains(t, text(shown.body), "Nothing was changed")
					assert.Contains(t, shown.body, `href="/forgot"`)
				}
				for _, path := range []string{"/forgot/code", "/forgot/sent"} {
					assert.Contains(t, text(b.get(path+"?reset="+b.reset).body), tt.says)
				}
				synctest.Wait()
				assert.Equal(t, 1, s.count(), "and nothing was done")
				if name == "time is up" {
					assert.Contains(t, input(t, b.get("/forgot").body, "account"), `value="`+account+`"`, "the address is kept")
				}
			}
		})
	}
}

func TestAResetThatNewerOnesPushedOutSaysWhy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.asked(t, verified)
		first := b.page
		for i := range maxResets {
			assert.Contains(t, text(b.get(first).body), "Choose a new password")
			b.ask(fmt.Sprint(i, nobody), kii.NotificationSMSPIN)
		}
		assert.Contains(t, text(b.get(first).body), "or if four others were begun there")
		assert.Equal(t, 4, maxResets)
	})
}

// A fragile store fails once it is broken.
type fragile struct {
	store
	broken *atomic.Bool
}

func (f fragile) update(ctx context.Context, key string, life time.Duration, change func([]byte) []byte) error {
	if f.broken.Load() {
		return errors.New("the store is broken")
	}
	return f.store.update(ctx, key, life, change)
}

// fragileStores are in memory until broken is set. If kinds are named, only these break.
func fragileStores(broken *atomic.Bool, kinds ...string) stores {
	return func(kind string) store {
		if len(kinds) > 0 && !slices.Contains(kinds, kind) {
			return newMemory(kind)
		}
		return fragile{newMemory(kind), broken}
	}
}

func TestAStoreThatFailsIsToldByEachPage(t *testing.T) {
	t.Parallel()
	forms := map[string][]string{
		"/login":                {"account", verified, "password", oldPassword},
		"/login?wrong":          {"account", verified, "password", "wrong"},
		"/login?forgot":         {"account", verified, "forgot", "yes"},
		"/logout":               nil,
		"/profile/email/resend": nil,
		"/profile/email/verify": {"code", "123456"},
		"/profile/email/change": {"address", "new@example.com", "password", oldPassword},
	}
	for kind, pages := range map[string][]string{
		"visit": {"GET /login", "/login", "/login?wrong", "/login?forgot", "/logout"},
		"login": {"GET /login", "GET /profile", "GET /profile/email", "/login", "/logout", "/profile/email/resend", "/profile/email/verify", "/profile/email/change"},
	} {
		synctestRun(t, kind, func(t *testing.T) {
			for _, name := range pages {
				var broken atomic.Bool
				s, b := verifying(t, fragileStores(&broken, kind))
				b.get("/profile/email")
				if kind == "visit" { // and no login, with which the login page shows nothing
					b = s.browser(t)
					b.login(verified, "wrong")
				}
				broken.Store(true)
				path, get := strings.CutPrefix(name, "GET ")
				answer := b.get
				if !get {
					answer = func(path string) page { return b.post(path, forms[path]...) }
				}
				shown := answer(path)
				assert.Equal(t, http.StatusServiceUnavailable, shown.code, name)
				assert.Contains(t, text(shown.body), "Try again in a few minutes", name)
				noGoError(t, shown.body)
				assert.Zero(t, s.count(kiitest.OpResendVerification, kiitest.OpVerifyAddress, kiitest.OpChangeAddress), name)
			}
		})
	}
}

func TestAPasswordThatWasChangedIsToldThoughTheStoreFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		s := newSite(t)
		s.open = fragileStores(&broken)
		s.start(t)
		b := s.asked(t, verified)
		s.Inject(kiitest.Fault{Operation: kiitest.OpCompleteReset, Kind: kiitest.FaultDelay, Delay: time.Second})
		time.AfterFunc(500*time.Millisecond, func() { broken.Store(true) })
		answer := b.post("/forgot/code", "code", s.pin(t), "password", newPassword)
		assert.Equal(t, http.StatusOK, answer.code)
		assert.Contains(t, text(answer.body), "Your password is changed. Log in with the new one")
		assert.Contains(t, s.log.String(), "the end of a reset is not kept")
		noGoError(t, answer.body)
		broken.Store(false)
		assert.Equal(t, "/profile?from=login", b.login(verified, newPassword).location())
	})
}

func TestAnAddressThatWasVerifiedIsToldThoughTheStoreFails(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		of   kiitest.Operation
		form func(*testing.T, *site) []string
		want string
	}{
		"verify": {kiitest.OpVerifyAddress, func(t *testing.T, s *site) []string { return []string{"code", s.verificationCode(t)} }, "It is verified"},
		"resend": {kiitest.OpResendVerification, func(*testing.T, *site) []string { return nil }, "a message is on its way"},
		"change": {kiitest.OpChangeAddress, func(*testing.T, *site) []string {
			return []string{"address", "new@example.com", "password", oldPassword}
		}, "We have taken your request"},
	} {
		synctestRun(t, name, func(t *testing.T) {
			var broken atomic.Bool
			s, b := verifying(t, fragileStores(&broken))
			b.post("/profile/email/change", "address", "erin@example.com", "password", oldPassword)
			form := tt.form(t, s)
			s.Inject(kiitest.Fault{Operation: tt.of, Kind: kiitest.FaultDelay, Delay: time.Second})
			time.AfterFunc(500*time.Millisecond, func() { broken.Store(true) })
			answer := b.post("/profile/email/"+name, form...)
			assert.Equal(t, http.StatusOK, answer.code)
			assert.Contains(t, text(answer.body), tt.want)
			noGoError(t, answer.body)
		})
	}
}

// A process may end, or lose its store, while it tries a code.
func TestATryThatWasCutOffIsTriedAgain(t *testing.T) {
	t.Parallel()
	for _, arrived := range []bool{false, true} {
		for _, wait := range []time.Duration{0, 2 * time.Minute} {
			synctestRun(t, fmt.Sprintf("arrived %v, %v later", arrived, wait), func(t *testing.T) {
				var broken atomic.Bool
				s := newSite(t)
				s.open = fragileStores(&broken)
				s.start(t)
				b := s.asked(t, verified)
				fault := kiitest.FaultNoAnswer
				if !arrived {
					fault = kiitest.FaultRateLimit
				}
				s.Inject(kiitest.Fault{Operation: kiitest.OpCompleteReset, Kind: fault, Handled: arrived})
				s.Inject(kiitest.Fault{Operation: kiitest.OpCompleteReset, Kind: kiitest.FaultDelay, Delay: time.Second})
				time.AfterFunc(500*time.Millisecond, func() { broken.Store(true) })
				pin := s.pin(t)
				assert.Equal(t, http.StatusServiceUnavailable, b.post("/forgot/code", "code", pin, "password", newPassword).code)
				broken.Store(false)
				time.Sleep(wait)
				want := "Your password is changed"
				if arrived {
					want = "We could not find out whether your password was changed"
				}
				assert.Contains(t, text(b.complete(pin, newPassword).body), want)
			})
		}
	}
}

func TestWithoutCookiesAPageSaysSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, account := range []string{verified, nobody} {
			for _, method := range []kii.NotificationMethod{kii.NotificationEmail, kii.NotificationSMSPIN} {
				s := newSite(t)
				b := s.browser(t)
				answer := b.ask(account, method)
				b.jar = s.browser(t).jar
				shown := b.then(answer)
				assert.Equal(t, http.StatusOK, shown.code, "no loop")
				assert.Contains(t, text(shown.body), "Cookies are needed")
				assert.Contains(t, text(shown.body), "Nothing was changed")
			}
		}
		s := newSite(t)
		b := s.browser(t)
		assert.NotContains(t, b.then(b.ask(nobody, kii.NotificationEmail)).body, "from=", "with them, the way leads to a clean URL")
		b.login(verified, oldPassword)
		assert.Equal(t, "/profile", b.get("/profile?from=login").location())
	})
}

func TestTheSecondOfADoubleClickIsNoError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser(t)
		b.login(verified, "wrong") // so that the browser is known
		second := s.browser(t)     // the same one, with the cookies that it has when both clicks are sent
		u, _ := url.Parse(origin)
		second.jar.SetCookies(u, b.jar.Cookies(u))
		first := b.ask(phone, kii.NotificationSMSPIN)
		assert.Equal(t, "/forgot/code", second.ask(phone, kii.NotificationSMSPIN).path())
		assert.Equal(t, "/forgot/code", first.path())
		synctest.Wait()
		assert.Len(t, s.Messages(), 1)
	})
}

func TestAnotherCodeHasItsWholeTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.asked(t, verified)
		time.Sleep(14 * time.Minute)
		answer := b.post("/forgot/again")
		assert.Contains(t, strings.Join(answer.header.Values("Set-Cookie"), "\n"), "Max-Age=900")
		synctest.Wait()
		time.Sleep(9 * time.Minute)
		assert.Contains(t, text(b.complete(s.pin(t), newPassword).body), "Your password is changed")
	})
}

func TestSuccessIsToldOnlyIfTheNewPasswordLogsIn(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		prepare   func(s *site)
		after     string
		says, log string
	}{
		"sure": {func(*site) {}, "reset", "Your password is changed", "level=INFO msg=\"password reset\""},
		"a flow that ignores the password": {func(s *site) {
			s.SetSettings(func(portal *kiitest.Settings) { portal.ResetFlow = kiitest.GeneratePassword })
		}, "mismatch", "Your code was accepted, but the password that you chose does not log you in", "set Password Reset Flow to Input Password"},
		"no answer to the check": {func(s *site) {
			s.Inject(kiitest.Fault{Operation: kiitest.OpLogin, Kind: kiitest.FaultNoAnswer})
		}, "unchecked", "We could not check that your new password works", "level=WARN"},
		"a limit on the check": {func(s *site) {
			s.Inject(kiitest.Fault{Operation: kiitest.OpLogin, Kind: kiitest.FaultRateLimit})
		}, "unchecked", "We could not check that your new password works", "level=WARN"},
	}
	for name, tt := range tests {
		synctestRun(t, name, func(t *testing.T) {
			s := newSite(t)
			b := s.asked(t, phone)
			tt.prepare(s)
			answer := b.post("/forgot/code", "code", s.pin(t), "password", newPassword)
			assert.Equal(t, "/login?after="+tt.after, answer.location())
			shown := b.then(answer)
			assert.Contains(t, text(shown.body), tt.says)
			assert.Equal(t, tt.after == "reset", strings.Contains(text(shown.body), "Your password is changed"))
			assert.Contains(t, input(t, shown.body, "account"), `value="&#43;819012345678"`, "the address is kept")
			assert.Contains(t, s.log.String(), tt.log)
			for _, secret := range []string{newPassword, phone, "9012345678"} {
				assert.NotContains(t, s.log.String(), secret)
			}
			assert.Equal(t, 1, s.count(kiitest.OpLogin))
			assert.Contains(t, b.get("/forgot/code?reset="+b.reset).location(), "/login?after="+tt.after, "Back leads to the same")
		})
	}
}

func TestEachTabActsOnTheAccountThatItShows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.AddAccount(kiitest.Account{Email: "erin@example.com", EmailVerified: true, Phone: "+819012345690", PhoneVerified: true, Password: oldPassword})
		b := s.asked(t, verified)
		first, pin := b.reset, s.pin(t)
		b.ask("erin@example.com", kii.NotificationSMSPIN)
		synctest.Wait()
		second, otherPIN := b.reset, s.pin(t)
		require.NotEqual(t, first, second)
		assert.Contains(t, b.get("/forgot/code?reset="+first).body, verified)
		assert.Contains(t, b.get("/forgot/code?reset="+second).body, "erin@example.com")

		b.reset = first
		assert.Contains(t, text(b.complete(pin, newPassword).body), "Your password is changed")
		b.reset = second
		assert.Contains(t, text(b.complete(otherPIN, newPassword).body), "Your password is changed")
		for _, account := range []string{verified, "erin@example.com"} {
			_, err := s.client.User.Login(t.Context(), account, newPassword)
			assert.NoError(t, err)
		}

		b = s.asked(t, nobody)
		b.reset = "AAAAAAAA"
		calls := s.count()
		assert.Contains(t, text(b.complete("123456", newPassword).body), "Nothing was changed", "a form of another reset acts on none")
		b.reset = ""
		b.post("/forgot/code", "code", "123456", "password", newPassword)
		assert.Equal(t, calls, s.count(), "nor does a form that names none")
	})
}

func TestWhatTheLibraryRefusesIsRefusedAtTheForm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		for _, invisible := range []string{"\u200balice@example.com", "alice@example.com\ufeff", "ali\u00adce@example.com", "\u202aalice@example.com\u202c", "alice\ufe0f@example.com", "ａｌｉｃｅ＠example．com"} {
			before := len(s.Messages())
			b := s.browser(t)
			require.Equal(t, "/forgot/code", b.ask(invisible, kii.NotificationSMSPIN).path(), "%q", invisible)
			synctest.Wait()
			assert.Len(t, s.Messages(), before+1, "%q is read as it is meant", invisible)
			time.Sleep(15 * time.Minute)
		}
		for _, refused := range []string{
			"alice@", "al ice@example.com", "alice@exa\x7fmple.com", "alice@exa\u0085mple.com", "EMAIL:alice@example.com",
			"ali\uffe5ce@example.com", "ali\u034fce@example.com", "ali\u3164ce@example.com", "alice@exam\ufffdple.com",
		} {
			assert.Equal(t, http.StatusUnprocessableEntity, s.browser(t).ask(refused, kii.NotificationSMSPIN).code, "%q", refused)
		}
		assert.NotContains(t, s.log.String(), "ArgumentError")
		assert.NotContains(t, s.log.String(), "level=ERROR")
	})
}
