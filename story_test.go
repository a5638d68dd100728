package kii_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// The whole of the guide's SMS PIN way, over a loopback socket.
func TestForgottenPasswordIsResetByPINAndOldSessionEnds(t *testing.T) {
	t.Parallel()
	srv := kiitest.NewServer()
	defer srv.Close()
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site())
	require.NoError(t, err)
	id := srv.AddAccount(kiitest.Account{
		LoginName: "alice", Email: "alice@example.com", EmailVerified: true,
		Phone: "+819012345678", PhoneVerified: true, Password: "old-pass",
	})

	old, err := client.User.Login(t.Context(), "alice@example.com", "old-pass")
	require.NoError(t, err)
	profile, err := old.Profile(t.Context())
	require.NoError(t, err)
	assert.True(t, profile.UserID == id && *profile.HasPassword && profile.PhoneVerified)

	require.NoError(t, client.User.ResetPassword(t.Context(), "+819012345678", kii.NotificationSMSPIN))
	msg, ok := srv.LastMessage(id)
	require.True(t, ok)

	wrong := "000000"
	if msg.PIN == wrong {
		wrong = "000001"
	}
	err = client.User.CompleteResetPassword(t.Context(), id, wrong, nil)
	require.ErrorIs(t, err, kii.ErrWrongPIN)
	assert.False(t, kii.OutcomeUnknown(err))
	_, err = old.Profile(t.Context())
	require.NoError(t, err, "a wrong PIN ends no session")

	require.NoError(t, client.User.CompleteResetPassword(t.Context(), id, msg.PIN, nil))
	msg, ok = srv.LastMessage(id)
	require.True(t, ok && msg.Password != "", "the generated password comes by SMS")

	_, err = old.Profile(t.Context())
	dead, ok := errors.AsType[*kii.SessionError](err)
	require.True(t, ok)
	require.ErrorIs(t, err, kii.ErrWrongToken)
	assert.Same(t, dead, old.Err())
	_, err = client.User.Login(t.Context(), "LOGIN_NAME:alice", "old-pass")
	require.ErrorIs(t, err, kii.ErrWrongCredentials)
	fresh, err := client.User.Login(t.Context(), "LOGIN_NAME:alice", msg.Password)
	require.NoError(t, err)
	assert.True(t, fresh.UserID() == id)
}
