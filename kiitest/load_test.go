package kiitest_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

// Every account ends on its own new password, whoever else is at it.
func TestManyGoroutinesResetManyAccounts(t *testing.T) {
	t.Parallel()
	const goroutines, accounts = 64, 10_000
	srv := kiitest.NewServer(kiitest.WithTest(t), kiitest.WithoutSocket(), kiitest.WithSettings(input))
	ids := make([]string, accounts)
	for i := range ids {
		ids[i] = srv.AddAccount(kiitest.Account{
			LoginName: fmt.Sprintf("user-%d", i), Password: fmt.Sprintf("old-%d-pass", i), Phone: fmt.Sprintf("+8190%08d", i), PhoneVerified: true,
		})
	}
	var work sync.WaitGroup
	for g := range goroutines {
		work.Go(func() {
			c := newCaller(t, srv)
			for i := g; i < accounts; i += goroutines {
				var m kiitest.Message
				var err error
				if got := c.ask(ids[i], byPIN); got.status == 204 {
					m, err = srv.WaitMessage(t.Context(), kiitest.Filter{To: ids[i]})
				}
				if got := c.complete(ids[i], m.PIN, fmt.Sprintf("new-%d-pass", i)); err != nil || got.status != 204 {
					t.Errorf("a reset failed: %v, %v", err, got)
				}
			}
		})
	}
	work.Wait()
	c := newCaller(t, srv)
	for i, id := range ids {
		if got := c.login(fmt.Sprintf("user-%d", i), fmt.Sprintf("new-%d-pass", i)); got.string("id") != id {
			t.Fatalf("an account is not on its own new password: %v", got)
		}
		a, _ := srv.Account(id)
		require.Equal(t, fmt.Sprintf("new-%d-pass", i), a.Password)
	}
}
