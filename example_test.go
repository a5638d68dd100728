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
	// This PIN is wrong or has expired.
	// The password is reset. Log in with the new one.
}

// forgot sends an SMS with a PIN. Whatever comes of it, a stranger gets the same answer.
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

// complete sets a new password, and says what to show.
func complete(ctx context.Context, client *kii.Client, phone, pin, password string) string {
	err := client.User.CompleteResetPassword(ctx, phone, pin, &password)
	_, refused := errors.AsType[*kii.ArgumentError](err)
	switch {
	case err == nil: // done
		return "The password is reset. Log in with the new one."
	case kii.OutcomeUnknown(err): // it may be reset: a login tells
		return "Try to log in with the new password. If you cannot, ask for another PIN."

	// After anything else nothing happened.
	case errors.Is(err, kii.ErrWrongPIN), errors.Is(err, kii.ErrPINExpired), kii.RevealsAccount(err):
		return "This PIN is wrong or has expired."
	case errors.Is(err, kii.ErrPasswordTooShort):
		return "Choose a longer password."
	case errors.Is(err, kii.ErrInvalidInput):
		return "Choose another password than the old one."
	case refused:
		return "Type the PIN, and a password of 4 to 50 Latin letters, digits and signs."
	}
	log.Print("nothing happened: ", err)
	return "Nothing was changed. Try again in a minute."
}
