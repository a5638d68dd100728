package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-kii/kii/kiitest"
)

// The demo is what the site shows without Kii Cloud. Deleting the files whose names begin with
// demo, here, in pages and in static, leaves it out; nothing else needs to change.
func init() {
	develop = addDemo
	layout = append(layout, "pages/demo-panel.html")
}

// addDemo adds the demo's flag, and returns what starts the demo unless the real Kii Cloud is
// configured.
func addDemo(flags *flag.FlagSet) func(config, func(string) string) (*extra, error) {
	emulator := flags.String("emulator", "", "`URL` of a running kii-emulator to use as Kii Cloud, such as http://127.0.0.1:8484")
	return func(cfg config, getenv func(string) string) (*extra, error) {
		real := getenv("KII_APP_ID") + getenv("KII_APP_KEY") + getenv("KII_SITE")
		switch {
		case *emulator != "" && real != "":
			return nil, errors.New("-emulator: unset KII_APP_ID, KII_APP_KEY and KII_SITE, which name another Kii Cloud")
		case *emulator != "":
			return onEmulator(strings.TrimSuffix(*emulator, "/"), cfg)
		case real != "":
			return nil, nil
		}
		return inMemory(cfg), nil
	}
}

// A demoPanel is what stands below each page.
type demoPanel struct {
	URL    string           // of the messages
	Newest *kiitest.Message // nil with the emulator, which shows it by itself
	Memory bool
}

// demoAccounts are an account of each kind.
var demoAccounts = []struct {
	Kind string
	kiitest.Account
}{
	{"verified", kiitest.Account{DisplayName: "Alice", Email: "alice@example.com", Phone: "+819012345678", Password: "old-password", EmailVerified: true, PhoneVerified: true}},
	{"not verified: gets no message", kiitest.Account{DisplayName: "Bob", Email: "bob@example.com", Phone: "+819012345679", Password: "old-password"}},
	{"without password: gets no message", kiitest.Account{DisplayName: "Carol", Email: "carol@example.com", Phone: "+819012345680", EmailVerified: true, PhoneVerified: true}},
	{"disabled: gets no message", kiitest.Account{DisplayName: "Dave", Email: "dave@example.com", Phone: "+819012345681", Password: "old-password", EmailVerified: true, PhoneVerified: true, Disabled: true}},
}

// inMemory starts a Kii Cloud in this process, set up as README.md advises for the real one.
func inMemory(cfg config) *extra {
	srv := kiitest.NewServer(
		kiitest.WithAssumption(kiitest.InputResetIsSilent, false),
		kiitest.WithSettings(func(s *kiitest.Settings) { portal(s, cfg) }),
	)
	for _, a := range demoAccounts {
		srv.AddAccount(a.Account)
	}
	newest := func() any {
		panel := demoPanel{URL: "/demo", Memory: true}
		if messages := srv.Messages(); len(messages) > 0 {
			panel.Newest = &messages[0]
		}
		return panel
	}
	return &extra{
		appID: srv.AppID(), appKey: srv.AppKey(), site: string(srv.Site()),
		notice: "Nothing is sent: read it at " + cfg.url.String() + "/demo, where the accounts are listed too",
		panel:  newest,
		close:  srv.Close,
		routes: func(a *app, mux *http.ServeMux) {
			mux.HandleFunc("GET /demo", func(w http.ResponseWriter, _ *http.Request) { a.showDemo(w, srv.Messages()) })
			mux.HandleFunc("GET /demo/newest", func(w http.ResponseWriter, _ *http.Request) {
				var body bytes.Buffer
				if err := a.words.pages["message"].ExecuteTemplate(&body, "demo-newest", newest()); err != nil {
					panic(err)
				}
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				_, _ = body.WriteTo(w)
			})
		},
	}
}

// showDemo shows all messages, and the accounts to try.
func (a *app) showDemo(w http.ResponseWriter, messages []kiitest.Message) {
	var body bytes.Buffer
	err := a.words.pages["demo"].ExecuteTemplate(&body, "layout.html", map[string]any{
		"Name": a.cfg.name, "Support": a.cfg.support, "Problems": problems(nil),
		"Messages": messages, "Accounts": demoAccounts, "Panel": nil,
	})
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = body.WriteTo(w)
}

