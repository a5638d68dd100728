package kiitest_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

// A cloud is an app to try assumptions on: one of kiitest's, or a real one that the environment
// names. Its flow is Input, and it has a user who can be reset.
type cloud struct {
	t        *testing.T
	site     string
	appID    string
	appKey   string
	client   *http.Client
	facts    func(name string) string // about the app and its users; empty: not known
	password string                   // the user's, as it is now
	newest   func() string            // the text of the newest SMS to the user
	other    func() string            // the text of the newest SMS to the user whose addresses are not verified
	wait     func(time.Duration)
}

// fact returns what a probe must know, or skips the probe.
func (c *cloud) fact(name string) string {
	c.t.Helper()
	value := c.facts(name)
	if value == "" {
		c.t.Skipf("%s is not set", name)
	}
	return value
}

// user is the user's ID.
func (c *cloud) user() string { return c.fact("KII_TEST_USER_ID") }

func (c *cloud) send(method, path, contentType, body string, header http.Header) reply {
	c.t.Helper()
	if !strings.HasPrefix(path, "/") {
		path = "/apps/" + c.appID + "/" + path
	}
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.site+path, strings.NewReader(body))
	require.NoError(c.t, err)
	r.Header = header.Clone()
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return (&caller{t: c.t, client: c.client}).do(r)
}

func (c *cloud) asApp() http.Header {
	return http.Header{"X-Kii-Appid": {c.appID}, "X-Kii-Appkey": {c.appKey}}
}

