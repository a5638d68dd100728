package kii_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
)

func TestNotificationMethodIsTheBodyOfTheRequest(t *testing.T) {
	t.Parallel()
	for method, body := range map[kii.NotificationMethod]string{
		kii.NotificationEmail:  `{"notificationMethod":"EMAIL"}`,
		kii.NotificationSMS:    `{"notificationMethod":"SMS","smsResetMethod":"URL"}`,
		kii.NotificationSMSPIN: `{"notificationMethod":"SMS","smsResetMethod":"PIN"}`,
	} {
		c := newCloud(t, documented(t, "ResetPassword_done"))
		require.NoError(t, c.User.ResetPassword(t.Context(), "alice", method))
		assert.Equal(t, body, c.last(t).body)
	}
}

func TestUnknownNotificationMethodSendsNothing(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	for _, method := range []kii.NotificationMethod{"", "email", "PHONE", "SMS-PIN", "EMAIL "} {
		assertArgument(t, "method", c.User.ResetPassword(t.Context(), "alice", method))
	}
}
