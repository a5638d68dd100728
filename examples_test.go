package kii_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"time"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

func ExampleNew() {
	client, err := kii.New("my-app", "my-key", kii.SiteJP,
		kii.WithTimeout(10*time.Second),
		kii.WithUserAgent("myapp/1.2"),
	)
	fmt.Println(client != nil, err)
	// Output: true <nil>
}

// A test that counts goroutines, such as one with goleak, closes what is kept first.
func ExampleClient_CloseIdleConnections() {
	client, srv := inMemory()
	defer srv.Close()
	defer client.CloseIdleConnections()
	fmt.Println(client.User.ResetPassword(context.Background(), "bob", kii.NotificationEmail) != nil)
	// Output: true
}

// One client serves all goroutines of a program.
func ExampleClient() {
	client, srv := inMemory()
	defer srv.Close()

	forgotPage := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := client.User.ResetPassword(r.Context(), r.FormValue("id"), kii.NotificationEmail)
		slog.DebugContext(r.Context(), "asked for a reset", "error", err)
		fmt.Fprint(w, "If we know you, an e-mail is on its way.") // whatever err is
	})
	answer := httptest.NewRecorder()
	forgotPage.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/forgot?id=bob", nil))
	fmt.Println(answer.Body)
	// Output: If we know you, an e-mail is on its way.
}

func ExampleSite() {
	_, err := kii.New("my-app", "my-key", kii.Site("https://kii.example.com/api"))
	fmt.Println(err)
	// Output: <nil>
}

func ExampleNotificationMethod() {
	client, srv := inMemory()
	defer srv.Close()

	for _, method := range []kii.NotificationMethod{kii.NotificationEmail, kii.NotificationSMS, kii.NotificationSMSPIN} {
		if err := client.User.ResetPassword(context.Background(), "alice-id", method); err != nil {
			panic(err)
		}
		msg, _ := srv.LastMessage("alice-id")
		fmt.Printf("%s: %s with a link %t, with a PIN %t\n", method, msg.Channel, msg.Link != "", msg.PIN != "")
	}
	// Output:
	// EMAIL: EMAIL with a link true, with a PIN false
	// SMS: SMS with a link true, with a PIN false
	// SMS_PIN: SMS with a link false, with a PIN true
}

// Of two options of a kind the last one wins, so a program's own can go before its user's.
func ExampleOption() {
	opts := []kii.Option{kii.WithMaxRetries(0), kii.WithTimeout(time.Second)}
	opts = append(opts, kii.WithTimeout(time.Minute))
	_, err := kii.New("my-app", "my-key", kii.SiteUS, opts...)
	fmt.Println(err)
	// Output: <nil>
}

// A transport of your own, here one that keeps more connections for a busy server than net/http
// does, and closes them before most servers do.
func ExampleWithHTTPClient() {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	transport.IdleConnTimeout = 30 * time.Second
	_, err := kii.New("my-app", "my-key", kii.SiteUS, kii.WithHTTPClient(&http.Client{Transport: transport}))
	fmt.Println(err)
	// Output: <nil>
}

func ExampleWithTimeout() {
	_, err := kii.New("my-app", "my-key", kii.SiteUS, kii.WithTimeout(0))
	fmt.Println(err)
	// Output: kii: d of WithTimeout must be positive
}

// Not even a failed dial is tried again.
func ExampleWithMaxRetries() {
	_, err := kii.New("my-app", "my-key", kii.SiteUS, kii.WithMaxRetries(0))
	fmt.Println(err)
	// Output: <nil>
}

func ExampleWithLogger() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "duration" {
				return slog.Attr{} // they differ from run to run
			}
			return a
		},
	}))
	srv := kiitest.NewServer()
	defer srv.Close()
	srv.AddAccount(kiitest.Account{Email: "alice@example.com", EmailVerified: true, Password: "old-password"})
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site(), kii.WithLogger(logger))
	if err != nil {
		panic(err)
	}

	_ = client.User.ResetPassword(context.Background(), "alice@example.com", kii.NotificationEmail)
	_ = client.User.ResetPassword(context.Background(), "bob@example.com", kii.NotificationEmail)
	// Output:
	// level=DEBUG msg="kii call" op=ResetPassword status=204 attempts=1 host=127.0.0.1
	// level=INFO msg="kii call" op=ResetPassword status=404 error="kii: ResetPassword: 404 USER_NOT_FOUND" outcome_unknown=false code=USER_NOT_FOUND attempts=1 host=127.0.0.1
}

func ExampleWithUserAgent() {
	srv := kiitest.NewServer()
	defer srv.Close()
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site(), kii.WithUserAgent("myapp/1.2"))
	if err != nil {
		panic(err)
	}
	_ = client.User.ResetPassword(context.Background(), "alice@example.com", kii.NotificationEmail)
	fmt.Println(srv.Calls()[0].Header.Get("User-Agent"))
	// Output: myapp/1.2 kii-go/0.1.0
}

// A plain http site is refused, because all that is sent there can be read on the way.
func ExampleWithInsecureHTTP() {
	_, err := kii.New("my-app", "my-key", "http://kii.internal/api")
	fmt.Println(err)
	_, err = kii.New("my-app", "my-key", "http://kii.internal/api", kii.WithInsecureHTTP())
	fmt.Println(err)
	// Output:
	// kii: site must be https, or http if it is loopback or WithInsecureHTTP is given
	// <nil>
}

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

// A web site that keeps tokens lets one request at a time refresh a user's token, and the others
// read the new one. If there are several processes, the lock is the store's, such as that of a row.
func ExampleSession_Refresh_keptToken() {
	client, srv := inMemory(kiitest.WithSettings(func(s *kiitest.Settings) { s.RefreshTokens = true }))
	defer srv.Close()
	ctx := context.Background()
	session, err := client.User.Login(ctx, "alice", "old-password")
	if err != nil {
		panic(err)
	}
	var mu sync.Mutex
	kept := session.Token()
	kept.Expiry = time.Now().Add(time.Minute) // as it is after a while

	resume := func(ctx context.Context) (*kii.Session, error) {
		mu.Lock()
		defer mu.Unlock()
		session, err := client.User.Resume(kept)
		if err == nil && !kept.Expiry.IsZero() && time.Until(kept.Expiry) < 5*time.Minute {
			err = session.Refresh(context.WithoutCancel(ctx)) // so that the new token is kept even if the visitor leaves
			kept = session.Token()
		}
		return session, err
	}

	srv.Inject(kiitest.Fault{Operation: kiitest.OpRefresh, Kind: kiitest.FaultDelay, Delay: 20 * time.Millisecond, Handled: true})
	left, leave := context.WithTimeout(ctx, time.Millisecond) // one of the two visitors
	defer leave()
	var requests sync.WaitGroup
	for _, ctx := range []context.Context{ctx, left} {
		requests.Go(func() {
			session, err := resume(ctx)
			if err == nil {
				_, err = session.Profile(ctx)
			}
			fmt.Println(err)
		})
	}
	requests.Wait()
	fmt.Println("refreshed", len(srv.Calls(kiitest.OpRefresh)), "time")
	// Unordered output:
	// <nil>
	// kii: Profile: not sent: context deadline exceeded
	// refreshed 1 time
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

// A code that this library does not know can be told apart, too.
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
	answer, _ := errors.AsType[*kii.APIError](err)
	fmt.Println(answer.Code)
	fmt.Println(answer.Reason)
	// Output:
	// <nil>
	// invalid_grant
	// no token for the administrator: check the ClientID and ClientSecret given to Client.Admin
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

// Disabled and enabled again, a user has to log in anew.
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
