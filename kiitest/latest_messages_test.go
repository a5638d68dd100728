package kiitest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

func TestLatestMessagesAreAPartOfWhatIsFound(t *testing.T) {
	t.Parallel()
	srv := kiitest.NewServer(kiitest.WithoutSocket())
	id := srv.AddAccount(kiitest.Account{Email: "alice@example.com", EmailVerified: true, Phone: "+819012341234", PhoneVerified: true, Password: "old-pass"})
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site(), kii.WithHTTPClient(&http.Client{Transport: srv.Transport()}))
	require.NoError(t, err)
	for i := range 7 {
		method := kii.NotificationSMSPIN
		if i%2 == 0 {
			method = kii.NotificationEmail
		}
		require.NoError(t, client.User.ResetPassword(t.Context(), id, method))
	}
	for _, f := range []kiitest.Filter{{}, {Channel: kiitest.Email}, {State: kiitest.Pending}, {After: 100}} {
		all := srv.FindMessages(f)
		for skip := range 9 {
			for limit := range 9 {
				part, total := srv.LatestMessages(f, skip, limit)
				assert.Equal(t, len(all), total)
				want := all[min(skip, len(all)):min(skip+limit, len(all))]
				if assert.Len(t, part, len(want), "skip %d, limit %d of %v", skip, limit, f) && len(want) > 0 {
					assert.Equal(t, want, part)
				}
			}
		}
	}
}

func TestLatestCallsAreTheNewestFirst(t *testing.T) {
	t.Parallel()
	srv := kiitest.NewServer(kiitest.WithoutSocket())
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site(), kii.WithHTTPClient(&http.Client{Transport: srv.Transport()}))
	require.NoError(t, err)
	for range 3 {
		_ = client.User.ResetPassword(t.Context(), "nobody", kii.NotificationEmail)
		_, _ = client.User.Login(t.Context(), "nobody", "wrong")
	}
	part, total := srv.LatestCalls(2)
	require.Len(t, part, 2)
	assert.Equal(t, 6, total)
	assert.Equal(t, []int{6, 5}, []int{part[0].ID, part[1].ID})
	part, total = srv.LatestCalls(9, kiitest.OpRequestReset)
	require.Len(t, part, 3)
	assert.Equal(t, 3, total)
	part[0].Header.Set("Changed", "by the caller")
	again, _ := srv.LatestCalls(1, kiitest.OpRequestReset)
	assert.Empty(t, again[0].Header.Get("Changed"), "what is returned is a copy")
}

func TestClearedCallsAreGoneAndTheNextKeepsCounting(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	c.login("nobody", "pass-1")
	srv.ClearCalls()
	require.Empty(t, srv.Calls())
	_, found := srv.Call(1)
	require.False(t, found)
	c.login("nobody", "pass-1")
	require.Equal(t, 2, srv.Calls()[0].ID)
}

func TestAFilterBoundsTheIDsOnBothSides(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	id := srv.AddAccount(alice())
	for range 4 {
		c.ask("EMAIL:"+alice().Email, "")
	}
	found, total := srv.LatestMessages(kiitest.Filter{After: 1, Before: 4}, 0, 1)
	require.Equal(t, 2, total)
	require.Equal(t, 3, found[0].ID)
	require.Len(t, srv.FindMessages(kiitest.Filter{To: id, Before: 3}), 2)
}
