package kii_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
)

// adminCalls are the calls that an administrator makes.
var adminCalls = []string{"User", "SetPassword", "SetEmail", "SetPhone", "SetDisabled"}

func TestAdminCallSendsOneRequestWithTheAdministratorsToken(t *testing.T) {
	t.Parallel()
	const alice = "https://api.kii.com/api/apps/appId/users/EMAIL:alice%40example.com"
	for op, want := range map[string]struct{ method, url, contentType, body string }{
		"User":        {http.MethodGet, alice, "", ""},
		"SetPassword": {http.MethodPut, alice + "/password", changeType, `{"newPassword":"new-pass"}`},
		"SetEmail": {
			http.MethodPut, alice + "/email-address",
			"application/vnd.kii.EmailAddressModificationRequest+json", `{"emailAddress":"new@example.com","verified":true}`,
		},
		"SetPhone": {
			http.MethodPut, alice + "/phone-number",
			"application/vnd.kii.PhoneNumberModificationRequest+json", `{"phoneNumber":"+819087654321","verified":true}`,
		},
		"SetDisabled": {
			http.MethodPut, alice + "/status",
			"application/vnd.kii.UserStatusUpdateRequest+json", `{"disabled":true}`,
		},
	} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, documented(t, op+"_done"))
			require.NoError(t, operate(t, op, c))
			r := c.last(t)
			assert.Equal(t, want.method, r.method)
			assert.Equal(t, want.url, r.url)
			assert.Equal(t, want.body, r.body)
			assert.Equal(t, want.contentType, r.header.Get("Content-Type"))
			assert.Equal(t, "Bearer admin-access-1", r.header.Get("Authorization"))
			assert.Empty(t, r.header.Get("X-Kii-AppID")+r.header.Get("X-Kii-AppKey"), "the token names the app")
		})
	}
}

func TestAdminReadsAUser(t *testing.T) {
	t.Parallel()
	c := newCloud(t, documented(t, "User_done"))
	p, err := admin(t, c.Client).User(t.Context(), "LOGIN_NAME:alice")
	require.NoError(t, err)
	assert.Equal(t, &kii.Profile{
		UserID: userID, LoginName: "alice", DisplayName: "Alice", Country: "JP", Locale: "ja", Email: "alice@example.com", EmailVerified: true,
		Phone: "+819012345678", PendingPhone: "+819087654321", HasPassword: new(true),
	}, p)
	assert.Equal(t, "https://api.kii.com/api/apps/appId/users/LOGIN_NAME:alice", c.last(t).url)
}

func TestAdminEnablesAUser(t *testing.T) {
	t.Parallel()
	c := newCloud(t, documented(t, "SetDisabled_done"))
	require.NoError(t, admin(t, c.Client).SetDisabled(t.Context(), userID, false))
	assert.JSONEq(t, `{"disabled":false}`, c.last(t).body)
}

// Promise 1.
func TestAdminCallsSuccessIsProved(t *testing.T) {
	t.Parallel()
	for _, op := range adminCalls {
		for _, r := range []reply{
			replyOf(200, "<html>"), replyOf(200, "{}"), replyOf(200, `{"userID":""}`), replyOf(200, `{"userID":7}`), replyOf(200, "null"), replyOf(302, ""),
			replyOf(201, `{"userID":"u"}`),
		} {
			c := newCloud(t, r)
			err := operate(t, op, c)
			require.ErrorIs(t, err, kii.ErrUnexpectedReply, "%s: %d %s", op, r.Status, r.Body)
			assert.True(t, kii.OutcomeUnknown(err))
		}
	}
	_, err := admin(t, newCloud(t, replyOf(204, "")).Client).User(t.Context(), "alice")
	require.ErrorIs(t, err, kii.ErrUnexpectedReply)
}

func TestAdminOfBadValuesIsRefused(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	for _, value := range []string{"", " id", "id ", "i\nd", "i\u200bd", "\xff", "１２", strings.Repeat("i", 1001)} {
		_, err := c.Client.Admin(value, "secret")
		assertArgument(t, "clientID", err)
		_, err = c.Client.Admin("id", value)
		assertArgument(t, "clientSecret", err)
	}
	for _, client := range []*kii.Client{nil, {}, {User: &kii.User{}}} {
		a, err := client.Admin("id", "secret")
		assert.Nil(t, a)
		assertArgument(t, "Client", err)
	}
}

