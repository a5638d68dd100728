package kiitest_test

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

func TestLoginFindsTheUser(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	id := srv.AddAccount(alice())
	for _, username := range []string{
		"alice", "LOGIN_NAME:alice", "alice@example.com", "EMAIL:alice@example.com", "+819012341234", "PHONE:+819012341234", "PHONE:JP-09012341234",
	} {
		got := c.login(username, "old-pass")
		require.Equal(t, "200", got.String())
		require.Equal(t, "application/json", got.header.Get("Content-Type"))
		require.Equal(t, id, got.string("id"))
		require.Equal(t, "bearer", got.string("token_type"))
		require.Len(t, got.string("access_token"), 43)
		require.InDelta(t, 2147483647, got.body["expires_in"], 0)
		require.NotContains(t, got.body, "refresh_token", "off unless the portal says so")
	}
	for _, username := range []string{"alicia", "EMAIL:alice", "LOGIN_NAME:alice@example.com", "+819012341235", "PHONE:JP-", id} {
		require.Equal(t, "400 invalid_grant", c.login(username, "old-pass").String())
	}
}

func TestLoginRefusals(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	srv.AddAccount(alice())
	srv.AddAccount(kiitest.Account{LoginName: "unv", Email: "unv@example.com", Phone: "+81501234567", Password: "unv-pass"})
	srv.AddAccount(kiitest.Account{LoginName: "social"})
	srv.AddAccount(kiitest.Account{LoginName: "gone", Password: "gone-pass", Disabled: true})
	for _, one := range []struct{ username, password, want string }{
		{"alice", "Old-pass", "400 invalid_grant"},
		{"nobody", "old-pass", "400 invalid_grant"},
		{"unv@example.com", "unv-pass", "400 invalid_grant"},
		{"+81501234567", "unv-pass", "400 invalid_grant"},
		{"social", "anything", "400 invalid_grant"},
		{"gone", "gone-pass", "401 USER_DISABLED"},
		{"gone", "other", "400 invalid_grant"},
		{"", "old-pass", "400 INVALID_INPUT_DATA"},
		{"alice", "", "400 INVALID_INPUT_DATA"},
	} {
		require.Equal(t, one.want, c.login(one.username, one.password).String())
	}
	got := c.login("alice", "wrong")
	require.NotEmpty(t, got.string("error_description"))
	require.Equal(t, "invalid_grant", got.string("error"))
}

func TestLoginTakesBothPathsAndBodies(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	srv.AddAccount(alice())
	form := url.Values{"grant_type": {"password"}, "username": {"alice"}, "password": {"old-pass"}}.Encode()
	for _, path := range []string{"/oauth2/token", "oauth2/token"} {
		for _, one := range []struct{ contentType, body string }{
			{"application/json", `{"username":"alice","password":"old-pass"}`},
			{"application/json; charset=utf-8", `{"grant_type":"password","username":"alice","password":"old-pass"}`},
			{"application/vnd.kii.OauthTokenRequest+json", `{"username":"alice","password":"old-pass"}`},
			{"application/x-www-form-urlencoded", form},
		} {
			require.Equal(t, "200", c.send("POST", path, one.contentType, one.body, "").String())
		}
	}
	for _, one := range []struct{ contentType, body, want string }{
		{"application/json", `{"grant_type":"implicit"}`, "400 unsupported_grant_type"},
		{"application/json", `{"username":["alice"],"password":"old-pass"}`, "400 INVALID_INPUT_DATA"},
		{"application/json", `username=alice`, "400 INVALID_JSON"},
		{"application/x-www-form-urlencoded", `username=%zz`, "400 INVALID_INPUT_DATA"},
		{"application/json", ``, "400 INVALID_JSON"},
	} {
		require.Equal(t, one.want, c.send("POST", "/oauth2/token", one.contentType, one.body, "").String())
	}
}

