package main

import (
	"net/http"

	"github.com/go-kii/kii/kiitest"
)

// A demo is an in-memory Kii Cloud with an account of each kind.
type demo struct {
	*kiitest.Server
	accounts []demoAccount
}

type demoAccount struct{ Kind, Email, Phone, Password string }

// newDemo sets the portal up as README.md advises for the real one.
func newDemo(cfg config) *demo {
	d := &demo{
		Server: kiitest.NewServer(
			kiitest.WithAssumption(kiitest.InputResetIsSilent, false),
			kiitest.WithSettings(func(s *kiitest.Settings) {
				s.ResetFlow = kiitest.InputPassword
				s.Templates = ownerTemplates(cfg)
			}),
		),
		accounts: []demoAccount{
			{"verified", "alice@example.com", "+819012345678", "old-password"},
			{"not verified: gets no message", "bob@example.com", "+819012345679", "old-password"},
			{"without password: gets no message", "carol@example.com", "+819012345680", ""},
			{"disabled: gets no message", "dave@example.com", "+819012345681", "old-password"},
		},
	}
	for i, a := range d.accounts {
		d.AddAccount(kiitest.Account{
			DisplayName: []string{"Alice", "Bob", "Carol", "Dave"}[i], Email: a.Email, Phone: a.Phone, Password: a.Password,
			EmailVerified: i != 1, PhoneVerified: i != 1, Disabled: i == 3,
		})
	}
	return d
}

// ownerTemplates tell the owner of an account that its password was changed. They hold no password.
func ownerTemplates(cfg config) []kiitest.Template {
	text := "Your password at " + cfg.name + " was changed, and every device was logged out. If that was not you, ask for a new password at " +
		cfg.url.String() + "/forgot at once, and write to " + cfg.support + "."
	return []kiitest.Template{
		{Purpose: kiitest.PasswordReset, Channel: kiitest.Email, Locale: "en", Subject: "Your password was changed", Text: text},
		{Purpose: kiitest.PasswordReset, Channel: kiitest.SMS, Locale: "en", Text: text},
	}
}

func (a *app) showDemo(w http.ResponseWriter, _ *http.Request) {
	a.render(w, http.StatusOK, "demo", view{Title: "Sent messages", Messages: a.sent.Messages(), Accounts: a.sent.accounts})
}
