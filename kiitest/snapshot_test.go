package kiitest_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

func TestRestoreBringsASnapshotBack(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithSettings(verify), kiitest.WithAssumption(kiitest.EmailCaseMatters, false))
	id := srv.AddAccount(alice())
	token := c.token("alice", "old-pass")
	require.Equal(t, "204", c.send("PUT", "users/me/email-address", "application/vnd.kii.EmailAddressModificationRequest+json", `{"emailAddress":"new@example.com"}`, token).String())
	before := srv.Snapshot()
	require.Equal(t, "new@example.com", before.Accounts[0].PendingEmail)
	require.False(t, before.Assumptions[kiitest.EmailCaseMatters])
	require.Len(t, before.Assumptions, len(kiitest.Assumptions()))

	other := kiitest.NewServer(kiitest.WithoutSocket())
	require.NoError(t, other.Restore(before))
	require.Equal(t, before, other.Snapshot())
	require.False(t, other.Assumes(kiitest.EmailCaseMatters))
	_, found := other.Account("EMAIL:ALICE@example.com")
	require.True(t, found, "accounts are found as the assumptions say")
	other.Reset()
	require.True(t, other.Assumes(kiitest.EmailCaseMatters), "Reset goes back to the start")
	require.Empty(t, other.Accounts())

	srv.DeleteAccount(id)
	require.NoError(t, srv.Restore(before))
	require.Equal(t, before, srv.Snapshot())
	require.Empty(t, srv.Messages())
	require.Empty(t, srv.Calls())
	require.Equal(t, "403 WRONG_TOKEN", c.me(token).String())
	before.Accounts[0].LoginName = "changed"
	before.Assumptions[kiitest.LoginNameResets] = false
	require.Equal(t, "alice", srv.Accounts()[0].LoginName, "a copy")
	require.True(t, srv.Assumes(kiitest.LoginNameResets), "a copy")
	srv.Snapshot().Assumptions[kiitest.LoginNameResets] = false
	require.True(t, srv.Assumes(kiitest.LoginNameResets), "a copy")
}

func TestRestoreRefusesWhatIsNotValidAndChangesNothing(t *testing.T) {
	t.Parallel()
	srv, _ := start(t)
	srv.AddAccount(alice())
	before := srv.Snapshot()
	bad := srv.Snapshot()
	bad.Settings.PINValidity = 0
	bad.Assumptions["Anything"] = true
	again, twice := alice(), kiitest.Account{ID: bad.Accounts[0].ID, LoginName: "alice", Locale: "\xff"}
	again.Country = "jp"
	named := kiitest.Account{ID: twice.ID, LoginName: "alice"}
	bad.Accounts = append(bad.Accounts, twice, named, alice(), again)
	err := srv.Restore(bad)
	var wrong []string
	for _, e := range kiitest.FieldErrors(err) {
		require.Equal(t, "Snapshot", e.Type)
		wrong = append(wrong, e.Field)
	}
	require.Equal(t, []string{
		"Settings.PINValidity", "Assumptions", "Accounts[1].ID", "Accounts[1].Locale", "Accounts[2].ID", "Accounts[2].LoginName",
		"Accounts[3].Email", "Accounts[3].Phone", "Accounts[3].LoginName", "Accounts[4].Country",
	}, wrong)
	require.Equal(t, before, srv.Snapshot())
}

