package kiitest

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"
)

// A ResetFlow is the portal's setting "Password Reset Flow": who chooses the new password.
type ResetFlow string

const (
	// GeneratePassword is Kii Cloud's default: it makes a password, and sends it by the channel that
	// the reset went through. Opening the link in a message is enough to reset.
	GeneratePassword ResetFlow = "GENERATE"
	// InputPassword lets the user choose: on the page behind the link, or as the newPassword of
	// complete-reset.
	InputPassword ResetFlow = "INPUT"
)

// Settings are an app's settings in Kii's developer portal. See [WithSettings] and [Server.SetSettings].
type Settings struct {
	ResetFlow         ResetFlow     `json:"resetFlow"`         // default: GeneratePassword
	LinkValidity      time.Duration `json:"linkValidity"`      // of a reset link; default: an hour
	PINValidity       time.Duration `json:"pinValidity"`       // of a reset PIN; default: 10 minutes
	CodeValidity      time.Duration `json:"codeValidity"`      // of an address verification code; default: 24 hours
	TokenValidity     time.Duration `json:"tokenValidity"`     // of an access token; default: 2,147,483,647 s; 0: for ever
	MinPasswordLength int           `json:"minPasswordLength"` // 4 to 50; default: 4
	RefreshTokens     bool          `json:"refreshTokens"`     // whether a login hands one out; default: no
	VerifyEmail       bool          `json:"verifyEmail"`       // whether a new e-mail address must be verified; default: no
	VerifyPhone       bool          `json:"verifyPhone"`       // whether a new phone number must be verified; default: no
	SuccessURL        string        `json:"successURL"`        // where a link goes after a generated reset; default: a page of the server's
	FailureURL        string        `json:"failureURL"`        // where a link goes that cannot reset; default: a page of the server's
	Templates         []Template    `json:"templates"`         // texts that go before the built-in English ones
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

// Validate says what is wrong with the settings, or returns nil.
func (s Settings) Validate() error {
	var problems []error
	if s.ResetFlow != GeneratePassword && s.ResetFlow != InputPassword {
		problems = append(problems, errors.New("kiitest: Settings.ResetFlow must be GeneratePassword or InputPassword"))
	}
	for _, v := range []struct {
		name  string
		value time.Duration
		least time.Duration
	}{
		{"LinkValidity", s.LinkValidity, time.Second},
		{"PINValidity", s.PINValidity, time.Second},
		{"CodeValidity", s.CodeValidity, time.Second},
		{"TokenValidity", s.TokenValidity, 0},
	} {
		if v.value < v.least || v.value%time.Second != 0 {
			problems = append(problems, fmt.Errorf("kiitest: Settings.%s must be whole seconds, and at least %v", v.name, v.least))
		}
	}
	if s.MinPasswordLength < minPassword || s.MinPasswordLength > maxPassword {
		problems = append(problems, fmt.Errorf("kiitest: Settings.MinPasswordLength must be %d to %d", minPassword, maxPassword))
	}
	for name, value := range map[string]string{"SuccessURL": s.SuccessURL, "FailureURL": s.FailureURL} {
		if u, err := url.Parse(value); value != "" && (err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "") {
			problems = append(problems, fmt.Errorf("kiitest: Settings.%s must be empty or an http or https URL", name))
		}
	}
	for i, t := range s.Templates {
		if err := t.validate(); err != nil {
			problems = append(problems, fmt.Errorf("kiitest: Settings.Templates[%d]: %w", i, err))
		}
	}
	return errors.Join(problems...)
}

func (s Settings) clone() Settings {
	s.Templates = slices.Clone(s.Templates)
	return s
}

// Settings returns the app's settings.
func (s *Server) Settings() Settings {
	s.checkHome("Settings")
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settings.clone()
}

// SetSettings changes the app's settings from the next call on: links, PINs and tokens that were
// given out keep their time. It panics where the changed settings are not valid; a program that
// takes them from a person asks [Settings.Validate] first. The change must not call the server.
func (s *Server) SetSettings(change func(*Settings)) {
	s.checkHome("SetSettings")
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := s.settings.clone()
	change(&changed)
	if err := changed.Validate(); err != nil {
		panic(err.Error())
	}
	s.settings = changed.clone()
}
