package kiitest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

const registrationType = "application/vnd.kii.RegistrationRequest+json"

func (c *caller) register(contentType, body string) reply {
	c.t.Helper()
	return c.send("POST", "users", contentType, body, "")
}

func TestOwnRecordIsWhole(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	a := alice()
	a.DisplayName, a.Country, a.Locale, a.PhoneVerified = "Alice", "JP", "ja", false
	a.Fields = map[string]json.RawMessage{"age": json.RawMessage("30")}
	id := srv.AddAccount(a)
	token := c.token("alice", "old-pass")
	for _, user := range []string{"me", id, "EMAIL:alice@example.com", "LOGIN_NAME:alice"} {
		got := c.send("GET", "users/"+user+"?disable_cache=1", "", "", token)
		require.Equal(t, "200", got.String())
		require.Equal(t, "application/vnd.kii.UserDataRetrievalResponse+json", got.header.Get("Content-Type"))
		delete(got.body, "internalUserID")
		require.Equal(t, map[string]any{
			"userID": id, "loginName": "alice", "displayName": "Alice", "country": "JP", "locale": "ja", "emailAddress": "alice@example.com",
			"emailAddressVerified": true, "phoneNumber": "+819012341234", "phoneNumberVerified": false, "_hasPassword": true, "_disabled": false,
			"age": 30.0,
		}, got.body)
	}
	bob := srv.AddAccount(kiitest.Account{LoginName: "bob", Password: "bob-pass"})
	got := c.me(c.token("bob", "bob-pass"))
	delete(got.body, "internalUserID")
	require.Equal(t, map[string]any{"userID": bob, "loginName": "bob", "_hasPassword": true, "_disabled": false}, got.body, "nothing of what there is not")
}

func TestOthersRecordIsPublicInPart(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	id := srv.AddAccount(alice())
	srv.AddAccount(kiitest.Account{LoginName: "bob", Password: "bob-pass"})
	got := c.send("GET", "users/"+id, "", "", c.token("bob", "bob-pass"))
	require.Equal(t, "200", got.String())
	require.Equal(t, "alice", got.string("loginName"))
	for _, private := range []string{"emailAddress", "phoneNumber", "_hasPassword"} {
		require.NotContains(t, got.body, private)
	}
	require.Equal(t, "401 UNAUTHORIZED", c.send("GET", "users/"+id, "", "", "").String())
	require.Equal(t, "404 USER_NOT_FOUND", c.send("GET", "users/nobody", "", "", c.token("bob", "bob-pass")).String())
}

func TestRegistration(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	got := c.register(registrationType, `{"loginName":"carol","emailAddress":"carol@example.com","phoneNumber":"09012345678","country":"JP","locale":"ja",
		"displayName":"Carol","password":"carol-pass","age":30,"likes":["tea"]}`)
	require.Equal(t, "201", got.String())
	id := got.string("userID")
	require.Equal(t, string(srv.Site())+"/apps/"+srv.AppID()+"/users/"+id, got.header.Get("Location"))
	require.Equal(t, "application/vnd.kii.RegistrationResponse+json", got.header.Get("Content-Type"))
	require.NotContains(t, got.body, "_accessToken", "registering is no login")
	me := c.me(c.token("PHONE:JP-09012345678", "carol-pass"))
	require.Equal(t, "+819012345678", me.string("phoneNumber"))
	require.Equal(t, []any{"tea"}, me.body["likes"])

	got = c.register("application/vnd.kii.RegistrationAndAuthorizationRequest+json", `{"displayName":"pseudo"}`)
	require.Equal(t, "201", got.String())
	require.Equal(t, false, c.me(got.string("_accessToken")).body["_hasPassword"])

	for name, one := range map[string]struct{ body, want string }{
		"login name taken":  {`{"loginName":"carol","password":"carol-pass"}`, "409 USER_ALREADY_EXISTS"},
		"e-mail taken":      {`{"emailAddress":"carol@example.com","password":"carol-pass"}`, "409 USER_ALREADY_EXISTS"},
		"phone taken":       {`{"phoneNumber":"+819012345678","password":"carol-pass"}`, "409 USER_ALREADY_EXISTS"},
		"no name":           {`{"password":"carol-pass"}`, "400 INVALID_INPUT_DATA"},
		"no password":       {`{"loginName":"dave"}`, "400 PASSWORD_TOO_SHORT"},
		"long password":     {`{"loginName":"dave","password":"` + strings.Repeat("x", 51) + `"}`, "400 INVALID_INPUT_DATA"},
		"bad login name":    {`{"loginName":"d","password":"dave-pass"}`, "400 INVALID_INPUT_DATA"},
		"bad e-mail":        {`{"emailAddress":"dave","password":"dave-pass"}`, "400 INVALID_INPUT_DATA"},
		"bad phone":         {`{"phoneNumber":"0901234","password":"dave-pass"}`, "400 INVALID_INPUT_DATA"},
		"phone, no country": {`{"loginName":"dave","phoneNumber":"09055556666","password":"dave-pass"}`, "400 INVALID_INPUT_DATA"},
		"phone, no such":    {`{"loginName":"dave","phoneNumber":"09055556666","country":"QQ","password":"dave-pass"}`, "400 INVALID_INPUT_DATA"},
		"text is no string": {`{"loginName":"dave","password":"dave-pass","locale":1}`, "400 INVALID_INPUT_DATA"},
		"field with a _":    {`{"loginName":"dave","password":"dave-pass","_hasPassword":false}`, "400 INVALID_INPUT_DATA"},
		"broken JSON":       {`{`, "400 INVALID_JSON"},
		"null":              {`null`, "400 INVALID_JSON"},
		"field of no name":  {`{"loginName":"dave","password":"dave-pass","":1}`, "400 INVALID_INPUT_DATA"},
		"field of our own":  {`{"loginName":"dave","password":"dave-pass","userID":"x"}`, "400 INVALID_INPUT_DATA"},
	} {
		require.Equal(t, one.want, c.register("application/json", one.body).String(), name)
	}
	require.Len(t, srv.Accounts(), 2)
}

