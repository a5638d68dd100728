package kiitest

import (
	"fmt"
	"net/url"
	"slices"
	"time"
)

// A ResetFlow is the portal's setting "Password Reset Flow": who chooses the new password.
type ResetFlow string

const (
	// GeneratePassword is Kii Cloud's default: it makes a password, and sends it by the channel
	// that the reset went through. Opening the link in a message is enough to reset.
	GeneratePassword ResetFlow = "GENERATE"
	// InputPassword lets the user choose: on the page behind the link, or as the newPassword of
	// complete-reset.
	InputPassword ResetFlow = "INPUT"
)

// Settings are an app's settings in Kii's developer portal. Each duration is in whole seconds, and
// that of a link, a PIN or a code is at least one. See [WithSettings] and [Server.SetSettings].
type Settings struct {
	ResetFlow         ResetFlow     // default: GeneratePassword
	LinkValidity      time.Duration // of a reset link; default: an hour
	PINValidity       time.Duration // of a reset PIN; default: 10 minutes
	CodeValidity      time.Duration // of an address verification code; default: 24 hours
	TokenValidity     time.Duration // of an access token; default: 2,147,483,647 s; 0: for ever
	MinPasswordLength int           // 4 to 50; default: 4
	RefreshTokens     bool          // whether a login hands one out, except to a pseudo user; default: no
	VerifyEmail       bool          // whether a new e-mail address must be verified; default: no
	VerifyPhone       bool          // whether a new phone number must be verified; default: no
	SuccessURL        string        // where a link goes after a generated reset; default: a page of the server's
	FailureURL        string        // where a link that cannot reset goes; default: a page of the server's
	HomeURL           string        // where the server's pages lead back to, such as the app's login; default: nowhere
	Templates         []Template    // texts that go before the built-in English ones
}

func defaultSettings() Settings {
	return Settings{
		ResetFlow:         GeneratePassword,
		LinkValidity:      time.Hour,
		PINValidity:       10 * time.Minute,
		CodeValidity:      24 * time.Hour,
		TokenValidity:     2147483647 * time.Second,
		MinPasswordLength: minPassword,
	}
}

// Validate returns nil, or an error that joins a [FieldError] for each field that is not valid.
func (s Settings) Validate() error {
	v := validation{of: "Settings"}
	flow := s.ResetFlow == GeneratePassword || s.ResetFlow == InputPassword
	v.check(flow, "ResetFlow", "must be %s or %s", GeneratePassword, InputPassword)
	for _, one := range []struct {
		field string
		value time.Duration
		least time.Duration
	}{
		{"LinkValidity", s.LinkValidity, time.Second},
		{"PINValidity", s.PINValidity, time.Second},
		{"CodeValidity", s.CodeValidity, time.Second},
		{"TokenValidity", s.TokenValidity, 0},
	} {
		ok := one.value >= one.least && one.value%time.Second == 0
		v.check(ok, one.field, "must be whole seconds, and at least %v", one.least)
	}
	length := minPassword <= s.MinPasswordLength && s.MinPasswordLength <= maxPassword
	v.check(length, "MinPasswordLength", "must be %d to %d", minPassword, maxPassword)
	v.check(validRedirect(s.SuccessURL), "SuccessURL", "must be empty or an http or https URL")
	v.check(validRedirect(s.FailureURL), "FailureURL", "must be empty or an http or https URL")
	v.check(validRedirect(s.HomeURL), "HomeURL", "must be empty or an http or https URL")
	for i, t := range s.Templates {
		for _, e := range FieldErrors(t.Validate()) {
			v.check(false, fmt.Sprintf("Templates[%d].%s", i, e.Field), "%s", e.Reason)
		}
	}
	return v.err()
}

// validRedirect reports whether a browser can be sent to the URL, or there is none.
func validRedirect(text string) bool {
	u, err := url.Parse(text)
	return text == "" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

func (s Settings) clone() Settings {
	s.Templates = slices.Clone(s.Templates)
	return s
}

// Settings returns the app's settings.
func (s *Server) Settings() Settings {
	defer s.lock("Settings")()
	return s.settings.clone()
}

// SetSettings changes the app's settings from the next call on: links, PINs and tokens that were
// given out keep their time. It panics if the changed settings are not valid; a program that
// takes them from a person asks [Settings.Validate] first. The change must not call the server.
func (s *Server) SetSettings(change func(*Settings)) {
	defer s.lock("SetSettings")()
	changed := s.settings.clone()
	change(&changed)
	if err := changed.Validate(); err != nil {
		panic(err.Error())
	}
	s.settings = changed.clone()
}
