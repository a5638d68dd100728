package kiitest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

func TestMessagesAreFoundByWhatTheyAre(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	id := srv.AddAccount(alice())
	bob := srv.AddAccount(kiitest.Account{LoginName: "bob", Email: "bob@example.com", EmailVerified: true, Password: "bob-pass"})
	for _, body := range []string{byEmail, bySMS, byPIN, byPIN} {
		require.Equal(t, "204", c.ask(id, body).String())
	}
	require.Equal(t, "204", c.ask(bob, byEmail).String())

	ids := func(f kiitest.Filter) (found []int) {
		for _, m := range srv.FindMessages(f) {
			found = append(found, m.ID)
		}
		return found
	}
	for name, one := range map[string]struct {
		filter kiitest.Filter
		want   []int
	}{
		"all, newest first": {kiitest.Filter{}, []int{5, 4, 3, 2, 1}},
		"one":               {kiitest.Filter{ID: 2}, []int{2}},
		"after":             {kiitest.Filter{After: 3}, []int{5, 4}},
		"by user ID":        {kiitest.Filter{To: bob}, []int{5}},
		"by e-mail":         {kiitest.Filter{To: "alice@example.com"}, []int{4, 3, 2, 1}},
		"by typed phone":    {kiitest.Filter{To: "PHONE:JP-09012341234"}, []int{4, 3, 2, 1}},
		"by login name":     {kiitest.Filter{To: "LOGIN_NAME:bob"}, []int{5}},
		"nobody":            {kiitest.Filter{To: "nobody@example.com"}, nil},
		"channel":           {kiitest.Filter{Channel: kiitest.Email}, []int{5, 1}},
		"purpose":           {kiitest.Filter{Purpose: kiitest.ResetPIN}, []int{4, 3}},
		"state":             {kiitest.Filter{State: kiitest.Replaced}, []int{3, 1}},
		"text, any case":    {kiitest.Filter{Text: "YOUR PIN"}, []int{4, 3}},
		"text, recipient":   {kiitest.Filter{Text: "bob@"}, []int{5}},
		"all at once":       {kiitest.Filter{To: id, State: kiitest.Pending, Channel: kiitest.SMS, Text: "your pin"}, []int{4}},
	} {
		require.Equal(t, one.want, ids(one.filter), name)
	}
	require.Equal(t, []int{5, 4, 3, 2, 1}, ids(kiitest.Filter{}))
	require.Equal(t, 2, srv.DeleteMessages(kiitest.Filter{Purpose: kiitest.ResetPIN}))
	require.Equal(t, 1, srv.DeleteMessages(kiitest.Filter{ID: 5}))
	require.Len(t, srv.Messages(), 2)
	require.Equal(t, 2, srv.DeleteMessages(kiitest.Filter{}))
	require.Empty(t, srv.Messages())
	_, found := srv.LastMessage(id)
	require.False(t, found)
}

// As for Server.Account, which looks for a user ID first.
func TestMessageIsFoundByTheIDThatIsAnothersName(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	carol := kiitest.Account{ID: "carol", LoginName: "first", Email: "first@example.com", EmailVerified: true, Password: "old-pass"}
	srv.AddAccount(carol)
	srv.AddAccount(kiitest.Account{LoginName: "carol", Email: "carol@example.com", EmailVerified: true, Password: "old-pass"})
	require.Equal(t, "204", c.ask("carol", byEmail).String())
	require.Equal(t, "204", c.ask("LOGIN_NAME:carol", byEmail).String())
	require.Equal(t, carol.Email, last(t, srv, "carol").To)
	require.Equal(t, "carol@example.com", last(t, srv, "LOGIN_NAME:carol").To)
}

func TestDeletedMessageStillResets(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	id := srv.AddAccount(alice())
	require.Equal(t, "204", c.ask(id, byPIN).String())
	pin := last(t, srv, id).PIN
	srv.DeleteMessages(kiitest.Filter{})
	require.Equal(t, "204", c.complete(id, pin, "").String())
}

