package kii_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
)

func TestChangePasswordSendsOneRequestWithTheToken(t *testing.T) {
	t.Parallel()
	c := newCloud(t, documented(t, "ChangePassword_done"))
	require.NoError(t, c.session(t).ChangePassword(t.Context(), "öld", "new-pass"))
	header := userHeader()
	header.Set("Content-Type", "application/vnd.kii.ChangePasswordRequest+json")
	assert.Equal(t, request{
		http.MethodPut, "https://api.kii.com/api/apps/appId/users/me/password", header,
		`{"oldPassword":"öld","newPassword":"new-pass"}`,
	}, c.last(t))
}

func TestChangePasswordNeedsTheOldPassword(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	for _, old := range []string{"", "old\npass", "\xff", strings.Repeat("x", 51)} {
		assertArgument(t, "oldPassword", c.session(t).ChangePassword(t.Context(), old, "new-pass"))
	}
}

// Promise 6: what a code has in common with a short secret makes it no echo of it.
func TestDeadSessionSaysSoWhateverItsTokenIs(t *testing.T) {
	t.Parallel()
	for _, token := range []string{"token", "invalid_token", "WRONG_TOKEN", "in"} {
		c := newCloud(t, replyOf(401, `{"error":"invalid_token"}`))
		s, err := c.User.Resume(kii.Token{AccessToken: token})
		require.NoError(t, err)
		_, err = s.Profile(t.Context())
		require.ErrorIs(t, err, kii.ErrorCode("invalid_token"), token)
		assert.Equal(t, s.Err(), err)
	}
}

// Promise 6: what ends a session.
func TestDeadSessionSaysSo(t *testing.T) {
	t.Parallel()
	type ending struct {
		op    string
		reply reply
		code  kii.ErrorCode
	}
	endings := map[string]ending{
		"Refresh WRONG_REFRESH_TOKEN":         {"Refresh", documented(t, "Refresh_wrong_refresh_token"), kii.ErrWrongRefreshToken},
		"Refresh invalid_grant":               {"Refresh", documented(t, "Refresh_invalid_grant"), kii.ErrWrongCredentials},
		"Refresh 401 invalid_grant":           {"Refresh", refusal(401, kii.ErrWrongCredentials), kii.ErrWrongCredentials},
		"Profile invalid_token, as of OAuth":  {"Profile", replyOf(401, `{"error":"invalid_token"}`), "invalid_token"},
		"Profile, as documented":              {"Profile", documented(t, "Profile_wrong_token"), kii.ErrWrongToken},
		"ChangePassword, as it is documented": {"ChangePassword", documented(t, "ChangePassword_unauthorized"), kii.ErrUnauthorized},
	}
	for op := range sessionCalls {
		if op == "Refresh" { // which is made in the app's name
			continue
		}
		for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
			for _, code := range []kii.ErrorCode{kii.ErrWrongToken, kii.ErrUnauthorized, kii.ErrAuthenticationFailed, "invalid_token"} {
				endings[op+" "+http.StatusText(status)+" "+string(code)] = ending{op, refusal(status, code), code}
			}
		}
	}
	for name, tt := range endings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, tt.reply)
			s := c.session(t)
			err := sessionCalls[tt.op](t.Context(), s)
			end, ok := err.(*kii.SessionError)
			require.True(t, ok, "a *SessionError")
			assert.Equal(t, userID, end.UserID)
			require.ErrorIs(t, err, tt.code)
			api, ok := errors.AsType[*kii.APIError](err)
			require.True(t, ok)
			assert.Equal(t, tt.op, api.Op)
			assert.False(t, kii.OutcomeUnknown(err))
			assertEnded(t, s, end)
		})
	}
}

// Promise 6: what ends a session without an error.
func TestChangedPasswordEndsTheSession(t *testing.T) {
	t.Parallel()
	c := newCloud(t, documented(t, "ChangePassword_done"))
	s := c.session(t)
	require.NoError(t, s.ChangePassword(t.Context(), "old-pass", "new-pass"))
	end, ok := s.Err().(*kii.SessionError)
	require.True(t, ok, "a *SessionError")
	assert.True(t, end.UserID == userID && end.Err == nil)
	assert.Equal(t, "kii: the session is over, log in again: the password was changed", end.Error())
	assertEnded(t, s, end)
}

