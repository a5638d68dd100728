package kiitest_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

const (
	changeType = "application/vnd.kii.ChangePasswordRequest+json"
	emailType  = "application/vnd.kii.EmailAddressModificationRequest+json"
	phoneType  = "application/vnd.kii.PhoneNumberModificationRequest+json"
	statusType = "application/vnd.kii.UserStatusUpdateRequest+json"
)

// admin logs the administrator in, which must work, and returns the token.
func (c *caller) admin() string {
	c.t.Helper()
	body := fmt.Sprintf(`{"grant_type":"client_credentials","client_id":%q,"client_secret":%q}`, c.server.ClientID(), c.server.ClientSecret())
	got := c.send("POST", "oauth2/token", "application/json", body, "")
	require.Equal(c.t, "200", got.String())
	return got.string("access_token")
}

func TestAdministratorLogsInOnBothPathsAndInAllForms(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithAdmin("client", "s3cret"), kiitest.WithApp("app", "key"), kiitest.WithSettings(refreshTokens))
	id := srv.AddAccount(alice())
	for _, path := range []string{"oauth2/token", "/oauth2/token"} {
		for name, one := range map[string]struct{ contentType, body string }{
			"guide":          {"application/json", `{"grant_type":"client_credentials","client_id":"client","client_secret":"s3cret"}`},
			"JavaScript SDK": {"application/json", `{"client_id":"client","client_secret":"s3cret"}`},
			"token page":     {"application/vnd.kii.OauthTokenRequest+json", `{"grant_type":"client_credentials","client_id":"client","client_secret":"s3cret"}`},
			"form":           {"application/x-www-form-urlencoded", "grant_type=client_credentials&client_id=client&client_secret=s3cret"},
		} {
			for who, header := range map[string]http.Header{
				"X-Kii": {"X-Kii-Appid": {"app"}}, "Basic": {"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("app:x"))}}, "nothing": {},
			} {
				address := string(srv.Site()) + path
				if path[0] != '/' {
					address = string(srv.Site()) + "/apps/app/" + path
				}
				r, err := http.NewRequestWithContext(t.Context(), "POST", address, strings.NewReader(one.body))
				require.NoError(t, err)
				r.Header = header.Clone()
				r.Header.Set("Content-Type", one.contentType)
				got := c.do(r)
				require.Equal(t, "200", got.String(), "%s %s %s", path, name, who)
				require.Equal(t, "bearer", got.string("token_type"))
				require.Equal(t, "client", got.string("id"))
				require.NotContains(t, got.body, "refresh_token")
				require.Greater(t, got.body["expires_in"], 2147483647.0, "without expiresAt it never ends")
				require.Equal(t, "200", c.send("GET", "users/"+id, "", "", got.string("access_token")).String())
			}
		}
	}
	require.Len(t, srv.Calls(kiitest.OpAdminLogin), 24)
}

func TestAdministratorsTokenEndsWhenItSaid(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	id := srv.AddAccount(alice())
	body := func(expiresAt time.Time) string {
		return fmt.Sprintf(`{"grant_type":"client_credentials","client_id":%q,"client_secret":%q,"expiresAt":%d}`, srv.ClientID(), srv.ClientSecret(), expiresAt.UnixMilli())
	}
	got := c.send("POST", "oauth2/token", "application/json", body(srv.Now().Add(time.Hour)), "")
	require.Equal(t, "200", got.String())
	require.InDelta(t, 3600, got.body["expires_in"], 1)
	srv.Advance(59 * time.Minute)
	require.Equal(t, "200", c.send("GET", "users/"+id, "", "", got.string("access_token")).String())
	srv.Advance(time.Minute)
	require.Equal(t, "403 WRONG_TOKEN", c.send("GET", "users/"+id, "", "", got.string("access_token")).String())
	require.Equal(t, "400 INVALID_INPUT_DATA", c.send("POST", "oauth2/token", "application/json", body(srv.Now()), "").String())
}