func TestAdminCallOfBadArgumentsIsRefusedAndNotSent(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	a, err := c.Client.Admin("id", "secret")
	require.NoError(t, err)
	for _, id := range []string{"", "me", "..", "a@b@c", "+12", " alice", "EMAIL:x", "a\u200b@b"} {
		_, err := a.User(t.Context(), id)
		assertArgument(t, "id", err)
		assertArgument(t, "id", a.SetPassword(t.Context(), id, "new-pass"))
		assertArgument(t, "id", a.SetEmail(t.Context(), id, "a@b"))
		assertArgument(t, "id", a.SetPhone(t.Context(), id, "+1234567"))
		assertArgument(t, "id", a.SetDisabled(t.Context(), id, true))
	}
	assertArgument(t, "newPassword", a.SetPassword(t.Context(), "alice", "abc"))
	assertArgument(t, "newPassword", a.SetPassword(t.Context(), "alice", "pässword"))
	assertArgument(t, "email", a.SetEmail(t.Context(), "alice", "EMAIL:a@b"))
	assertArgument(t, "phone", a.SetPhone(t.Context(), "alice", "JP-09012345678"))
	for _, a := range []*kii.Admin{nil, {}} {
		_, err := a.User(t.Context(), "alice")
		assertArgument(t, "Admin", err)
		assertArgument(t, "Admin", a.SetDisabled(t.Context(), "alice", true))
	}
	assertArgument(t, "ctx", a.SetDisabled(nil, "alice", true)) //nolint:staticcheck // a nil context is what is tested
}

// The app's ID and key, given as the administrator's, get a token: that of nobody.
func TestATokenWithoutRightsSaysWhatToCheck(t *testing.T) {
	t.Parallel()
	for _, op := range adminCalls {
		err := operate(t, op, newCloud(t, documented(t, op+"_unauthorized")))
		answer, ok := err.(*kii.APIError)
		require.True(t, ok, "%T", err)
		assert.Equal(t, kii.ErrUnauthorized, answer.Code)
		assert.Equal(t, "kii: "+op+": 401 UNAUTHORIZED: the token gives no rights: "+
			"Client.Admin wants the administrator's ClientID and ClientSecret, not the app's ID and key", err.Error())
		assert.False(t, kii.OutcomeUnknown(err))
	}
}

func TestATokenThatIsRefusedSaysWhatToCheck(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 401, 403, 404} {
		for _, code := range []kii.ErrorCode{
			kii.ErrWrongCredentials, kii.ErrAuthenticationFailed, "invalid_client", "unauthorized_client", "OAUTH2_ERROR", "CLIENT_CREDENTIALS_NOT_FOUND",
		} {
			for _, body := range []string{`{"errorCode":"` + string(code) + `"}`, `{"error":"` + string(code) + `"}`} {
				err := operateWithToken(t, "User", newCloud(t, replyOf(status, body)))
				answer, ok := err.(*kii.APIError)
				require.True(t, ok, "%T", err)
				assert.Equal(t, code, answer.Code)
				assert.Equal(t, fmt.Sprintf("kii: User: %d %s: no token for the administrator: "+
					"check the ClientID and ClientSecret given to Client.Admin", status, code), err.Error())
				assert.False(t, kii.OutcomeUnknown(err))
			}
		}
	}
	err := operateWithToken(t, "User", newCloud(t, replyOf(403, `{"errorCode":"APP_DISABLED"}`)))
	require.EqualError(t, err, "kii: User: 403 APP_DISABLED: no token for the administrator")
	err = operateWithToken(t, "User", newCloud(t, refusal(400, kii.ErrInvalidInput)))
	require.EqualError(t, err, "kii: User: 400 INVALID_INPUT_DATA: no token for the administrator: "+
		"check the clock of this machine, and that the developer portal allows tokens of an hour")
}

