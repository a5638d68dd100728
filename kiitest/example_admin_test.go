package kiitest_test

import (
	"context"
	"fmt"
	"log"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// A support tool sets a password for a user who has no verified address.
func ExampleServer_ClientID() {
	srv := kiitest.NewServer()
	defer srv.Close()
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site())
	if err != nil {
		log.Fatal(err)
	}
	admin, err := client.Admin(srv.ClientID(), srv.ClientSecret())
	if err != nil {
		log.Fatal(err)
	}
	id := srv.AddAccount(kiitest.Account{LoginName: "bob", Password: "forgotten"})
	ctx := context.Background()

	fmt.Println("set:", admin.SetPassword(ctx, id, "new-pass"))
	_, err = client.User.Login(ctx, "LOGIN_NAME:bob", "new-pass")
	fmt.Println("login:", err)
	// Output:
	// set: <nil>
	// login: <nil>
}

// A test that fails shows what the server knows and the error leaves open.
func ExampleCall() {
	srv := kiitest.NewServer()
	defer srv.Close()
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site())
	if err != nil {
		log.Fatal(err)
	}
	srv.AddAccount(kiitest.Account{LoginName: "bob", Email: "bob@example.com", Password: "forgotten"})

	_ = client.User.ResetPassword(context.Background(), "bob@example.com", kii.NotificationEmail)
	for _, call := range srv.Calls() {
		fmt.Println(call.Operation, call.Status, call.ErrorCode)
		fmt.Println(call.Why)
	}
	// Output:
	// request-reset 404 USER_NOT_FOUND
	// the e-mail address of bob is not verified
}

// Each test starts from the same users.
func ExampleServer_Restore() {
	srv := kiitest.NewServer()
	defer srv.Close()
	id := srv.AddAccount(kiitest.Account{LoginName: "bob", Password: "old-pass"})
	start := srv.Snapshot()

	srv.DeleteAccount(id)
	fmt.Println(len(srv.Accounts()), "users")
	if err := srv.Restore(start); err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(srv.Accounts()), "users")
	// Output:
	// 0 users
	// 1 users
}

// A form shows each reason beside the field that it is about.
func ExampleFieldErrors() {
	err := kiitest.Account{Email: "nowhere", Country: "japan"}.Validate()
	for _, field := range kiitest.FieldErrors(err) {
		fmt.Println(field.Field, field.Reason)
	}
	// Output:
	// Email must be name@host without spaces or colons before the @, and at most 256 bytes
	// Country must be two capital letters
}
