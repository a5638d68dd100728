package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

func TestStoryPrintsASpanForEachCall(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	rest := out.String()
	for _, name := range []string{
		"POST /users/:user/password/request-reset\n", "POST /users/:user/password/complete-reset\n",
		"POST /oauth2/token\n", "GET /users/me\n",
	} {
		_, after, found := strings.Cut(rest, name)
		require.True(t, found, "span %q is missing or out of order", name)
		rest = after
	}
}

// As of the other examples, -h is answered, and an argument that nobody would read is refused.
func TestItTakesNoArguments(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "otel.exe")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	for argument, code := range map[string]int{"-h": 0, "-x": 2, "alice@example.com": 2} {
		cmd := exec.CommandContext(t.Context(), program, argument)
		printed, _ := cmd.CombinedOutput()
		assert.Equal(t, code, cmd.ProcessState.ExitCode(), argument)
		assert.Contains(t, string(printed), "takes no arguments", argument)
		assert.NotContains(t, string(printed), "POST", argument)
	}
}

// play makes every call, with and without success, and returns all that the spans hold and what
// they must not hold.
func play(t *testing.T, wrap func(http.RoundTripper, ...otelhttp.Option) http.RoundTripper) (spans tracetest.SpanStubs, secrets []string) {
	srv := kiitest.NewServer(kiitest.WithSettings(func(s *kiitest.Settings) {
		s.ResetFlow, s.RefreshTokens = kiitest.InputPassword, true
	}))
	defer srv.Close()
	id := srv.AddAccount(kiitest.Account{
		LoginName: "marker-login", Email: "marker@example.com", EmailVerified: true,
		Phone: "+819087654321", PhoneVerified: true, Password: "marker-old",
	})
	exporter := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	transport := wrap(new(http.Transport), otelhttp.WithTracerProvider(provider))
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site(), kii.WithHTTPClient(&http.Client{Transport: transport}))
	require.NoError(t, err)
	ctx := t.Context()

	for _, name := range []string{id, "marker@example.com", "+819087654321", "PHONE:JP-09087654321", "LOGIN_NAME:marker-login", "marker-nobody"} {
		err := client.User.ResetPassword(ctx, name, kii.NotificationSMSPIN)
		require.True(t, err == nil || kii.RevealsAccount(err))
	}
	sms, ok := srv.LastMessage(id)
	require.True(t, ok)
	newPassword := "marker-new"
	require.ErrorIs(t, client.User.CompleteResetPassword(ctx, id, "marker-pin", &newPassword), kii.ErrWrongPIN)
	require.NoError(t, client.User.CompleteResetPassword(ctx, id, sms.PIN, &newPassword))
	session, err := client.User.Login(ctx, "marker@example.com", newPassword)
	require.NoError(t, err)
	first := session.Token()
	require.NoError(t, session.Refresh(ctx))
	second := session.Token()
	_, err = session.Profile(ctx)
	require.NoError(t, err)
	srv.Inject(kiitest.Fault{Kind: kiitest.FaultNoAnswer, Times: kiitest.EveryTime}) // net/http may ask twice
	_, err = session.Profile(ctx)
	require.True(t, kii.OutcomeUnknown(err))
	srv.ClearFaults()
	require.NoError(t, session.ChangePassword(ctx, newPassword, "marker-third"))

	return exporter.GetSpans(), []string{
		id, "marker", "9087654321", sms.PIN, srv.AppID(), srv.AppKey(),
		first.AccessToken, first.RefreshToken, second.AccessToken, second.RefreshToken,
	}
}

// shown is all that a collector gets to see of the spans, their random IDs and times apart.
func shown(spans tracetest.SpanStubs) string {
	var b strings.Builder
	for _, s := range spans {
		fmt.Fprintln(&b, s.Name, s.Status, s.Events, s.Links, s.Resource, s.InstrumentationScope, s.SpanContext.TraceState())
		for _, a := range s.Attributes {
			fmt.Fprintln(&b, a.Key, a.Value.String())
		}
	}
	return b.String()
}

func TestNoSpanHoldsAnAccountOrASecret(t *testing.T) {
	t.Parallel()
	spans, secrets := play(t, newTransport)
	require.Len(t, spans, 13, "a span each call")
	text := shown(spans)
	for i, secret := range secrets {
		assert.NotContains(t, text, secret, "secret %d is in a span", i)
	}
	assert.Contains(t, text, "/users/:user/password/complete-reset")
	assert.Contains(t, text, "http.response.status_code")
}

// The control: what the test above looks for is there without newTransport.
func TestOtelhttpAloneShowsTheAccount(t *testing.T) {
	t.Parallel()
	spans, secrets := play(t, func(rt http.RoundTripper, opts ...otelhttp.Option) http.RoundTripper {
		return otelhttp.NewTransport(rt, opts...)
	})
	assert.Contains(t, shown(spans), secrets[0])
}

func TestErrorsReachTheLibraryAndNotTheSpan(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = conn.Write([]byte("marker-echo\r\n\r\n")) // no HTTP, which net/http quotes
			_ = conn.Close()
		}
	}()
	exporter := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	transport := newTransport(new(http.Transport), otelhttp.WithTracerProvider(provider))
	client, err := kii.New("app", "key", kii.Site("http://"+listener.Addr().String()), kii.WithHTTPClient(&http.Client{Transport: transport}))
	require.NoError(t, err)

	err = client.User.ResetPassword(t.Context(), "marker-user", kii.NotificationEmail)
	assert.True(t, kii.OutcomeUnknown(err))
	require.NoError(t, listener.Close())
	err = client.User.ResetPassword(t.Context(), "marker-user", kii.NotificationEmail)
	assert.False(t, kii.OutcomeUnknown(err))
	require.ErrorIs(t, err, syscall.ECONNREFUSED)

	text := shown(exporter.GetSpans())
	assert.Contains(t, text, "no answer")
	assert.NotContains(t, text, "marker", "the server's words are in a span")
}