// Promise 2: if only the outcome of the request for the token is unknown, the call itself was never
// sent.
func TestACallWithoutATokenIsNotSent(t *testing.T) {
	t.Parallel()
	for name, token := range map[string]reply{
		"5xx":                         refusal(503, "RESOURCE_TEMPORARILY_UNAVAILABLE"),
		"a page":                      replyOf(200, "<html>"),
		"a redirect":                  replyOf(302, ""),
		"no access token":             replyOf(200, `{"id":"x"}`),
		"an access token of nothing":  replyOf(200, `{"id":"x","access_token":""}`),
		"a broken access token":       replyOf(200, `{"id":"x","access_token":"a\nb"}`),
		"4xx of a proxy":              replyOf(403, "<html>"),
		"another one than the user's": refusal(404, kii.ErrUserNotFound),
		"of a disabled administrator": refusal(401, kii.ErrUserDisabled),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, token)
			err := operateWithToken(t, "User", c)
			failure, ok := err.(*kii.TransportError)
			require.True(t, ok, "%T %v", err, err)
			assert.True(t, failure.NotSent)
			assert.False(t, kii.OutcomeUnknown(err))
			assert.False(t, kii.RevealsAccount(err))
			assert.Equal(t, "User", failure.Op)
			assert.Regexp(t, `^kii: User: not sent: no token for the administrator: \d{3} [^:,]+$`, err.Error())
			_, hasCode := errors.AsType[kii.ErrorCode](err)
			assert.False(t, hasCode, "the code of another request")
		})
	}
}

// Promise 4.
func TestAdminCallBlanksEachOfItsSecrets(t *testing.T) {
	t.Parallel()
	for op, secrets := range map[string][]string{
		"User":        {"alice@example.com"},
		"SetPassword": {"alice@example.com", "new-pass"},
		"SetEmail":    {"alice@example.com", "new@example.com"},
		"SetPhone":    {"alice@example.com", "819087654321"},
		"SetDisabled": {"alice@example.com"},
	} {
		for _, secret := range append(secrets, "admin-id", "admin-secret", "admin-access-1", "5c1e8f60-0000-4000-8000-ad0000000001", "appKey") {
			err := operate(t, op, newCloud(t, replyOf(400, `{"errorCode":"SOME_ERROR","message":"it is `+secret+`"}`)))
			answer, ok := err.(*kii.APIError)
			require.True(t, ok)
			assert.NotContains(t, answer.Message, secret, op)
		}
	}
	for _, secret := range []string{"admin-id", "admin-secret", "appKey"} {
		err := operateWithToken(t, "User", newCloud(t, replyOf(400, `{"errorCode":"SOME_ERROR","message":"it is `+secret+`"}`)))
		assert.NotContains(t, err.(*kii.APIError).Message, secret)
	}
}

// Promise 4.
func TestAdminPrintsNoSecret(t *testing.T) {
	t.Parallel()
	a := admin(t, newCloud(t, replyOf(204, "")).Client)
	require.NoError(t, a.SetDisabled(t.Context(), "alice", true)) // so that there is a token
	type wrapper struct {
		Exported   *kii.Admin
		unexported *kii.Admin
		value      kii.Admin
	}
	for _, v := range []any{a, *a, wrapper{a, a, *a}, &wrapper{a, a, *a}, []any{a}, []kii.Admin{*a}} {
		for _, verb := range "vsqdxXobcUeEfFgGtOTpw" {
			for _, flags := range []string{"", "+", "#", "-60", ".2"} {
				text := fmt.Sprintf("%"+flags+string(verb), v)
				for _, secret := range []string{"admin-id", "admin-secret", "admin-access-1", "appKey", "61646d696e"} {
					assert.NotContains(t, strings.ToLower(text), strings.ToLower(secret), "%%%s%c of %T", flags, verb, v)
				}
			}
		}
	}
	assert.Equal(t, "kii.Admin[redacted]", fmt.Sprint(a))
}

