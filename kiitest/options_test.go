package kiitest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

func TestSeedMakesTheSameEachTime(t *testing.T) {
	t.Parallel()
	run := func(seed uint64) []string {
		srv, c := start(t, kiitest.WithSeed(seed))
		id := srv.AddAccount(alice())
		token := c.token("alice", "old-pass")
		require.Equal(t, "204", c.ask(id, byEmail).String())
		link := last(t, srv, id).Link
		require.Equal(t, "204", c.ask(id, byPIN).String())
		pin := last(t, srv, id).PIN
		require.Equal(t, "204", c.complete(id, pin, "").String())
		return []string{srv.AppID(), srv.AppKey(), id, token, link, pin, last(t, srv, id).Password}
	}
	first := run(7)
	require.Equal(t, first, run(7))
	for i, other := range run(8) {
		require.NotEqual(t, first[i], other)
	}
}

func TestWithoutASeedNothingRepeats(t *testing.T) {
	t.Parallel()
	a, _ := start(t)
	b, _ := start(t)
	require.NotEqual(t, a.AppID(), b.AppID())
	require.NotEqual(t, a.AddAccount(alice()), b.AddAccount(alice()))
}

func TestFixedPIN(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithPIN("0000"), kiitest.WithSettings(verify))
	id := srv.AddAccount(alice())
	for range 2 {
		require.Equal(t, "204", c.ask(id, byPIN).String())
		require.Equal(t, "0000", last(t, srv, id).PIN)
	}
	require.Equal(t, "204", c.complete(id, "0000", "").String())
	dave := c.register(registrationType, `{"loginName":"dave","emailAddress":"dave@example.com","password":"dave-pass"}`).string("userID")
	require.Equal(t, "0000", last(t, srv, dave).Code)
}

func TestServerIsWhereTheOptionsSay(t *testing.T) {
	t.Parallel()
	for want, opts := range map[string][]kiitest.Option{
		"https://kiitest.invalid/api":   {kiitest.WithoutSocket()},
		"http://127.0.0.1:8080/api":     {kiitest.WithOrigin("http://127.0.0.1:8080")},
		"https://kii.example.com/api":   {kiitest.WithOrigin("https://kii.example.com"), kiitest.WithoutSocket()},
		"http://last.example.com:1/api": {kiitest.WithOrigin("https://first.example.com"), kiitest.WithOrigin("http://last.example.com:1")},
	} {
		srv, c := start(t, append(opts, kiitest.WithApp("my-app", "my-key"))...)
		require.Equal(t, kii.Site(want), srv.Site())
		require.Equal(t, "my-app my-key", srv.AppID()+" "+srv.AppKey())
		id := srv.AddAccount(alice())
		require.Equal(t, "204", c.ask(id, byEmail).String())
		require.Contains(t, last(t, srv, id).Link, want+"/apps/my-app/password-reset/")
		require.Equal(t, "200", c.open(last(t, srv, id).Link).String())
	}
	srv := kiitest.NewServer(kiitest.WithTest(t))
	require.Regexp(t, `^http://(127\.0\.0\.1|\[::1\]):[0-9]+/api$`, srv.Site())
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]func(){
		"appID must be":            func() { kiitest.WithApp("a/b", "key") },
		"appKey is empty":          func() { kiitest.WithApp("app", "") },
		"clientID is empty":        func() { kiitest.WithAdmin("", "secret") },
		"clientSecret is empty":    func() { kiitest.WithAdmin("client", "") },
		"clientID is empty or ":    func() { kiitest.WithAdmin("cli\nent", "secret") },
		"clientSecret is empty or": func() { kiitest.WithAdmin("client", "sec\x7fret") },
		"clientID is the app's":    func() { kiitest.NewServer(kiitest.WithApp("app", "key"), kiitest.WithAdmin("app", "secret")) },
		"pin must be":              func() { kiitest.WithPIN("12a4") },
		"origin must be":           func() { kiitest.WithOrigin("127.0.0.1:8080") },
		"WithOrigin: origin must":  func() { kiitest.WithOrigin("http://127.0.0.1:8080/") },
		"origin must be a scheme":  func() { kiitest.WithOrigin("http://") },
		"WithOrigin":               func() { kiitest.WithOrigin("ftp://127.0.0.1") },
		"no such assumption":       func() { kiitest.NewServer(kiitest.WithAssumption("Anything", true)) },
	} {
		require.Contains(t, panicText(f), want)
	}
}