func TestPseudoUsersGetNoRefreshToken(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	srv.SetSettings(refreshTokens)
	got := c.register("application/vnd.kii.RegistrationAndAuthorizationRequest+json", `{"displayName":"pseudo"}`)
	require.Equal(t, "201", got.String())
	require.NotContains(t, got.body, "_refreshToken")
	got = c.register("application/vnd.kii.RegistrationAndAuthorizationRequest+json", `{"loginName":"carol","password":"carol-pass"}`)
	require.Contains(t, got.body, "_refreshToken")
}

func TestRegistrationVerifiesWhatThePortalWants(t *testing.T) {
	t.Parallel()
	for _, one := range []struct {
		body, want   string
		email, phone bool // the portal's settings, then what is verified
	}{
		{`"emailAddress":"dave@example.com","phoneNumber":"+819012345678"`, "true true", false, false},
		{`"emailAddress":"dave@example.com","phoneNumber":"+819012345678"`, "false true", true, false},
		{`"emailAddress":"dave@example.com","phoneNumber":"+819012345678"`, "true false", false, true},
		{`"emailAddress":"dave@example.com"`, "true false", false, false},
		{`"phoneNumber":"+819012345678"`, "false true", false, false},
		{`"phoneNumber":"+819012345678","country":"US"`, "false true", false, false},
		{`"phoneNumber":"+819012345678","phoneNumberVerified":true`, "false false", false, true},
		{`"displayName":"Dave"`, "false false", true, true},
	} {
		srv, c := start(t, kiitest.WithSettings(func(s *kiitest.Settings) { s.VerifyEmail, s.VerifyPhone = one.email, one.phone }))
		id := c.register(registrationType, `{"loginName":"dave","password":"dave-pass",`+one.body+`}`).string("userID")
		a, found := srv.Account(id)
		require.True(t, found, one.body)
		require.Equal(t, one.want, fmt.Sprint(a.EmailVerified, " ", a.PhoneVerified), one.body)
		codes := 0
		if one.email && a.Email != "" || one.phone && a.Phone != "" {
			codes = 1
		}
		require.Len(t, srv.Messages(), codes, one.body)
	}
}

