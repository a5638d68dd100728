package kiitest_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

// asked starts a server with alice, who has asked for a link.
func asked(t *testing.T, body string, settings func(*kiitest.Settings)) (srv *kiitest.Server, c *caller, id, link string) {
	t.Helper()
	srv, c = start(t, kiitest.WithSettings(settings))
	id = srv.AddAccount(alice())
	require.Equal(t, "204", c.ask(id, body).String())
	return srv, c, id, last(t, srv, id).Link
}

func TestInputPageShowsThenSets(t *testing.T) {
	t.Parallel()
	srv, c, id, link := asked(t, byEmail, input)
	token := c.token("alice", "old-pass")
	for range 3 { // scanners and the user look as often as they like
		got := c.open(link)
		require.Equal(t, "200", got.String())
		require.Contains(t, got.text, "<title>Choose a new password</title>")
		require.Contains(t, got.text, "<h1>Choose a new password</h1>")
	}
	require.Equal(t, "200", c.me(token).String(), "looking resets nothing")
	require.Equal(t, "200", c.submit(link, "new-pass", "new-pass").String())
	require.Equal(t, "403 WRONG_TOKEN", c.me(token).String())
	require.Equal(t, "200", c.login("alice", "new-pass").String())
	require.Equal(t, "410", c.open(link).String(), "used")
	again := c.submit(link, "newer-pass", "newer-pass") // as when the page is loaded again
	require.Equal(t, "410", again.String())
	require.NotContains(t, again.text, "not reset", "it was")
	require.Contains(t, again.text, "This link was used before, and the password was reset by it.")
	require.Len(t, srv.Messages(), 1)
	require.Equal(t, kiitest.Used, last(t, srv, id).State)
}

func TestInputPageSaysWhatIsWrongAndKeepsTheLink(t *testing.T) {
	t.Parallel()
	_, c, _, link := asked(t, byEmail, input)
	for name, one := range map[string]struct{ password, again, want string }{
		"too short":        {"abc", "abc", "Choose a password of at least 4 characters."},
		"too long":         {strings.Repeat("a", 51), strings.Repeat("a", 51), "Choose a password of at most 50 characters."},
		"not ASCII":        {"päs", "päs", "Choose a password of letters without accents"},
		"long, not ASCII":  {strings.Repeat("ä", 25), strings.Repeat("ä", 25), "Choose a password of letters without accents"},
		"the old one":      {"old-pass", "old-pass", "Choose a password other than the old one."},
		"not repeated":     {"quite-new", "quite-neW", "The passwords are not the same."},
		"nothing":          {"", "", "Enter a new password."},
		"markup is no way": {`"><script>`, "x", "The passwords are not the same."},
	} {
		got := c.submit(link, one.password, one.again)
		require.Equal(t, "400", got.String(), name)
		require.Contains(t, got.text, one.want, name)
		require.Contains(t, got.text, "<title>Error: ", name)
		require.Contains(t, got.text, `<p class="problem" role="alert" id="problem">`+one.want, name)
		require.Contains(t, got.text, `aria-describedby="rule problem" aria-invalid="true" autofocus>`, "the error is the field's, and the field has the focus")
		require.NotContains(t, got.text, "<script", name)
		if one.password != "" {
			require.NotContains(t, got.text, one.password, "no password comes back")
		}
	}
	broken, err := http.NewRequestWithContext(t.Context(), "POST", link, strings.NewReader("password=%zz"))
	require.NoError(t, err)
	broken.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	require.Contains(t, c.do(broken).text, "The form could not be read.")
	require.Equal(t, "200", c.submit(link, "new-pass", "new-pass").String())
}

func TestGenerateLinkActsOnTheClick(t *testing.T) {
	t.Parallel()
	srv, c, id, link := asked(t, bySMS, func(*kiitest.Settings) {})
	require.Equal(t, "409", c.submit(link, "new-pass", "new-pass").String(), "nothing to choose here")
	require.Equal(t, "200", c.login("alice", "old-pass").String())
	got := c.open(link)
	require.Equal(t, "200", got.String())
	require.Contains(t, got.text, "We have sent you a new password")
	m := last(t, srv, id)
	require.NotContains(t, got.text, m.Password)
	require.Equal(t, "400 invalid_grant", c.login("alice", "old-pass").String())
	require.Equal(t, "200", c.login("alice", m.Password).String())
	require.Equal(t, "410", c.open(link).String())
	require.Equal(t, "200", c.login("alice", m.Password).String(), "a second click changes nothing")
}