func TestChangedPasswordEndsTheSessionBeforeItIsLogged(t *testing.T) {
	t.Parallel()
	c := newCloud(t, documented(t, "ChangePassword_done"))
	var s *kii.Session
	s = resumed(t, newClient(t, c.mock, kii.WithLogger(slog.New(handler(func() { panic(s.Err()) })))))
	end := &kii.SessionError{UserID: s.UserID()}
	assert.PanicsWithError(t, end.Error(), func() { _ = s.ChangePassword(t.Context(), "old-pass", "new-pass") })
	assert.Equal(t, end, s.Err())
}

// assertEnded wants the very same error from every call. That none sends a request shows at the end
// of the test.
func assertEnded(t *testing.T, s *kii.Session, end *kii.SessionError) {
	t.Helper()
	assert.Same(t, end, s.Err())
	for name, call := range sessionCalls {
		assert.Same(t, end, call(t.Context(), s), name)
	}
	p, err := s.Profile(t.Context())
	assert.Nil(t, p)
	assert.Same(t, end, err)
	assert.Same(t, end, s.ChangePassword(t.Context(), "", ""), "with arguments that are wrong, too")
	assert.Equal(t, userID, s.UserID(), "what it was is still told")
}

// brokenReply has a body that cannot be decompressed.
func brokenReply(status int) reply {
	broken := replyOf(status, "this is no gzip")
	broken.header = http.Header{"Content-Encoding": {"gzip"}}
	return broken
}

// Promise 6: what never ends a session.
func TestSessionSurvivesWhatDoesNotConcernItsToken(t *testing.T) {
	t.Parallel()
	for op, replies := range map[string][]reply{
		"Profile": {
			documented(t, "Profile_user_disabled"), documented(t, "Profile_user_not_found"), documented(t, "Profile_rate_limited"),
			refusal(403, kii.ErrUserDisabled), refusal(401, kii.ErrWrongPassword), refusal(403, "OPERATION_NOT_SUPPORTED"), refusal(403, "APP_DISABLED"),
			refusal(403, kii.ErrWrongRefreshToken), refusal(401, kii.ErrWrongCredentials),
			refusal(403, kii.ErrUnexpectedReply), refusal(401, "wrong_token"), refusal(401, "WRONG_TOKEN "),
			refusal(400, kii.ErrWrongToken), refusal(404, kii.ErrUnauthorized), refusal(409, "invalid_token"),
			refusal(500, kii.ErrWrongToken), refusal(503, kii.ErrUnauthorized), refusal(200, kii.ErrWrongToken),
			replyOf(401, ""), replyOf(403, ""), replyOf(401, "{}"), replyOf(403, "<html>WRONG_TOKEN</html>"), replyOf(307, ""),
			replyOf(401, `{"errorCode":["WRONG_TOKEN"]}`), replyOf(200, `{"userID":"someone"}`),
		},
		"ChangePassword": {
			documented(t, "ChangePassword_wrong_password"), documented(t, "ChangePassword_no_password"),
			documented(t, "ChangePassword_password_too_short"), documented(t, "ChangePassword_user_not_found"),
			documented(t, "ChangePassword_rate_limited"), refusal(403, kii.ErrWrongPassword), refusal(401, kii.ErrUserDisabled),
			refusal(500, kii.ErrUnauthorized), replyOf(401, ""), replyOf(200, "{}"),
			brokenReply(200),
		},
		"Refresh": {
			refusal(401, kii.ErrUnauthorized), refusal(403, kii.ErrWrongToken), refusal(401, kii.ErrAuthenticationFailed), refusal(401, "invalid_token"),
			refusal(500, kii.ErrWrongRefreshToken), refusal(503, kii.ErrWrongCredentials), refusal(200, kii.ErrWrongRefreshToken),
			replyOf(403, ""), replyOf(429, ""), replyOf(200, `{"id":"someone","access_token":"a"}`),
		},
	} {
		for _, r := range replies {
			t.Run(op+" "+http.StatusText(r.Status)+" "+string(r.Body), func(t *testing.T) {
				t.Parallel()
				c := newCloud(t, r, documented(t, "Profile_done"))
				s := c.session(t)
				err := sessionCalls[op](t.Context(), s)
				require.Error(t, err)
				_, ended := errors.AsType[*kii.SessionError](err)
				require.False(t, ended)
				require.True(t, s.Err() == nil, "an untyped nil")
				_, err = s.Profile(t.Context())
				require.NoError(t, err)
				assert.Equal(t, "Bearer access-1", c.last(t).header.Get("Authorization"))
			})
		}
	}
}

