package kiitest_test

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// otherwise is how the last call of a probe is answered if the assumption does not hold, as the
// package comment says, where it is that answer which tells.
func otherwise() map[kiitest.Assumption]string {
	return map[kiitest.Assumption]string{
		kiitest.UnverifiedAddressIsUnknown: "409 INVALID_STATUS",
		kiitest.EmailCaseMatters:           "204",
		kiitest.LoginNameResets:            "404 USER_NOT_FOUND",
		kiitest.MeCanRequestReset:          "404 USER_NOT_FOUND",
		kiitest.BadChannelIsInvalidInput:   "400 INVALID_JSON",
		kiitest.SMSDefaultsToLink:          "400 INVALID_INPUT_DATA",
		kiitest.NewerRequestReplacesOlder:  "204",
		kiitest.ResetEndsOtherRequests:     "204",
		kiitest.CodesAreSingleUse:          "204",
		kiitest.NoPendingPINIsWrongPIN:     "409 INVALID_STATUS",
		kiitest.OnlyRightPINExpires:        "410 PIN_CODE_EXPIRED",
		kiitest.WrongPINsAreUnlimited:      "403 INVALID_VERIFICATION_CODE",
		kiitest.PINCheckedBeforePassword:   "400 INVALID_INPUT_DATA",
		kiitest.BadPasswordKeepsPIN:        "403 INVALID_VERIFICATION_CODE",
		kiitest.DisabledIsUnauthorized:     "403 USER_DISABLED",
		kiitest.DeadTokenIsForbidden:       "401 UNAUTHORIZED",
		kiitest.WrongLoginIsBadRequest:     "401 invalid_grant",
		kiitest.DisabledLoginSaysSo:        "400 invalid_grant",
		kiitest.ChangedPasswordMustDiffer:  "204",
		kiitest.OtherUsersAreReadable:      "401 UNAUTHORIZED",
		kiitest.CallsMustNameTheApp:        "204",
		kiitest.AnyContentTypeWillDo:       "400 INVALID_DATA_TYPE",
		kiitest.VerifyTellsStatus:          "204",
		kiitest.VerifiedIsForAdmins:        "204",
		kiitest.NamelessIsInvalidInput:     "400 NO_ACCOUNT_PROVIDED",
		kiitest.RegistrationTellsRecord:    "201",
		kiitest.DisabledIsBoolean:          "200",
		kiitest.WrongTokenIsEchoed:         "403 WRONG_TOKEN",
		kiitest.InvalidFieldsAreNamed:      "400 INVALID_INPUT_DATA",
		kiitest.ErrorsHaveACode:            "404",
		kiitest.WrongClientIsWrongLogin:    "400 invalid_client",
		kiitest.AdminPasswordEndsTokens:    "200",
		kiitest.AdminMayRepeatPassword:     "400 INVALID_INPUT_DATA",
		kiitest.AdminOldPasswordIsIgnored:  "401 WRONG_PASSWORD",
		kiitest.UnknownFieldsAreIgnored:    "400 INVALID_INPUT_DATA",
	}
}

// Every assumption can be turned, and its probe tells which way it is.
func TestEachAssumptionCanBeTurned(t *testing.T) {
	t.Parallel()
	for assumption := range probes() {
		require.Contains(t, kiitest.Assumptions(), assumption)
	}
	for _, assumption := range kiitest.Assumptions() {
		require.NotNil(t, probes()[assumption], "%s has no probe, in probes_test.go", assumption)
		for _, holds := range []bool{true, false} {
			t.Run(fmt.Sprint(assumption, " ", holds), func(t *testing.T) {
				t.Parallel()
				srv := kiitest.NewServer(kiitest.WithoutSocket(), kiitest.WithAssumption(assumption, holds),
					kiitest.WithSettings(input), kiitest.WithSettings(refreshTokens))
				defer srv.Close()
				require.Equal(t, holds, srv.Assumes(assumption))
				require.Equal(t, holds, probes()[assumption](emulated(t, srv)))
				if want := otherwise()[assumption]; want != "" && !holds {
					last, _ := srv.LatestCalls(1)
					require.Equal(t, want, strings.TrimSpace(fmt.Sprint(last[0].Status, " ", last[0].ErrorCode)))
				}
			})
		}
	}
}

