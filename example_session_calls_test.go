package kii_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// A session that was resumed without a UserID learns it from the profile.
func ExampleSession_UserID() {
	client, srv := inMemory()
	defer srv.Close()
	ctx := context.Background()
	session, err := client.User.Login(ctx, "alice", "old-password")
	if err != nil {
		panic(err)
	}

	resumed, err := client.User.Resume(kii.Token{AccessToken: session.Token().AccessToken})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%q\n", resumed.UserID())
	if _, err := resumed.Profile(ctx); err != nil {
		panic(err)
	}
	fmt.Printf("%q\n", resumed.UserID())
	// Output:
	// ""
	// "alice-id"
}

func ExampleSession_Token() {
	client, srv := inMemory()
	defer srv.Close()
	session, err := client.User.Login(context.Background(), "alice", "old-password")
	if err != nil {
		panic(err)
	}
	token := session.Token()
	fmt.Println(token.UserID, len(token.AccessToken) > 0, token.RefreshToken == "")
	// Output: alice-id true true
}

// Whether a reset can work is known beforehand of a user who is logged in.
func ExampleSession_Profile() {
	client, srv := inMemory()
	defer srv.Close()
	ctx := context.Background()
	session, err := client.User.Login(ctx, "alice", "old-password")
	if err != nil {
		panic(err)
	}
	profile, err := session.Profile(ctx)
	if err != nil {
		panic(err)
	}
	hasPassword := profile.HasPassword == nil || *profile.HasPassword
	fmt.Println("by e-mail:", hasPassword && profile.EmailVerified)
	fmt.Println("by SMS:", hasPassword && profile.PhoneVerified)
	// Output:
	// by e-mail: true
	// by SMS: true
}

func ExampleSession_ChangePassword() {
	client, srv := inMemory()
	defer srv.Close()
	ctx := context.Background()
	session, err := client.User.Login(ctx, "alice", "old-password")
	if err != nil {
		panic(err)
	}

	err = session.ChangePassword(ctx, "a typo", "new-password")
	fmt.Println(errors.Is(err, kii.ErrWrongPassword), session.Err())
	err = session.ChangePassword(ctx, "old-password", "new-password")
	fmt.Println(err)
	fmt.Println(session.Err())
	// Output:
	// true <nil>
	// <nil>
	// kii: the session is over, log in again: the password was changed
}

// Refresh tokens are switched on in the portal's settings.
func ExampleSession_Refresh() {
	client, srv := inMemory(kiitest.WithSettings(func(s *kiitest.Settings) { s.RefreshTokens = true }))
	defer srv.Close()
	ctx := context.Background()
	session, err := client.User.Login(ctx, "alice", "old-password")
	if err != nil {
		panic(err)
	}

	before := session.Token()
	fmt.Println(session.Refresh(ctx))
	fmt.Println(session.Token().AccessToken != before.AccessToken) // keep the new one
	// Output:
	// <nil>
	// true
}

func ExampleSession_Err() {
	client, srv := inMemory()
	defer srv.Close()
	ctx := context.Background()
	session, err := client.User.Resume(kii.Token{AccessToken: "a dead one"})
	if err != nil {
		panic(err)
	}

	fmt.Println(session.Err()) // nothing was sent so far
	_, err = session.Profile(ctx)
	fmt.Println(err == session.Err())
	fmt.Println(session.Err())
	// Output:
	// <nil>
	// true
	// kii: the session is over, log in again: kii: Profile: 403 WRONG_TOKEN
}

// Tokens and profiles print nothing that is secret or personal. Read their fields for that.
func ExampleToken() {
	token := kii.Token{UserID: "alice-id", AccessToken: "secret"}
	fmt.Printf("%v %+v\n", token, token)
	// Output: kii.Token[redacted] kii.Token[redacted]
}

func ExampleProfile() {
	profile := &kii.Profile{LoginName: "alice", Email: "alice@example.com"}
	fmt.Printf("%v %s\n", profile, profile.LoginName)
	// Output: kii.Profile[redacted] alice
}