func TestWrongClientCredentialsAreRefused(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	for _, body := range []string{
		fmt.Sprintf(`{"grant_type":"client_credentials","client_id":%q,"client_secret":"wrong"}`, srv.ClientID()),
		fmt.Sprintf(`{"grant_type":"client_credentials","client_id":"wrong","client_secret":%q}`, srv.ClientSecret()),
		fmt.Sprintf(`{"grant_type":"client_credentials","client_id":%q,"client_secret":%q}`, srv.ClientID(), srv.AppKey()),
		fmt.Sprintf(`{"client_id":%q}`, srv.ClientID()),
		`{"grant_type":"client_credentials"}`,
	} {
		require.Equal(t, "400 invalid_grant", c.send("POST", "oauth2/token", "application/json", body, "").String())
	}
}

// Who lacks the right is told so: the app's own token, a user's, none.
func TestAdministratorsCallsAreForAdministrators(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	id := srv.AddAccount(alice())
	srv.AddAccount(kiitest.Account{LoginName: "bob", Password: "bob-pass"})
	anonymous := c.send("POST", "oauth2/token", "application/json",
		fmt.Sprintf(`{"grant_type":"client_credentials","client_id":%q,"client_secret":%q}`, srv.AppID(), srv.AppKey()), "").string("access_token")
	require.NotEmpty(t, anonymous)
	before := srv.Snapshot()
	for _, one := range []struct{ method, path, contentType, body, ok string }{
		{"PUT", "/password", changeType, `{"newPassword":"new-pass"}`, "204"},
		{"PUT", "/email-address", emailType, `{"emailAddress":"a@example.net","verified":true}`, "204"},
		{"PUT", "/phone-number", phoneType, `{"phoneNumber":"+819000000000","verified":true}`, "204"},
		{"GET", "/email-address", "", "", "200"},
		{"GET", "/status", "", "", "200"},
		{"PUT", "/status", statusType, `{"disabled":false}`, "204"},
		{"GET", "/email-address/verification-code", "", "", "404 VERIFICATION_CODE_NOT_FOUND"},
		{"POST", "/phone-number/reset-verification-code", "", "", "400 INVALID_ACCOUNT_STATUS"},
		{"GET", "/../../configuration/parameters", "", "", "200"},
		{"POST", "/../query", "application/vnd.kii.UserQueryRequest+json", `{"userQuery":{"clause":{"type":"all"}}}`, "200"},
		{"DELETE", "", "", "", "204"},
	} {
		path := "users/" + id + one.path
		path = strings.Replace(strings.Replace(path, "users/"+id+"/../../", "", 1), id+"/../", "", 1)
		for who, token := range map[string]string{"anonymous": anonymous, "another user": c.token("bob", "bob-pass"), "nobody": ""} {
			require.Equal(t, "401 UNAUTHORIZED", c.send(one.method, path, one.contentType, one.body, token).String(), "%s %s by %s", one.method, path, who)
		}
		require.Equal(t, before, srv.Snapshot())
		require.Equal(t, one.ok, c.send(one.method, path, one.contentType, one.body, c.admin()).String(), "%s %s", one.method, path)
		require.NoError(t, srv.Restore(before))
		anonymous = c.send("POST", "oauth2/token", "application/json",
			fmt.Sprintf(`{"grant_type":"client_credentials","client_id":%q,"client_secret":%q}`, srv.AppID(), srv.AppKey()), "").string("access_token")
	}
	require.Equal(t, "401 UNAUTHORIZED", c.me(c.admin()).String(), "users/me is for users")
}

func TestAdministratorFindsUsersByVerifiedNames(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	a := alice()
	a.Disabled, a.EmailVerified, a.PendingEmail, a.Locale = true, false, "new@example.com", "ja"
	a.Fields = map[string]json.RawMessage{"age": json.RawMessage("30")}
	id := srv.AddAccount(a)
	token := c.admin()
	for _, user := range []string{id, "LOGIN_NAME:alice", "PHONE:+819012341234", "PHONE%3AJP-09012341234"} {
		got := c.send("GET", "users/"+user, "", "", token)
		require.Equal(t, "200", got.String(), user)
		delete(got.body, "internalUserID")
		require.Equal(t, map[string]any{
			"userID": id, "loginName": "alice", "locale": "ja", "emailAddress": "alice@example.com", "emailAddressVerified": false,
			"_emailAddressPending": "new@example.com", "phoneNumber": "+819012341234", "phoneNumberVerified": true, "_hasPassword": true, "_disabled": true, "age": 30.0,
		}, got.body)
	}
	require.Equal(t, "404 USER_NOT_FOUND", c.send("GET", "users/EMAIL:alice@example.com", "", "", token).String(), "not verified")
	require.Equal(t, "404 USER_NOT_FOUND", c.send("GET", "users/nobody", "", "", token).String())
}