// A call sees the old users or the new ones, and nothing between; so does an export.
func TestRestoreIsOneChange(t *testing.T) {
	t.Parallel()
	srv := kiitest.NewServer(kiitest.WithoutSocket())
	var to [2]kiitest.Snapshot
	for i := range to {
		to[i] = srv.Snapshot()
		to[i].Settings.MinPasswordLength = 10 + i
		for n := range 50 {
			to[i].Accounts = append(to[i].Accounts, kiitest.Account{ID: fmt.Sprint("user-", n), LoginName: fmt.Sprint("user-", n), Password: "old-pass", DisplayName: fmt.Sprint(i)})
		}
	}
	require.NoError(t, srv.Restore(to[0]))
	done := make(chan struct{})
	var work sync.WaitGroup
	for range 2 {
		work.Go(func() {
			c := newCaller(t, srv)
			for {
				select {
				case <-done:
					return
				default:
				}
				if got := c.login("user-49", "old-pass"); got.status != 200 {
					t.Errorf("a user is missing: %v", got)
					return
				}
				if got := c.register(registrationType, `{"loginName":"user-7","password":"long-enough"}`); got.status != 409 {
					t.Errorf("a name is free: %v", got)
					return
				}
				now := srv.Snapshot()
				for _, a := range now.Accounts {
					if len(now.Accounts) != 50 || a.DisplayName != fmt.Sprint(now.Settings.MinPasswordLength-10) {
						t.Error("a snapshot of two states")
						return
					}
				}
			}
		})
	}
	for i := range 200 {
		if i%3 == 2 {
			srv.Snapshot()
		}
		require.NoError(t, srv.Restore(to[i%2]))
	}
	close(done)
	work.Wait()
}

// What a call can create, a snapshot holds and another server takes.
func TestSnapshotOfWhatCallsMadeIsTaken(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithSettings(verify))
	token := c.register("application/vnd.kii.RegistrationAndAuthorizationRequest+json", `{}`).string("_accessToken")
	c.send("PUT", "users/me/phone-number", "application/vnd.kii.PhoneNumberModificationRequest+json", `{"phoneNumber":"JP-09012341234"}`, token)
	c.register(registrationType, `{"loginName":"carol","emailAddress":"carol@example.com","password":"carol-pass","x":{"a":[1,null,"\u0000"]}}`)
	text, err := json.Marshal(srv.Snapshot())
	require.NoError(t, err)
	var again kiitest.Snapshot
	require.NoError(t, json.Unmarshal(text, &again))
	other, _ := start(t)
	require.NoError(t, other.Restore(again))
	require.Equal(t, srv.Snapshot(), other.Snapshot())
	require.Equal(t, "+819012341234", other.Accounts()[0].PendingPhone)
}

func TestOneFaultIsTakenBack(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	srv.Inject(kiitest.Fault{ID: 9, Kind: kiitest.FaultHTML}, kiitest.Fault{Kind: kiitest.FaultStatus, Status: 503})
	all := srv.Faults()
	require.Equal(t, []int{1, 2}, []int{all[0].ID, all[1].ID})
	require.False(t, srv.RemoveFault(9))
	require.True(t, srv.RemoveFault(1))
	require.False(t, srv.RemoveFault(1))
	require.Equal(t, "503", c.me("").String())
	srv.Inject(kiitest.Fault{Kind: kiitest.FaultStatus, Status: 504})
	require.Equal(t, 3, srv.Faults()[0].ID, "no ID comes twice")
	srv.ClearFaults()
}

func TestMessageExpiresNow(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	id := srv.AddAccount(alice())
	c.ask(id, byPIN)
	m := last(t, srv, id)
	require.False(t, srv.ExpireMessage(m.ID+1))
	require.True(t, srv.ExpireMessage(m.ID))
	require.Equal(t, kiitest.Expired, last(t, srv, id).State)
	require.False(t, srv.ExpireMessage(m.ID), "once")
	require.Equal(t, "410 PIN_CODE_EXPIRED", c.complete(id, m.PIN, "").String())
}

func TestClockGoesBackToTheRealTime(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	id := srv.AddAccount(alice())
	c.ask(id, byPIN)
	srv.Advance(time.Hour)
	srv.Advance(time.Minute)
	require.Equal(t, 61*time.Minute, srv.Advanced())
	require.Equal(t, kiitest.Expired, last(t, srv, id).State)
	srv.ResetClock()
	require.Zero(t, srv.Advanced())
	require.WithinDuration(t, time.Now(), srv.Now(), time.Minute)
	require.Equal(t, "204", c.complete(id, last(t, srv, id).PIN, "").String())
}

