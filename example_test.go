package kii_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

func Example() {
	// A Kii Cloud in memory, with one user. The real one: kii.New(appID, appKey, kii.SiteJP)
	srv := kiitest.NewServer(kiitest.WithSettings(func(s *kiitest.Settings) {
		s.ResetFlow = kiitest.InputPassword // the user chooses the new password
	}))
	defer srv.Close()
	const phone = "+819012345678"
	srv.AddAccount(kiitest.Account{Phone: phone, PhoneVerified: true, Password: "forgotten"})
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site())
	if err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	fmt.Println(forgot(ctx, client, phone))
	sms, _ := srv.LastMessage(phone) // what the user reads
	fmt.Println(complete(ctx, client, phone, "a typo", "new-password"))
	fmt.Println(complete(ctx, client, phone, sms.PIN, "new-password"))
	// Output:
	// If we know this number, a PIN is on its way. If none comes, ask again.
	// This PIN is wrong or too old, or this password cannot be taken.
	// The password is reset. Log in with the new one.
}

// forgot asks for an SMS with a PIN. The user gets one answer, whatever comes of it. This program
// asks before it answers; a web page must answer first, as examples/webapp does, since the time
// that Kii Cloud takes can reveal whether it knows the number.
func forgot(ctx context.Context, client *kii.Client, phone string) string {
	err := client.User.ResetPassword(ctx, phone, kii.NotificationSMSPIN)
	switch {
	case err == nil: // done: Kii Cloud accepted the request
	case kii.OutcomeUnknown(err):
		log.Print("the SMS may be on its way: ", err)
	default:
		log.Print("nothing happened: ", err)
	}
	return "If we know this number, a PIN is on its way. If none comes, ask again."
}

// complete sets a new password and returns what to show.
func complete(ctx context.Context, client *kii.Client, phone, pin, password string) string {
	err := client.User.CompleteResetPassword(ctx, phone, pin, &password)
	if err == nil { // done
		return "The password is reset. Log in with the new one."
	}
	log.Print(err)               // holds no secret and no account
	if kii.OutcomeUnknown(err) { // it may be reset: a login shows it
		return "Try to log in with the new password. If you cannot, ask for a new PIN."
	}
	// Nothing happened.
	if _, refused := errors.AsType[*kii.ArgumentError](err); refused {
		return "Type the PIN, and a password of 4 to 50 Latin letters, digits and signs."
	}
	if errors.Is(err, kii.ErrRateLimited) {
		return "We are busy. Try again in a minute."
	}
	// One text for the rest: which it was could reveal the account or the old password.
	return "This PIN is wrong or too old, or this password cannot be taken."
}