func TestAdministratorSetsAPassword(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithSettings(refreshTokens))
	id := srv.AddAccount(alice())
	social := srv.AddAccount(kiitest.Account{LoginName: "social"})
	old := c.login("alice", "old-pass")
	admin := c.admin()
	set := func(user, body string) string {
		return c.send("PUT", "users/"+user+"/password", changeType, body, admin).String()
	}
	require.Equal(t, "400 PASSWORD_TOO_SHORT", set(id, `{"newPassword":"new"}`))
	require.Equal(t, "400 INVALID_INPUT_DATA", set(id, `{"newPassword":"päss"}`))
	require.Equal(t, "400 INVALID_INPUT_DATA", set(id, `{}`))
	require.Equal(t, "409 OPERATION_NOT_ALLOWED", set(social, `{"newPassword":"new-pass"}`))
	require.Equal(t, "404 USER_NOT_FOUND", set("nobody", `{"newPassword":"new-pass"}`))
	require.Equal(t, "200", c.me(old.string("access_token")).String(), "a refusal ends nothing")
	require.Equal(t, "204", set("EMAIL:alice@example.com", `{"newPassword":"new-pass"}`))
	require.Equal(t, "403 WRONG_TOKEN", c.me(old.string("access_token")).String())
	require.Equal(t, "403 WRONG_REFRESH_TOKEN", c.refresh(old.string("refresh_token")).String())
	require.Equal(t, "200", c.login("alice", "new-pass").String())
	require.Equal(t, "204", set(id, `{"newPassword":"newer-pass"}`), "the administrator's own token lives")
	require.Empty(t, srv.Messages(), "nobody is told")
}

func TestAdministratorMarksAnAddressVerified(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithSettings(verify))
	admin := c.admin()
	got := c.register("application/vnd.kii.RegistrationAndAuthorizationRequest+json", `{"loginName":"carol","emailAddress":"carol@example.com","phoneNumber":"+819012345678","password":"carol-pass"}`)
	carol, token := got.string("userID"), got.string("_accessToken")
	put := func(path, contentType, body, token string) string {
		return c.send("PUT", "users/"+carol+"/"+path, contentType, body, token).String()
	}
	require.Equal(t, "401 UNAUTHORIZED", put("email-address", emailType, `{"emailAddress":"carol@example.com","verified":true}`, token))
	require.Equal(t, "204", put("email-address", emailType, `{"emailAddress":"carol@example.com","verified":true}`, admin))
	require.Equal(t, "204", put("phone-number", phoneType, `{"phoneNumber":"JP-09012345678","verified":true}`, admin))
	a, _ := srv.Account(carol)
	require.True(t, a.EmailVerified && a.PhoneVerified)
	require.Equal(t, "+819012345678", a.Phone)

	// A pending address becomes the current one, and its code is worth nothing.
	require.Equal(t, "204", put("email-address", emailType, `{"emailAddress":"new@example.com"}`, token))
	code := last(t, srv, carol).Code
	a, _ = srv.Account(carol)
	require.Equal(t, "carol@example.com new@example.com", a.Email+" "+a.PendingEmail)
	require.Equal(t, "204", put("email-address", emailType, `{"emailAddress":"new@example.com","verified":true}`, admin))
	a, _ = srv.Account(carol)
	require.Equal(t, "new@example.com ", a.Email+" "+a.PendingEmail)
	require.Equal(t, kiitest.Replaced, last(t, srv, carol).State)
	require.Equal(t, "400 INVALID_ACCOUNT_STATUS", c.send("POST", "users/"+carol+"/email-address/verify", verificationType, `{"verificationCode":"`+code+`"}`, "").String())
	require.Equal(t, "204", c.ask("EMAIL:new@example.com", byEmail).String())

	// Without "verified" an administrator changes an address as the user does.
	require.Equal(t, "204", put("email-address", emailType, `{"emailAddress":"newer@example.com"}`, admin))
	require.Equal(t, "newer@example.com", last(t, srv, carol).To)
	srv.AddAccount(alice())
	require.Equal(t, "409 USER_ALREADY_EXISTS", put("email-address", emailType, `{"emailAddress":"alice@example.com","verified":true}`, admin))
	require.Equal(t, "400 INVALID_INPUT_DATA", put("email-address", emailType, `{"emailAddress":"nowhere","verified":true}`, admin))
	require.Equal(t, "400 INVALID_INPUT_DATA", put("email-address", emailType, `{"emailAddress":"a@example.com","verified":"yes"}`, admin))
}

