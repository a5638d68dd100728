package main

import (
	"bytes"
	"io"
	"strings"
	"testing"

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
		"Logged in with the old password", "accepted the request", "[EMAIL to", "opens the link",
		"*kii.SessionError", "Logged in with the new password",
	} {
		_, after, found := strings.Cut(rest, step)
		require.True(t, found, "step %q is missing or out of order", step)
		rest = after
	}
}

func TestWhatCannotBeThePasswordIsNot(t *testing.T) {
	t.Parallel()
	for _, typed := range []string{"", "not it", strings.Repeat("x", 51)} {
		srv := kiitest.NewServer(kiitest.WithTest(t))
		srv.AddAccount(kiitest.Account{Email: demo.Email, EmailVerified: true, Password: "forgotten"})
		env := map[string]string{"KII_APP_ID": srv.AppID(), "KII_APP_KEY": srv.AppKey(), "KII_SITE": string(srv.Site())}
		answers := strings.NewReader(demo.Email + "\n" + typed + "\n")
		err := run(t.Context(), func(key string) string { return env[key] }, answers, io.Discard)
		require.ErrorContains(t, err, "this is not the password", typed)
	}
}
