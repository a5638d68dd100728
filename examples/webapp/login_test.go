package main

import (
	"html"
	"net/http"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

func TestALostLoginSaysWhy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser(t)
		b.login(verified, oldPassword)
		time.Sleep(time.Hour)
		answer := b.get("/profile")
		assert.Contains(t, text(b.then(answer).body), "You were logged out, because your time was up")
		assert.Empty(t, b.cookie("__Host-login"))

		without := s.browser(t)
		answer = without.login(verified, oldPassword)
		without.jar = s.browser(t).jar
		shown := without.then(answer)
		assert.Equal(t, http.StatusOK, shown.code, "no silent way back to the login")
		assert.Contains(t, text(shown.body), "Cookies are needed")
	})
}

func TestALoginThatCannotWorkIsNotTried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		for _, tt := range []struct{ account, password, field, want string }{
			{"", oldPassword, "account", "Enter an e-mail address"},
			{"alice", oldPassword, "account", "Enter an e-mail address"},
			{"ali\uffe5ce@example.com", oldPassword, "account", "Enter an e-mail address"}, // which the library refuses
			{verified, "", "password", "Enter your password"},
		} {
			shown := s.browser(t).login(tt.account, tt.password)
			assert.Equal(t, http.StatusUnprocessableEntity, shown.code)
			assert.Contains(t, text(shown.body), tt.want, "%q", tt.account)
			assert.Contains(t, input(t, shown.body, tt.field), `aria-invalid="true"`, "%q", tt.account)
		}
		assert.Zero(t, s.count(), "and no try is counted")
	})
}

func TestALinkToTheLoginTellsNothingUntrue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		stranger := s.browser(t)
		for _, after := range []string{"reset", "unchecked", "mismatch", "ended", "expired", "nonsense"} {
			assert.NotContains(t, stranger.get("/login?after="+after).body, `class="notice`, after)
		}
		stranger.login(verified, oldPassword)
		assert.Equal(t, "/profile", stranger.get("/login?after=logout").location(), "a login that is there is not asked for again")
	})
}

func TestTheAddressIsKeptFromPageToPage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser(t)
		kept := func(path string) string {
			return html.UnescapeString(regexp.MustCompile(`value="([^"]*)"`).FindStringSubmatch(input(t, b.get(path).body, "account"))[1])
		}
		assert.Empty(t, kept("/login"))
		assert.Equal(t, "/forgot", b.post("/login", "account", "", "forgot", "yes").location(), "with nothing typed, too")
		answer := b.post("/login", "account", verified, "password", "", "forgot", "yes")
		assert.Equal(t, "/forgot", answer.location(), "Forgot your password? takes along what was typed")
		assert.Equal(t, verified, kept("/forgot"))
		b.login(nobody, "wrong")
		assert.Equal(t, nobody, kept("/forgot"))
		b.ask(phone, kii.NotificationEmail)
		assert.Equal(t, phone, kept("/login"))
		b.login(oldPassword, "x")
		b.post("/login", "account", oldPassword, "forgot", "yes")
		assert.Equal(t, phone, kept("/login"), "what is no address may be a password")
		b.login(verified, oldPassword)
		assert.Contains(t, text(b.then(b.post("/logout")).body), "You are logged out.")
		assert.Empty(t, kept("/login"), "until the logout")
	})
}

func TestPasswordManagersFindTheWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newSite(t).browser(t)
		answer := b.get("/.well-known/change-password")
		assert.Equal(t, http.StatusSeeOther, answer.code)
		assert.Equal(t, "/forgot", answer.location())
		assert.Equal(t, http.StatusNotFound, b.get("/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200").code)
	})
}

// As with two tabs, of which one logs out: the form of the other does not vanish without a word.
func Test09AFormThatOutlivesItsLoginSaysThatNothingWasChanged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser(t)
		b.login(verified, oldPassword)
		b.post("/logout")
		for _, form := range []string{"change", "verify", "resend"} {
			shown := text(b.then(b.post("/profile/email/" + form)).body)
			assert.Contains(t, shown, "You were logged out", form)
			assert.Contains(t, shown, "Your account is as it was", form)
		}
		assert.Equal(t, "/login", b.get("/profile").location(), "a page that is only opened asks for a login")
	})
}

