package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

func noEnvironment(string) string { return "" }

func TestADayRunsByItselfWithoutEnvironment(t *testing.T) {
	t.Parallel()
	var out, audit bytes.Buffer
	require.NoError(t, run(t.Context(), noEnvironment, strings.NewReader(""), &out, &audit))
	rest := out.String()
	for _, step := range []string{
		"can reset by an e-mail with a link, an SMS with a link or an SMS with a PIN.", "send an SMS with a PIN (yes", "Done.",
		"There is no such user.", "or LOGIN_NAME: and the login name.",
		"cannot reset, because the e-mail address is not verified, and there is no phone number.", "bob@example.com (yes", "Done.",
		"can reset by an e-mail with a link, and by nothing else, because there is no phone number.", "Done.",
		"cannot reset, because the account is disabled.", "set a password (yes", "Done.", "enable the account (yes", "Done.",
		"cannot reset, because there is no password",
	} {
		_, after, found := strings.Cut(rest, step)
		require.True(t, found, "step %q is missing or out of order", step)
		rest = after
	}
	assert.Equal(t, 5, strings.Count(audit.String(), "\n"))
	for _, secret := range []string{"after-the-theft", "forgotten", "stolen"} {
		assert.NotContains(t, out.String()+audit.String(), secret)
	}
}

// A desk on a server, which asks on the terminal.
type terminal struct {
	srv        *kiitest.Server
	env        map[string]string
	out, audit bytes.Buffer
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	srv := kiitest.NewServer(kiitest.WithTest(t))
	return &terminal{srv: srv, env: map[string]string{
		"KII_APP_ID": srv.AppID(), "KII_APP_KEY": srv.AppKey(), "KII_SITE": string(srv.Site()),
		"KII_CLIENT_ID": srv.ClientID(), "KII_CLIENT_SECRET": srv.ClientSecret(), "USER": "grace",
	}}
}

func (d *terminal) run(t *testing.T, answers ...string) error {
	t.Helper()
	in := strings.NewReader(strings.Join(answers, "\n") + "\n")
	return run(t.Context(), func(key string) string { return d.env[key] }, in, &d.out, &d.audit)
}

// audited returns the lines of the audit without their times.
func (d *terminal) audited(t *testing.T) (lines []map[string]any) {
	t.Helper()
	for dec := json.NewDecoder(&d.audit); dec.More(); {
		var line map[string]any
		require.NoError(t, dec.Decode(&line))
		delete(line, "time")
		lines = append(lines, line)
	}
	return lines
}

func TestDeskAsksOnTheTerminalWithEnvironment(t *testing.T) {
	t.Parallel()
	d := newTerminal(t)
	id := d.srv.AddAccount(kiitest.Account{LoginName: "bob", Phone: "+819011111111", Password: "forgotten"})
	require.NoError(t, d.run(t, id, "2", "+819022222222", "yes", "2", "yes", ""))
	account, ok := d.srv.Account(id)
	require.True(t, ok)
	assert.Equal(t, "+819022222222", account.Phone)
	assert.True(t, account.PhoneVerified)
	sms, ok := d.srv.LastMessage(id)
	require.True(t, ok)
	assert.NotEmpty(t, sms.PIN)
	assert.Equal(t, []map[string]any{
		{"level": "INFO", "msg": "support", "by": "grace", "user": id, "change": "correct and verify the phone number", "outcome": "done"},
		{"level": "INFO", "msg": "support", "by": "grace", "user": id, "change": "send an SMS with a PIN", "outcome": "done"},
	}, d.audited(t))
}

func TestNothingIsChangedUnlessItIsConfirmed(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"", "y", "no", "YES", "1"} {
		d := newTerminal(t)
		id := d.srv.AddAccount(kiitest.Account{LoginName: "bob", Email: "bob@example.com", EmailVerified: true, Password: "forgotten"})
		before, _ := d.srv.Account(id)
		for _, choice := range [][]string{{"1"}, {"2", "new@example.com"}, {"3", "+819022222222"}, {"4", "another-one"}, {"5"}} {
			require.NoError(t, d.run(t, append(append([]string{id}, choice...), answer)...))
		}
		after, _ := d.srv.Account(id)
		assert.Equal(t, before, after)
		assert.Empty(t, d.srv.Messages())
		assert.Empty(t, d.audit.String())
		assert.Equal(t, 5, strings.Count(d.out.String(), "Nothing was changed."), answer)
	}
}

func TestAPasswordIsShownNowhere(t *testing.T) {
	t.Parallel()
	d := newTerminal(t)
	id := d.srv.AddAccount(kiitest.Account{LoginName: "bob", Password: "forgotten"})
	require.NoError(t, d.run(t, id, "3", "abc", "yes", "3", "the-new-one", "yes"))
	account, _ := d.srv.Account(id)
	assert.True(t, account.Password == "the-new-one")
	assert.NotContains(t, d.out.String()+d.audit.String(), "the-new-one")
	assert.Contains(t, d.out.String(), "Nothing was changed: it must be 4 to 50 printable ASCII characters.")
	assert.Len(t, d.audited(t), 1, "what was refused here is no change")
}

