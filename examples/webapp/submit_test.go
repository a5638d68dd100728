package main

import (
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// A browser's history, or its cache of pages, can send a form again after its reset has ended.
func TestAFinishedResetIsNotActedOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.asked(t, verified)
		pin, finished := s.pin(t), b.reset
		b.ask(nobody, kii.NotificationEmail) // so that the cookie stays
		other := b.reset
		b.reset = finished
		require.Contains(t, text(b.complete(pin, newPassword).body), "Your password is changed")
		b.login(verified, newPassword)
		synctest.Wait()
		calls := s.count(kiitest.OpRequestReset, kiitest.OpCompleteReset)

		time.Sleep(time.Minute)
		for range 6 {
			for _, answer := range []page{b.post("/forgot/again"), b.post("/forgot/code", "code", pin, "password", newPassword)} {
				assert.Equal(t, "/login?after=reset", answer.location())
				assert.Empty(t, answer.header.Get("Set-Cookie"))
			}
			assert.Contains(t, text(b.then(b.get("/forgot/code?reset="+finished)).body), "Your profile")
		}
		synctest.Wait()
		assert.Equal(t, calls, s.count(kiitest.OpRequestReset, kiitest.OpCompleteReset))
		assert.Contains(t, text(b.get("/profile").body), "Your profile", "and the login that followed goes on")
		assert.Contains(t, text(b.get("/forgot/sent?reset="+other).body), "Look for our message", "and so does the other reset")
	})
}

func TestAPlantedCookieSharesNoReset(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		attacker, victim := s.asked(t, verified), s.browser(t)
		u, err := url.Parse(origin)
		require.NoError(t, err)
		victim.jar.SetCookies(u, attacker.jar.Cookies(u))
		assert.Equal(t, "/forgot/code", victim.ask(verified, kii.NotificationSMSPIN).path())
		synctest.Wait()
		assert.NotEqual(t, attacker.cookie("__Host-reset"), victim.cookie("__Host-reset"))
		pin := s.pin(t)
		victim.complete(pin, "short")
		assert.Contains(t, victim.get(victim.page).body, pin)
		assert.NotContains(t, attacker.get("/forgot/code").body, pin, "what the victim types is not shown to the attacker")
		assert.Contains(t, text(victim.complete(pin, newPassword).body), "Your password is changed")

		invented := s.browser(t)
		invented.jar.SetCookies(u, []*http.Cookie{{Name: "__Host-reset", Value: "chosen", Secure: true}})
		invented.ask(nobody, kii.NotificationSMSPIN)
		assert.NotEqual(t, "chosen", invented.cookie("__Host-reset"))
	})
}
