package kiitest_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// testPINExpires would be a test of yours, with a capital T: a PIN lives for ten minutes, which pass
// in no time inside a bubble.
func testPINExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := kiitest.NewServer(kiitest.WithTest(t)) // inside a bubble it opens no socket
		client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site(), kii.WithHTTPClient(&http.Client{Transport: srv.Transport()}))
		if err != nil {
			t.Fatal(err)
		}
		id := srv.AddAccount(kiitest.Account{Phone: "+819012341234", PhoneVerified: true, Password: "old-pass"})

		for _, wait := range []time.Duration{9 * time.Minute, 10 * time.Minute} {
			if err := client.User.ResetPassword(t.Context(), id, kii.NotificationSMSPIN); err != nil {
				t.Fatal(err)
			}
			msg, _ := srv.LastMessage(id)
			time.Sleep(wait)
			err = client.User.CompleteResetPassword(t.Context(), id, msg.PIN, nil)
			fmt.Printf("after %v: reset %t, expired %t\n", wait, err == nil, errors.Is(err, kii.ErrPINExpired))
		}
	})
}

func Example_synctest() {
	runTest(testPINExpires) // as go test does
	// Output:
	// after 9m0s: reset true, expired false
	// after 10m0s: reset false, expired true
}