// Whichever way an assumption is turned, a user who does all right gets in, and whoever got in with
// the old password is out.
func TestNoAssumptionKeepsARightResetFromWorking(t *testing.T) {
	t.Parallel()
	for _, assumption := range kiitest.Assumptions() {
		srv, c := start(t, kiitest.WithAssumption(assumption, false), kiitest.WithSettings(input))
		id := srv.AddAccount(alice())
		old := []string{c.token("alice", "old-pass")}
		require.Equal(t, "204", c.ask(id, byPIN).String())
		require.Equal(t, "204", c.complete(id, last(t, srv, id).PIN, "new-pass").String(), assumption)
		old = append(old, c.token("alice", "new-pass"))
		require.Equal(t, "204", c.ask("EMAIL:alice@example.com", byEmail).String())
		require.Equal(t, "200", c.submit(last(t, srv, id).Link, "newer-pass", "newer-pass").String(), assumption)
		old = append(old, c.token("alice", "newer-pass"))
		require.Equal(t, "204", c.change(old[2], "newer-pass", "newest-pass").String(), assumption)
		for _, token := range old {
			require.NotEqual(t, 200, c.me(token).status, assumption)
		}
		require.Equal(t, "200", c.me(c.token("alice@example.com", "newest-pass")).String(), assumption)
		set := c.send("PUT", "users/"+id+"/password", changeType, `{"newPassword":"last-pass"}`, c.admin())
		require.Equal(t, "204", set.String(), assumption)
	}
}

// Two assumptions are about one way to name a user in a call that asks for a reset.
func TestANameThatAsksForNoResetStillServesOtherCalls(t *testing.T) {
	t.Parallel()
	srv := kiitest.NewServer(kiitest.WithoutSocket(), kiitest.WithSettings(input), // a strict one reports a token
		kiitest.WithAssumption(kiitest.LoginNameResets, false), kiitest.WithAssumption(kiitest.MeCanRequestReset, false))
	c := newCaller(t, srv)
	id := srv.AddAccount(alice())
	require.Equal(t, "200", c.send("GET", "users/LOGIN_NAME:alice", "", "", c.admin()).String())
	require.Equal(t, "204", c.ask(id, byPIN).String())
	body := `{"pinCode":"` + last(t, srv, id).PIN + `","newPassword":"new-pass"}`
	token := c.token("alice", "old-pass")
	require.Equal(t, "204", c.send("POST", "users/me/password/complete-reset", "application/vnd.kii.CompletePasswordResetRequest+json", body, token).String())
	require.Equal(t, "loginName", c.send("GET", "users/LOGIN_NAME:nobody", "", "", c.admin()).body["field"])
}

// One is about the letters of an e-mail address, and not about those of a login name.
func TestLettersOfALoginNameMatter(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithAssumption(kiitest.EmailCaseMatters, false))
	srv.AddAccount(alice())
	require.Equal(t, "204", c.ask("EMAIL:Alice@Example.com", byEmail).String())
	require.Equal(t, "404 USER_NOT_FOUND", c.ask("LOGIN_NAME:Alice", byEmail).String())
}

// One is about a PIN that has expired, and not about one that lives.
func TestWrongPINIsWrongWhileTheRightOneLives(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithAssumption(kiitest.OnlyRightPINExpires, false))
	id := srv.AddAccount(alice())
	require.Equal(t, "204", c.ask(id, byPIN).String())
	require.Equal(t, "403 INVALID_VERIFICATION_CODE", c.complete(id, "123456", "").String())
}

// Two are about who may repeat a password.
func TestWhoMayRepeatAPasswordIsOneQuestionEach(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithAssumption(kiitest.ChangedPasswordMustDiffer, false), kiitest.WithAssumption(kiitest.AdminMayRepeatPassword, false))
	id := srv.AddAccount(alice())
	require.Equal(t, "204", c.change(c.token("alice", "old-pass"), "old-pass", "old-pass").String())
	require.Equal(t, "400 INVALID_INPUT_DATA", c.send("PUT", "users/"+id+"/password", changeType, `{"newPassword":"old-pass"}`, c.admin()).String())
}

