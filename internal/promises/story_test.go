package promises_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// The guide's three ways, in both of the portal's reset flows, over a loopback socket.
func TestForgottenPasswordIsResetAndTheOldSessionEnds(t *testing.T) {
	t.Parallel()
	for name, way := range map[string]struct {
		method kii.NotificationMethod
		flow   kiitest.ResetFlow
		reset  func(s *story, t *testing.T) (newPassword string)
	}{
		"link by e-mail, generated": {kii.NotificationEmail, kiitest.GeneratePassword, (*story).openLink},
		"link by e-mail, chosen":    {kii.NotificationEmail, kiitest.InputPassword, (*story).submitLink},
		"link by SMS, generated":    {kii.NotificationSMS, kiitest.GeneratePassword, (*story).openLink},
		"link by SMS, chosen":       {kii.NotificationSMS, kiitest.InputPassword, (*story).submitLink},
		"PIN, generated":            {kii.NotificationSMSPIN, kiitest.GeneratePassword, (*story).enterPINAlone},
		"PIN, chosen":               {kii.NotificationSMSPIN, kiitest.InputPassword, (*story).enterPINAndPassword},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStory(t, way.flow)
			old, err := s.client.User.Login(t.Context(), "alice@example.com", "old-pass")
			require.NoError(t, err)
			profile, err := old.Profile(t.Context())
			require.NoError(t, err)
			assert.True(t, profile.UserID == s.id && *profile.HasPassword && profile.PhoneVerified)

			require.NoError(t, s.client.User.ResetPassword(t.Context(), "alice@example.com", way.method))
			_, err = s.client.User.Login(t.Context(), "LOGIN_NAME:alice", "old-pass")
			require.NoError(t, err, "to ask changes nothing")
			_, err = old.Profile(t.Context())
			require.NoError(t, err, "to ask ends no session")

			newPassword := way.reset(s, t)
			require.NotEmpty(t, newPassword)

			_, err = old.Profile(t.Context())
			dead, ok := errors.AsType[*kii.SessionError](err)
			require.True(t, ok)
			require.ErrorIs(t, err, kii.ErrWrongToken)
			assert.Same(t, dead, old.Err())
			_, err = s.client.User.Login(t.Context(), "LOGIN_NAME:alice", "old-pass")
			require.ErrorIs(t, err, kii.ErrWrongCredentials)
			fresh, err := s.client.User.Login(t.Context(), "LOGIN_NAME:alice", newPassword)
			require.NoError(t, err)
			assert.True(t, fresh.UserID() == s.id)
		})
	}
}

// A story is one user who forgot the password.
type story struct {
	srv    *kiitest.Server
	client *kii.Client
	id     string
}

func newStory(t *testing.T, flow kiitest.ResetFlow) *story {
	t.Helper()
	srv := kiitest.NewServer(kiitest.WithTest(t), kiitest.WithSettings(func(s *kiitest.Settings) { s.ResetFlow = flow }))
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site())
	require.NoError(t, err)
	return &story{srv, client, srv.AddAccount(kiitest.Account{
		LoginName: "alice", Email: "alice@example.com", EmailVerified: true,
		Phone: "+819012345678", PhoneVerified: true, Password: "old-pass",
	})}
}

func (s *story) message(t *testing.T) kiitest.Message {
	t.Helper()
	msg, ok := s.srv.LastMessage(s.id)
	require.True(t, ok)
	return msg
}

func (s *story) openLink(t *testing.T) string {
	resp, err := http.Get(s.message(t).Link)
	requirePage(t, resp, err)
	return s.message(t).Password
}

func (s *story) submitLink(t *testing.T) string {
	link := s.message(t).Link
	resp, err := http.Get(link)
	requirePage(t, resp, err)
	resp, err = http.PostForm(link, url.Values{"password": {"new-pass"}, "confirm": {"new-pass"}})
	requirePage(t, resp, err)
	return "new-pass"
}

func (s *story) enterPINAlone(t *testing.T) string {
	pin := s.refuseWrongPIN(t)
	require.NoError(t, s.client.User.CompleteResetPassword(t.Context(), s.id, pin, nil))
	return s.message(t).Password
}

func (s *story) enterPINAndPassword(t *testing.T) string {
	pin := s.refuseWrongPIN(t)
	err := s.client.User.CompleteResetPassword(t.Context(), s.id, pin, nil)
	require.ErrorIs(t, err, kii.ErrInvalidInput, "the app wants a password")
	err = s.client.User.CompleteResetPassword(t.Context(), s.id, pin, new("old-pass"))
	require.ErrorIs(t, err, kii.ErrInvalidInput, "it equals the old one")
	require.NoError(t, s.client.User.CompleteResetPassword(t.Context(), s.id, pin, new("new-pass")))
	return "new-pass"
}

// refuseWrongPIN tries a wrong PIN, which ends nothing, and returns the right one.
func (s *story) refuseWrongPIN(t *testing.T) string {
	t.Helper()
	pin := s.message(t).PIN
	wrong := "000000"
	if pin == wrong {
		wrong = "000001"
	}
	err := s.client.User.CompleteResetPassword(t.Context(), s.id, wrong, new("new-pass"))
	require.ErrorIs(t, err, kii.ErrWrongPIN)
	assert.False(t, kii.OutcomeUnknown(err))
	return pin
}

func requirePage(t *testing.T, resp *http.Response, err error) {
	t.Helper()
	require.NoError(t, err)
	_, _ = io.Copy(io.Discard, resp.Body)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
}