func TestDisabledUserIsOutUntilEnabledAndLogsInAgain(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithSettings(refreshTokens))
	a := alice()
	a.PendingEmail = "new@example.com"
	id := srv.AddAccount(a)
	admin := c.admin()
	old := c.login("alice", "old-pass")
	status := func(body string) string {
		return c.send("PUT", "users/"+id+"/status", statusType, body, admin).String()
	}
	require.Equal(t, "204", c.send("POST", "users/"+id+"/email-address/resend-verification", "", "", "").String())
	code := last(t, srv, id).Code
	require.Equal(t, "400 INVALID_INPUT_DATA", status(`{}`))
	require.Equal(t, "400 INVALID_INPUT_DATA", status(`{"disabled":"true"}`))
	require.Equal(t, "204", status(`{"disabled":true}`))
	require.Equal(t, true, c.send("GET", "users/"+id+"/status", "", "", admin).body["disabled"])
	require.Equal(t, "403 WRONG_TOKEN", c.me(old.string("access_token")).String())
	require.Equal(t, "403 WRONG_REFRESH_TOKEN", c.refresh(old.string("refresh_token")).String())
	require.Equal(t, "401 USER_DISABLED", c.login("alice", "old-pass").String())
	require.Equal(t, "401 USER_DISABLED", c.ask(id, byEmail).String())
	require.Equal(t, "401 USER_DISABLED", c.send("POST", "users/"+id+"/email-address/verify", verificationType, `{"verificationCode":"`+code+`"}`, "").String())
	require.Equal(t, "401 USER_DISABLED", c.send("POST", "users/"+id+"/email-address/resend-verification", "", "", "").String())
	require.Equal(t, "200", c.send("GET", "users/EMAIL:alice@example.com", "", "", admin).String(), "still found")
	require.Equal(t, "204", status(`{"disabled":false}`))
	require.Equal(t, "403 WRONG_TOKEN", c.me(old.string("access_token")).String(), "enabling brings no token back")
	token := c.token("alice", "old-pass")
	require.Equal(t, "204", status(`{"disabled":false}`))
	require.Equal(t, "200", c.me(token).String(), "who was enabled already stays logged in")
	require.True(t, srv.SetDisabled("alice@example.com", true), "the Go method does the same")
	require.True(t, srv.SetDisabled(id, false))
	require.Equal(t, "403 WRONG_TOKEN", c.me(token).String())
	require.False(t, srv.SetDisabled("nobody", true))
}

