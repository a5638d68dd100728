package kii_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

func ExampleErrorCode() {
	client, srv := inMemory()
	defer srv.Close()
	ctx := context.Background()
	if err := client.User.ResetPassword(ctx, "alice-id", kii.NotificationSMSPIN); err != nil {
		panic(err)
	}
	sms, _ := srv.LastMessage("alice-id")
	srv.Advance(time.Hour)

	err := client.User.CompleteResetPassword(ctx, "alice-id", sms.PIN, nil)
	switch code, _ := errors.AsType[kii.ErrorCode](err); code {
	case kii.ErrWrongPIN:
		fmt.Println("This is not the PIN that we sent. Try again.")
	case kii.ErrPINExpired:
		fmt.Println("This PIN has expired. Ask for another one.")
	}
	// Output: This PIN has expired. Ask for another one.
}

// A code that this library does not know is told apart all the same.
func ExampleErrorCode_unknown() {
	client, srv := inMemory()
	defer srv.Close()
	srv.Inject(kiitest.Fault{Kind: kiitest.FaultStatus, Status: http.StatusConflict, ErrorCode: "SOMETHING_NEW"})

	err := client.User.ResetPassword(context.Background(), "alice-id", kii.NotificationEmail)
	fmt.Println(errors.Is(err, kii.ErrorCode("SOMETHING_NEW")))
	// Output: true
}

func ExampleArgumentError() {
	_, err := kii.New("my-app", "my-key", "US")
	refused, _ := errors.AsType[*kii.ArgumentError](err)
	fmt.Println(refused.Name)
	fmt.Println(refused)
	// Output:
	// site
	// kii: site is a base URL, not a name: use kii.SiteUS, which is https://api.kii.com/api
}

func ExampleTransportError() {
	client, srv := inMemory()
	srv.Close()

	err := client.User.ResetPassword(context.Background(), "alice-id", kii.NotificationEmail)
	failure, _ := errors.AsType[*kii.TransportError](err)
	fmt.Println(failure.Op, failure.NotSent)
	// Output: ResetPassword true
}

func ExampleAPIError() {
	client, srv := inMemory(kiitest.WithSettings(func(s *kiitest.Settings) {
		s.ResetFlow, s.MinPasswordLength = kiitest.InputPassword, 8
	}))
	defer srv.Close()
	ctx := context.Background()
	if err := client.User.ResetPassword(ctx, "alice-id", kii.NotificationSMSPIN); err != nil {
		panic(err)
	}
	sms, _ := srv.LastMessage("alice-id")

	newPassword := "short"
	err := client.User.CompleteResetPassword(ctx, "alice-id", sms.PIN, &newPassword)
	if answer, ok := errors.AsType[*kii.APIError](err); ok && answer.Code == kii.ErrPasswordTooShort {
		fmt.Println(answer)
		fmt.Printf("Choose a password of %d characters or more.\n", answer.MinPasswordLength)
	}
	// Output:
	// kii: CompleteResetPassword: 400 PASSWORD_TOO_SHORT
	// Choose a password of 8 characters or more.
}

// Kii Cloud documents no wait for its rate limit, so have one of your own.
func ExampleAPIError_rateLimit() {
	client, srv := inMemory()
	defer srv.Close()
	srv.Inject(kiitest.Fault{Kind: kiitest.FaultRateLimit})

	err := client.User.ResetPassword(context.Background(), "alice-id", kii.NotificationEmail)
	if answer, ok := errors.AsType[*kii.APIError](err); ok && answer.Code == kii.ErrRateLimited {
		wait := answer.RetryAfter
		if wait == 0 {
			wait = time.Minute
		}
		fmt.Println("Try again in", wait)
	}
	// Output: Try again in 1m0s
}

func ExampleSessionError() {
	client, srv := inMemory()
	defer srv.Close()
	session, err := client.User.Resume(kii.Token{UserID: "alice-id", AccessToken: "a dead one"})
	if err != nil {
		panic(err)
	}

	_, err = session.Profile(context.Background())
	over, _ := errors.AsType[*kii.SessionError](err)
	fmt.Println(over.UserID, errors.Is(over, kii.ErrWrongToken))
	// Output: alice-id true
}

// The answer is lost although the password was reset. A login tells.
func ExampleOutcomeUnknown() {
	client, srv := inMemory(kiitest.WithSettings(func(s *kiitest.Settings) { s.ResetFlow = kiitest.InputPassword }))
	defer srv.Close()
	ctx := context.Background()
	if err := client.User.ResetPassword(ctx, "alice-id", kii.NotificationSMSPIN); err != nil {
		panic(err)
	}
	sms, _ := srv.LastMessage("alice-id")
	srv.Inject(kiitest.Fault{Operation: kiitest.OpCompleteReset, Kind: kiitest.FaultNoAnswer, Handled: true})

	newPassword := "new-password"
	err := client.User.CompleteResetPassword(ctx, "alice-id", sms.PIN, &newPassword)
	fmt.Println(kii.OutcomeUnknown(err))
	_, err = client.User.Login(ctx, "alice", newPassword)
	fmt.Println(err)
	// Output:
	// true
	// <nil>
}

func ExampleRevealsAccount() {
	client, srv := inMemory()
	defer srv.Close()
	ctx := context.Background()

	fmt.Println(kii.RevealsAccount(client.User.ResetPassword(ctx, "bob@example.com", kii.NotificationEmail)))
	srv.Inject(kiitest.Fault{Kind: kiitest.FaultRateLimit})
	fmt.Println(kii.RevealsAccount(client.User.ResetPassword(ctx, "bob@example.com", kii.NotificationEmail)))
	// Output:
	// true
	// false
}