func Test09AFreshLoginHasAFreshCookie(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser(t)
		b.login(verified, oldPassword)
		first := b.cookie("__Host-login")
		b.login(verified, oldPassword)
		assert.NotEqual(t, first, b.cookie("__Host-login"))
		_, err := s.client.User.Login(t.Context(), verified, oldPassword)
		require.NoError(t, err)
		thief := s.browser(t)
		thief.send = http.Header{"Cookie": {"__Host-login=" + first}}
		assert.Equal(t, "/login?after=expired", thief.get("/profile").location(), "the older one is dead")
	})
}

func Test10OldSessionsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		second := s.browser(t)
		second.login(verified, oldPassword)
		require.Equal(t, http.StatusOK, second.get("/profile").code)
		before, err := s.client.User.Login(t.Context(), verified, oldPassword)
		require.NoError(t, err)

		first := s.asked(t, verified)
		first.login(verified, oldPassword)
		first.complete(s.pin(t), newPassword)

		answer := second.get("/profile")
		assert.Equal(t, "/login?after=ended", answer.location(), "out at the next click")
		assert.Empty(t, second.cookie("__Host-login"))
		assert.Contains(t, text(second.get(answer.location()).body), "the password of your account was changed")
		_, err = before.Profile(t.Context())
		assert.ErrorAs(t, err, new(*kii.SessionError))
		assert.Equal(t, "/login", first.get("/profile").location(), "and so is the browser that did it")
	})
}

func Test09ALoginThatSucceedsStartsAnewCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(cfg *config) { cfg.loginsPerClient = 1000 })
		b := s.browser(t)
		for range 3 {
			for range s.cfg.loginsPerAccount - 1 {
				require.Contains(t, text(b.login(verified, "mistyped").body), "is not right")
			}
			require.Equal(t, "/profile?from=login", b.login(verified, oldPassword).location())
		}
		for range s.cfg.loginsPerAccount {
			b.login(verified, "mistyped")
		}
		assert.Contains(t, text(b.login(verified, oldPassword).body), "too many tries on this account")
	})
}

func Test09WrongPasswordsOfBeforeAResetCountNoMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.asked(t, verified)
		for range s.cfg.loginsPerAccount {
			b.login(verified, "forgotten")
		}
		locked := text(b.login(verified, oldPassword).body)
		require.Contains(t, locked, "too many tries on this account")
		require.Contains(t, locked, "ask for a new password by an SMS with a code", "which is how the owner gets in")
		b.complete(wrong(s.pin(t)), newPassword)
		require.Contains(t, text(b.login(verified, oldPassword).body), "too many tries on this account", "a code that is wrong helps nobody")

		require.Contains(t, text(b.complete(s.pin(t), newPassword).body), "Log in with the new one.")
		assert.Equal(t, "/profile?from=login", b.login(verified, newPassword).location())
	})
}

// Kii Cloud answers a token that has expired like one whose password was changed.
func Test10ATokenThatExpiresIsNotToldAsAChangedPassword(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.SetSettings(func(portal *kiitest.Settings) { portal.TokenValidity = 5 * time.Minute })
		b := s.browser(t)
		b.login(verified, oldPassword)
		require.Equal(t, http.StatusOK, b.get("/profile").code)
		time.Sleep(5 * time.Minute)
		answer := b.get("/profile")
		assert.Equal(t, "/login?after=expired", answer.location())
		assert.Contains(t, text(b.get(answer.location()).body), "Your account is as it was")

		b.login(verified, oldPassword)
		b.get("/profile/email")
		time.Sleep(5 * time.Minute)
		assert.Equal(t, "/login?after=expired", b.post("/profile/email/resend").location())
	})
}
