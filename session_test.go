package kii_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

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
