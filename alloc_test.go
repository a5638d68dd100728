// The race detector allocates too.

//go:build !race

package kii_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
)

// The most allocations that a call may make, resty's and net/http's own included. A change that needs
// more raises the number, and its commit says what it is worth. Each is one above what was measured, since
// a collection may empty a pool. Times depend on the machine and are not judged.
func TestACallAllocatesNoMoreThanStated(t *testing.T) {
	password := "new-pass"
	reset := func(client *kii.Client) func() error {
		return func() error {
			return client.User.ResetPassword(t.Context(), "alice@example.com", kii.NotificationSMSPIN)
		}
	}
	client, login := noContent.client(t), tokens.client(t)
	session, ended := profile.session(t), deadToken.session(t)
	_, err := ended.Profile(t.Context())
	require.ErrorIs(t, err, kii.ErrWrongToken)
	for name, c := range map[string]struct {
		most float64
		call func() error
	}{
		"ResetPassword":               {44, reset(client)},
		"ResetPassword over loopback": {82, reset(frugalServer(t))}, // 2 because the matrix sets a proxy
		"CompleteResetPassword": {46, func() error {
			return client.User.CompleteResetPassword(t.Context(), "alice@example.com", "123456", &password)
		}},
		"Login": {54, func() error {
			_, err := login.User.Login(t.Context(), "alice@example.com", "old-pass")
			return err
		}},
		"Profile": {86, func() error {
			_, err := session.Profile(t.Context())
			return err
		}},
		"New": {50, func() error {
			_, err := kii.New("app", "key", kii.SiteJP)
			return err
		}},
		"a call on a session that is over": {0, func() error {
			if _, err := ended.Profile(t.Context()); err == nil {
				return assert.AnError
			}
			return nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			allocs := testing.AllocsPerRun(500, func() {
				if e := c.call(); e != nil {
					err = e
				}
			})
			require.NoError(t, err)
			assert.LessOrEqual(t, allocs, c.most)
		})
	}
}
