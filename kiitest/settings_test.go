package kiitest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

func TestSettingsChangeWhileRunning(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	require.Equal(t, kiitest.GeneratePassword, srv.Settings().ResetFlow, "Kii Cloud's default")
	id := srv.AddAccount(alice())
	require.Equal(t, "204", c.ask(id, byPIN).String())
	pin := last(t, srv, id)
	srv.SetSettings(func(s *kiitest.Settings) {
		s.ResetFlow, s.PINValidity, s.MinPasswordLength = kiitest.InputPassword, time.Second, 8
	})
	require.Equal(t, kiitest.InputPassword, srv.Settings().ResetFlow)
	require.Equal(t, pin.Expires, last(t, srv, id).Expires, "what was given out keeps its time")
	require.Equal(t, "400 PASSWORD_TOO_SHORT", c.complete(id, pin.PIN, "1234567").String())
	require.Equal(t, "204", c.complete(id, pin.PIN, "12345678").String())
	require.Equal(t, "204", c.ask(id, byPIN).String())
	require.Equal(t, time.Second, last(t, srv, id).Expires.Sub(last(t, srv, id).Sent))
}

func TestSettingsAreCopies(t *testing.T) {
	t.Parallel()
	mine := []kiitest.Template{{Purpose: kiitest.ResetPIN, Channel: kiitest.SMS, Locale: "en", Text: "mine ${pin}"}}
	srv, c := start(t, kiitest.WithSettings(func(s *kiitest.Settings) { s.Templates = mine }))
	mine[0].Text = "changed"
	srv.Settings().Templates[0].Text = "changed"
	srv.SetSettings(func(s *kiitest.Settings) { mine = s.Templates })
	mine[0].Text = "changed"
	srv.Snapshot().Settings.Templates[0].Text = "changed"
	restored := srv.Snapshot()
	require.NoError(t, srv.Restore(restored))
	restored.Settings.Templates[0].Text = "changed"
	require.Panics(t, func() { srv.SetSettings(func(s *kiitest.Settings) { s.Templates[0].Text = "no secret" }) })
	for range 2 {
		id := srv.AddAccount(alice())
		require.Equal(t, "204", c.ask(id, byPIN).String())
		require.Contains(t, last(t, srv, id).Text, "mine")
		srv.Reset()
	}
}

func TestSettingsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	template := func(change func(*kiitest.Template)) func(*kiitest.Settings) {
		one := kiitest.Template{Purpose: kiitest.ResetPIN, Channel: kiitest.SMS, Locale: "en", Text: "${pin}"}
		change(&one)
		return func(s *kiitest.Settings) { s.Templates = []kiitest.Template{one} }
	}
	srv, _ := start(t)
	for want, change := range map[string]func(*kiitest.Settings){
		"ResetFlow must be":            func(s *kiitest.Settings) { s.ResetFlow = "Generate" },
		"LinkValidity must be":         func(s *kiitest.Settings) { s.LinkValidity = 0 },
		"PINValidity must be":          func(s *kiitest.Settings) { s.PINValidity = -time.Second },
		"CodeValidity must be":         func(s *kiitest.Settings) { s.CodeValidity = time.Millisecond },
		"TokenValidity must be":        func(s *kiitest.Settings) { s.TokenValidity = time.Second + 1 },
		"MinPasswordLength must be":    func(s *kiitest.Settings) { s.MinPasswordLength = 3 },
		"MinPasswordLength must be 4 ": func(s *kiitest.Settings) { s.MinPasswordLength = 51 },
		"SuccessURL must be":           func(s *kiitest.Settings) { s.SuccessURL = "https://%zz" },
		"HomeURL must be":              func(s *kiitest.Settings) { s.HomeURL = "javascript://app.example/" },
		"FailureURL must be":           func(s *kiitest.Settings) { s.FailureURL = "https:///failed" },
		"Templates[0].Text must":       template(func(t *kiitest.Template) { t.Text = "no secret" }),
		"Templates[0].Purpose must":    template(func(t *kiitest.Template) { t.Purpose = "X" }),
		"Templates[0].Channel must":    template(func(t *kiitest.Template) { t.Channel = "FAX" }),
		"Templates[0].Locale is":       template(func(t *kiitest.Template) { t.Locale = "" }),
	} {
		changed := srv.Settings()
		change(&changed)
		require.ErrorContains(t, changed.Validate(), want)
		text := panicText(func() { srv.SetSettings(change) })
		require.Contains(t, text, want)
		require.Equal(t, text, panicText(func() { kiitest.NewServer(kiitest.WithSettings(change)) }))
	}
	require.NoError(t, srv.Settings().Validate(), "a refused change changes nothing")
	for _, home := range []string{"", "http://app.example", "https://app.example/login"} {
		changed := srv.Settings()
		changed.HomeURL, changed.MinPasswordLength = home, 50
		require.NoError(t, changed.Validate())
	}
}