func TestAShortPasswordIsToldTheLeastLength(t *testing.T) {
	t.Parallel()
	d := newTerminal(t)
	d.srv.SetSettings(func(s *kiitest.Settings) { s.MinPasswordLength = 12 })
	id := d.srv.AddAccount(kiitest.Account{LoginName: "bob", Password: "the-forgotten-one"})
	require.NoError(t, d.run(t, id, "3", "short", "yes"))
	assert.Contains(t, d.out.String(), "Nothing was changed: the app wants a password of at least 12 characters.")
}

func TestEachOutcomeIsAudited(t *testing.T) {
	t.Parallel()
	for outcome, tt := range map[string]struct {
		fault kiitest.Fault
		code  string
		said  string
	}{
		"nothing happened": {kiitest.Fault{Kind: kiitest.FaultStatus, Status: http.StatusConflict, ErrorCode: "USER_ALREADY_EXISTS"}, "USER_ALREADY_EXISTS", "another user has verified this address"},
		"unknown":          {kiitest.Fault{Kind: kiitest.FaultNoAnswer, Handled: true}, "", "It may have been done, or not."},
	} {
		t.Run(outcome, func(t *testing.T) {
			t.Parallel()
			d := newTerminal(t)
			id := d.srv.AddAccount(kiitest.Account{LoginName: "bob", Email: "bob@example.com", Password: "forgotten"})
			tt.fault.Operation = kiitest.OpChangeAddress
			d.srv.Inject(tt.fault)
			require.NoError(t, d.run(t, id, "1", "", "yes"))
			want := map[string]any{
				"level": "INFO", "msg": "support", "by": "grace", "user": id, "change": "correct and verify the e-mail address", "outcome": outcome,
			}
			if tt.code != "" {
				want["code"] = tt.code
			}
			lines := d.audited(t)
			require.Len(t, lines, 1)
			assert.Equal(t, want, lines[0])
			assert.Contains(t, d.out.String(), tt.said)
		})
	}
}

func TestAChangeThatIsInterruptedIsAuditedAsUnknown(t *testing.T) {
	t.Parallel()
	d := newTerminal(t)
	id := d.srv.AddAccount(kiitest.Account{LoginName: "bob", Email: "bob@example.com", Password: "forgotten"})
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	kiiCloud, err := url.Parse(string(d.srv.Site()))
	require.NoError(t, err)
	behind := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: kiiCloud.Scheme, Host: kiiCloud.Host})
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/email-address") {
			_, _ = io.Copy(io.Discard, r.Body) // else the server does not notice that the client left
			interrupt()
			<-r.Context().Done()
			return
		}
		behind.ServeHTTP(w, r)
	}))
	defer front.Close()
	d.env["KII_SITE"] = front.URL + kiiCloud.Path

	answers := strings.NewReader(id + "\n1\n\nyes\n")
	err = run(ctx, func(key string) string { return d.env[key] }, answers, &d.out, &d.audit)
	require.ErrorIs(t, err, context.Canceled, "and the program ends")
	lines := d.audited(t)
	require.Len(t, lines, 1)
	assert.Equal(t, "unknown", lines[0]["outcome"])
	assert.Contains(t, d.out.String(), "It may have been done, or not.")
}

func TestAnswersThatEndInTheMiddleChangeNothingAndSaySo(t *testing.T) {
	t.Parallel()
	d := newTerminal(t)
	id := d.srv.AddAccount(kiitest.Account{LoginName: "bob", Email: "bob@example.com", Password: "forgotten"})
	for _, answers := range [][]string{{id, "1"}, {id, "1", "new@example.com"}, {id, "2"}} {
		d.out.Reset()
		require.NoError(t, d.run(t, answers...))
		assert.Contains(t, d.out.String(), "Nothing was changed.")
	}
	assert.Empty(t, d.audit.String())
}

func TestAnAnswerThatMakesNoSenseIsAskedForAgain(t *testing.T) {
	t.Parallel()
	d := newTerminal(t)
	id := d.srv.AddAccount(kiitest.Account{LoginName: "bob", Password: "forgotten"})
	d.srv.Inject(kiitest.Fault{Operation: kiitest.OpGetUser, Kind: kiitest.FaultRateLimit})
	require.NoError(t, d.run(t, id, "me", "+12", "nobody", id, "0", "99", "one", "1st", "", ""))
	assert.Equal(t, 4, strings.Count(d.out.String(), "This is none of the numbers."))
	for _, said := range []string{
		"cannot be read at the moment: kii: User: 429", "This names no user: it must name a user", "must be + and 7 to 20 digits",
		"There is no such user.", "This is none of the numbers.",
	} {
		assert.Contains(t, d.out.String(), said)
	}
}