// emulated is a server of kiitest with the users that the probes need.
func emulated(t *testing.T, srv *kiitest.Server) *cloud {
	facts := map[string]string{
		"KII_TEST_USER_ID":           srv.AddAccount(alice()),
		"KII_TEST_LOGIN":             "alice",
		"KII_TEST_EMAIL":             "alice@example.com",
		"KII_TEST_OTHER_ID":          srv.AddAccount(kiitest.Account{LoginName: "bob"}),
		"KII_TEST_DISABLED_ID":       srv.AddAccount(kiitest.Account{LoginName: "gone", Password: "gone-pass", Disabled: true}),
		"KII_TEST_DISABLED_LOGIN":    "gone",
		"KII_TEST_DISABLED_PASSWORD": "gone-pass",
		"KII_TEST_UNVERIFIED":        "EMAIL:unverified@example.com",
		"KII_TEST_PIN_VALIDITY":      "10m",
		"KII_TEST_REGISTER_AT":       "example.com",
		"KII_TEST_CLIENT_ID":         srv.ClientID(),
		"KII_TEST_CLIENT_SECRET":     srv.ClientSecret(),
		"KII_TEST_OTHER_PHONE":       "+819012340000",
	}
	unverified := srv.AddAccount(kiitest.Account{Email: "unverified@example.com", Phone: "+819012349999", Password: "old-pass"})
	facts["KII_TEST_UNVERIFIED_ID"] = unverified
	return &cloud{
		t: t, site: string(srv.Site()), appID: srv.AppID(), appKey: srv.AppKey(), client: newCaller(t, srv).client,
		facts: func(name string) string { return facts[name] }, password: "old-pass", wait: srv.Advance,
		newest: func() string { return last(t, srv, "alice").Text },
		other: func() string {
			m, _ := srv.LastMessage(unverified)
			return m.Text
		},
	}
}

// The same probes against a real app, to learn which assumptions hold there. It needs an app of
// your own whose reset flow is Input, with users made for it: the probes send messages and change
// passwords. Where the environment does not tell what a probe must know, it is skipped:
//
//	KII_APP_ID, KII_APP_KEY                 the app
//	KII_SITE                                its site's base URL; default: the one in the US
//	KII_TEST_USER_ID, KII_TEST_PASSWORD     a user with a verified e-mail address and a verified phone
//	KII_TEST_LOGIN, KII_TEST_EMAIL          that user's login name and e-mail address
//	KII_TEST_SMS_COMMAND                    a shell command that waits for the newest SMS and prints it
//	KII_TEST_PIN_VALIDITY                   how long a PIN lives, as 10m
//	KII_TEST_UNVERIFIED                     EMAIL: and another user's unverified address
//	KII_TEST_UNVERIFIED_ID                  that user's ID; the phone is unverified too, and a probe verifies it
//	KII_TEST_CLIENT_ID, …_SECRET            the app's administrator
//	KII_TEST_OTHER_PHONE                    a number that the first user may have for a moment
//	KII_TEST_OTHER_ID                       another user's ID
//	KII_TEST_DISABLED_ID, …_LOGIN, …_PASSWORD   a disabled user
//	KII_TEST_REGISTER_AT                    a domain at which probes may register users
//
// Run it with:
//
//	go test -v -run TestAssumptionsAtKii ./kiitest
func TestAssumptionsAtKii(t *testing.T) {
	for _, name := range []string{"KII_APP_ID", "KII_APP_KEY", "KII_TEST_USER_ID", "KII_TEST_PASSWORD"} {
		if os.Getenv(name) == "" {
			t.Skipf("%s is not set", name)
		}
	}
	c := &cloud{
		site: cmp.Or(os.Getenv("KII_SITE"), string(kii.SiteUS)), appID: os.Getenv("KII_APP_ID"), appKey: os.Getenv("KII_APP_KEY"),
		client: &http.Client{Timeout: 30 * time.Second}, facts: os.Getenv, password: os.Getenv("KII_TEST_PASSWORD"), wait: time.Sleep,
	}
	if command := os.Getenv("KII_TEST_SMS_COMMAND"); command != "" {
		c.newest = func() string {
			text, err := exec.CommandContext(c.t.Context(), "sh", "-c", command).Output()
			require.NoError(c.t, err)
			return string(text)
		}
	}
	for _, assumption := range kiitest.Assumptions() {
		t.Run(string(assumption), func(t *testing.T) {
			c.t = t
			verdict := "does not hold"
			if probes()[assumption](c) {
				verdict = "holds"
			}
			fmt.Fprintln(t.Output(), assumption, verdict)
		})
	}
	c.restore(t, os.Getenv("KII_TEST_PASSWORD"))
}

// restore gives the user the first password back.
func (c *cloud) restore(t *testing.T, password string) {
	t.Helper()
	c.t = t
	if c.password != password {
		require.Equal(t, "204", c.change(c.loggedIn().string("access_token"), password).String())
	}
}