func asUser(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

func (c *cloud) ask(id, body string) reply {
	c.t.Helper()
	return c.send("POST", "users/"+id+"/password/request-reset", resetType, body, c.asApp())
}

// pin asks for a PIN and reads it.
func (c *cloud) pin() string {
	c.t.Helper()
	if c.newest == nil {
		c.t.Skip("KII_TEST_SMS_COMMAND is not set")
	}
	require.Equal(c.t, "204", c.ask(c.user(), byPIN).String())
	pin := regexp.MustCompile(`\b[0-9]{4,10}\b`).FindString(c.newest())
	require.NotEmpty(c.t, pin, "a PIN in the SMS")
	return pin
}

// complete tries a PIN with a password, and records the result.
func (c *cloud) complete(pin, password string) reply {
	c.t.Helper()
	body := fmt.Sprintf(`{"pinCode":%q,"newPassword":%q}`, pin, password)
	got := c.send("POST", "users/"+c.user()+"/password/complete-reset", completeType, body, c.asApp())
	if got.status == http.StatusNoContent {
		c.password = password
	}
	return got
}

func (c *cloud) login(username, password string) reply {
	c.t.Helper()
	body := fmt.Sprintf(`{"username":%q,"password":%q}`, username, password)
	return c.send("POST", "/oauth2/token", "application/json", body, c.asApp())
}

func (c *cloud) loggedIn() reply {
	c.t.Helper()
	got := c.login(c.fact("KII_TEST_LOGIN"), c.password)
	require.Equal(c.t, "200", got.String())
	return got
}

func (c *cloud) change(token, password string) reply {
	c.t.Helper()
	body := fmt.Sprintf(`{"oldPassword":%q,"newPassword":%q}`, c.password, password)
	got := c.send("PUT", "users/me/password", "application/vnd.kii.ChangePasswordRequest+json", body, asUser(token))
	if got.status == http.StatusNoContent {
		c.password = password
	}
	return got
}

// asAdmin is the header of an administrator's call.
func (c *cloud) asAdmin() http.Header {
	c.t.Helper()
	got := c.loginClient(c.fact("KII_TEST_CLIENT_SECRET"))
	require.Equal(c.t, "200", got.String())
	return asUser(got.string("access_token"))
}

func (c *cloud) loginClient(secret string) reply {
	c.t.Helper()
	body := fmt.Sprintf(`{"grant_type":"client_credentials","client_id":%q,"client_secret":%q}`, c.fact("KII_TEST_CLIENT_ID"), secret)
	return c.send("POST", "oauth2/token", "application/json", body, c.asApp())
}

// setPassword is the administrator's.
func (c *cloud) setPassword(password, more string) reply {
	c.t.Helper()
	body := fmt.Sprintf(`{%s"newPassword":%q}`, more, password)
	got := c.send("PUT", "users/"+c.user()+"/password", "application/vnd.kii.ChangePasswordRequest+json", body, c.asAdmin())
	if got.status == http.StatusNoContent {
		c.password = password
	}
	return got
}

// code reads the code that was sent to the unverified phone.
func (c *cloud) code() string {
	c.t.Helper()
	got := c.send("GET", "users/"+c.fact("KII_TEST_UNVERIFIED_ID")+"/phone-number/verification-code", "", "", c.asAdmin())
	require.Equal(c.t, "200", got.String())
	return got.string("verificationCode")
}

// resend sends that code again.
func (c *cloud) resend() {
	c.t.Helper()
	got := c.send("POST", "users/"+c.fact("KII_TEST_UNVERIFIED_ID")+"/phone-number/resend-verification", "", "", c.asApp())
	require.Equal(c.t, "204", got.String())
}

// another is a password that the user does not have.
func (c *cloud) another() string {
	if c.password == "probe-pass-1" {
		return "probe-pass-2"
	}
	return "probe-pass-1"
}

const (
	badPassword   = "sixty characters are too long for a password, this is sixty."
	wrongPIN      = "403 INVALID_VERIFICATION_CODE"
	neverAPIN     = "000000"
	badPasswordIs = "400 INVALID_INPUT_DATA"
)

// probes tell, of each assumption, whether it holds.
func probes() map[kiitest.Assumption]func(*cloud) bool {
	return map[kiitest.Assumption]func(*cloud) bool{
		kiitest.UnverifiedAddressIsUnknown: func(c *cloud) bool {
			return c.ask(c.fact("KII_TEST_UNVERIFIED"), byEmail).String() == "404 USER_NOT_FOUND"
		},
		kiitest.EmailCaseMatters: func(c *cloud) bool {
			return c.ask("EMAIL:"+strings.ToUpper(c.fact("KII_TEST_EMAIL")), byEmail).String() == "404 USER_NOT_FOUND"
		},
		kiitest.LoginNameResets: func(c *cloud) bool {
			return c.ask("LOGIN_NAME:"+c.fact("KII_TEST_LOGIN"), byEmail).String() == "204"
		},
		kiitest.MeCanRequestReset: func(c *cloud) bool {
			token := c.loggedIn().string("access_token")
			return c.send("POST", "users/me/password/request-reset", resetType, byEmail, asUser(token)).String() == "204"
		},
		kiitest.BadChannelIsInvalidInput: func(c *cloud) bool {
			return c.ask(c.user(), `{"notificationMethod":"PIGEON"}`).String() == "400 INVALID_INPUT_DATA"
		},
		kiitest.SMSDefaultsToLink: func(c *cloud) bool {
			return c.ask(c.user(), `{"notificationMethod":"SMS"}`).String() == "204"
		},
		kiitest.NewerRequestReplacesOlder: func(c *cloud) bool {
			older := c.pin()
			c.pin()
			return c.complete(older, c.another()).String() == wrongPIN
		},
		kiitest.ResetEndsOtherRequests: func(c *cloud) bool {
			pin := c.pin()
			require.Equal(c.t, "204", c.change(c.loggedIn().string("access_token"), c.another()).String())
			return c.complete(pin, c.another()).String() == wrongPIN
		},
		kiitest.CodesAreSingleUse: func(c *cloud) bool {
			pin := c.pin()
			require.Equal(c.t, "204", c.complete(pin, c.another()).String())
			return c.complete(pin, c.another()).String() == wrongPIN
		},
		kiitest.NoPendingPINIsWrongPIN: func(c *cloud) bool {
			require.Equal(c.t, "204", c.complete(c.pin(), c.another()).String())
			return c.complete(neverAPIN, c.another()).String() == wrongPIN
		},
		kiitest.OnlyRightPINExpires: func(c *cloud) bool {
			validity, err := time.ParseDuration(c.fact("KII_TEST_PIN_VALIDITY"))
			require.NoError(c.t, err)
			c.pin()
			c.wait(validity)
			return c.complete(neverAPIN, c.another()).String() == wrongPIN
		},
		kiitest.WrongPINsAreUnlimited: func(c *cloud) bool {
			pin := c.pin()
			for range 5 {
				require.Equal(c.t, wrongPIN, c.complete(neverAPIN, c.another()).String())
			}
			return c.complete(pin, c.another()).String() == "204"
		},
		kiitest.PINCheckedBeforePassword: func(c *cloud) bool {
			c.pin()
			return c.complete(neverAPIN, badPassword).String() == wrongPIN
		},
		kiitest.BadPasswordKeepsPIN: func(c *cloud) bool {
			pin := c.pin()
			require.Equal(c.t, badPasswordIs, c.complete(pin, badPassword).String())
			return c.complete(pin, c.another()).String() == "204"
		},
		kiitest.NewPasswordKillsRefreshTokens: func(c *cloud) bool {
			tokens := c.loggedIn()
			if tokens.string("refresh_token") == "" {
				c.t.Skip("the app hands out no refresh tokens")
			}
			require.Equal(c.t, "204", c.change(tokens.string("access_token"), c.another()).String())
			body := fmt.Sprintf(`{"grant_type":"refresh_token","refresh_token":%q}`, tokens.string("refresh_token"))
			return c.send("POST", "/oauth2/token", "application/json", body, c.asApp()).String() == "403 WRONG_REFRESH_TOKEN"
		},
		kiitest.InputResetIsSilent: func(c *cloud) bool {
			pin := c.pin()
			require.Equal(c.t, "204", c.complete(pin, c.another()).String())
			return strings.Contains(c.newest(), pin)
		},
		kiitest.DisabledIsUnauthorized: func(c *cloud) bool {
			return c.ask(c.fact("KII_TEST_DISABLED_ID"), byEmail).String() == "401 USER_DISABLED"
		},
		kiitest.DeadTokenIsForbidden: func(c *cloud) bool {
			token := c.loggedIn().string("access_token")
			require.Equal(c.t, "204", c.change(token, c.another()).String())
			return c.send("GET", "users/me", "", "", asUser(token)).String() == "403 WRONG_TOKEN"
		},
		kiitest.WrongLoginIsBadRequest: func(c *cloud) bool {
			return c.login(c.fact("KII_TEST_LOGIN"), "not-"+c.another()).String() == "400 invalid_grant"
		},
		kiitest.DisabledLoginSaysSo: func(c *cloud) bool {
			return c.login(c.fact("KII_TEST_DISABLED_LOGIN"), c.fact("KII_TEST_DISABLED_PASSWORD")).code() == "USER_DISABLED"
		},
		kiitest.ChangedPasswordMustDiffer: func(c *cloud) bool {
			return c.change(c.loggedIn().string("access_token"), c.password).String() == "400 INVALID_INPUT_DATA"
		},
		kiitest.VerifiedUnlessRequired: func(c *cloud) bool {
			name := fmt.Sprintf("probe-%d", time.Now().UnixNano())
			body := fmt.Sprintf(`{"loginName":%q,"emailAddress":%q,"password":"probe-pass"}`, name, name+"@"+c.fact("KII_TEST_REGISTER_AT"))
			require.Equal(c.t, "201", c.send("POST", "users", registrationType, body, c.asApp()).String())
			token := c.login(name, "probe-pass").string("access_token")
			return c.send("GET", "users/me", "", "", asUser(token)).body["emailAddressVerified"] == true
		},
		kiitest.OtherUsersAreReadable: func(c *cloud) bool {
			token := c.loggedIn().string("access_token")
			return c.send("GET", "users/"+c.fact("KII_TEST_OTHER_ID"), "", "", asUser(token)).String() == "200"
		},
		kiitest.CallsMustNameTheApp: func(c *cloud) bool {
			return c.send("POST", "users/"+c.user()+"/password/request-reset", resetType, byEmail, http.Header{}).String() == "401 UNAUTHORIZED"
		},
		kiitest.AnyContentTypeWillDo: func(c *cloud) bool {
			return c.send("POST", "users/"+c.user()+"/password/request-reset", "text/plain", byEmail, c.asApp()).String() == "204"
		},
		kiitest.ResetsOutliveTheirAddress: func(c *cloud) bool {
			phone := c.send("GET", "users/"+c.user()+"/phone-number", "", "", c.asAdmin()).string("phoneNumber")
			change := func(to string) {
				body := fmt.Sprintf(`{"phoneNumber":%q,"verified":true}`, to)
				got := c.send("PUT", "users/"+c.user()+"/phone-number", "application/vnd.kii.PhoneNumberModificationRequest+json", body, c.asAdmin())
				require.Equal(c.t, "204", got.String())
			}
			pin := c.pin()
			change(c.fact("KII_TEST_OTHER_PHONE"))
			defer change(phone)
			return c.complete(pin, c.another()).String() == "204"
		},
		kiitest.ResendRepeatsTheCode: func(c *cloud) bool {
			c.resend()
			first := c.code()
			c.resend()
			return c.code() == first
		},
		kiitest.VerifyTellsStatus: func(c *cloud) bool {
			c.resend()
			body := fmt.Sprintf(`{"verificationCode":%q}`, c.code())
			got := c.send("POST", "users/"+c.fact("KII_TEST_UNVERIFIED_ID")+"/phone-number/verify", verificationType, body, c.asApp())
			require.Empty(c.t, got.code())
			return got.string("verificationStatus") != ""
		},
		kiitest.VerifiedIsForAdmins: func(c *cloud) bool {
			body := fmt.Sprintf(`{"emailAddress":%q,"verified":true}`, c.fact("KII_TEST_EMAIL"))
			token := c.loggedIn().string("access_token")
			return c.send("PUT", "users/me/email-address", "application/vnd.kii.EmailAddressModificationRequest+json", body, asUser(token)).String() == "401 UNAUTHORIZED"
		},
		kiitest.NamelessIsInvalidInput: func(c *cloud) bool {
			return c.send("POST", "users", registrationType, `{"password":"probe-pass"}`, c.asApp()).String() == "400 INVALID_INPUT_DATA"
		},
		kiitest.RegistrationTellsRecord: func(c *cloud) bool {
			name := fmt.Sprintf("probe-%d", time.Now().UnixNano())
			body := fmt.Sprintf(`{"loginName":%q,"emailAddress":%q,"password":"probe-pass"}`, name, name+"@"+c.fact("KII_TEST_REGISTER_AT"))
			return c.send("POST", "users", registrationType, body, c.asApp()).string("loginName") == name
		},
		kiitest.DisabledIsBoolean: func(c *cloud) bool {
			return c.send("GET", "users/me", "", "", asUser(c.loggedIn().string("access_token"))).body["_disabled"] == false
		},
		kiitest.WrongTokenIsEchoed: func(c *cloud) bool {
			return c.send("GET", "users/me", "", "", asUser("no-such-token")).string("accessToken") == "no-such-token"
		},
		kiitest.InvalidFieldsAreNamed: func(c *cloud) bool {
			return c.complete("", c.another()).body["invalidFields"] != nil
		},
		kiitest.ErrorsHaveACode: func(c *cloud) bool {
			got := c.ask("nobody", byEmail)
			require.Equal(c.t, 404, got.status)
			return got.code() != ""
		},
		kiitest.WrongClientIsWrongLogin: func(c *cloud) bool {
			return c.loginClient("no-such-secret").code() == "invalid_grant"
		},
		kiitest.AdminPasswordEndsTokens: func(c *cloud) bool {
			token := c.loggedIn().string("access_token")
			require.Equal(c.t, "204", c.setPassword(c.another(), "").String())
			return c.send("GET", "users/me", "", "", asUser(token)).status != 200
		},
		kiitest.AdminMayRepeatPassword: func(c *cloud) bool {
			return c.setPassword(c.password, "").String() == "204"
		},
		kiitest.AdminOldPasswordIsIgnored: func(c *cloud) bool {
			return c.setPassword(c.another(), `"oldPassword":"not-the-old-one",`).String() == "204"
		},
		kiitest.ResetCodeIsSilent: func(c *cloud) bool {
			if c.other == nil {
				c.t.Skip("nobody reads the SMS of the user whose phone is not verified")
			}
			got := c.send("POST", "users/"+c.fact("KII_TEST_UNVERIFIED_ID")+"/phone-number/reset-verification-code", "", "", c.asAdmin())
			require.Equal(c.t, "200", got.String())
			return !strings.Contains(c.other(), got.string("verificationCode"))
		},
		kiitest.UnknownFieldsAreIgnored: func(c *cloud) bool {
			return c.ask(c.user(), `{"notificationMethod":"EMAIL","whatIsThis":1}`).String() == "204"
		},
	}
}