func TestHeadOfALinkChangesNothing(t *testing.T) {
	t.Parallel()
	_, c, _, link := asked(t, byEmail, func(*kiitest.Settings) {})
	head := func() reply {
		r, err := http.NewRequestWithContext(t.Context(), "HEAD", link, http.NoBody)
		require.NoError(t, err)
		return c.do(r)
	}
	require.Equal(t, "200", head().String())
	require.Empty(t, head().text)
	require.Equal(t, "200", c.login("alice", "old-pass").String())
	require.Equal(t, "200", c.open(link).String())
	require.Equal(t, "410", head().String())
}

func TestLinksThatCannotReset(t *testing.T) {
	t.Parallel()
	for _, flow := range []kiitest.ResetFlow{kiitest.GeneratePassword, kiitest.InputPassword} {
		t.Run(string(flow), func(t *testing.T) {
			t.Parallel()
			srv, c, id, link := asked(t, byEmail, func(s *kiitest.Settings) { s.ResetFlow = flow })
			require.Equal(t, "404", c.open(link+"x").String())
			require.Equal(t, "404 APP_NOT_FOUND", c.open(strings.Replace(link, srv.AppID(), "other", 1)).String())
			require.Equal(t, "204", c.ask(id, byEmail).String())
			got := c.open(link)
			require.Equal(t, "410", got.String())
			require.Contains(t, got.text, "There is a newer link")
			for _, change := range []func(*kiitest.Account){
				func(a *kiitest.Account) { a.Disabled = true },
				func(a *kiitest.Account) { a.Disabled, a.Password = false, "" },
			} {
				a, _ := srv.Account(id)
				change(&a)
				_, err := srv.PutAccount(a)
				require.NoError(t, err)
				require.Equal(t, "409", c.open(last(t, srv, id).Link).String())
			}
		})
	}
}

func TestGeneratedResetGoesWhereThePortalSays(t *testing.T) {
	t.Parallel()
	_, c, _, link := asked(t, byEmail, func(s *kiitest.Settings) {
		s.SuccessURL, s.FailureURL = "https://app.example/ok", "https://app.example/failed"
	})
	got := c.open(link)
	require.Equal(t, "303", got.String())
	require.Equal(t, "https://app.example/ok", got.header.Get("Location"))
	require.Equal(t, "no-store", got.header.Get("Cache-Control"))
	for _, dead := range []string{link, link + "x"} {
		got = c.open(dead)
		require.Equal(t, "303", got.String())
		require.Equal(t, "https://app.example/failed", got.header.Get("Location"))
		require.Equal(t, "no-referrer", got.header.Get("Referrer-Policy"))
	}
	c.server.SetSettings(input)
	require.Equal(t, "410", c.open(link).String(), "the Input flow has pages")
}

func TestLinkOfMoreThanOneUse(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithAssumption(kiitest.CodesAreSingleUse, false))
	id := srv.AddAccount(alice())
	require.Equal(t, "204", c.ask(id, byEmail).String())
	link := last(t, srv, id).Link
	require.Equal(t, "200", c.open(link).String())
	first := last(t, srv, id)
	require.Equal(t, "200", c.open(link).String())
	require.NotEqual(t, first.Password, last(t, srv, id).Password)
	srv.Advance(time.Hour)
	require.Equal(t, "410", c.open(link).String(), "until it expires")
}

