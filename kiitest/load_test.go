package kiitest_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// Every account ends on its own new password, whatever the others do.
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

// Whatever is asked at once, the race detector has nothing to say, no call is answered with a fault
// of the server's own, and the server still works.
func TestEverythingAtOnce(t *testing.T) {
	t.Parallel()
	srv := kiitest.NewServer(kiitest.WithoutSocket(), kiitest.WithSettings(verify), kiitest.WithSettings(refreshTokens))
	for i := range 4 {
		srv.AddAccount(kiitest.Account{
			ID: fmt.Sprint("user-", i), LoginName: fmt.Sprint("user-", i), Password: "old-pass", Email: fmt.Sprint(i, "@example.com"), EmailVerified: true,
			Phone: fmt.Sprint("+8190000000", i), PhoneVerified: true, PendingEmail: fmt.Sprint(i, "@example.net"),
		})
	}
	begin := srv.Snapshot()
	jobs := []func(c *caller, id string){
		func(c *caller, id string) { c.ask(id, byPIN) },
		func(c *caller, id string) { c.ask(id, byEmail) },
		func(c *caller, id string) { m, _ := srv.LastMessage(id); c.complete(id, m.PIN, "new-pass") },
		func(c *caller, id string) { c.me(c.login(id, "old-pass").string("access_token")) },
		func(c *caller, id string) { c.refresh(c.login(id, "old-pass").string("refresh_token")) },
		func(c *caller, id string) {
			c.send("PUT", "users/"+id+"/password", changeType, `{"newPassword":"old-pass"}`, c.admin())
			c.send("PUT", "users/"+id+"/status", statusType, `{"disabled":false}`, c.admin())
		},
		func(c *caller, id string) {
			c.send("POST", "users/"+id+"/email-address/resend-verification", "", "", "")
		},
		func(c *caller, id string) {
			m, _ := srv.LastMessage(id)
			c.send("POST", "users/"+id+"/email-address/verify", verificationType, `{"verificationCode":"`+m.Code+`"}`, "")
		},
		func(c *caller, _ string) { c.register(registrationType, `{"loginName":"more","password":"old-pass"}`) },
		func(c *caller, _ string) { srv.VisitLinks(kiitest.Filter{}) },
		func(c *caller, id string) {
			srv.SendReset(id, kii.NotificationSMS)
			srv.SendVerification(id, kiitest.Email)
		},
		func(c *caller, id string) { srv.SetDisabled(id, true) },
		func(c *caller, id string) { a, _ := srv.Account(id); srv.PutAccount(a); srv.DeleteAccount("more") },
		func(c *caller, _ string) {
			srv.Inject(kiitest.Fault{Kind: kiitest.FaultCut})
			srv.RemoveFault(1)
			srv.Faults()
			srv.ClearFaults()
		},
		func(c *caller, _ string) { srv.Calls(); srv.LatestCalls(3); srv.Call(3); srv.ClearCalls() },
		func(c *caller, _ string) {
			srv.Messages()
			srv.LatestMessages(kiitest.Filter{State: kiitest.Pending}, 1, 3)
			srv.ExpireMessage(3)
		},
		func(c *caller, _ string) { srv.DeleteMessages(kiitest.Filter{State: kiitest.Used}) },
		func(c *caller, _ string) { srv.Advance(1); srv.Advanced(); srv.Now(); srv.ResetClock() },
		func(c *caller, _ string) {
			srv.SetSettings(input)
			srv.Settings()
			srv.Assumes(kiitest.EmailCaseMatters)
		},
		func(c *caller, id string) {
			ctx, cancel := context.WithTimeout(c.t.Context(), time.Millisecond)
			defer cancel()
			srv.WaitMessage(ctx, kiitest.Filter{To: id, Purpose: kiitest.ResetPIN})
		},
		func(c *caller, _ string) { srv.Snapshot(); srv.Accounts() },
		func(c *caller, _ string) { srv.Restore(begin) },
	}
	var work sync.WaitGroup
	for i, job := range jobs {
		work.Go(func() {
			c := newCaller(t, srv)
			c.client.Transport = lenient{srv.Transport(), t}
			for n := range 30 {
				job(c, fmt.Sprint("user-", (i+n)%4))
			}
		})
	}
	work.Wait()
	require.NoError(t, srv.Restore(begin))
	require.Equal(t, "200", newCaller(t, srv).login("user-1", "old-pass").String())
}

// lenient takes an answer that was cut for a short one, as a fault may meet any of the calls.
type lenient struct {
	http.RoundTripper
	t *testing.T
}

func (l lenient) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := l.RoundTripper.RoundTrip(r)
	if err == nil {
		if response.StatusCode >= 500 {
			l.t.Errorf("%s %s is answered %s", r.Method, r.URL.Path, response.Status)
		}
		text, _ := io.ReadAll(response.Body)
		response.Body = io.NopCloser(bytes.NewReader(text))
	}
	return response, err
}
