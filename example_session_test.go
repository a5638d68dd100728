package kii_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// A reset ends the sessions that were obtained with the old password. The program learns it at the
// next call, and sends the user to the login page.
func ExampleSession() {
	srv := kiitest.NewServer()
	defer srv.Close()
	srv.AddAccount(kiitest.Account{
		LoginName: "alice", Phone: "+819012345678", PhoneVerified: true, Password: "old-password",
	})
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site())
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	session, err := client.User.Login(ctx, "alice", "old-password")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(page(ctx, session))

	if err := resetByPIN(ctx, client, srv, "+819012345678"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(page(ctx, session)) // Kii Cloud says that the token is dead
	fmt.Println(page(ctx, session)) // known by now: nothing is sent
	fmt.Println(len(srv.Calls(kiitest.OpGetUser)), "requests")
	// Output:
	// Hello alice
	// Please log in again
	// Please log in again
	// 2 requests
}

// page says what to show to the user of a session.
func page(ctx context.Context, session *kii.Session) string {
	profile, err := session.Profile(ctx)
	if _, over := errors.AsType[*kii.SessionError](err); over {
		return "Please log in again"
	}
	if err != nil {
		return "Please try again later" // the session goes on
	}
	return "Hello " + profile.LoginName
}

// resetByPIN is what happens meanwhile in another browser.
func resetByPIN(ctx context.Context, client *kii.Client, srv *kiitest.Server, phone string) error {
	if err := client.User.ResetPassword(ctx, phone, kii.NotificationSMSPIN); err != nil {
		return err
	}
	sms, _ := srv.LastMessage(phone)
	return client.User.CompleteResetPassword(ctx, phone, sms.PIN, nil)
}
