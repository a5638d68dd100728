package kiitest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"time"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// A PIN by SMS: the user types it into a page of yours, with a new password.
func Example_smsPIN() {
	srv := kiitest.NewServer(kiitest.WithSettings(func(s *kiitest.Settings) { s.ResetFlow = kiitest.InputPassword }))
	defer srv.Close()
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site())
	if err != nil {
		log.Fatal(err)
	}
	srv.AddAccount(kiitest.Account{LoginName: "alice", Phone: "+819012341234", PhoneVerified: true, Password: "old-pass"})
	ctx := context.Background()

	if err := client.User.ResetPassword(ctx, "+819012341234", kii.NotificationSMSPIN); err != nil {
		log.Fatal(err)
	}
	msg, _ := srv.LastMessage("+819012341234")
	fmt.Println(msg.Channel, len(msg.PIN), "digits")

	err = client.User.CompleteResetPassword(ctx, "+819012341234", "000000", new("new-pass"))
	fmt.Println("wrong PIN:", errors.Is(err, kii.ErrWrongPIN))
	err = client.User.CompleteResetPassword(ctx, "+819012341234", msg.PIN, new("new-pass"))
	fmt.Println("right PIN:", err)
	_, err = client.User.Login(ctx, "LOGIN_NAME:alice", "new-pass")
	fmt.Println("login:", err)
	// Output:
	// SMS 6 digits
	// wrong PIN: true
	// right PIN: <nil>
	// login: <nil>
}

// A link by e-mail, in an app that generates passwords: opening the link is the reset.
func Example_emailLink() {
	srv := kiitest.NewServer()
	defer srv.Close()
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site())
	if err != nil {
		log.Fatal(err)
	}
	srv.AddAccount(kiitest.Account{Email: "alice@example.com", EmailVerified: true, Password: "old-pass"})
	ctx := context.Background()

	if err := client.User.ResetPassword(ctx, "alice@example.com", kii.NotificationEmail); err != nil {
		log.Fatal(err)
	}
	msg, _ := srv.LastMessage("alice@example.com")
	fmt.Println(msg.Channel, msg.Subject)

	page, err := http.Get(msg.Link)
	if err != nil {
		log.Fatal(err)
	}
	page.Body.Close()
	msg, _ = srv.LastMessage("alice@example.com")
	fmt.Println(msg.Channel, msg.Subject)
	_, err = client.User.Login(ctx, "alice@example.com", msg.Password)
	fmt.Println("login:", err)
	// Output:
	// EMAIL Reset your password
	// EMAIL Your new password
	// login: <nil>
}

// A link by SMS, in an app whose users choose: the link leads to a form.
func Example_smsLink() {
	srv := kiitest.NewServer(kiitest.WithSettings(func(s *kiitest.Settings) { s.ResetFlow = kiitest.InputPassword }))
	defer srv.Close()
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site())
	if err != nil {
		log.Fatal(err)
	}
	id := srv.AddAccount(kiitest.Account{LoginName: "alice", Phone: "+819012341234", PhoneVerified: true, Password: "old-pass"})
	ctx := context.Background()

	if err := client.User.ResetPassword(ctx, id, kii.NotificationSMS); err != nil {
		log.Fatal(err)
	}
	msg, _ := srv.LastMessage(id)
	page, err := http.PostForm(msg.Link, url.Values{"password": {"new-pass"}, "confirm": {"new-pass"}})
	if err != nil {
		log.Fatal(err)
	}
	page.Body.Close()
	fmt.Println(page.Status)
	_, err = client.User.Login(ctx, "LOGIN_NAME:alice", "new-pass")
	fmt.Println("login:", err)
	// Output:
	// 200 OK
	// login: <nil>
}

// The answer is lost, but the SMS went out: what does the program do that cannot know?
func ExampleServer_Inject() {
	srv := kiitest.NewServer()
	defer srv.Close()
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site())
	if err != nil {
		log.Fatal(err)
	}
	id := srv.AddAccount(kiitest.Account{Phone: "+819012341234", PhoneVerified: true, Password: "old-pass"})

	srv.Inject(kiitest.Fault{Operation: kiitest.OpRequestReset, Kind: kiitest.FaultNoAnswer, Handled: true})
	err = client.User.ResetPassword(context.Background(), id, kii.NotificationSMSPIN)
	fmt.Println("unknown:", kii.OutcomeUnknown(err))
	fmt.Println("messages:", len(srv.Messages()))
	fmt.Println("calls:", srv.Calls())
	// Output:
	// unknown: true
	// messages: 1
	// calls: [Call{1 POST request-reset 0 }]
}

// A program that asks in the background.
func ExampleServer_WaitMessage() {
	srv := kiitest.NewServer()
	defer srv.Close()
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site())
	if err != nil {
		log.Fatal(err)
	}
	id := srv.AddAccount(kiitest.Account{Phone: "+819012341234", PhoneVerified: true, Password: "old-pass"})
	go client.User.ResetPassword(context.Background(), id, kii.NotificationSMSPIN)

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	msg, err := srv.WaitMessage(ctx, kiitest.Filter{To: id, Purpose: kiitest.ResetPIN})
	fmt.Println(msg, err)
	// Output: Message{1 SMS RESET_PIN PENDING} <nil>
}

// A mail provider's scanner opens the link before the user does, which in an app that generates
// passwords resets it.
func ExampleServer_VisitLinks() {
	srv := kiitest.NewServer()
	defer srv.Close()
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site())
	if err != nil {
		log.Fatal(err)
	}
	id := srv.AddAccount(kiitest.Account{Email: "alice@example.com", EmailVerified: true, Password: "old-pass"})
	if err := client.User.ResetPassword(context.Background(), id, kii.NotificationEmail); err != nil {
		log.Fatal(err)
	}

	fmt.Println("visited:", srv.VisitLinks(kiitest.Filter{To: id}))
	_, err = client.User.Login(context.Background(), "alice@example.com", "old-pass")
	fmt.Println("old password is dead:", errors.Is(err, kii.ErrWrongCredentials))
	// Output:
	// visited: 1
	// old password is dead: true
}

// Time without waiting, and without a bubble.
func ExampleServer_Advance() {
	srv := kiitest.NewServer()
	defer srv.Close()
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site())
	if err != nil {
		log.Fatal(err)
	}
	id := srv.AddAccount(kiitest.Account{Phone: "+819012341234", PhoneVerified: true, Password: "old-pass"})
	if err := client.User.ResetPassword(context.Background(), id, kii.NotificationSMSPIN); err != nil {
		log.Fatal(err)
	}
	msg, _ := srv.LastMessage(id)
	srv.Advance(10 * time.Minute)
	err = client.User.CompleteResetPassword(context.Background(), id, msg.PIN, nil)
	fmt.Println(errors.Is(err, kii.ErrPINExpired))
	// Output: true
}

// Where Kii Cloud does not tell how it behaves, try both ways.
func ExampleWithAssumption() {
	for _, holds := range []bool{true, false} {
		srv := kiitest.NewServer(kiitest.WithAssumption(kiitest.UnverifiedAddressIsUnknown, holds))
		defer srv.Close()
		client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site())
		if err != nil {
			log.Fatal(err)
		}
		srv.AddAccount(kiitest.Account{Email: "alice@example.com", Password: "old-pass"})
		err = client.User.ResetPassword(context.Background(), "alice@example.com", kii.NotificationEmail)
		code, _ := errors.AsType[kii.ErrorCode](err)
		fmt.Println(string(code))
	}
	// Output:
	// USER_NOT_FOUND
	// INVALID_STATUS
}