func TestResetIsSentWithoutACall(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	id := srv.AddAccount(alice())
	for method, channel := range map[kii.NotificationMethod]kiitest.Channel{
		kii.NotificationEmail: kiitest.Email, kii.NotificationSMS: kiitest.SMS, kii.NotificationSMSPIN: kiitest.SMS,
	} {
		m, err := srv.SendReset("alice@example.com", method)
		require.NoError(t, err)
		require.Equal(t, last(t, srv, id), m)
		require.Equal(t, channel, m.Channel)
		require.Equal(t, method == kii.NotificationSMSPIN, m.PIN != "")
		require.Zero(t, m.CallID)
	}
	require.Empty(t, srv.Calls())
	m, err := srv.SendReset(id, kii.NotificationSMSPIN)
	require.NoError(t, err)
	require.Equal(t, "204", c.complete(id, m.PIN, "").String())

	for _, one := range []struct {
		account kiitest.Account
		method  kii.NotificationMethod
		want    string
	}{
		{kiitest.Account{}, kii.NotificationEmail, "Account.Password is empty"},
		{kiitest.Account{Password: "old-pass", Disabled: true}, kii.NotificationEmail, "Account.Disabled is set"},
		{kiitest.Account{Password: "old-pass", Email: "a@example.com"}, kii.NotificationEmail, "Account.EmailVerified is not set"},
		{kiitest.Account{Password: "old-pass", Phone: "+81901234567"}, kii.NotificationSMSPIN, "Account.PhoneVerified is not set"},
		{kiitest.Account{Password: "old-pass"}, "PIGEON", "SendReset: method must be"},
	} {
		srv, _ := start(t)
		_, err := srv.SendReset(srv.AddAccount(one.account), one.method)
		require.ErrorContains(t, err, one.want)
		require.Empty(t, srv.Messages())
	}
	_, err = srv.SendReset(srv.AddAccount(kiitest.Account{Password: "old-pass", Email: "a@example.com", EmailVerified: true}), kii.NotificationEmail)
	require.NoError(t, err, "an e-mail needs no phone")
	_, err = srv.SendReset("nobody", kii.NotificationEmail)
	require.ErrorContains(t, err, "Account.ID is of no user")
}

func TestVerificationIsSentWithoutACall(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	id := srv.AddAccount(kiitest.Account{LoginName: "carol", Email: "carol@example.com", Phone: "+81901234567", PhoneVerified: true, PendingPhone: "JP-0907654321"})
	for channel, to := range map[kiitest.Channel]string{kiitest.Email: "carol@example.com", kiitest.SMS: "+81907654321"} {
		m, err := srv.SendVerification(id, channel)
		require.NoError(t, err)
		require.Equal(t, to, m.To)
		path := map[kiitest.Channel]string{kiitest.Email: "email-address", kiitest.SMS: "phone-number"}[channel]
		require.Equal(t, "200", c.send("POST", "users/"+id+"/"+path+"/verify", verificationType, `{"verificationCode":"`+m.Code+`"}`, "").String())
		_, err = srv.SendVerification(id, channel)
		require.ErrorContains(t, err, "is empty or verified, and none is pending")
	}
	a, _ := srv.Account(id)
	require.Equal(t, "+81907654321", a.Phone)
	require.Empty(t, a.PendingPhone)
	_, err := srv.SendVerification("nobody", kiitest.Email)
	require.ErrorContains(t, err, "Account.ID is of no user")
	_, err = srv.SendVerification(id, "FAX")
	require.ErrorContains(t, err, "channel must be")
	srv.SetDisabled(id, true)
	_, err = srv.SendVerification(id, kiitest.Email)
	require.ErrorContains(t, err, "Account.Disabled is set")
}
