// Command otel traces calls to Kii Cloud with OpenTelemetry's otelhttp, so that no span tells whose
// password is reset.
//
//	go -C examples/otel run .
//
// plays a reset on an in-memory Kii Cloud and prints each span as it ends.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

func main() {
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "Plays a reset on an in-memory Kii Cloud and prints each span. It takes no arguments.")
	}
	if flag.Parse(); flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(printer{out}))
	defer func() { _ = provider.Shutdown(ctx) }() // the printer has nothing to fail at

	srv := kiitest.NewServer()
	defer srv.Close()
	const phone = "+819012345678"
	srv.AddAccount(kiitest.Account{Phone: phone, PhoneVerified: true, Password: "old-password"})

	// A real one wants what Go's default transport has, time limits above all.
	transport := newTransport(new(http.Transport), otelhttp.WithTracerProvider(provider))
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site(), kii.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		return err
	}
	if err := client.User.ResetPassword(ctx, phone, kii.NotificationSMSPIN); err != nil {
		return err
	}
	sms, _ := srv.LastMessage(phone)
	if err := client.User.CompleteResetPassword(ctx, phone, sms.PIN, nil); err != nil {
		return err
	}
	sms, _ = srv.LastMessage(phone)
	session, err := client.User.Login(ctx, phone, sms.Password)
	if err != nil {
		return err
	}
	_, err = session.Profile(ctx)
	return err
}

// printer is where an exporter to your collector would be.
type printer struct{ out io.Writer }

func (p printer) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	for _, span := range spans {
		fmt.Fprintln(p.out, span.Name())
		for _, a := range span.Attributes() {
			fmt.Fprintf(p.out, "  %s = %s\n", a.Key, a.Value.String())
		}
	}
	return nil
}

func (printer) Shutdown(context.Context) error { return nil }