func TestAppIsNamedInEachDocumentedWay(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithApp("my-app", "my-key"), kiitest.WithSettings(refreshTokens))
	srv.AddAccount(alice())
	refresh := `,"client_id":"my-app","grant_type":"refresh_token","refresh_token":"` + c.login("alice", "old-pass").string("refresh_token") + `"`
	for name, one := range map[string]struct {
		prepare func(*http.Request)
		body    string
		want    string
	}{
		"client_id, refresh":   {func(*http.Request) {}, refresh, "200"},
		"client_id, anonymous": {func(*http.Request) {}, `,"client_id":"my-app","client_secret":"my-key","grant_type":"client_credentials"`, "200"},
		"X-Kii pair":           {func(r *http.Request) { r.Header.Set("X-Kii-AppID", "my-app"); r.Header.Set("X-Kii-AppKey", "my-key") }, "", "200"},
		"any key":              {func(r *http.Request) { r.Header.Set("X-Kii-AppID", "my-app"); r.Header.Set("X-Kii-AppKey", "other") }, "", "200"},
		"Basic":                {func(r *http.Request) { r.SetBasicAuth("my-app", "whatever") }, "", "200"},
		"client_id":            {func(*http.Request) {}, `,"client_id":"my-app"`, "200"},
		"nobody":               {func(*http.Request) {}, "", "401 UNAUTHORIZED"},
		"another app":          {func(r *http.Request) { r.Header.Set("X-Kii-AppID", "their-app") }, "", "404 APP_NOT_FOUND"},
		"another app, Basic":   {func(r *http.Request) { r.SetBasicAuth("their-app", "") }, "", "404 APP_NOT_FOUND"},
		"broken Basic":         {func(r *http.Request) { r.Header.Set("Authorization", "Basic %%%") }, "", "401 UNAUTHORIZED"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCaller(t, srv)
			body := strings.NewReader(`{"username":"alice","password":"old-pass"` + one.body + `}`)
			r, err := http.NewRequestWithContext(t.Context(), "POST", string(srv.Site())+"/oauth2/token", body)
			require.NoError(t, err)
			r.Header.Set("Content-Type", "application/json")
			one.prepare(r)
			require.Equal(t, one.want, c.do(r).String())
		})
	}
	require.Equal(t, "404 APP_NOT_FOUND", c.send("GET", "/apps/their-app/users/me", "", "", c.token("alice", "old-pass")).String())
}

func TestRefreshHandsOutANewPairOnce(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithSettings(refreshTokens))
	id := srv.AddAccount(alice())
	first := c.login("alice", "old-pass")
	second := c.refresh(first.string("refresh_token"))
	require.Equal(t, "200", second.String())
	require.Equal(t, id, second.string("id"))
	require.Len(t, srv.Calls(kiitest.OpRefresh), 1)
	require.Equal(t, "403 WRONG_TOKEN", c.me(first.string("access_token")).String(), "the old pair dies")
	require.Equal(t, "403 WRONG_REFRESH_TOKEN", c.refresh(first.string("refresh_token")).String(), "single use")
	require.Equal(t, "200", c.me(second.string("access_token")).String())
	require.Equal(t, "403 WRONG_REFRESH_TOKEN", c.refresh(second.string("access_token")).String(), "an access token is none")
	require.Equal(t, "403 WRONG_TOKEN", c.me(second.string("refresh_token")).String(), "and the reverse")

	a, _ := srv.Account(id)
	a.Disabled = true
	_, err := srv.PutAccount(a)
	require.NoError(t, err)
	require.Equal(t, "401 USER_DISABLED", c.refresh(second.string("refresh_token")).String())
	require.Equal(t, "401 USER_DISABLED", c.me(second.string("access_token")).String())
	a.Disabled = false
	_, err = srv.PutAccount(a)
	require.NoError(t, err)
	srv.SetSettings(func(s *kiitest.Settings) { s.RefreshTokens = false })
	require.Equal(t, "403 WRONG_REFRESH_TOKEN", c.refresh(second.string("refresh_token")).String(), "switched off")
	srv.SetSettings(refreshTokens)
	body := fmt.Sprintf(`{"grant_type":"refresh_token","refresh_token":%q,"expiresAt":1}`, second.string("refresh_token"))
	require.Equal(t, "400 INVALID_INPUT_DATA", c.send("POST", "/oauth2/token", "application/json", body, "").String(), "an end that is past")
	third := c.refresh(second.string("refresh_token"))
	require.Equal(t, "200", third.String(), "the refusals did not spend it")
	body = fmt.Sprintf(`{"grant_type":"refresh_token","refresh_token":%q,"client_id":%q}`, third.string("refresh_token"), srv.AppID())
	require.Equal(t, id, c.send("POST", "/oauth2/token", "application/json", body, "").string("id"), "the app's ID beside it is none of a login")
}

func TestAdvanceExpiresATokenAndForEverIsTooLongForADuration(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithSettings(func(s *kiitest.Settings) { s.TokenValidity = time.Hour }))
	srv.AddAccount(alice())
	began := srv.Now()
	got := c.login("alice", "old-pass")
	token := got.string("access_token")
	require.InDelta(t, 3600, got.body["expires_in"], 0)
	registered := c.register("application/vnd.kii.RegistrationAndAuthorizationRequest+json", `{}`).string("_accessToken")
	srv.Advance(time.Hour - time.Minute)
	require.Equal(t, "200", c.me(token).String())
	require.Equal(t, "200", c.me(registered).String())
	srv.Advance(time.Minute)
	require.Equal(t, "403 WRONG_TOKEN", c.me(token).String())
	require.Equal(t, "403 WRONG_TOKEN", c.me(registered).String())

	srv.SetSettings(func(s *kiitest.Settings) { s.TokenValidity = 0 })
	require.InDelta(t, float64(math.MaxInt64/1000), c.login("alice", "old-pass").body["expires_in"], 1000, "for ever overflows a time.Duration")
	registered = c.register("application/vnd.kii.RegistrationAndAuthorizationRequest+json", `{}`).string("_accessToken")
	require.Equal(t, "200", c.me(registered).String(), "for ever")
	require.True(t, srv.Now().After(began))
}

