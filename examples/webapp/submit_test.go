package main

import (
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
