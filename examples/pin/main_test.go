package main

import (
	"bytes"
	"fmt"
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

func TestWhoeverIsAskedForCanLogIn(t *testing.T) {
	t.Parallel()
	srv := kiitest.NewServer(kiitest.WithTest(t), kiitest.WithPIN("042424"))
	srv.SetSettings(func(s *kiitest.Settings) { s.ResetFlow = kiitest.InputPassword })
	srv.AddAccount(kiitest.Account{Email: demo.Email, EmailVerified: true, Phone: demo.Phone, PhoneVerified: true, Password: "forgotten"})
	env := map[string]string{"KII_APP_ID": srv.AppID(), "KII_APP_KEY": srv.AppKey(), "KII_SITE": string(srv.Site())}
	var out strings.Builder
	for i, name := range []string{demo.Email, demo.Phone} {
		answers := strings.NewReader(fmt.Sprintf("%s\nanother-%d\n042424\n", name, i))
		require.NoError(t, run(t.Context(), func(key string) string { return env[key] }, answers, &out))
	}
	assert.Contains(t, out.String(), "Whose password (e-mail, or phone with +)", "Kii documents no login by a user ID")
}

func TestWrongEnvironmentIsNamed(t *testing.T) {
	t.Parallel()
	env := map[string]string{"KII_APP_ID": "app", "KII_APP_KEY": "key", "KII_SITE": "JP"}
	err := run(t.Context(), func(key string) string { return env[key] }, strings.NewReader(""), io.Discard)
	require.ErrorContains(t, err, "kii.SiteJP")
}

func TestAShortPasswordIsToldTheLeastLength(t *testing.T) {
	t.Parallel()
	srv := kiitest.NewServer(kiitest.WithTest(t), kiitest.WithPIN("042424"), kiitest.WithSettings(func(s *kiitest.Settings) {
		s.ResetFlow, s.MinPasswordLength = kiitest.InputPassword, 12
	}))
	srv.AddAccount(kiitest.Account{Phone: demo.Phone, PhoneVerified: true, Password: "the-forgotten-one"})
	env := map[string]string{"KII_APP_ID": srv.AppID(), "KII_APP_KEY": srv.AppKey(), "KII_SITE": string(srv.Site())}
	var out strings.Builder
	answers := strings.NewReader(demo.Phone + "\nshort\n042424\nnow-long-enough\n")
	require.NoError(t, run(t.Context(), func(key string) string { return env[key] }, answers, &out))
	assert.Contains(t, out.String(), "Kii Cloud wants a password of at least 12 characters")
}

func TestEachEndTellsWhatHappenedAndWhatToDo(t *testing.T) {
	t.Parallel()
	const secret, pin = "brand new password", "042424"
	tests := []struct {
		name    string
		fault   kiitest.Fault
		flow    kiitest.ResetFlow
		answers string
		want    string // the error; empty: none
		told    string
	}{
		{"nobody", kiitest.Fault{}, kiitest.InputPassword, "nobody@example.com\n", "nothing was changed, because no user has this ID", ""},
		{"no answer", kiitest.Fault{}, kiitest.InputPassword, "", `no answer to "Whose password`, ""},
		{"no PIN", kiitest.Fault{}, kiitest.InputPassword, demo.Phone + "\n" + secret + "\n", `no answer to "PIN": EOF`, "accepted the request"},
		{"a PIN that is none", kiitest.Fault{}, kiitest.InputPassword, demo.Phone + "\n" + secret + "\n\n" + pin + "\n", "", "not the PIN that was sent"},
		{"a short password", kiitest.Fault{}, kiitest.InputPassword, demo.Phone + "\nabc\n" + pin + "\n" + secret + "\n", "", "Try another"},
		{"the old password", kiitest.Fault{}, kiitest.InputPassword, demo.Phone + "\nforgotten\n" + pin + "\n" + secret + "\n", "", "Try another"},
		{
			"an old PIN",
			kiitest.Fault{Operation: kiitest.OpCompleteReset, Kind: kiitest.FaultStatus, Status: 410, ErrorCode: "PIN_CODE_EXPIRED"},
			kiitest.InputPassword,
			demo.Phone + "\n" + secret + "\n" + pin + "\n", "nothing was changed, because the PIN is too old: start again", "",
		},
		{"rate limit", kiitest.Fault{Operation: kiitest.OpRequestReset, Kind: kiitest.FaultRateLimit}, kiitest.InputPassword, demo.Phone + "\n", "nothing was changed, because there were too many calls", ""},
		{
			"500",
			kiitest.Fault{Operation: kiitest.OpCompleteReset, Kind: kiitest.FaultStatus, Status: 500},
			kiitest.InputPassword,
			demo.Phone + "\n" + secret + "\n" + pin + "\n", "it may still have happened", "",
		},
		{
			"no login after it",
			kiitest.Fault{Operation: kiitest.OpLogin, Kind: kiitest.FaultNoAnswer},
			kiitest.InputPassword,
			demo.Phone + "\n" + secret + "\n" + pin + "\n", "could not be found out", "The password is reset",
		},
		{"another password than the one typed", kiitest.Fault{}, kiitest.GeneratePassword, demo.Phone + "\n" + secret + "\n" + pin + "\n", "Generate Password", "The password is reset"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := kiitest.NewServer(kiitest.WithTest(t), kiitest.WithPIN(pin), kiitest.WithSettings(func(s *kiitest.Settings) { s.ResetFlow = tt.flow }))
			srv.AddAccount(kiitest.Account{Phone: demo.Phone, PhoneVerified: true, Password: "forgotten"})
			if tt.fault.Kind != "" {
				srv.Inject(tt.fault)
			}
			env := map[string]string{"KII_APP_ID": srv.AppID(), "KII_APP_KEY": srv.AppKey(), "KII_SITE": string(srv.Site())}
			var out strings.Builder
			err := run(t.Context(), func(key string) string { return env[key] }, strings.NewReader(tt.answers), &out)
			if tt.want == "" {
				require.NoError(t, err)
				assert.Contains(t, out.String(), "Logged in with the new password")
			} else {
				require.ErrorContains(t, err, tt.want)
				out.WriteString(err.Error())
			}
			assert.Contains(t, out.String(), tt.told)
			for _, kept := range []string{secret, pin, demo.Phone, "forgotten"} {
				assert.NotContains(t, out.String(), kept)
			}
		})
	}
}
