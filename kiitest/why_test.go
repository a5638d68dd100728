package kiitest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

// The log says what the status leaves open, of refusals and of successes that ignored something.
func TestCallLogSaysWhy(t *testing.T) {
	t.Parallel()
	const unset = "unset-pass"
	for name, one := range map[string]struct {
		do   func(c *caller, srv *kiitest.Server, id string)
		want string
	}{
		"no password":            {func(c *caller, _ *kiitest.Server, _ string) { c.ask("LOGIN_NAME:bob", byEmail) }, "bob has no password"},
		"unverified":             {func(c *caller, _ *kiitest.Server, _ string) { c.ask("LOGIN_NAME:carol", byEmail) }, "the e-mail address of carol is not verified"},
		"unverified in the path": {func(c *caller, _ *kiitest.Server, _ string) { c.ask("EMAIL:carol@example.com", byEmail) }, "the e-mail address of carol is not verified"},
		"no phone":               {func(c *caller, _ *kiitest.Server, _ string) { c.ask("LOGIN_NAME:carol", byPIN) }, "carol has no phone number"},
		"disabled":               {func(c *caller, _ *kiitest.Server, _ string) { c.ask("LOGIN_NAME:dave", byPIN) }, "dave is disabled"},
		"nobody":                 {func(c *caller, _ *kiitest.Server, _ string) { c.ask("EMAIL:nobody@example.com", byPIN) }, "no user has this e-mail address"},
		"other letters": {
			func(c *caller, _ *kiitest.Server, _ string) { c.ask("EMAIL:Alice@Example.com", byPIN) },
			"no user has this e-mail address, but one has it in other letters, and EmailCaseMatters holds",
		},
		"an e-mail address as a login name": {
			func(c *caller, _ *kiitest.Server, _ string) { c.ask("LOGIN_NAME:alice@example.com", byPIN) },
			"no user has this login name",
		},
		"a login in other letters": {
			func(c *caller, _ *kiitest.Server, _ string) { c.login("Alice@Example.com", "old-pass") },
			"no user has this e-mail address, but one has it in other letters, and EmailCaseMatters holds",
		},
		"no kind of address": {
			func(c *caller, _ *kiitest.Server, _ string) { c.ask("FAX:alice", byPIN) },
			"the path's user is no EMAIL:, PHONE: or LOGIN_NAME: and an address",
		},
		"a user ID of nobody": {func(c *caller, _ *kiitest.Server, _ string) { c.ask("nobody", byPIN) }, "no user has this ID"},
		"a bare name": {
			func(c *caller, _ *kiitest.Server, _ string) { c.ask("alice", byPIN) },
			"no user has this ID, but one has this login name: the path needs LOGIN_NAME: before it",
		},
		"a login by user ID": {
			func(c *caller, _ *kiitest.Server, id string) { c.login(id, "old-pass") },
			"no user has this login name, but alice has this user ID, and Kii documents no login by one",
		},
		"the older PIN": {func(c *caller, srv *kiitest.Server, id string) {
			c.ask(id, byPIN)
			older := last(c.t, srv, id).PIN
			c.ask(id, byPIN)
			c.complete(id, older, unset)
		}, "the PIN was replaced by a newer one"},
		"what a newer PIN does": {func(c *caller, _ *kiitest.Server, id string) {
			c.ask(id, byPIN)
			c.ask(id, byPIN)
		}, "the older PIN, of message 1, was replaced"},
		"what a newer PIN does to an expired one": {func(c *caller, srv *kiitest.Server, id string) {
			c.ask(id, byPIN)
			srv.Advance(time.Hour)
			c.ask(id, byPIN)
		}, ""},
		"a used PIN": {func(c *caller, srv *kiitest.Server, id string) {
			c.ask(id, byPIN)
			pin := last(c.t, srv, id).PIN
			c.complete(id, pin, "")
			c.complete(id, pin, "")
		}, "the PIN was used before"},
		"a PIN that a change of password ended": {func(c *caller, srv *kiitest.Server, id string) {
			c.ask(id, byPIN)
			c.change(c.token("alice", "old-pass"), "old-pass", "new-pass")
			c.complete(id, last(c.t, srv, id).PIN, "")
		}, "the PIN was ended before it was used"},
		"a PIN that another user used": {func(c *caller, srv *kiitest.Server, id string) {
			other := srv.AddAccount(kiitest.Account{Phone: "+819099999999", PhoneVerified: true, Password: "old-pass"})
			c.ask(other, byPIN)
			pin := last(c.t, srv, other).PIN
			c.complete(other, pin, "")
			c.complete(id, pin, "")
		}, "no PIN is pending for alice"},
		"an expired PIN": {func(c *caller, srv *kiitest.Server, id string) {
			c.ask(id, byPIN)
			srv.Advance(time.Hour)
			c.complete(id, last(c.t, srv, id).PIN, "")
		}, "the PIN, of message 1, has expired"},
		"no PIN": {func(c *caller, _ *kiitest.Server, id string) { c.complete(id, "123456", "") }, "no PIN is pending for alice"},
		"a wrong PIN": {func(c *caller, _ *kiitest.Server, id string) {
			c.ask(id, byPIN)
			c.complete(id, "123456", "")
		}, "this is not the PIN that was sent to alice"},
		"an ignored password": {func(c *caller, srv *kiitest.Server, id string) {
			c.token("alice", "old-pass")
			c.ask(id, byPIN)
			c.complete(id, last(c.t, srv, id).PIN, unset)
		}, "the flow is Generate, so the chosen password was ignored; the new password ended 1 of the tokens of alice"},
		"an ignored password that is read before the PIN": {func(c *caller, srv *kiitest.Server, id string) {
			without(c, kiitest.PINCheckedBeforePassword)
			c.ask(id, byPIN)
			c.complete(id, last(c.t, srv, id).PIN, unset)
		}, "the flow is Generate, so the chosen password was ignored"},
		"no password to ignore": {func(c *caller, srv *kiitest.Server, id string) {
			c.ask(id, byPIN)
			c.complete(id, last(c.t, srv, id).PIN, "")
		}, ""},
		"a wrong password":           {func(c *caller, _ *kiitest.Server, _ string) { c.login("alice", unset) }, "this is not the password of alice"},
		"a login without a password": {func(c *caller, _ *kiitest.Server, _ string) { c.login("bob", unset) }, "bob has no password"},
		"a disabled user's login": {func(c *caller, _ *kiitest.Server, _ string) {
			without(c, kiitest.DisabledLoginSaysSo)
			c.login("dave", "dave-pass")
		}, "dave is disabled"},
		"no refresh tokens": {func(c *caller, _ *kiitest.Server, _ string) { c.refresh("x") }, "refresh tokens are off in the settings"},
		"a made-up refresh token": {func(c *caller, srv *kiitest.Server, _ string) {
			srv.SetSettings(refreshTokens)
			c.refresh("x")
		}, "the server gave out no such refresh token"},
		"a used refresh token": {func(c *caller, srv *kiitest.Server, _ string) {
			srv.SetSettings(refreshTokens)
			token := c.login("alice", "old-pass").string("refresh_token")
			c.refresh(token)
			c.refresh(token)
		}, "the refresh token ended: it was used"},
		"an access token to refresh": {func(c *caller, srv *kiitest.Server, _ string) {
			srv.SetSettings(refreshTokens)
			c.refresh(c.token("alice", "old-pass"))
		}, "the token is an access token"},
		"an unverified login": {func(c *caller, _ *kiitest.Server, _ string) { c.login("carol@example.com", "carol-pass") }, "the e-mail address of carol is not verified"},
		"a login whose + is a space": {func(c *caller, _ *kiitest.Server, _ string) {
			c.send("POST", "oauth2/token", "application/x-www-form-urlencoded", "username=+819012341234&password="+unset, "")
		}, "username can name nobody: it is no login name, e-mail address or phone number with + (in a form: %2B)"},
		"JSON as curl -d sends it": {func(c *caller, _ *kiitest.Server, _ string) {
			c.send("POST", "oauth2/token", "application/x-www-form-urlencoded", `{"username":"alice","password":"`+unset+`"}`, "")
		}, "the content type made a form of the body, which is JSON; username is missing or empty"},
		"a made-up token": {func(c *caller, _ *kiitest.Server, _ string) { c.me("made-up") }, "the server gave out no such token"},
		"a token that is over": {func(c *caller, _ *kiitest.Server, _ string) {
			token := c.token("alice", "old-pass")
			c.change(token, "old-pass", "new-pass")
			c.me(token)
		}, "the token ended: alice got a new password"},
		"a token that ended twice": {func(c *caller, srv *kiitest.Server, _ string) {
			without(c, kiitest.NewPasswordKillsRefreshTokens)
			srv.SetSettings(refreshTokens)
			got := c.login("alice", "old-pass")
			c.change(got.string("access_token"), "old-pass", "new-pass")
			c.refresh(got.string("refresh_token"))
			c.me(got.string("access_token"))
		}, "the token ended: alice got a new password"},
		"a used link": {func(c *caller, srv *kiitest.Server, id string) {
			c.ask(id, byEmail)
			link := last(c.t, srv, id).Link
			c.open(link)
			c.open(link)
		}, "the link, of message 1, was used before"},
		"an unknown path": {func(c *caller, _ *kiitest.Server, _ string) { c.send("GET", "/nothing", "", "", "") }, "no call that kiitest emulates has this method and path"},
		"a Basic that cannot be read": {func(c *caller, srv *kiitest.Server, _ string) {
			r, _ := http.NewRequestWithContext(c.t.Context(), "GET", string(srv.Site())+"/apps/"+srv.AppID()+"/users/me", http.NoBody)
			r.Header.Set("Authorization", "Basic %%%")
			c.do(r)
		}, "the Basic authorization is not base64"},
		"another app by Basic": {func(c *caller, srv *kiitest.Server, _ string) {
			r, _ := http.NewRequestWithContext(c.t.Context(), "GET", string(srv.Site())+"/apps/"+srv.AppID()+"/users/me", http.NoBody)
			r.SetBasicAuth("other", "")
			c.do(r)
		}, "the Basic authorization names another app than this server's"},
		"another app by client_id": {func(c *caller, srv *kiitest.Server, _ string) {
			r, _ := http.NewRequestWithContext(c.t.Context(), "POST", string(srv.Site())+"/oauth2/token", strings.NewReader(`{"username":"alice","password":"`+unset+`","client_id":"other"}`))
			c.do(r)
		}, "the body's client_id names another app than this server's"},
		"another app": {func(c *caller, _ *kiitest.Server, _ string) { c.send("GET", "/apps/other/users/me", "", "", "") }, "the path names another app than this server's"},
		"a field": {
			func(c *caller, _ *kiitest.Server, id string) {
				c.ask(id, `{"notificationMethod":"EMAIL","mehtod":"x"}`)
			},
			"the field mehtod was ignored, as the call does not document it",
		},
		"a PIN that is a number": {func(c *caller, _ *kiitest.Server, id string) {
			c.send("POST", "users/"+id+"/password/complete-reset", completeType, `{"pinCode":123456}`, "")
		}, "pinCode must be a string"},
		"a password that is a number": {func(c *caller, srv *kiitest.Server, id string) {
			srv.SetSettings(input)
			c.ask(id, byPIN)
			c.send("POST", "users/"+id+"/password/complete-reset", completeType, `{"pinCode":"`+last(c.t, srv, id).PIN+`","newPassword":1}`, "")
		}, "newPassword must be a string; the PIN can be used again"},
		"a bad password with the right PIN": {func(c *caller, srv *kiitest.Server, id string) {
			srv.SetSettings(input)
			c.ask(id, byPIN)
			c.complete(id, last(c.t, srv, id).PIN, "x")
		}, "the new password is shorter than the app's least length, 4; the PIN can be used again"},
		"a bad password that costs the PIN": {func(c *caller, srv *kiitest.Server, id string) {
			without(c, kiitest.BadPasswordKeepsPIN)
			srv.SetSettings(input)
			c.ask(id, byPIN)
			c.complete(id, last(c.t, srv, id).PIN, "x")
		}, "the new password is shorter than the app's least length, 4; the PIN is used up"},
		"one wrong PIN too many": {func(c *caller, _ *kiitest.Server, id string) {
			without(c, kiitest.WrongPINsAreUnlimited)
			c.ask(id, byPIN)
			for range 5 {
				c.complete(id, "123456", "")
			}
		}, "this is not the PIN that was sent to alice; 5 wrong PINs ended the right one"},
		"a wrong old password": {
			func(c *caller, _ *kiitest.Server, _ string) { c.change(c.token("alice", "old-pass"), "x", unset) },
			"oldPassword is not the password of alice",
		},
		"an administrator's old password that does not": {func(c *caller, _ *kiitest.Server, id string) {
			c.send("PUT", "users/"+id+"/password", changeType, `{"oldPassword":"x","newPassword":"`+unset+`"}`, c.admin())
		}, "oldPassword was ignored, as an administrator needs none"},
		"an administrator without an old password": {func(c *caller, _ *kiitest.Server, id string) {
			c.send("PUT", "users/"+id+"/password", changeType, `{"newPassword":"`+unset+`"}`, c.admin())
		}, ""},
		"an administrator's old password that counts": {func(c *caller, _ *kiitest.Server, id string) {
			without(c, kiitest.AdminOldPasswordIsIgnored)
			c.send("PUT", "users/"+id+"/password", changeType, `{"oldPassword":"old-pass","newPassword":"`+unset+`"}`, c.admin())
		}, ""},
		"a user who is disabled": {func(c *caller, _ *kiitest.Server, id string) {
			c.token("alice", "old-pass")
			c.send("PUT", "users/"+id+"/status", statusType, `{"disabled":true}`, c.admin())
		}, "1 of the tokens of alice ended"},
		"a user without tokens who is disabled": {func(c *caller, _ *kiitest.Server, id string) {
			c.send("PUT", "users/"+id+"/status", statusType, `{"disabled":true}`, c.admin())
		}, ""},
		"a user with tokens who is enabled": {func(c *caller, _ *kiitest.Server, id string) {
			c.token("alice", "old-pass")
			c.send("PUT", "users/"+id+"/status", statusType, `{"disabled":false}`, c.admin())
		}, ""},
		"an address of one's own to verify": {func(c *caller, srv *kiitest.Server, _ string) {
			srv.SetSettings(verify)
			c.send("PUT", "users/me/email-address", emailType, `{"emailAddress":"new@example.com"}`, c.token("alice", "old-pass"))
		}, "the new address is pending until its code comes back, as the settings ask for verification"},
		"an address that one calls verified": {func(c *caller, _ *kiitest.Server, _ string) {
			without(c, kiitest.VerifiedIsForAdmins, kiitest.ResetsOutliveTheirAddress)
			c.send("PUT", "users/me/email-address", emailType, `{"emailAddress":"new@example.com","verified":true}`, c.token("alice", "old-pass"))
		}, "verified was ignored, as only an administrator can say so; what was pending for the old address ended"},
		"an address to verify that one calls verified": {func(c *caller, srv *kiitest.Server, _ string) {
			without(c, kiitest.VerifiedIsForAdmins)
			srv.SetSettings(verify)
			c.send("PUT", "users/me/email-address", emailType, `{"emailAddress":"new@example.com","verified":true}`, c.token("alice", "old-pass"))
		}, "verified was ignored, as only an administrator can say so; the new address is pending until its code comes back, as the settings ask for verification"},
		"an address that an administrator calls verified": {func(c *caller, srv *kiitest.Server, id string) {
			srv.SetSettings(verify)
			c.send("PUT", "users/"+id+"/email-address", emailType, `{"emailAddress":"new@example.com","verified":true}`, c.admin())
		}, ""},
		"an address of another user": {func(c *caller, _ *kiitest.Server, _ string) {
			c.send("PUT", "users/me/email-address", emailType, `{"emailAddress":"bob@example.com"}`, c.token("alice", "old-pass"))
		}, "another user has this emailAddress"},
		"no address": {func(c *caller, _ *kiitest.Server, _ string) {
			c.send("GET", "users/LOGIN_NAME:bob/phone-number", "", "", c.admin())
		}, "bob has no phone number"},
		"no code": {func(c *caller, _ *kiitest.Server, _ string) {
			c.send("POST", "users/LOGIN_NAME:carol/email-address/verify", verificationType, `{"verificationCode":"123456"}`, "")
		}, "no code was sent to the e-mail address of carol that is to be verified"},
		"an expired code": {func(c *caller, srv *kiitest.Server, _ string) {
			m, err := srv.SendVerification("LOGIN_NAME:carol", kiitest.Email)
			require.NoError(c.t, err)
			srv.ExpireMessage(m.ID)
			c.send("POST", "users/LOGIN_NAME:carol/email-address/verify", verificationType, `{"verificationCode":"`+m.Code+`"}`, "")
		}, "the code has expired"},
		"the app's own credentials": {func(c *caller, srv *kiitest.Server, _ string) {
			c.send("POST", "oauth2/token", "application/json", `{"client_id":"`+srv.AppID()+`","client_secret":"`+srv.AppKey()+`"}`, "")
		}, "the credentials are the app's own, so the token is anonymous and has no rights"},
		"a wrong client": {func(c *caller, _ *kiitest.Server, _ string) {
			without(c, kiitest.WrongClientIsWrongLogin)
			c.send("POST", "oauth2/token", "application/json", `{"client_id":"x","client_secret":"`+unset+`"}`, "")
		}, "the client credentials are neither the administrator's nor the app's"},
		"an unknown grant": {func(c *caller, _ *kiitest.Server, _ string) {
			c.send("POST", "oauth2/token", "application/json", `{"grant_type":"implicit"}`, "")
		}, "kiitest knows the grant types password, refresh_token and client_credentials"},
		"a registration without a name": {func(c *caller, _ *kiitest.Server, _ string) {
			without(c, kiitest.NamelessIsInvalidInput)
			c.register(registrationType, `{"password":"`+unset+`"}`)
		}, "the body has no loginName, emailAddress or phoneNumber"},
		"a content type": {func(c *caller, _ *kiitest.Server, id string) {
			without(c, kiitest.AnyContentTypeWillDo)
			c.send("POST", "users/"+id+"/password/request-reset", "text/plain", byEmail, "")
		}, "the call takes the content type application/vnd.kii.ResetPasswordRequest+json"},
		"no body": {
			func(c *caller, _ *kiitest.Server, id string) {
				c.send("POST", "users/"+id+"/password/complete-reset", completeType, "", "")
			},
			"the body is empty",
		},
		"a large body": {
			func(c *caller, _ *kiitest.Server, id string) { c.ask(id, strings.Repeat(" ", 129<<10)) },
			"the body has more than 128 KB",
		},
		"a form's two passwords": {func(c *caller, srv *kiitest.Server, id string) {
			srv.SetSettings(input)
			c.ask(id, byEmail)
			c.submit(last(c.t, srv, id).Link, unset, "x")
		}, "password and confirm differ"},
		"a form's old password": {func(c *caller, srv *kiitest.Server, id string) {
			srv.SetSettings(input)
			c.ask(id, byEmail)
			c.submit(last(c.t, srv, id).Link, "old-pass", "old-pass")
		}, "the new password is the same as the old one"},
		"a form of the other flow": {func(c *caller, srv *kiitest.Server, id string) {
			c.ask(id, byEmail)
			c.submit(last(c.t, srv, id).Link, unset, unset)
		}, "the flow is Generate, so no password can be chosen"},
		"a fault": {func(c *caller, srv *kiitest.Server, id string) {
			srv.Inject(kiitest.Fault{Kind: kiitest.FaultStatus, Status: 503, Handled: true})
			c.ask(id, byPIN)
		}, "a fault of kind status took the place of the answer, 204, although the call took effect"},
		"a fault in place of a call": {func(c *caller, srv *kiitest.Server, id string) {
			srv.Inject(kiitest.Fault{Kind: kiitest.FaultStatus, Status: 503})
			c.ask(id, byPIN)
		}, "a fault of kind status took the place of the call, which had no effect"},
		"a fault of a refused call": {func(c *caller, srv *kiitest.Server, _ string) {
			srv.Inject(kiitest.Fault{Kind: kiitest.FaultStatus, Status: 503, Handled: true})
			c.ask("LOGIN_NAME:alice", `{}`)
		}, "notificationMethod must be EMAIL or SMS; a fault of kind status took the place of the answer, 400"},
		"nothing to say": {func(c *caller, _ *kiitest.Server, id string) { c.ask(id, byPIN) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := kiitest.NewServer(kiitest.WithoutSocket())
			id := srv.AddAccount(alice())
			srv.AddAccount(kiitest.Account{LoginName: "bob", Email: "bob@example.com", EmailVerified: true})
			srv.AddAccount(kiitest.Account{LoginName: "carol", Email: "carol@example.com", Password: "carol-pass"})
			srv.AddAccount(kiitest.Account{LoginName: "dave", Password: "dave-pass", Disabled: true})
			one.do(newCaller(t, srv), srv, id)
			all := srv.Calls()
			require.Equal(t, one.want, all[len(all)-1].Why)
			for _, call := range all {
				for _, m := range srv.Messages() {
					for _, secret := range []string{m.PIN, m.Link, m.Password, m.Code, unset, "old-pass"} {
						require.False(t, secret != "" && strings.Contains(call.Why, secret), "a secret in %q", call.Why)
					}
				}
				require.NotContains(t, fmt.Sprintf("%v %+v %#v", call, call, call), "alice")
			}
		})
	}
}