func TestMessageOutlivesItsUser(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	id := srv.AddAccount(alice())
	require.Equal(t, "204", c.ask(id, byEmail).String())
	require.True(t, srv.DeleteAccount("alice"))
	require.Equal(t, kiitest.Replaced, last(t, srv, id).State)
	require.Equal(t, id, last(t, srv, "EMAIL:alice@example.com").UserID)
	require.Equal(t, "410", c.open(last(t, srv, id).Link).String())
	require.False(t, srv.DeleteAccount("alice"))
}

func TestMessageStatesFollowTheUser(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithSettings(input))
	id := srv.AddAccount(alice())
	require.Equal(t, "204", c.ask(id, byEmail).String())
	require.Equal(t, "204", c.ask(id, byPIN).String())
	require.Equal(t, "204", c.complete(id, last(t, srv, id).PIN, "new-pass").String())
	states := func() (s []kiitest.State) {
		for _, m := range srv.Messages() {
			s = append(s, m.State)
		}
		return s
	}
	require.Equal(t, []kiitest.State{kiitest.Used, kiitest.Replaced}, states(), "a completed reset ends the other")
	srv.Advance(24 * time.Hour)
	require.Equal(t, []kiitest.State{kiitest.Used, kiitest.Replaced}, states(), "what is over does not expire")
}

func TestWaitMessage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, c := start(t)
		id := srv.AddAccount(alice())
		go func() {
			time.Sleep(time.Minute)
			c.ask(id, byEmail)
			time.Sleep(time.Minute)
			c.ask(id, byPIN)
		}()
		began := time.Now()
		m, err := srv.WaitMessage(t.Context(), kiitest.Filter{To: id, Channel: kiitest.SMS})
		require.NoError(t, err)
		require.Equal(t, kiitest.ResetPIN, m.Purpose)
		require.Equal(t, 2*time.Minute, time.Since(began), "the e-mail in between woke nobody up for good")
		m, err = srv.WaitMessage(t.Context(), kiitest.Filter{To: id})
		require.NoError(t, err, "one that is there already")
		require.Equal(t, 2*time.Minute, time.Since(began))

		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_, err = srv.WaitMessage(ctx, kiitest.Filter{To: id, After: m.ID})
		require.Equal(t, context.DeadlineExceeded, err)
	})
}

func TestWaitMessageSurvivesAReset(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, c := start(t)
		got := make(chan kiitest.Message)
		go func() {
			m, _ := srv.WaitMessage(t.Context(), kiitest.Filter{})
			got <- m
		}()
		synctest.Wait()
		srv.Reset()
		synctest.Wait()
		id := srv.AddAccount(alice())
		require.Equal(t, "204", c.ask(id, byPIN).String())
		require.Equal(t, id, (<-got).UserID)
	})
}

func TestAResetEndsAWaitForTheNextMessage(t *testing.T) {
	t.Parallel()
	for _, reset := range []func(*kiitest.Server){
		(*kiitest.Server).Reset,
		func(srv *kiitest.Server) { require.NoError(t, srv.Restore(srv.Snapshot())) },
	} {
		synctest.Test(t, func(t *testing.T) {
			srv, c := start(t)
			askTwice := func() {
				id := srv.AddAccount(alice())
				require.Equal(t, "204", c.ask(id, byPIN).String())
				require.Equal(t, "204", c.ask(id, byPIN).String())
			}
			askTwice()
			srv.DeleteMessages(kiitest.Filter{})
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			got := make(chan error)
			go func() {
				_, err := srv.WaitMessage(ctx, kiitest.Filter{After: 1})
				got <- err
			}()
			next := make(chan error)
			go func() {
				_, err := srv.WaitMessage(ctx, kiitest.Filter{After: 2})
				next <- err
			}()
			synctest.Wait()
			reset(srv)
			if len(srv.Accounts()) > 0 {
				srv.DeleteAccount(srv.Accounts()[0].ID)
			}
			askTwice() // so that there is a message with a greater ID, of another count
			require.ErrorContains(t, <-got, "the server was reset")
			require.ErrorContains(t, <-next, "the server was reset")
			_, err := srv.WaitMessage(ctx, kiitest.Filter{After: 3})
			require.ErrorContains(t, err, "Filter.After is above the ID of the newest message")
			require.Zero(t, time.Since(began))
		})
	}
}

