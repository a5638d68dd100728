package kiitest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

func TestTemplateOfTheLongestLocaleWins(t *testing.T) {
	t.Parallel()
	pin := func(locale, text string) kiitest.Template {
		return kiitest.Template{Purpose: kiitest.ResetPIN, Channel: kiitest.SMS, Locale: locale, Text: text + " ${pin}"}
	}
	templates := []kiitest.Template{
		pin("zh", "zh"), pin("zh-Hant", "zh-Hant"), pin("ja", "ja"), pin("en", "en"), pin("pt-BR", "pt-BR"),
		{Purpose: kiitest.ResetPIN, Channel: kiitest.Email, Locale: "fr", Text: "another channel ${pin}"},
		{Purpose: kiitest.ResetLink, Channel: kiitest.SMS, Locale: "fr", Text: "another purpose ${link}"},
	}
	for locale, want := range map[string]string{
		"zh-Hant-TW": "zh-Hant", "zh_hant_tw": "zh-Hant", "zh-Hans": "zh", "zh": "zh", "ja-JP": "ja", "JA": "ja",
		"pt": "en", "pt-BR": "pt-BR", "fr": "en", "": "en", "en-GB": "en", "z": "en",
	} {
		srv, c := start(t, kiitest.WithSettings(func(s *kiitest.Settings) { s.Templates = templates }))
		a := alice()
		a.Locale = locale
		id := srv.AddAccount(a)
		require.Equal(t, "204", c.ask(id, byPIN).String())
		m := last(t, srv, id)
		require.Equal(t, want+" "+m.PIN, m.Text, "for %q", locale)
		require.Empty(t, m.Subject, "an SMS has none")
	}
}

func TestTemplateFillsItsNames(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithSettings(func(s *kiitest.Settings) {
		s.Templates = []kiitest.Template{
			{Purpose: kiitest.ResetLink, Channel: kiitest.Email, Locale: "en", Subject: "${app}: hello ${name}", Text: "${name}: ${link} ${pin}."},
			{Purpose: kiitest.NewPassword, Channel: kiitest.Email, Locale: "en", Subject: "s", Text: "now ${password}"},
		}
	}))
	a := alice()
	a.DisplayName = "Alice ${link} <b>"
	id := srv.AddAccount(a)
	require.Equal(t, "204", c.ask(id, byEmail).String())
	m := last(t, srv, id)
	require.Equal(t, srv.AppID()+": hello Alice ${link} <b>", m.Subject, "what is filled in is not filled again")
	require.Equal(t, "Alice ${link} <b>: "+m.Link+" .", m.Text)
	require.Equal(t, "200", c.open(m.Link).String())
	m = last(t, srv, id)
	require.Equal(t, "now "+m.Password, m.Text)

	srv.AddAccount(kiitest.Account{LoginName: "bob", Email: "bob@example.com", EmailVerified: true, Password: "bob-pass"})
	require.Equal(t, "204", c.ask("LOGIN_NAME:bob", byEmail).String())
	require.Equal(t, srv.AppID()+": hello bob", last(t, srv, "bob").Subject, "who has no display name")

	require.Equal(t, "204", c.ask(id, byPIN).String())
	require.Equal(t, "Your PIN to reset your password is "+last(t, srv, id).PIN, last(t, srv, id).Text, "built in, where there is none")
}
