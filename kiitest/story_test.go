package kiitest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

// The three ways of the guide, each in both flows: asking changes nothing, then everything that the
// old password gave is dead.
func TestResetEndsWhatTheOldPasswordGave(t *testing.T) {
	t.Parallel()
	pin := func(c *caller, m kiitest.Message, password string) {
		require.Equal(c.t, "204", c.complete(m.UserID, m.PIN, password).String())
	}
	link := func(c *caller, m kiitest.Message, password string) {
		require.Equal(c.t, "200", c.open(m.Link).String())
		if password != "" {
			require.Equal(c.t, "200", c.submit(m.Link, password, password).String())
		}
	}
	for name, way := range map[string]struct {
		body     string
		channel  kiitest.Channel
		complete func(c *caller, m kiitest.Message, password string)
	}{
		"e-mail link": {byEmail, kiitest.Email, link},
		"SMS link":    {bySMS, kiitest.SMS, link},
		"SMS PIN":     {byPIN, kiitest.SMS, pin},
	} {
		for _, flow := range []kiitest.ResetFlow{kiitest.GeneratePassword, kiitest.InputPassword} {
			t.Run(name+" "+string(flow), func(t *testing.T) {
				t.Parallel()
				srv, c := start(t, kiitest.WithSettings(refreshTokens), kiitest.WithSettings(func(s *kiitest.Settings) { s.ResetFlow = flow }))
				id := srv.AddAccount(alice())
				old := c.login("alice", "old-pass")

				require.Equal(t, "204", c.ask(id, way.body).String())
				m := last(t, srv, id)
				require.Equal(t, way.channel, m.Channel)
				require.Equal(t, map[kiitest.Channel]string{kiitest.Email: "alice@example.com", kiitest.SMS: "+819012341234"}[way.channel], m.To)
				require.Equal(t, kiitest.Pending, m.State)
				require.Equal(t, "200", c.me(old.string("access_token")).String(), "asking changes nothing")
				require.Equal(t, "200", c.login("alice", "old-pass").String(), "asking changes nothing")

				chosen := ""
				if flow == kiitest.InputPassword {
					chosen = "new-pass"
				}
				way.complete(c, m, chosen)
				password := chosen
				if chosen == "" {
					told := last(t, srv, id)
					require.Equal(t, kiitest.NewPassword, told.Purpose)
					require.Equal(t, way.channel, told.Channel, "it goes the way the request went")
					require.Equal(t, m.To, told.To)
					require.Zero(t, told.Expires)
					require.Empty(t, told.State)
					require.Contains(t, told.Text, told.Password)
					password = told.Password
				} else {
					require.Equal(t, m.ID, last(t, srv, id).ID, "who chose a password is told nothing")
				}

				require.Equal(t, "403 WRONG_TOKEN", c.me(old.string("access_token")).String())
				require.Equal(t, "403 WRONG_REFRESH_TOKEN", c.refresh(old.string("refresh_token")).String())
				require.Equal(t, "400 invalid_grant", c.login("alice", "old-pass").String())
				require.Equal(t, "200", c.me(c.token("alice", password)).String())
				used := srv.FindMessages(kiitest.Filter{ID: m.ID})
				require.Equal(t, kiitest.Used, used[0].State)
			})
		}
	}
}

// The code of a reader who knows nothing but the usual names works in a bubble.
func TestBubbleNeedsOnlyTheUsualNames(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := kiitest.NewServer()
		defer srv.Close()
		c := newCaller(t, srv)
		id := srv.AddAccount(alice())
		require.Equal(t, "204", c.ask(id, byPIN).String())
		time.Sleep(9 * time.Minute)
		require.Equal(t, "204", c.complete(id, last(t, srv, id).PIN, "").String())
		require.Equal(t, "204", c.ask(id, byPIN).String())
		time.Sleep(11 * time.Minute)
		require.Equal(t, "410 PIN_CODE_EXPIRED", c.complete(id, last(t, srv, id).PIN, "").String())
	})
}