// Promise 6.
func TestSessionSurvivesALostAnswerAndTheLocalClock(t *testing.T) {
	t.Parallel()
	c := newCloud(t, documented(t, "Profile_done"))
	s, err := c.User.Resume(kii.Token{UserID: userID, AccessToken: "access-1", RefreshToken: "refresh-1", Expiry: expired})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, call := range sessionCalls {
		require.ErrorIs(t, call(ctx, s), context.Canceled)
	}
	require.NoError(t, s.Err())
	_, err = s.Profile(t.Context())
	require.NoError(t, err)
}

func TestLoggedInCallsAloneEndASession(t *testing.T) {
	t.Parallel()
	dead := documented(t, "Profile_wrong_token")
	c := newCloud(t, dead, dead, dead)
	for _, op := range []string{"ResetPassword", "CompleteResetPassword", "Login"} {
		err := operate(t, op, c)
		require.ErrorIs(t, err, kii.ErrWrongToken)
		assert.IsType(t, &kii.APIError{}, err)
	}
}

// userHeader are all headers of a call with a token: no app key among them.
func userHeader() http.Header {
	return http.Header{"Accept": {"*/*"}, "Authorization": {"Bearer access-1"}, "User-Agent": {"kii-go/0.1.0"}}
}

func TestProfileSendsOneRequestWithTheToken(t *testing.T) {
	t.Parallel()
	c := newCloud(t, documented(t, "Profile_done"))
	p, err := c.session(t).Profile(t.Context())
	require.NoError(t, err)
	header := userHeader()
	header.Set("Cache-Control", "no-store") // or a shared cache would answer one user with another's data
	assert.Equal(t, request{http.MethodGet, "https://api.kii.com/api/apps/appId/users/me", header, ""}, c.last(t))
	assert.Equal(t, &kii.Profile{
		UserID: userID, LoginName: "alice", DisplayName: "Alice", Email: "alice@example.com", Phone: "+819012345678",
		Country: "JP", Locale: "ja", EmailVerified: true, PhoneVerified: true, HasPassword: new(true),
	}, p)
}

func TestProfileSaysOnlyWhatKiiCloudSaid(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]kii.Profile{
		`{"userID":"u"}`:                       {UserID: "u"},
		`{"userID":"u","_hasPassword":null}`:   {UserID: "u"},
		`{"userID":"u","_hasPassword":false}`:  {UserID: "u", HasPassword: new(false)},
		`{"userID":"u","_hasPassword":true}`:   {UserID: "u", HasPassword: new(true)},
		`{"userID":"u","_hasPassword":"no"}`:   {UserID: "u"},
		`{"userID":"u","phoneNumber":null}`:    {UserID: "u"},
		`{"userID":"u","_disabled":true}`:      {UserID: "u", Disabled: true},
		`{"userID":"u","_disabled":"true"}`:    {UserID: "u", Disabled: true},
		`{"userID":"u","_disabled":false}`:     {UserID: "u"},
		`{"userID":"u","_disabled":"false"}`:   {UserID: "u"},
		`{"userID":"u","_disabled":null}`:      {UserID: "u"},
		`{"userID":"u","_disabled":1}`:         {UserID: "u"},
		`{"userID":"u","_DISABLED":true}`:      {UserID: "u"},
		`{"userID":"u","displayName":{"a":1}}`: {UserID: "u"},

		`{"userID":"u","_emailAddressPending":"a@b","_phoneNumberPending":"+1234567"}`:   {UserID: "u", PendingEmail: "a@b", PendingPhone: "+1234567"},
		`{"userID":"u","_emailAddressPending":null,"_phoneNumberPending":""}`:            {UserID: "u"},
		`{"userID":"u","loginName":7,"emailAddressVerified":"yes","emailAddress":"a@b"}`: {UserID: "u", Email: "a@b"},
	} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, replyOf(200, body))
			s, err := c.User.Resume(kii.Token{AccessToken: "access-1"})
			require.NoError(t, err)
			p, err := s.Profile(t.Context())
			require.NoError(t, err)
			assert.Equal(t, want, *p)
		})
	}
}

