package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// startRedis runs a Redis of the test's own, and returns stores in it.
func startRedis(t *testing.T) sharedStores {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not installed, so nothing is known of the shared store: apt-get install redis-server")
	}
	dir, err := os.MkdirTemp("", "redis-") //nolint:usetesting // a socket's path must be short
	require.NoError(t, err)
	socket := filepath.Join(dir, "s")
	server := exec.Command(program, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", dir)
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		_ = os.RemoveAll(dir)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		shared, err := openRedis(ctx, "unix://"+socket)
		if err == nil {
			t.Cleanup(func() { _ = shared.Close() })
			return shared
		}
		require.NoError(t, ctx.Err(), "%v", err)
	}
}

func TestRedisHoldsNoAddressAndNoNameOfASessionInAKey(t *testing.T) {
	t.Parallel()
	shared := startRedis(t)
	s := shared.store("test")
	_, err := s.take(t.Context(), verified, 1, time.Minute)
	require.NoError(t, err)
	require.NoError(t, s.update(t.Context(), "SESSION", time.Minute, func([]byte) []byte { return []byte("x") }))
	keys, err := shared.Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	require.Len(t, keys, 2)
	for _, key := range keys {
		assert.Regexp(t, `^webapp:test:[0-9a-f]{64}$`, key)
		ttl, err := shared.PTTL(t.Context(), key).Result()
		require.NoError(t, err)
		assert.Positive(t, ttl, "everything ends")
	}
}

func TestSeveralProcessesAreOneSite(t *testing.T) {
	t.Parallel()
	shared := startRedis(t)
	one := newSite(t)
	one.open = shared.store
	one.start(t)
	two := *one
	two.start(t)

	b := one.browser(t)
	require.Equal(t, "/forgot/code", b.ask(verified, kii.NotificationSMSPIN).path())
	pin := one.pin(t)
	b.site = &two
	assert.Contains(t, text(b.get(b.page).body), "Choose a new password", "what began at one goes on at the other")
	assert.Contains(t, text(b.get(b.post("/forgot/again").location()).body), "Nothing new was sent just now")
	assert.Equal(t, 1, one.count(kiitest.OpRequestReset))

	var clicks sync.WaitGroup
	for i, code := range []string{wrong(pin), pin} {
		one.Inject(kiitest.Fault{Operation: kiitest.OpCompleteReset, Kind: kiitest.FaultDelay, Delay: 300 * time.Millisecond})
		want := []string{b.page, "/login?after=reset"}[i]
		for _, at := range []*site{one, &two} { // a double click, one click at each
			tab := *b
			tab.site = at
			clicks.Go(func() {
				assert.Equal(t, want, tab.post("/forgot/code", "code", code, "password", newPassword).location())
			})
		}
		clicks.Wait()
		assert.Equal(t, i+1, one.count(kiitest.OpCompleteReset))
	}
	require.Equal(t, "/profile?from=login", b.login(verified, newPassword).location())
	b.site = one
	assert.Contains(t, text(b.get("/profile").body), "Your profile")

	for i := range 10 {
		at := []*site{one, &two}[i%2]
		stranger := at.browser(t)
		stranger.from = "198.51.100.7:1"
		clicks.Go(func() { stranger.login(verified, fmt.Sprint("wrong-", i)) })
	}
	clicks.Wait()
	last := two.browser(t)
	last.from = "198.51.100.8:1"
	assert.Contains(t, text(last.login(verified, newPassword).body), "There were too many tries on this account", "limits are counted together")
}

func TestAStoreThatFailsIsToldWithoutHarm(t *testing.T) {
	t.Parallel()
	shared := startRedis(t)
	s := newSite(t)
	s.open = shared.store
	s.start(t)
	b := s.browser(t)
	require.NoError(t, shared.Close())
	for _, answer := range []page{b.ask(verified, kii.NotificationSMSPIN), b.login(verified, oldPassword), b.post("/login", "account", verified, "password", "x")} {
		assert.Equal(t, 503, answer.code)
		assert.Contains(t, text(answer.body), "Try again in a few minutes")
		noGoError(t, answer.body)
	}
	assert.Zero(t, s.count(), "what cannot be counted is not done")
	assert.Contains(t, s.log.String(), "no answer")

	_, err := openRedis(t.Context(), "redis://user:SECRET@[broken")
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "SECRET")
	_, err = openRedis(t.Context(), "redis://127.0.0.1:1/0")
	assert.Error(t, err, "nobody listens there")
}