func TestPagesKeepTheirSecretsAndAskNothingOfTheBrowser(t *testing.T) {
	t.Parallel()
	_, c, _, link := asked(t, byEmail, input)
	for name, got := range map[string]reply{
		"form": c.open(link), "error": c.submit(link, "a", "b"), "unknown": c.open(link + "x"), "done": c.submit(link, "new-pass", "new-pass"), "used": c.open(link),
	} {
		require.Equal(t, "no-store", got.header.Get("Cache-Control"), name)
		require.Equal(t, "no-referrer", got.header.Get("Referrer-Policy"), name)
		require.Equal(t, "nosniff", got.header.Get("X-Content-Type-Options"), name)
		require.Equal(t, "text/html; charset=utf-8", got.header.Get("Content-Type"), name)
		require.Contains(t, got.header.Get("Content-Security-Policy"), "default-src 'none'", name)
		require.True(t, strings.HasPrefix(got.text, "<!DOCTYPE html>\n<html lang=\"en\">"), name)
		require.NotContains(t, got.text, "<script", name)
		require.NotRegexp(t, `(src|href|url)\s*[=(]`, got.text, "nothing comes from elsewhere")
	}
}

func TestFormIsLabelled(t *testing.T) {
	t.Parallel()
	_, c, _, link := asked(t, byEmail, func(s *kiitest.Settings) { s.ResetFlow, s.MinPasswordLength = kiitest.InputPassword, 8 })
	text := c.open(link).text
	inputs := regexp.MustCompile(`<input id="(\w+)" name="(\w+)"[^>]*>`).FindAllStringSubmatch(text, -1)
	require.Len(t, inputs, 3)
	for _, field := range inputs {
		require.Contains(t, text, `<label for="`+field[1]+`">`)
		require.Contains(t, field[0], "autocomplete=")
	}
	require.Contains(t, text, `value="alice@example.com" autocomplete="username" dir="auto"`)
	require.Contains(t, text, `<p class="hint" id="rule">8 to 50 characters`, "the least length")
	require.NotContains(t, text, "autofocus", "nothing is wrong yet")
	require.Contains(t, text, `<meta name="color-scheme" content="light dark">`)
	require.Contains(t, text, "prefers-color-scheme: dark")
	require.Contains(t, text, `autocomplete="new-password" required minlength="8" passwordrules="minlength: 8; maxlength: 50; allowed: ascii-printable;"`)
	require.NotContains(t, text, "maxlength=", "browsers cut what is pasted, without a word")
}

func TestPagesLeadBackToTheSite(t *testing.T) {
	t.Parallel()
	_, c, _, link := asked(t, byEmail, func(s *kiitest.Settings) {
		s.ResetFlow, s.HomeURL = kiitest.InputPassword, "https://app.example/login?a=1&b=<2>"
	})
	for name, got := range map[string]reply{
		"form": c.open(link), "unknown": c.open(link + "x"), "done": c.submit(link, "new-pass", "new-pass"), "used": c.open(link),
	} {
		require.Contains(t, got.text, `<a href="https://app.example/login?a=1&amp;b=%3c2%3e">Back to the site</a>`, name)
	}
	require.NotContains(t, func() string { _, c, _, link := asked(t, byEmail, input); return c.open(link).text }(), "<a ", "unless nobody said where that is")
}

func TestVisitLinksDoesWhatAMailScannerDoes(t *testing.T) {
	t.Parallel()
	srv, c, id, link := asked(t, byEmail, func(*kiitest.Settings) {})
	require.Equal(t, "204", c.ask(id, byPIN).String())
	require.Zero(t, srv.VisitLinks(kiitest.Filter{Channel: kiitest.SMS}), "a PIN is no link")
	require.Equal(t, 1, srv.VisitLinks(kiitest.Filter{To: id}))
	require.Equal(t, "410", c.open(link).String(), "the link is dead on arrival")
	require.Equal(t, "200", c.login("alice", last(t, srv, id).Password).String())
	require.Equal(t, "kiitest-link-scanner", srv.Calls(kiitest.OpOpenLink)[0].Header.Get("User-Agent"))

	srv, c, id, link = asked(t, byEmail, input)
	require.Equal(t, 1, srv.VisitLinks(kiitest.Filter{To: id}))
	require.Equal(t, "200", c.submit(link, "new-pass", "new-pass").String(), "a form stands it")
}