// A user's record holds fields that the user's own program named, beside those of Kii Cloud.
func TestFieldsThatUsersNameCannotPassForKiiClouds(t *testing.T) {
	t.Parallel()
	c := newCloud(t, replyOf(200, `{
		"userID":"u", "USERID":"admin", "userid":"admin",
		"emailAddress":"me@example.com", "EmailAddress":"boss@example.com",
		"emailAddressVerified":false, "emailaddressverified":true,
		"phonenumberverified":true, "_HASPASSWORD":true}`))
	s, err := c.User.Resume(kii.Token{AccessToken: "access-1"})
	require.NoError(t, err)
	p, err := s.Profile(t.Context())
	require.NoError(t, err)
	assert.Equal(t, kii.Profile{UserID: "u", Email: "me@example.com"}, *p)
	assert.Equal(t, "u", s.UserID())
}

func TestProfileWithoutAUserIDIsUnexpectedWhoeverAsks(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{}`, `{"userID":""}`, `{"userID":7}`, `{"userid":"u"}`} {
		c := newCloud(t, replyOf(200, body))
		s, err := c.User.Resume(kii.Token{AccessToken: "access-1"})
		require.NoError(t, err)
		p, err := s.Profile(t.Context())
		require.ErrorIs(t, err, kii.ErrUnexpectedReply)
		assert.Nil(t, p)
	}
}

func TestProfileFillsInAMissingUserID(t *testing.T) {
	t.Parallel()
	c := newCloud(t, documented(t, "Profile_done"))
	s, err := c.User.Resume(kii.Token{AccessToken: "access-1", RefreshToken: "refresh-1", Expiry: expired})
	require.NoError(t, err)
	assert.Empty(t, s.UserID())
	_, err = s.Profile(t.Context())
	require.NoError(t, err)
	assert.Equal(t, userID, s.UserID())
	assert.True(t, s.Token() == kii.Token{UserID: userID, AccessToken: "access-1", RefreshToken: "refresh-1", Expiry: expired})
}

// A Profile that a program keeps or hands on has names of the library's own in its JSON.
func TestProfileMarshalsToJSONAndBack(t *testing.T) {
	t.Parallel()
	p := kii.Profile{
		UserID: "u", LoginName: "alice", DisplayName: "Alice", Country: "JP", Locale: "ja", Email: "a@b", EmailVerified: true,
		Phone: "+1234567", PhoneVerified: true, PendingEmail: "c@d", PendingPhone: "+7654321", HasPassword: new(false), Disabled: true,
	}
	data, err := json.Marshal(p)
	require.NoError(t, err)
	assert.JSONEq(t, `{"user_id":"u","login_name":"alice","display_name":"Alice","country":"JP","locale":"ja","email":"a@b","email_verified":true,
		"phone":"+1234567","phone_verified":true,"pending_email":"c@d","pending_phone":"+7654321","has_password":false,"disabled":true}`, string(data))
	var back kii.Profile
	require.NoError(t, json.Unmarshal(data, &back))
	assert.Equal(t, p, back)
}

var expired = time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)

func TestExpiryIsSaturatedSoThatItMarshals(t *testing.T) {
	t.Parallel()
	const longest = 9223372036 * time.Second // that a Duration holds, and 292 years
	for expiresIn, want := range map[string]time.Duration{
		`,"expires_in":3600`:                time.Hour,
		`,"expires_in":"3600"`:              time.Hour,
		`,"expires_in":3.6e3`:               time.Hour,
		`,"expires_in":0`:                   0,
		`,"expires_in":-5`:                  0,
		`,"expires_in":2147483647`:          2147483647 * time.Second,
		`,"expires_in":9223372036`:          longest,
		`,"expires_in":9223372037`:          longest,
		`,"expires_in":9223372036854775`:    longest, // documented
		`,"expires_in":148478248144076800`:  longest, // documented
		`,"expires_in":9223372036854775807`: longest,
		`,"expires_in":9223372036854775808`: longest,
		`,"expires_in":1e300`:               longest,
		`,"expires_in":1e999`:               longest,
		`,"expires_in":-1e999`:              0,
		`,"expires_in":null`:                -1, // never, as far as is known
		`,"expires_in":""`:                  -1,
		`,"expires_in":"soon"`:              -1,
		`,"expires_in":true`:                -1,
		`,"expires_in":[3600]`:              -1,
		`,"expires_in":{"seconds":3600}`:    -1,
		``:                                  -1,
	} {
		t.Run(expiresIn, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, replyOf(200, `{"id":"u","access_token":"t"`+expiresIn+`}`))
				s, err := c.User.Login(t.Context(), "alice", "password")
				require.NoError(t, err)
				token := s.Token()
				if want < 0 {
					assert.True(t, token.Expiry.IsZero())
				} else {
					assert.Equal(t, want, time.Until(token.Expiry))
				}
				data, err := json.Marshal(token)
				require.NoError(t, err)
				var again kii.Token
				require.NoError(t, json.Unmarshal(data, &again))
				assert.True(t, again == token, "the clock that is kept is the wall's")
			})
		})
	}
}

func TestTokenIsKeptAsJSON(t *testing.T) {
	t.Parallel()
	for want, token := range map[string]kii.Token{
		`{"access_token":"a"}`: {AccessToken: "a"},
		`{"user_id":"u","access_token":"a","refresh_token":"r","expiry":"2020-01-02T03:04:05Z"}`: {
			UserID: "u", AccessToken: "a", RefreshToken: "r", Expiry: expired,
		},
	} {
		data, err := json.Marshal(token)
		require.NoError(t, err)
		assert.Equal(t, want, string(data))
		var again kii.Token
		require.NoError(t, json.Unmarshal(data, &again))
		assert.True(t, again == token)
	}
}

// A monotonic clock stands still while a machine is suspended, and would differ from what was kept.
func TestTokenIsTheSameAfterJSON(t *testing.T) {
	t.Parallel()
	c := newCloud(t, documented(t, "Login_with_refresh_token"))
	s, err := c.User.Login(t.Context(), "alice", "password")
	require.NoError(t, err)
	data, err := json.Marshal(s.Token())
	require.NoError(t, err)
	var again kii.Token
	require.NoError(t, json.Unmarshal(data, &again))
	assert.True(t, again == s.Token())
}

// FuzzTokenReply: a Login is a session with a token that can be sent, or an *kii.APIError.
func FuzzTokenReply(f *testing.F) {
	for _, body := range []string{
		`{"id":"u","access_token":"t","expires_in":3600}`, `{"id":"u","access_token":"t","expires_in":2147483646000}`,
		`{"id":"u","access_token":"t","expires_in":1e400}`, `{"id":"u","access_token":"t","expires_in":-5}`,
		`{"id":"u","access_token":"a\nb"}`, `{"id":"","access_token":"t"}`, `null`, `{`, `{"id":1}`,
	} {
		f.Add(200, body)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		client, err := kii.New("app", "key", kii.SiteUS, kii.WithHTTPClient(&http.Client{Transport: canned{status, body}}))
		if err != nil {
			t.Fatal(err)
		}
		s, err := client.User.Login(t.Context(), "alice", "pass")
		if err != nil {
			if _, ok := err.(*kii.APIError); !ok || s != nil {
				t.Fatalf("%T", err)
			}
			return
		}
		token := s.Token()
		if status != 200 || token.UserID == "" || token.AccessToken == "" {
			t.Fatal("a session without a usable token")
		}
		if _, err := client.User.Resume(token); err != nil {
			t.Fatal("a token that cannot be resumed")
		}
		if _, err := token.Expiry.MarshalJSON(); err != nil {
			t.Fatal(err)
		}
	})
}