func TestAdministratorReadsAndReplacesCodes(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithSettings(verify))
	admin := c.admin()
	id := c.register(registrationType, `{"loginName":"carol","emailAddress":"carol@example.com","phoneNumber":"+819012345678","password":"carol-pass"}`).string("userID")
	for path, channel := range map[string]kiitest.Channel{"email-address": kiitest.Email, "phone-number": kiitest.SMS} {
		got := c.send("GET", "users/"+id+"/"+path+"/verification-code", "", "", admin)
		require.Equal(t, "200", got.String())
		require.Equal(t, "application/vnd.kii.VerificationCodeRetrievalResponse+json", got.header.Get("Content-Type"))
		require.Equal(t, srv.FindMessages(kiitest.Filter{Channel: channel})[0].Code, got.string("verificationCode"))
	}
	sent := len(srv.Messages())
	old := last(t, srv, id).Code
	got := c.send("POST", "users/"+id+"/phone-number/reset-verification-code", "", "", admin)
	require.Equal(t, "200", got.String())
	code := got.string("verificationCode")
	require.NotEqual(t, old, code)
	require.Len(t, srv.Messages(), sent)
	check := func(code string) string {
		return c.send("POST", "users/"+id+"/phone-number/verify", verificationType, `{"verificationCode":"`+code+`"}`, "").String()
	}
	require.Equal(t, "403 INVALID_VERIFICATION_CODE", check(old))
	require.Equal(t, code, c.send("GET", "users/"+id+"/phone-number/verification-code", "", "", admin).string("verificationCode"))
	srv.Advance(24*time.Hour - time.Minute)
	require.Equal(t, "200", check(code))
	require.Equal(t, "404 VERIFICATION_CODE_NOT_FOUND", c.send("GET", "users/"+id+"/phone-number/verification-code", "", "", admin).String())
	require.Equal(t, "400 INVALID_ACCOUNT_STATUS", c.send("POST", "users/"+id+"/phone-number/reset-verification-code", "", "", admin).String())
}

func TestAdministratorDeletesAndQueriesUsers(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	admin := c.admin()
	id := srv.AddAccount(alice())
	srv.AddAccount(kiitest.Account{LoginName: "bob", DisplayName: "Bob", Password: "bob-pass"})
	token := c.token("alice", "old-pass")
	query := func(clause string) []any {
		got := c.send("POST", "users/query", "application/vnd.kii.UserQueryRequest+json", `{"userQuery":{"clause":`+clause+`},"bestEffortLimit":"2"}`, admin)
		require.Equal(t, "200", got.String())
		results, _ := got.body["results"].([]any)
		return results
	}
	require.Len(t, query(`{"type":"all"}`), 2)
	require.Len(t, query(`{"type":"eq","field":"displayName","value":"Bob"}`), 1)
	require.Empty(t, query(`{"type":"eq","field":"loginName","value":"carol"}`))
	require.Empty(t, query(`{"type":"eq","field":"nickname","value":null}`), "a field that nobody has")
	require.Empty(t, query(`{"type":"eq","Field":"displayName","Value":"Bob"}`), "a Go struct without tags")
	carl := srv.AddAccount(kiitest.Account{LoginName: "carl", DisplayName: "Æ & Søn"})
	require.Len(t, query(`{"type":"eq","field":"displayName","value":"Æ & Søn"}`), 1)
	require.Len(t, query(`{"type":"eq","field":"displayName","value":"\u00c6 \u0026 S\u00f8n"}`), 1, "as Python writes it")
	require.True(t, srv.DeleteAccount(carl))
	require.Equal(t, id, query(`{"type":"eq","field":"emailAddress","value":"alice@example.com"}`)[0].(map[string]any)["userID"])
	require.Equal(t, 501, c.send("POST", "users/query", "application/vnd.kii.UserQueryRequest+json", `{"userQuery":{"clause":{"type":"prefix"}}}`, admin).status)
	for _, body := range []string{`{}`, `{"userQuery":{}}`, `{"userQuery":{"Clause":{"type":"all"}}}`, `{"userQuery":{"clause":{"type":1}}}`} {
		require.Equal(t, "400 INVALID_INPUT_DATA", c.send("POST", "users/query", "application/vnd.kii.UserQueryRequest+json", body, admin).String(), body)
	}
	require.Equal(t, "204", c.send("DELETE", "users/"+id, "", "", admin).String())
	require.Equal(t, "403 WRONG_TOKEN", c.me(token).String())
	require.Equal(t, "404 USER_NOT_FOUND", c.send("DELETE", "users/"+id, "", "", admin).String())
	token = c.token("bob", "bob-pass")
	require.Equal(t, "204", c.send("DELETE", "users/me", "", "", token).String(), "oneself")
	require.Empty(t, srv.Accounts())
}