// portal is what the site needs of Kii Cloud's developer portal.
func portal(s *kiitest.Settings, cfg config) {
	s.ResetFlow = kiitest.InputPassword
	s.MinPasswordLength = cfg.minPassword
	s.VerifyEmail, s.VerifyPhone = true, true
	s.HomeURL = cfg.url.String() + "/login"
	s.Templates = portalTemplates(cfg)
}

// portalTemplates bind the code of an SMS to this site, so that phones offer it on no other, and
// tell the owner of an account that its password was changed. The latter hold no password.
func portalTemplates(cfg config) []kiitest.Template {
	changed := "Your password at " + cfg.name + " was changed, and every device was logged out. If that was not you, ask for a new password at " +
		cfg.url.String() + "/forgot at once, and write to " + cfg.support + "."
	return []kiitest.Template{
		{
			Purpose: kiitest.ResetPIN, Channel: kiitest.SMS, Locale: "en",
			Text: "${pin} is your code at " + cfg.name + ". Give it to nobody.\n\n@" + cfg.url.Hostname() + " #${pin}",
		},
		{
			Purpose: kiitest.VerifyAddress, Channel: kiitest.SMS, Locale: "en",
			Text: "${code} verifies this number at " + cfg.name + ". Give it to nobody.\n\n@" + cfg.url.Hostname() + " #${code}",
		},
		{Purpose: kiitest.PasswordReset, Channel: kiitest.Email, Locale: "en", Subject: "Your password was changed", Text: changed},
		{Purpose: kiitest.PasswordReset, Channel: kiitest.SMS, Locale: "en", Text: changed},
	}
}

// onEmulator uses an emulator, and sets it up: its reset flow as it starts ignores the password
// that is typed here. If it has no users, it gets one.
func onEmulator(url string, cfg config) (*extra, error) {
	var running struct{ AppID, AppKey, Site string }
	if err := emulatorCall(http.MethodGet, url+"/emulator/v1/app", nil, &running, http.StatusOK); err != nil {
		return nil, err
	}
	if running.AppKey == "" {
		running.AppKey = "emulator-key" // no call of the site's depends on it
	}
	settings := map[string]any{
		"resetFlow": kiitest.InputPassword, "minPasswordLength": cfg.minPassword, "verifyEmail": true, "verifyPhone": true,
		"homeURL": cfg.url.String() + "/login", "templates": portalTemplates(cfg),
	}
	if err := emulatorCall(http.MethodPatch, url+"/emulator/v1/settings", settings, nil, http.StatusOK); err != nil {
		return nil, err
	}
	var held struct{ Users []struct{ ID string } }
	if err := emulatorCall(http.MethodGet, url+"/emulator/v1/users", nil, &held, http.StatusOK); err != nil {
		return nil, err
	}
	hint := "Its users are at " + url + "/users"
	if len(held.Users) == 0 {
		alice := demoAccounts[0].Account
		if err := emulatorCall(http.MethodPost, url+"/emulator/v1/users", alice, nil, http.StatusCreated); err != nil {
			return nil, err
		}
		hint = "Try " + alice.Email + " with " + alice.Password
	}
	return &extra{
		appID: running.AppID, appKey: running.AppKey, site: running.Site,
		notice: "Messages are at " + url + ", whose settings were changed for this site. " + hint,
		panel:  func() any { return demoPanel{URL: url} },
		close:  func() {},
		routes: func(*app, *http.ServeMux) {},
	}, nil
}

// emulatorCall makes a call of the emulator's JSON API.
func emulatorCall(method, url string, body, answer any, want ...int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("-emulator: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("-emulator: is kii-emulator running? %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("-emulator: %w", err)
	}
	if !slices.Contains(want, resp.StatusCode) {
		return fmt.Errorf("-emulator: %s %s answered %s: %s", method, url, resp.Status, text)
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("-emulator: %s is no kii-emulator: %w", url, err)
	}
	return nil
}