func TestRegistrationByAnAddressAloneNeedsOneThatIsNotToBeVerified(t *testing.T) {
	t.Parallel()
	const (
		email  = `"emailAddress":"dave@example.com"`
		phone  = `"phoneNumber":"+819012345678"`
		both   = email + "," + phone
		done   = "201"
		denied = "400 INVALID_INPUT_DATA"
	)
	for _, one := range []struct {
		body, want               string
		verifyEmail, verifyPhone bool
	}{
		{email, done, false, true},
		{email, denied, true, false},
		{phone, done, true, false},
		{phone, denied, false, true},
		{both, done, true, false},
		{both, done, false, true},
		{both, denied, true, true},
		{both + `,"loginName":"dave"`, done, true, true},
	} {
		srv, c := start(t, kiitest.WithSettings(func(s *kiitest.Settings) { s.VerifyEmail, s.VerifyPhone = one.verifyEmail, one.verifyPhone }))
		got := c.register(registrationType, `{"password":"dave-pass",`+one.body+`}`)
		require.Equal(t, one.want, got.String(), one)
		require.Len(t, srv.Accounts(), map[string]int{done: 1}[one.want], one)
	}
	_, c := start(t, kiitest.WithSettings(func(s *kiitest.Settings) { s.VerifyEmail = true }))
	got := c.register("application/vnd.kii.RegistrationAndAuthorizationRequest+json", `{"password":"dave-pass",`+email+`}`)
	require.Equal(t, done, got.String(), "a token before the address is verified")
}

func TestRegistrationWithLoginMayHaveAPassword(t *testing.T) {
	t.Parallel()
	_, c := start(t)
	const withLogin = "application/vnd.kii.RegistrationAndAuthorizationRequest+json"
	require.Equal(t, "400 PASSWORD_TOO_SHORT", c.register(withLogin, `{"loginName":"dave","password":"abc"}`).String())
	got := c.register(withLogin, `{"loginName":"dave","password":"dave-pass"}`)
	require.Equal(t, "dave", c.me(got.string("_accessToken")).string("loginName"))
	require.Equal(t, "200", c.login("dave", "dave-pass").String())
}

func TestChangePasswordEndsAllTokens(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithSettings(refreshTokens), kiitest.WithSettings(input))
	id := srv.AddAccount(alice())
	first, second := c.login("alice", "old-pass"), c.token("alice", "old-pass")
	require.Equal(t, "204", c.ask(id, byPIN).String())

	require.Equal(t, "401 WRONG_PASSWORD", c.change(second, "wrong", "new-pass").String())
	require.Equal(t, "400 PASSWORD_TOO_SHORT", c.change(second, "old-pass", "new").String())
	require.Equal(t, "400 INVALID_INPUT_DATA", c.change(second, "old-pass", "old-pass").String())
	require.Equal(t, "400 INVALID_INPUT_DATA", c.change(second, "old-pass", "päss").String())
	require.Equal(t, "200", c.me(second).String(), "a refusal ends nothing")

	require.Equal(t, "204", c.change(second, "old-pass", "new-pass").String())
	require.Equal(t, "403 WRONG_TOKEN", c.me(second).String())
	require.Equal(t, "403 WRONG_TOKEN", c.me(first.string("access_token")).String())
	require.Equal(t, "403 WRONG_REFRESH_TOKEN", c.refresh(first.string("refresh_token")).String())
	require.Equal(t, "403 INVALID_VERIFICATION_CODE", c.complete(id, last(t, srv, id).PIN, "newer-pass").String())
	require.Equal(t, "400 invalid_grant", c.login("alice", "old-pass").String())
	require.Equal(t, "200", c.login("alice", "new-pass").String())
}

func TestChangePasswordIsForOneself(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	id := srv.AddAccount(alice())
	srv.AddAccount(kiitest.Account{LoginName: "bob", Password: "bob-pass"})
	body := `{"oldPassword":"old-pass","newPassword":"new-pass"}`
	const changeType = "application/vnd.kii.ChangePasswordRequest+json"
	require.Equal(t, "401 UNAUTHORIZED", c.send("PUT", "users/"+id+"/password", changeType, body, c.token("bob", "bob-pass")).String())
	require.Equal(t, "401 UNAUTHORIZED", c.send("PUT", "users/"+id+"/password", changeType, body, "").String())
	token := c.token("alice", "old-pass")
	for _, half := range []string{`{"newPassword":"new-pass"}`, `{"oldPassword":"old-pass"}`} {
		require.Equal(t, "400 INVALID_INPUT_DATA", c.send("PUT", "users/me/password", changeType, half, token).String())
	}
	require.Equal(t, "204", c.send("PUT", "users/"+id+"/password", changeType, body, token).String())

	got := c.register("application/vnd.kii.RegistrationAndAuthorizationRequest+json", `{}`)
	require.Equal(t, "409 OPERATION_NOT_ALLOWED", c.change(got.string("_accessToken"), "x", "new-pass").String(), "a user without a password")
}
