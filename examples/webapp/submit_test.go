package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// onSocket serves a site on a port, and returns a client with a cookie jar that follows redirects.
func onSocket(t *testing.T) (s *site, client *http.Client, address string) {
	t.Helper()
	front := httptest.NewUnstartedServer(nil)
	s = newSite(t, func(cfg *config) {
		cfg.url, cfg.step = &url.URL{Scheme: "http", Host: front.Listener.Addr().String()}, 200*time.Millisecond
	})
	front.Config.Handler = s.handler
	front.Start()
	t.Cleanup(front.Close)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return s, &http.Client{Jar: jar}, front.URL
}

// twice posts a form as a double click does: once the first request is sent, the browser waits for
// it no more and sends the second. It returns the page that the second leads to.
func twice(t *testing.T, client *http.Client, address string, form url.Values) (page string) {
	t.Helper()
	sent := make(chan struct{})
	wrote := sync.OnceFunc(func() { close(sent) }) // a redirect that is followed is written, too
	first, giveUp := context.WithCancel(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) { wrote() },
	}))
	click := func(ctx context.Context) (*http.Response, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
		if err != nil {
			return nil, err
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return client.Do(r)
	}
	var gone sync.WaitGroup
	gone.Go(func() {
		if answer, err := click(first); err == nil {
			answer.Body.Close()
		}
	})
	<-sent
	giveUp()
	gone.Wait() // else its cookie could come last
	answer, err := click(t.Context())
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return string(body)
}

func TestAFormThatIsSentTwiceActsOnce(t *testing.T) {
	t.Parallel()
	s, client, address := onSocket(t)
	page := twice(t, client, address+"/forgot", url.Values{"account": {phone}, "method": {string(kii.NotificationSMSPIN)}})
	pin := s.pin(t)
	name := regexp.MustCompile(`name="reset" value="([^"]+)"`).FindStringSubmatch(page)
	require.NotNil(t, name)
	form := url.Values{"reset": {name[1]}, "code": {wrong(pin)}, "password": {newPassword}}
	assert.Contains(t, text(twice(t, client, address+"/forgot/code", form)), "This did not work")
	assert.Equal(t, 1, s.count(kiitest.OpCompleteReset), "a wrong code is tried once")
	form.Set("code", pin)
	assert.Contains(t, text(twice(t, client, address+"/forgot/code", form)), "Your password is changed")
	assert.Equal(t, 2, s.count(kiitest.OpCompleteReset), "and so is the right one")
	assert.Equal(t, 1, s.count(kiitest.OpRequestReset))
}

func TestSecondsOfADoubleClickUseUpNoTries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.asked(t, verified)
		pin := s.pin(t)
		for range 4 {
			var clicks sync.WaitGroup
			for range 3 {
				tab := *b
				clicks.Go(func() {
					answer := tab.complete(wrong(pin), newPassword)
					assert.Contains(t, text(answer.body), "This did not work")
				})
			}
			clicks.Wait()
		}
		assert.Equal(t, 4, s.count(kiitest.OpCompleteReset))
		assert.Contains(t, text(b.complete(pin, newPassword).body), "Your password is changed", "the fifth try is left")
	})
}

// A password manager sends the form, and then the visitor presses its button.
func TestALoginThatIsSentTwiceCountsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser(t)
		for i := range s.cfg.loginsPerAccount - 1 {
			var clicks sync.WaitGroup
			for range 2 {
				tab := *b
				clicks.Go(func() {
					assert.Contains(t, text(tab.login(verified, fmt.Sprint("forgotten-", i)).body), "is not right")
				})
			}
			clicks.Wait()
		}
		assert.Equal(t, s.cfg.loginsPerAccount-1, s.count(kiitest.OpLogin))
		assert.Equal(t, "/profile?from=login", b.login(verified, oldPassword).location(), "the last try is left")
	})
}

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

// impatient is a store that does nothing for a request that was given up, as one on a network.
type impatient struct{ store }

func (s impatient) take(ctx context.Context, key string, most int, window time.Duration) (time.Duration, error) {
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	return s.store.take(ctx, key, most, window)
}

// An uncounting store counts nothing once it is broken.
type uncounting struct {
	store
	broken *atomic.Bool
}

func (u uncounting) take(ctx context.Context, key string, most int, window time.Duration) (time.Duration, error) {
	if u.broken.Load() {
		return 0, errors.New("the store is broken")
	}
	return u.store.take(ctx, key, most, window)
}

func TestWhatCannotBeCountedIsNotDone(t *testing.T) {
	t.Parallel()
	login := []string{"account", verified, "password", oldPassword}
	ask := []string{"account", phone, "method", string(kii.NotificationSMS)}
	code := []string{"code", "123456", "password", newPassword}
	for count, form := range map[string]struct {
		path  string
		pairs []string
	}{
		"logins-client": {"/login", login}, "logins-account": {"/login", login},
		"asks-client": {"/forgot", ask}, "asks-account": {"/forgot", ask}, "again": {"/forgot", ask},
		"tries-client": {"/forgot/code", code}, "tries-account": {"/forgot/code", code},
		"resends": {"/profile/phone/resend", nil}, "verifications": {"/profile/phone/verify", code},
	} {
		synctestRun(t, count, func(t *testing.T) {
			s := newSite(t)
			var broken atomic.Bool
			s.open = func(kind string) store {
				if kind == count {
					return uncounting{newMemory(kind), &broken}
				}
				return newMemory(kind)
			}
			s.start(t)
			b := s.asked(t, verified)
			b.login(verified, oldPassword)
			b.get("/profile/phone")
			broken.Store(true)
			before := s.count()
			assert.Equal(t, http.StatusServiceUnavailable, b.post(form.path, form.pairs...).code)
			synctest.Wait()
			assert.Equal(t, before, s.count())
		})
	}
}

// A browser gives the first request of a double click up. If that were counted and not carried out,
// the second would take the message for sent.
func TestARequestThatIsGivenUpIsCarriedOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.open = func(kind string) store { return impatient{newMemory(kind)} }
		s.start(t)
		gone, giveUp := context.WithCancel(t.Context())
		giveUp()
		wait, err := s.flow.ask(gone, "192.0.2.1", account{ID: phone, Key: phone}, kii.NotificationSMSPIN)
		assert.NoError(t, err)
		assert.Zero(t, wait)
		synctest.Wait()
		assert.Len(t, s.Messages(), 1)
	})
}
