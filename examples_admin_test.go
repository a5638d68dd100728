package kii_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// inMemoryAdmin returns an administrator of the Kii Cloud of inMemory.
func inMemoryAdmin(opts ...kiitest.Option) (*kii.Admin, *kii.Client, *kiitest.Server) {
	client, srv := inMemory(opts...)
	admin, err := client.Admin(srv.ClientID(), srv.ClientSecret())
	if err != nil {
		panic(err)
	}
	return admin, client, srv
}

// A support desk helps a user who is locked out: no address is verified, so no reset can work.
func ExampleAdmin() {
	admin, client, srv := inMemoryAdmin()
	defer srv.Close()
	srv.AddAccount(kiitest.Account{LoginName: "bob", Phone: "+819087654321", Password: "forgotten"})
	ctx := context.Background()

	profile, err := admin.User(ctx, "LOGIN_NAME:bob")
	if err != nil {
		panic(err)
	}
	fmt.Println("a reset by SMS can work:", profile.PhoneVerified)
	// First make sure that it is Bob who asks, and that this is his number. Nobody else does.
	fmt.Println(admin.SetPhone(ctx, profile.UserID, profile.Phone))
	fmt.Println(client.User.ResetPassword(ctx, profile.UserID, kii.NotificationSMSPIN))
	// Output:
	// a reset by SMS can work: false
	// <nil>
	// <nil>
}

// Values that are wrong show at the first call.
func ExampleClient_Admin() {
	client, srv := inMemory()
	defer srv.Close()

	admin, err := client.Admin("not-the-id", "not-the-secret")
	fmt.Println(err)
	_, err = admin.User(context.Background(), "alice-id")
	fmt.Println(errors.Is(err, kii.ErrWrongCredentials))
	fmt.Println(err)
	// Output:
	// <nil>
	// true
	// kii: User: 400 invalid_grant: no token for the administrator: check the ClientID and ClientSecret given to Client.Admin
}

func ExampleAdmin_User() {
	admin, _, srv := inMemoryAdmin()
	defer srv.Close()

	profile, err := admin.User(context.Background(), "alice@example.com")
	if err != nil {
		panic(err)
	}
	hasPassword := profile.HasPassword == nil || *profile.HasPassword
	fmt.Println("by e-mail:", hasPassword && profile.EmailVerified && !profile.Disabled)
	fmt.Println("by SMS:", hasPassword && profile.PhoneVerified && !profile.Disabled)
	// Output:
	// by e-mail: true
	// by SMS: true
}

// The user gets no message: your program hands the password over, and asks for it to be changed.
func ExampleAdmin_SetPassword() {
	admin, client, srv := inMemoryAdmin()
	defer srv.Close()
	ctx := context.Background()

	fmt.Println(admin.SetPassword(ctx, "alice-id", "for-the-first-login"))
	_, err := client.User.Login(ctx, "alice", "for-the-first-login")
	fmt.Println(err)
	// Output:
	// <nil>
	// <nil>
}

func ExampleAdmin_SetEmail() {
	admin, _, srv := inMemoryAdmin()
	defer srv.Close()
	ctx := context.Background()

	fmt.Println(admin.SetEmail(ctx, "alice-id", "alice@new.example.com"))
	profile, err := admin.User(ctx, "alice-id")
	fmt.Println(profile.Email, profile.EmailVerified, err)
	// Output:
	// <nil>
	// alice@new.example.com true <nil>
}

func ExampleAdmin_SetPhone() {
	admin, _, srv := inMemoryAdmin()
	defer srv.Close()
	ctx := context.Background()

	fmt.Println(admin.SetPhone(ctx, "alice-id", "+819087654321"))
	profile, err := admin.User(ctx, "alice-id")
	fmt.Println(profile.Phone, profile.PhoneVerified, err)
	// Output:
	// <nil>
	// +819087654321 true <nil>
}

// Disabled and enabled again, a user has lost every session for certain.
func ExampleAdmin_SetDisabled() {
	admin, client, srv := inMemoryAdmin()
	defer srv.Close()
	ctx := context.Background()
	session, err := client.User.Login(ctx, "alice", "old-password")
	if err != nil {
		panic(err)
	}

	fmt.Println(admin.SetDisabled(ctx, "alice-id", true))
	_, err = client.User.Login(ctx, "alice", "old-password")
	fmt.Println(errors.Is(err, kii.ErrUserDisabled))
	fmt.Println(admin.SetDisabled(ctx, "alice-id", false))
	_, err = session.Profile(ctx)
	fmt.Println(err)
	// Output:
	// <nil>
	// true
	// <nil>
	// kii: the session is over, log in again: kii: Profile: 403 WRONG_TOKEN
}