// Promise 9: what is handed over as the failure of the token's request says nothing of this call.
func TestAnotherCallsErrorSaysNothingOfACallWithoutAToken(t *testing.T) {
	t.Parallel()
	for name, other := range foreign {
		cause := fmt.Errorf("group: %w", errors.Join(errOfCaller, tenant{other}))
		client := newClient(t, tripper(func(*http.Request) (*http.Response, error) { return nil, cause }))
		err := admin(t, client).SetDisabled(t.Context(), "alice", true)
		failure, ok := err.(*kii.TransportError)
		require.True(t, ok, "%s: %T", name, err)
		assert.True(t, failure.NotSent)
		assert.False(t, kii.OutcomeUnknown(err) || kii.RevealsAccount(err) || isA[kii.ErrorCode](err), name)
		require.ErrorIs(t, err, errOfCaller)
	}
}

// The request for a token has a record of its own, and so has a call that got none.
func TestAdminCallIsLoggedWithOrWithoutAToken(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		token reply
		want  []string
	}{
		"with":    {documented(t, "Admin_done"), []string{"DEBUG Admin", "DEBUG SetDisabled"}},
		"refused": {documented(t, "Admin_wrong_credentials"), []string{"INFO Admin", "INFO SetDisabled"}},
		"lost":    {refusal(503, "UNDEFINED_ERROR"), []string{"WARN Admin", "WARN SetDisabled"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			client := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
				if req.URL.String() == adminTokenURL {
					return tt.token.response(), nil
				}
				return replyOf(204, "").response(), nil
			}), kii.WithLogger(logger))
			_ = admin(t, client).SetDisabled(t.Context(), "alice", true)
			var got []string
			for dec := json.NewDecoder(&log); dec.More(); {
				var record struct{ Level, Op string }
				require.NoError(t, dec.Decode(&record))
				got = append(got, record.Level+" "+record.Op)
			}
			assert.Equal(t, tt.want, got)
			assert.NotContains(t, log.String(), "secret")
		})
	}
}

func TestLastRecordOfAnAdminCallHasItsError(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		refused   reply
		hasReason bool
	}{
		{refusal(401, kii.ErrUnauthorized), true},
		{refusal(403, kii.ErrWrongToken), true},
		{refusal(404, kii.ErrUserNotFound), false},
		{refusal(400, kii.ErrUnauthorized), false}, // it says nothing of the token
		{refusal(500, kii.ErrUnauthorized), false},
	} {
		var log bytes.Buffer
		client := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
			if req.URL.String() == adminTokenURL {
				return documented(t, "Admin_done").response(), nil
			}
			return tt.refused.response(), nil
		}), kii.WithLogger(slog.New(slog.NewJSONHandler(&log, nil))))
		err := admin(t, client).SetDisabled(t.Context(), "alice", true)
		var record struct{ Error, Reason string }
		for dec := json.NewDecoder(&log); dec.More(); {
			require.NoError(t, dec.Decode(&record))
		}
		assert.Equal(t, err.Error(), record.Error)
		assert.Equal(t, err.(*kii.APIError).Reason, record.Reason)
		assert.Equal(t, tt.hasReason, record.Reason != "", record.Error)
	}
}

// A keeper keeps the contexts of its records, as a handler does that works in a goroutine of its
// own.
type keeper struct {
	slog.Handler
	kept []context.Context
}

func (k *keeper) Handle(ctx context.Context, _ slog.Record) error {
	k.kept = append(k.kept, ctx)
	return nil
}

func TestAdminCallIsLoggedWithTheContextOfItsCaller(t *testing.T) {
	t.Parallel()
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, "request-1")
	for _, token := range []reply{documented(t, "Admin_done"), documented(t, "Admin_wrong_credentials")} {
		log := &keeper{Handler: slog.NewTextHandler(io.Discard, nil)}
		client := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
			if req.URL.String() == adminTokenURL {
				return token.response(), nil
			}
			return refusal(503, "UNDEFINED_ERROR").response(), nil
		}), kii.WithLogger(slog.New(log)))
		require.Error(t, admin(t, client).SetDisabled(ctx, "alice", true))
		last := log.kept[len(log.kept)-1]
		assert.Equal(t, "request-1", last.Value(key{}), "also afterwards")
	}
}
