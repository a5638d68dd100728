package kii_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// withoutAddress returns a session in an app that asks for verification, of a user who has no
// address that a reset could go to.
func withoutAddress() (*kii.Session, *kiitest.Server) {
	client, srv := inMemory(kiitest.WithSettings(func(s *kiitest.Settings) { s.VerifyEmail, s.VerifyPhone = true, true }))
	srv.AddAccount(kiitest.Account{ID: "bob-id", LoginName: "bob", Password: "old-password"})
	session, err := client.User.Login(context.Background(), "bob", "old-password")
	if err != nil {
		panic(err)
	}
	return session, srv
}

// In an app that asks for verification a new address waits until its owner has shown that it
// arrives.
func ExampleSession_ChangeEmail() {
	session, srv := withoutAddress()
	defer srv.Close()
	ctx := context.Background()

	fmt.Println(session.ChangeEmail(ctx, "bob@example.com"))
	profile, err := session.Profile(ctx)
	fmt.Printf("%q %q %v\n", profile.Email, profile.PendingEmail, err)
	err = session.ChangeEmail(ctx, "alice@example.com")
	fmt.Println(errors.Is(err, kii.ErrAddressTaken))
	// Output:
	// <nil>
	// "" "bob@example.com" <nil>
	// true
}

func ExampleSession_ChangePhone() {
	session, srv := withoutAddress()
	defer srv.Close()
	ctx := context.Background()

	fmt.Println(session.ChangePhone(ctx, "+819087654321"))
	profile, err := session.Profile(ctx)
	fmt.Println(profile.PendingPhone, err)
	fmt.Println(session.ChangePhone(ctx, "090 8765 4321"))
	// Output:
	// <nil>
	// +819087654321 <nil>
	// kii: phone must be + and 7 to 20 digits, such as +819012345678
}

// The e-mail has a link, and a code for programs that would rather ask for one.
func ExampleSession_VerifyEmail() {
	session, srv := withoutAddress()
	defer srv.Close()
	ctx := context.Background()
	if err := session.ChangeEmail(ctx, "bob@example.com"); err != nil {
		panic(err)
	}
	mail, _ := srv.LastMessage("bob-id")

	fmt.Println(session.VerifyEmail(ctx, mail.Code))
	profile, err := session.Profile(ctx)
	fmt.Println(profile.Email, profile.EmailVerified, err)
	// Output:
	// <nil>
	// bob@example.com true <nil>
}

// A verified phone number makes a reset by SMS possible before it is needed.
func ExampleSession_VerifyPhone() {
	session, srv := withoutAddress()
	defer srv.Close()
	ctx := context.Background()
	if err := session.ChangePhone(ctx, "+819087654321"); err != nil {
		panic(err)
	}
	sms, _ := srv.LastMessage("bob-id")

	err := session.VerifyPhone(ctx, "a typo")
	switch code, _ := errors.AsType[kii.ErrorCode](err); code {
	case kii.ErrWrongPIN:
		fmt.Println("This is not the code that we sent. Try again.")
	case kii.ErrCodeExpired, kii.ErrNoCodePending:
		fmt.Println("This code has expired. Ask for another one.")
	}
	fmt.Println(session.VerifyPhone(ctx, sms.Code))
	// Output:
	// This is not the code that we sent. Try again.
	// <nil>
}

func ExampleSession_ResendEmailVerification() {
	session, srv := withoutAddress()
	defer srv.Close()
	ctx := context.Background()
	if err := session.ChangeEmail(ctx, "bob@example.com"); err != nil {
		panic(err)
	}

	fmt.Println(session.ResendEmailVerification(ctx))
	mail, _ := srv.LastMessage("bob-id")
	fmt.Println(session.VerifyEmail(ctx, mail.Code))
	err := session.ResendEmailVerification(ctx)
	fmt.Println(errors.Is(err, kii.ErrAlreadyVerified))
	// Output:
	// <nil>
	// <nil>
	// true
}

func ExampleSession_ResendPhoneVerification() {
	session, srv := withoutAddress()
	defer srv.Close()
	ctx := context.Background()
	if err := session.ChangePhone(ctx, "+819087654321"); err != nil {
		panic(err)
	}

	fmt.Println(session.ResendPhoneVerification(ctx))
	sms, _ := srv.LastMessage("bob-id")
	fmt.Println(sms.Channel, sms.To)
	// Output:
	// <nil>
	// SMS +819087654321
}