func TestAdministratorReadsTheSettings(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithSettings(verify), kiitest.WithSettings(input))
	got := c.send("GET", "configuration/parameters", "", "", c.admin())
	require.Equal(t, "200", got.String())
	require.Equal(t, "INPUT", got.body["passwordResetMethod"])
	require.InDelta(t, 3600, got.body["passwordResetTimeoutSeconds"], 0)
	require.Equal(t, true, got.body["phoneNumberVerificationRequired"])
	require.Equal(t, false, got.body["refreshTokenEnabled"])
	require.InDelta(t, 2147483647, got.body["defaultTokenExpirationSeconds"], 0)
	srv.SetSettings(func(s *kiitest.Settings) { s.TokenValidity = 0 })
	got = c.send("GET", "configuration/parameters", "", "", c.admin())
	require.Greater(t, got.body["maxTokenExpirationSeconds"], 2147483647.0, "for ever")
}

// A reset that the administrator asks for is one, and a strict server has nothing against it.
func TestAdministratorAsksForAResetOnBehalf(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	id := srv.AddAccount(alice())
	require.Equal(t, "204", c.send("POST", "users/"+id+"/password/request-reset", resetType, byPIN, c.admin()).String())
	require.NotEmpty(t, last(t, srv, id).PIN)
	srv.Inject(kiitest.Fault{Operation: kiitest.OpRequestReset, Kind: kiitest.FaultStatus, Status: 503})
	require.Equal(t, "503", c.send("POST", "users/"+id+"/password/request-reset", resetType, byPIN, c.admin()).String())
}

func TestOwnAddressesAreRead(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	a := alice()
	a.PhoneVerified = false
	srv.AddAccount(a)
	token := c.token("alice", "old-pass")
	got := c.send("GET", "users/me/email-address", "", "", token)
	require.Equal(t, "application/vnd.kii.EmailAddressRetrievalResponse+json", got.header.Get("Content-Type"))
	require.Equal(t, map[string]any{"emailAddress": "alice@example.com", "verified": true}, got.body)
	require.Equal(t, map[string]any{"phoneNumber": "+819012341234", "verified": false}, c.send("GET", "users/me/phone-number", "", "", token).body)
	srv.AddAccount(kiitest.Account{LoginName: "bob", Password: "bob-pass"})
	require.Equal(t, "404 USER_ADDRESS_NOT_FOUND", c.send("GET", "users/me/email-address", "", "", c.token("bob", "bob-pass")).String())
}

// The bodies of errors, as they were seen on the wire.
func TestErrorsHoldWhatWasSeen(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	srv.AddAccount(alice())
	got := c.me("made-up")
	require.Equal(t, "application/vnd.kii.WrongTokenException+json", got.header.Get("Content-Type"))
	require.Equal(t, map[string]any{
		"errorCode": "WRONG_TOKEN", "message": "The provided token is not valid", "appID": srv.AppID(), "accessToken": "made-up", "suppressed": []any{},
	}, got.body)
	got = c.register(registrationType, `{"loginName":"a b c","password":"carol-pass"}`)
	require.Equal(t, map[string]any{"loginName": "must be 3 to 64 letters, digits, '-', '_' or '.'"}, got.body["invalidFields"])
	require.Equal(t, "There are validation errors: loginName - must be 3 to 64 letters, digits, '-', '_' or '.'. ", got.string("message"))
	got = c.login("alice", "wrong-pass")
	require.Equal(t, map[string]any{
		"errorCode": "invalid_grant", "error": "invalid_grant", "error_description": "The user was not found or a wrong password was provided",
	}, got.body)
	srv, c = start(t, kiitest.WithAssumption(kiitest.ErrorsHaveACode, false))
	got = c.ask("nobody", byEmail)
	require.Equal(t, "404", got.String())
	require.Equal(t, "application/vnd.kii.UserNotFoundException+json", got.header.Get("Content-Type"))
	require.Empty(t, srv.Calls()[0].ErrorCode)
}
