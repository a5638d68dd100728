package kii_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
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

// A transport of your own, here one that keeps more connections for a busy server than net/http does.
func ExampleWithHTTPClient() {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
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
	// level=DEBUG msg="kii call" op=ResetPassword status=204
	// level=WARN msg="kii call" op=ResetPassword status=404 error="kii: ResetPassword: 404 USER_NOT_FOUND" outcome_unknown=false
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
	// kii: site must be https, unless it is loopback or WithInsecureHTTP is given
	// <nil>
}