// An auditor notes what was said before it is written to, and then fails if it is full.
type auditor struct {
	said   *bytes.Buffer
	before string
	full   bool
}

func (a *auditor) Write(p []byte) (int, error) {
	a.before = a.said.String()
	if a.full {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func TestAChangeIsAuditedBeforeItIsSaid(t *testing.T) {
	t.Parallel()
	for _, full := range []bool{false, true} {
		d := newTerminal(t)
		id := d.srv.AddAccount(kiitest.Account{LoginName: "bob", Password: "forgotten"})
		audit := &auditor{said: &d.out, full: full}
		answers := strings.NewReader(strings.Join([]string{id, "4", "yes", "4", "yes", "", ""}, "\n"))
		err := run(t.Context(), func(key string) string { return d.env[key] }, answers, &d.out, audit)
		assert.NotEmpty(t, audit.before)
		if full {
			require.ErrorIs(t, err, io.ErrShortWrite)
			assert.Equal(t, 1, strings.Count(d.out.String(), "Done."), "no second change without an audit")
			assert.NotContains(t, audit.before, "Done.")
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, 1, strings.Count(audit.before, "Done."), "that of the first change")
		assert.Equal(t, 2, strings.Count(d.out.String(), "Done."))
	}
}

func TestANameCannotSteerTheTerminal(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "bob?[2J?@ü ", printable("bob\x1b[2J\u202e@ü "))
	d := newTerminal(t)
	id := d.srv.AddAccount(kiitest.Account{LoginName: "bob", Email: "bob\u009b2J\u202e@example.com", Password: "forgotten"})
	require.NoError(t, d.run(t, id, "1", "", "yes", "", ""))
	assert.Equal(t, 4, strings.Count(d.out.String(), "bob?2J?@example.com"), "twice in the record, in the question and in its confirmation")
	assert.NotContains(t, d.out.String(), "\u009b")
	assert.NotContains(t, d.out.String(), "\u202e")
}

func TestWrongAdministratorIsSaid(t *testing.T) {
	t.Parallel()
	d := newTerminal(t)
	id := d.srv.AddAccount(kiitest.Account{LoginName: "bob", Password: "forgotten"})
	d.env["KII_CLIENT_SECRET"] = "another"
	require.ErrorContains(t, d.run(t, id), "check the ClientID and ClientSecret")
	d.env["KII_CLIENT_ID"], d.env["KII_CLIENT_SECRET"] = d.srv.AppID(), d.srv.AppKey()
	require.ErrorContains(t, d.run(t, id), "not the app's ID and key")
}

func TestWrongEnvironmentIsNamed(t *testing.T) {
	t.Parallel()
	for want, env := range map[string]map[string]string{
		"KII_CLIENT_ID and KII_CLIENT_SECRET: kii: clientID": {"KII_APP_ID": "app", "KII_APP_KEY": "key", "KII_SITE": string(kii.SiteJP)},
		"none of KII_APP_ID": {"KII_CLIENT_ID": "id", "KII_CLIENT_SECRET": "secret"},
		"kii.SiteJP":         {"KII_APP_ID": "app", "KII_APP_KEY": "key", "KII_SITE": "JP", "KII_CLIENT_ID": "id", "KII_CLIENT_SECRET": "secret"},
	} {
		err := run(t.Context(), func(key string) string { return env[key] }, strings.NewReader(""), io.Discard, io.Discard)
		require.ErrorContains(t, err, want)
	}
}

func TestDiagnosisIsASentence(t *testing.T) {
	t.Parallel()
	for want, user := range map[string]kii.Profile{
		"cannot reset, because there is no e-mail address, and there is no phone number.":                                {},
		"cannot reset, because the e-mail address is not verified, and the phone number is not verified.":                {Email: "a@b", PendingPhone: "+1234567"},
		"can reset by an SMS with a link or an SMS with a PIN, and by nothing else, because there is no e-mail address.": {Phone: "+1234567", PhoneVerified: true},
		"can reset by an e-mail with a link, and by nothing else, because the phone number is not verified.":             {Email: "a@b", EmailVerified: true, Phone: "+1234567"},
		"can reset by an e-mail with a link, an SMS with a link or an SMS with a PIN.":                                   {Email: "a@b", EmailVerified: true, Phone: "+1234567", PhoneVerified: true, HasPassword: new(true)},
		"cannot reset, because the account is disabled.":                                                                 {Email: "a@b", EmailVerified: true, Disabled: true, HasPassword: new(false)},
		"cannot reset, because there is no password: the user logs in another way, such as a social network.":            {Email: "a@b", EmailVerified: true, HasPassword: new(false)},
	} {
		assert.Equal(t, "This user "+want, diagnosis(&user))
		assert.Equal(t, strings.HasPrefix(want, "can "), len(ways(&user)) > 0)
	}
}