func TestPINsLookLikePINs(t *testing.T) {
	t.Parallel()
	for range 20 {
		srv, c := start(t)
		id := srv.AddAccount(alice())
		pins, zeros := make(map[string]bool), 0
		for range 100 {
			require.Equal(t, "204", c.ask(id, byPIN).String())
			pin := last(t, srv, id).PIN
			require.Regexp(t, `^[0-9]{6}$`, pin)
			require.NotContains(t, []string{"000000", "111111", "123456", "654321", "999999"}, pin)
			if len(pins) == 0 {
				require.Equal(t, "0", pin[:1], "the first one shows who keeps PINs as numbers")
			}
			pins[pin] = true
			zeros += strings.Count(pin[:1], "0")
		}
		require.Greater(t, len(pins), 95)
		require.Less(t, zeros, 50, "the others start with any digit")
	}
}

func TestNobodyWaitsForAServerThatIsClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := kiitest.NewServer()
		waited := make(chan error)
		go func() {
			_, err := srv.WaitMessage(context.Background(), kiitest.Filter{})
			waited <- err
		}()
		synctest.Wait()
		srv.Close()
		require.ErrorContains(t, <-waited, "the server is closed")
		_, err := srv.WaitMessage(context.Background(), kiitest.Filter{})
		require.ErrorContains(t, err, "the server is closed")
	})
}

func TestOldestMessagesGoFirst(t *testing.T) {
	t.Parallel()
	srv := kiitest.NewServer(kiitest.WithoutSocket())
	c := newCaller(t, srv)
	id := srv.AddAccount(alice())
	require.Equal(t, "204", c.ask(id, byEmail).String())
	first := last(t, srv, id)
	for range 10_000 {
		c.ask(id, byPIN)
	}
	all := srv.Messages()
	require.GreaterOrEqual(t, len(all), 9_000)
	require.LessOrEqual(t, len(all), 10_000)
	require.Equal(t, 10_001, all[0].ID)
	require.Equal(t, "404", c.open(first.Link).String(), "a link goes with its message")
}

func TestMessagePrintsNoSecretButCarriesAllInJSON(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	id := srv.AddAccount(alice())
	require.Equal(t, "204", c.ask(id, byPIN).String())
	pin := last(t, srv, id)
	require.Equal(t, "204", c.complete(id, pin.PIN, "").String())
	require.Equal(t, "204", c.ask(id, byEmail).String())
	for _, m := range srv.Messages() {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
			text := fmt.Sprintf(verb, m) + fmt.Sprintf(verb, &m) + fmt.Sprintf(verb, []kiitest.Message{m})
			for _, secret := range []string{m.PIN, m.Password, m.Link, m.To, m.UserID} {
				require.False(t, secret != "" && strings.Contains(text, secret), "%s shows a secret", verb)
			}
			require.Contains(t, text, string(m.Purpose))
		}
		encoded, err := json.Marshal(m)
		require.NoError(t, err)
		var back kiitest.Message
		require.NoError(t, json.Unmarshal(encoded, &back))
		require.True(t, m.Sent.Equal(back.Sent))
		require.True(t, m.Expires.Equal(back.Expires))
		m.Sent, m.Expires, back.Sent, back.Expires = time.Time{}, time.Time{}, time.Time{}, time.Time{}
		require.Equal(t, m, back)
	}
}
