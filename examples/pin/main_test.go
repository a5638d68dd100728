package main

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/examples/internal/demo"
	"github.com/go-kii/kii/kiitest"
)

func TestStoryRunsByItselfWithoutEnvironment(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), func(string) string { return "" }, strings.NewReader(""), &out))
	rest := out.String()
	for _, step := range []string{
		"Logged in with the old password", "accepted the request", "[SMS to", "not the PIN that was sent",
		"The password is reset", "*kii.SessionError", "Logged in with the new password",
	} {
		_, after, found := strings.Cut(rest, step)
		require.True(t, found, "step %q is missing or out of order", step)
		rest = after
	}
}

func TestStoryAsksOnTheTerminalWithEnvironment(t *testing.T) {
	t.Parallel()
	srv := kiitest.NewServer(kiitest.WithTest(t), kiitest.WithPIN("042424"),
		kiitest.WithSettings(func(s *kiitest.Settings) { s.ResetFlow = kiitest.InputPassword }))
	id := srv.AddAccount(kiitest.Account{Phone: demo.Phone, PhoneVerified: true, Password: "forgotten"})
	env := map[string]string{"KII_APP_ID": srv.AppID(), "KII_APP_KEY": srv.AppKey(), "KII_SITE": string(srv.Site())}

	answers := strings.NewReader(demo.Phone + "\nchosen-one\n111111\n042424\n")
	require.NoError(t, run(t.Context(), func(key string) string { return env[key] }, answers, io.Discard))
	account, ok := srv.Account(id)
	require.True(t, ok)
	assert.True(t, account.Password == "chosen-one", "the account has another password than the one typed")
}

func TestWrongEnvironmentIsNamed(t *testing.T) {
	t.Parallel()
	env := map[string]string{"KII_APP_ID": "app", "KII_APP_KEY": "key", "KII_SITE": "JP"}
	err := run(t.Context(), func(key string) string { return env[key] }, strings.NewReader(""), io.Discard)
	require.ErrorContains(t, err, "kii.SiteJP")
}
