package main

import (
	"bytes"
	"context"
	"html"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

const origin = "https://www.example.com"

// The accounts of a site, one of each kind, by what a visitor types.
const (
	verified   = "alice@example.com"
	phone      = "+819012345678" // of the same account
	unverified = "bob@example.com"
	nobody     = "nobody@example.com"
	passless   = "carol@example.com"
	disabled   = "dave@example.com"

	oldPassword = "old-password-of-alice"
	newPassword = "seven quiet otters"
)

// everyone is all kinds of accounts that a visitor may ask about.
var everyone = []string{verified, unverified, nobody, passless, disabled}

// A site is the app on an in-memory Kii Cloud, reached without a socket so that a bubble can hold
// both.
type site struct {
	*kiitest.Server
	handler http.Handler
	flow    *flow
	log     *lockedBuffer
	client  *kii.Client

	cfg   config
	open  stores
	words fs.FS
}

func newSite(t *testing.T, change ...func(*config)) *site {
	cfg := defaults()
	cfg.url, cfg.zone = &url.URL{Scheme: "https", Host: "www.example.com"}, time.UTC
	for _, c := range change {
		c(&cfg)
	}
	s := &site{log: &lockedBuffer{}}
	s.Server = kiitest.NewServer(
		kiitest.WithTest(t), kiitest.WithoutSocket(), kiitest.WithAssumption(kiitest.InputResetIsSilent, false),
		kiitest.WithSettings(func(portal *kiitest.Settings) {
			portal.ResetFlow = kiitest.InputPassword
		}))
	for _, a := range []kiitest.Account{
		{Email: verified, EmailVerified: true, Phone: phone, PhoneVerified: true, Password: oldPassword},
		{Email: unverified, Phone: "+819012345679", Password: oldPassword},
		{Email: passless, EmailVerified: true, Phone: "+819012345680", PhoneVerified: true},
		{Email: disabled, EmailVerified: true, Phone: "+819012345681", PhoneVerified: true, Password: oldPassword, Disabled: true},
	} {
		s.AddAccount(a)
	}
	var err error
	s.client, err = kii.New(s.AppID(), s.AppKey(), s.Site(), kii.WithHTTPClient(&http.Client{Transport: s.Transport()}))
	require.NoError(t, err)
	s.cfg, s.open, s.words = cfg, newMemory, wordFiles
	s.start(t)
	return s
}

// start starts the app. If it runs, it is restarted: what it kept in memory is gone.
func (s *site) start(t *testing.T) {
	log := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	sentences, err := newWords(s.words, s.cfg.language, s.cfg.zone)
	require.NoError(t, err)
	f := newFlow(s.client.User, s.cfg, s.open, log)
	t.Cleanup(func() { _ = f.close(context.Background()) })
	s.flow, s.handler = f, newApp(f, s.cfg, sentences, s.open, log, nil)
}

// manyAllowed lifts the limits, for tests of something else.
func manyAllowed(cfg *config) {
	cfg.asksPerAccount, cfg.asksPerClient, cfg.triesPerAccount, cfg.triesPerClient = 1000, 1000, 1000, 1000
	cfg.again = 0
}

// A browser keeps cookies and follows no redirect by itself.
type browser struct {
	t     *testing.T
	site  *site
	jar   http.CookieJar
	from  string      // the network address
	send  http.Header // with every request
	reset string      // which one its forms name
	page  string      // where that one goes on
	user  string      // whose forms the last page of an address has
}

// browser returns a new one.
func (s *site) browser(t *testing.T) *browser {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &browser{t: t, site: s, jar: jar, from: "192.0.2.1:1234", send: http.Header{"Sec-Fetch-Site": {"same-origin"}}}
}

type page struct {
	code   int
	header http.Header
	body   string
}

func (p page) location() string { return p.header.Get("Location") }

// path is the location without the name of a reset, which is random.
func (p page) path() string {
	path, query, _ := strings.Cut(p.location(), "?")
	if query == "" || strings.HasPrefix(query, "reset=") {
		return path
	}
	return p.location()
}

func (b *browser) do(method, path string, form url.Values) page {
	b.t.Helper()
	r := httptest.NewRequestWithContext(b.t.Context(), method, origin+path, strings.NewReader(form.Encode()))
	r.RemoteAddr = b.from
	maps.Copy(r.Header, b.send)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range b.jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	b.site.handler.ServeHTTP(w, r)
	b.jar.SetCookies(r.URL, w.Result().Cookies())
	body, err := io.ReadAll(w.Result().Body)
	require.NoError(b.t, err)
	if to, err := url.Parse(w.Result().Header.Get("Location")); err == nil && to.Query().Has("reset") {
		b.reset, b.page = to.Query().Get("reset"), to.Path+"?reset="+to.Query().Get("reset")
	}
	if user := userField.FindSubmatch(body); user != nil {
		b.user = string(user[1])
	}
	return page{w.Code, w.Result().Header, string(body)}
}

var userField = regexp.MustCompile(`name="user" value="(.+?)"`)

func (b *browser) get(path string) page { b.t.Helper(); return b.do(http.MethodGet, path, nil) }

func (b *browser) post(path string, pairs ...string) page {
	b.t.Helper()
	if b.user == "" && strings.HasPrefix(path, "/profile/") {
		b.get("/profile/email")
	}
	form := url.Values{"reset": {b.reset}, "user": {b.user}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return b.do(http.MethodPost, path, form)
}

// ask sends the form of the first page.
func (b *browser) ask(account string, method kii.NotificationMethod) page {
	b.t.Helper()
	return b.post("/forgot", "account", account, "method", string(method))
}

// complete sends the form of the second page and follows to what it says.
func (b *browser) complete(pin, password string) page {
	b.t.Helper()
	answer := b.post("/forgot/code", "code", pin, "password", password)
	return b.then(answer)
}

// then follows an answer to the page that it leads to.
func (b *browser) then(answer page) page {
	b.t.Helper()
	for range 5 {
		if answer.location() == "" {
			return answer
		}
		answer = b.get(answer.location())
	}
	b.t.Fatal("redirected for ever")
	return answer
}

func (b *browser) login(account, password string) page {
	b.t.Helper()
	return b.post("/login", "account", account, "password", password)
}

// cookie returns what the browser holds under a name.
func (b *browser) cookie(name string) string {
	u, _ := url.Parse(origin)
	for _, c := range b.jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// pin waits for the PIN of the newest SMS.
func (s *site) pin(t *testing.T) string {
	t.Helper()
	m, err := s.WaitMessage(t.Context(), kiitest.Filter{Purpose: kiitest.ResetPIN, State: kiitest.Pending})
	require.NoError(t, err)
	return m.PIN
}

// wrong returns a PIN that is not pin.
func wrong(pin string) string {
	if pin == "111111" {
		return "222222"
	}
	return "111111"
}

func (s *site) count(of ...kiitest.Operation) int { return len(s.Calls(of...)) }

// text returns a page's words.
func text(page string) string {
	return html.UnescapeString(strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, " ")), " "))
}

// quiet is a log that nobody reads.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
