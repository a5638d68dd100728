package kiitest_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// testPINExpires would be a test of yours, with a capital T. A PIN lives for ten minutes, which
// pass in no time inside a bubble.
func testPINExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := kiitest.NewServer(kiitest.WithTest(t)) // inside a bubble it opens no socket
		client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site(), kii.WithHTTPClient(&http.Client{Transport: srv.Transport()}))
		if err != nil {
			t.Fatal(err)
		}
		id := srv.AddAccount(kiitest.Account{Phone: "+819012341234", PhoneVerified: true, Password: "old-pass"})
		askAndWait := func(d time.Duration) error {
			if err := client.User.ResetPassword(t.Context(), id, kii.NotificationSMSPIN); err != nil {
				t.Fatal(err)
			}
			msg, _ := srv.LastMessage(id)
			time.Sleep(d)
			return client.User.CompleteResetPassword(t.Context(), id, msg.PIN, nil)
		}

		if err := askAndWait(9 * time.Minute); err != nil {
			t.Errorf("after 9 minutes: %v", err)
		}
		if err := askAndWait(10 * time.Minute); !errors.Is(err, kii.ErrPINExpired) {
			t.Errorf("after 10 minutes: %v, want kii.ErrPINExpired", err)
		}
	})
}

func Example_synctest() {
	var t *testing.T // go test hands it in
	testPINExpires(t)
}