// without has some assumptions not hold from now on.
func without(c *caller, all ...kiitest.Assumption) {
	c.t.Helper()
	state := c.server.Snapshot()
	for _, a := range all {
		state.Assumptions[a] = false
	}
	require.NoError(c.t, c.server.Restore(state))
}

// A person knows a user by a name, and by the ID only where there is none.
func TestCallLogNamesAUserAsAPersonWould(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]kiitest.Account{
		"erin":             {LoginName: "erin", DisplayName: "Erin"},
		"Erin":             {DisplayName: "Erin", Email: "erin@example.com"},
		"erin@example.com": {Email: "erin@example.com", Phone: "+819099999999"},
		"+819099999999":    {Phone: "+819099999999"},
		"some-user":        {ID: "some-user"},
	} {
		srv, c := start(t)
		c.ask(srv.AddAccount(a), byEmail)
		require.Equal(t, name+" has no password", srv.Calls()[0].Why)
	}
}

// Each call that takes a body says what of it is wrong, and changes nothing.
func TestEachCallSaysWhatIsWrongWithItsBody(t *testing.T) {
	t.Parallel()
	const noString = " must be a string"
	for _, one := range []struct{ method, path, contentType, body, want string }{
		{"POST", "users/ID/password/request-reset", resetType, `{"notificationMethod":1}`, "notificationMethod" + noString},
		{"POST", "users/ID/password/complete-reset", completeType, `{"pinCode":1}`, "pinCode" + noString},
		{"PUT", "users/ID/password", changeType, `{"newPassword":1}`, "newPassword" + noString},
		{"PUT", "users/ID/email-address", emailType, `{"emailAddress":1}`, "emailAddress" + noString},
		{"PUT", "users/ID/phone-number", phoneType, `{"phoneNumber":1}`, "phoneNumber" + noString},
		{"POST", "users/ID/phone-number/verify", verificationType, `{"verificationCode":1}`, "verificationCode" + noString},
		{"PUT", "users/ID/status", statusType, `{"disabled":1}`, "disabled must be true or false"},
		{"POST", "users/query", "application/vnd.kii.UserQueryRequest+json", `{"userQuery":{"clause":{"type":1}}}`, "type" + noString},
		{"POST", "users/query", "application/vnd.kii.UserQueryRequest+json", `{"userQuery":{"clause":{"type":"eq","field":1}}}`, "field" + noString},
		{"POST", "users", registrationType, `{"loginName":"carol","password":"carol-pass","locale":1}`, "locale" + noString},
		{"POST", "oauth2/token", "application/json", `{"username":1}`, "username" + noString},
	} {
		srv, c := start(t, kiitest.WithSettings(input))
		a := alice()
		a.ID = "ID"
		srv.AddAccount(a)
		before := srv.Accounts()
		admin := c.admin()
		for body, want := range map[string]string{"{": "the body is no JSON object", one.body: one.want} {
			require.Equal(t, 400, c.send(one.method, one.path, one.contentType, body, admin).status, one)
			last, _ := srv.LatestCalls(1)
			require.Equal(t, want, last[0].Why, one)
		}
		require.Equal(t, before, srv.Accounts())
	}
}

