package kii_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
)

// appHeader are all headers of a call in the app's name: no bearer among them.
func appHeader(contentType string) http.Header {
	return http.Header{
		"Accept":       {"*/*"},
		"Content-Type": {contentType},
		"User-Agent":   {"kii-go/0.1.0"},
		"X-Kii-Appid":  {"appId"},
		"X-Kii-Appkey": {"appKey"},
	}
}

func TestResetPasswordSendsOneRequestInTheAppsName(t *testing.T) {
	t.Parallel()
	c := newCloud(t, documented(t, "ResetPassword_done"))
	c.session(t) // a session changes nothing about it
	require.NoError(t, c.User.ResetPassword(t.Context(), "alice@example.com", kii.NotificationSMSPIN))
	assert.Equal(t, request{
		http.MethodPost,
		"https://api.kii.com/api/apps/appId/users/EMAIL:alice%40example.com/password/request-reset",
		appHeader("application/vnd.kii.ResetPasswordRequest+json"),
		`{"notificationMethod":"SMS","smsResetMethod":"PIN"}`,
	}, c.last(t))
}

func TestCompleteResetPasswordSendsOneRequestInTheAppsName(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		newPassword *string
		body        string
	}{
		"chosen":    {new(`new "pass" <&>`), `{"pinCode":"012345","newPassword":"new \"pass\" \u003c\u0026\u003e"}`},
		"generated": {nil, `{"pinCode":"012345"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, documented(t, "CompleteResetPassword_done"))
			require.NoError(t, c.User.CompleteResetPassword(t.Context(), "+819012345678", "012345", tt.newPassword))
			assert.Equal(t, request{
				http.MethodPost,
				"https://api.kii.com/api/apps/appId/users/PHONE:%2B819012345678/password/complete-reset",
				appHeader("application/vnd.kii.CompletePasswordResetRequest+json"),
				tt.body,
			}, c.last(t))
		})
	}
}

func TestPINIsNeitherEmptyNorHoldsControlCharacters(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	for _, pin := range []string{"", "12\n34", "1234\x00", "12\x7f34", "\u0085", "12\xff34"} {
		assertArgument(t, "pin", c.User.CompleteResetPassword(t.Context(), "alice", pin, nil))
	}
}

func TestPINIsSentAsItWasTyped(t *testing.T) {
	t.Parallel()
	for pin, sent := range map[string]string{"000000": "000000", "1": "1", "12 34": "12 34", "١٢٣٤": "١٢٣٤", `"\`: `\"\\`} {
		c := newCloud(t, replyOf(204, ""))
		require.NoError(t, c.User.CompleteResetPassword(t.Context(), "alice", pin, nil))
		assert.Equal(t, `{"pinCode":"`+sent+`"}`, c.last(t).body)
	}
}

var newPasswords = map[string]bool{
	"abcd":                   true,
	"    ":                   true,
	"~!@#":                   true,
	strings.Repeat("x", 50):  true,
	"":                       false,
	"abc":                    false,
	strings.Repeat("x", 51):  false,
	"pässword":               false,
	"pass\tword":             false,
	"password\n":             false,
	"\npassword":             false,
	"pass\x7fword":           false,
	"パスワード":                  false,
	"pass\xffword":           false,
	"pass\u200bword":         false,
	strings.Repeat("é", 10):  false,
	strings.Repeat("x", 5e4): false,
}

// So that a bad one does not burn the PIN.
func TestBadNewPasswordSendsNothing(t *testing.T) {
	t.Parallel()
	for password, good := range newPasswords {
		if good {
			c := newCloud(t, replyOf(204, ""), replyOf(204, ""))
			require.NoError(t, c.User.CompleteResetPassword(t.Context(), "alice", "1234", &password))
			require.NoError(t, c.session(t).ChangePassword(t.Context(), "x", password))
			continue
		}
		c := newCloud(t)
		assertArgument(t, "newPassword", c.User.CompleteResetPassword(t.Context(), "alice", "1234", &password))
		assertArgument(t, "newPassword", c.session(t).ChangePassword(t.Context(), "x", password))
	}
}

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