func TestLoginMayAskForAnEarlierEnd(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithSettings(func(s *kiitest.Settings) { s.TokenValidity = time.Hour }))
	srv.AddAccount(alice())
	login := func(expiresAt string) reply {
		body := `{"username":"alice","password":"old-pass","expiresAt":` + expiresAt + `}`
		return c.send("POST", "/oauth2/token", "application/json", body, "")
	}
	soon := srv.Now().Add(10 * time.Minute).UnixMilli()
	for _, form := range []string{"%d", `"%d"`} { // a number is documented; kii_go sends a string
		got := login(fmt.Sprintf(form, soon))
		require.Equal(t, "200", got.String())
		require.InDelta(t, 600, got.body["expires_in"], 2)
	}
	require.InDelta(t, 3600, login("null").body["expires_in"], 0, "not given")
	got := login(fmt.Sprint(soon))
	srv.Advance(11 * time.Minute)
	require.Equal(t, "403 WRONG_TOKEN", c.me(got.string("access_token")).String())
	for _, bad := range []string{fmt.Sprint(soon), fmt.Sprint(srv.Now().Add(2 * time.Hour).UnixMilli()), `"soon"`, "-1", "0", "1.5", "true"} {
		require.Equal(t, "400 INVALID_INPUT_DATA", login(bad).String())
	}
	srv.SetSettings(func(s *kiitest.Settings) { s.TokenValidity = 0 })
	late := srv.Now().Add(1000 * time.Hour).UnixMilli()
	require.InDelta(t, 3_600_000, login(fmt.Sprint(late)).body["expires_in"], 2, "no maximum")
	require.Equal(t, "400 INVALID_INPUT_DATA", login("99999999999999999999").String(), "but that of an integer")
}

func TestAnonymousTokenIsNobodys(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithSettings(refreshTokens))
	id := srv.AddAccount(alice())
	body := func(app, secret string) string {
		return fmt.Sprintf(`{"grant_type":"client_credentials","client_id":%q,"client_secret":%q}`, app, secret)
	}
	got := c.send("POST", "/oauth2/token", "application/json", body(srv.AppID(), srv.AppKey()), "")
	require.Equal(t, "200", got.String())
	require.NotContains(t, got.body, "id")
	require.NotContains(t, got.body, "refresh_token")
	require.Equal(t, "401 UNAUTHORIZED", c.me(got.string("access_token")).String())
	require.Equal(t, "401 UNAUTHORIZED", c.send("GET", "users/"+id, "", "", got.string("access_token")).String())
	for _, wrong := range []string{body(srv.AppID(), "wrong"), body("wrong", srv.AppKey())} {
		require.Equal(t, "400 invalid_grant", c.send("POST", "/oauth2/token", "application/json", wrong, "").String())
	}
	require.Len(t, srv.Calls(kiitest.OpAnonymousLogin), 2)
	require.Len(t, srv.Calls(kiitest.OpAdminLogin), 1, "another ID would be an administrator's")
	withPassword := fmt.Sprintf(`{"username":"alice","password":"old-pass","client_id":%q}`, srv.AppID())
	require.Equal(t, id, c.send("POST", "/oauth2/token", "application/json", withPassword, "").string("id"))
	require.Len(t, srv.Calls(kiitest.OpLogin), 1, "the app's ID beside a password is a user's login")
	for _, half := range []string{`"username":"alice"`, `"password":"old-pass"`} {
		got = c.send("POST", "/oauth2/token", "application/json", fmt.Sprintf(`{%s,"client_id":%q}`, half, srv.AppID()), "")
		require.Equal(t, "400 INVALID_INPUT_DATA", got.String(), "and so is half of one")
	}
}

func TestTokenOfAnotherSchemeCountsForNothing(t *testing.T) {
	t.Parallel()
	seen := new(fakeTest)
	srv := kiitest.NewServer(kiitest.WithTest(seen), kiitest.WithoutSocket())
	defer seen.end()
	id := srv.AddAccount(alice())
	c := newCaller(t, srv)
	for name, token := range map[string]string{"administrator": c.admin(), "user": c.token(alice().LoginName, alice().Password)} {
		for _, scheme := range []string{"Token ", "JWT ", ""} {
			r, err := http.NewRequestWithContext(t.Context(), "GET", string(srv.Site())+"/apps/"+srv.AppID()+"/users/"+id, http.NoBody)
			require.NoError(t, err)
			r.Header.Set("Authorization", scheme+token)
			r.Header.Set("X-Kii-AppID", srv.AppID())
			require.Equal(t, "401 UNAUTHORIZED", c.do(r).String(), "%s %q", name, scheme)
			calls := srv.Calls()
			require.Contains(t, calls[len(calls)-1].Why, "neither Bearer nor Basic", "%s %q", name, scheme)
		}
		require.Equal(t, "200", c.send("GET", "users/"+id, "", "", token).String(), name)
	}
	require.Len(t, seen.failures, 6)
	require.Contains(t, seen.failures[0], "has an Authorization header that is neither Bearer nor Basic")
}