// Every refusal has a reason: nobody is left to guess.
func TestEachRefusalHasAReason(t *testing.T) {
	t.Parallel()
	for _, flow := range []kiitest.ResetFlow{kiitest.GeneratePassword, kiitest.InputPassword} {
		srv := kiitest.NewServer(kiitest.WithoutSocket(), kiitest.WithSettings(func(s *kiitest.Settings) { s.ResetFlow = flow }))
		c := newCaller(t, srv)
		id := srv.AddAccount(alice())
		token := c.token("alice", "old-pass")
		require.Equal(t, "204", c.ask(id, byEmail).String())
		link := strings.TrimPrefix(last(t, srv, id).Link, string(srv.Site()))
		for _, path := range []string{
			"users/" + id + "/password/request-reset", "users/EMAIL:alice@example.com/password/reset", "users/" + id + "/password/reset", "users/me/password/complete-reset",
			"/oauth2/token", "oauth2/token", "users", "users/me", "users/nobody", "users/me/password", "users/me/email-address", "users/me/phone-number",
			"users/me/email-address/verify", "users/me/phone-number/verify", "users/me/email-address/resend-verification", link, link + "x",
		} {
			for _, method := range []string{"GET", "POST", "PUT"} {
				for _, body := range []string{"", "{", "{}", "null", "\xff", `{"pinCode":1}`, `{"pinCode":"1"}`, `{"grant_type":"x"}`, `{"username":"x","password":"y","expiresAt":-1}`, `{"emailAddress":"x"}`, `{"loginName":"x"}`} {
					for _, token := range []string{"", token, "none"} {
						c.send(method, path, "application/json", body, token)
					}
				}
			}
		}
		for _, call := range srv.Calls() {
			require.False(t, call.Status >= 300 && call.Why == "", "%v %s %s", call, call.Path, call.Body)
		}
	}
}
