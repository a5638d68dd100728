package kii_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// inMemory returns a client of a Kii Cloud in memory that has one user, alice, with a verified
// address of each kind.
func inMemory(opts ...kiitest.Option) (*kii.Client, *kiitest.Server) {
	srv := kiitest.NewServer(opts...)
	srv.AddAccount(kiitest.Account{
		ID: "alice-id", LoginName: "alice", Email: "alice@example.com", EmailVerified: true,
		Phone: "+819012345678", PhoneVerified: true, Password: "old-password",
	})
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site())
	if err != nil {
		panic(err)
	}
	return client, srv
}

func ExampleUser() {
	client, srv := inMemory(kiitest.WithSettings(func(s *kiitest.Settings) { s.ResetFlow = kiitest.InputPassword }))
	defer srv.Close()
	ctx := context.Background()

	fmt.Println(client.User.ResetPassword(ctx, "alice@example.com", kii.NotificationSMSPIN))
	sms, _ := srv.LastMessage("alice@example.com")
	newPassword := "new-password"
	fmt.Println(client.User.CompleteResetPassword(ctx, "alice@example.com", sms.PIN, &newPassword))
	session, err := client.User.Login(ctx, "alice@example.com", newPassword)
	fmt.Println(session.UserID(), err)
	// Output:
	// <nil>
	// <nil>
	// alice-id <nil>
}

// The message goes where the method says, however the user is named.
func ExampleUser_ResetPassword() {
	client, srv := inMemory()
	defer srv.Close()

	err := client.User.ResetPassword(context.Background(), "alice@example.com", kii.NotificationSMS)
	sms, _ := srv.LastMessage("alice@example.com")
	fmt.Println(err, sms.Channel, sms.To)
	// Output: <nil> SMS +819012345678
}

// Your program may know that there is no such user. The stranger who typed the address must not.
func ExampleUser_ResetPassword_unknownUser() {
	client, srv := inMemory()
	defer srv.Close()

	err := client.User.ResetPassword(context.Background(), "bob@example.com", kii.NotificationEmail)
	fmt.Println(err)
	if err == nil || kii.RevealsAccount(err) {
		fmt.Println("If we know this address, an e-mail is on its way.")
	}
	// Output:
	// kii: ResetPassword: 404 USER_NOT_FOUND
	// If we know this address, an e-mail is on its way.
}

// In the flow "Generate Password" newPassword is nil, and the new password comes by a second SMS.
func ExampleUser_CompleteResetPassword() {
	client, srv := inMemory(kiitest.WithSeed(1))
	defer srv.Close()
	ctx := context.Background()

	fmt.Println(client.User.ResetPassword(ctx, "alice-id", kii.NotificationSMSPIN))
	sms, _ := srv.LastMessage("alice-id")
	fmt.Println(client.User.CompleteResetPassword(ctx, "alice-id", "a typo", nil))
	fmt.Println(client.User.CompleteResetPassword(ctx, "alice-id", sms.PIN, nil))
	sms, _ = srv.LastMessage("alice-id")
	session, err := client.User.Login(ctx, "alice", sms.Password)
	fmt.Println(session.UserID(), err)
	// Output:
	// <nil>
	// kii: CompleteResetPassword: 403 INVALID_VERIFICATION_CODE
	// <nil>
	// alice-id <nil>
}

// A password that Kii Cloud would refuse costs no PIN.
func ExampleUser_CompleteResetPassword_password() {
	client, srv := inMemory()
	defer srv.Close()

	newPassword := "abc"
	err := client.User.CompleteResetPassword(context.Background(), "alice-id", "042424", &newPassword)
	fmt.Println(err)
	// Output: kii: newPassword must be 4 to 50 printable ASCII characters
}

func ExampleUser_Login() {
	client, srv := inMemory()
	defer srv.Close()
	ctx := context.Background()

	session, err := client.User.Login(ctx, "alice", "old-password")
	fmt.Println(session.UserID(), err)
	_, err = client.User.Login(ctx, "alice", "a typo")
	fmt.Println(errors.Is(err, kii.ErrWrongCredentials))
	// Output:
	// alice-id <nil>
	// true
}

// A token outlives the process if it is kept, with the care that a password gets.
func ExampleUser_Resume() {
	client, srv := inMemory()
	defer srv.Close()
	ctx := context.Background()
	session, err := client.User.Login(ctx, "alice", "old-password")
	if err != nil {
		panic(err)
	}
	kept, err := json.Marshal(session.Token())
	if err != nil {
		panic(err)
	}

	var token kii.Token
	if err := json.Unmarshal(kept, &token); err != nil {
		panic(err)
	}
	session, err = client.User.Resume(token)
	fmt.Println(session.UserID(), err)
	// Output: alice-id <nil>
}
