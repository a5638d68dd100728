package kii

import (
	"fmt"
	"log/slog"
)

// A Profile holds what Kii Cloud knows of a user. A field that its answer leaves out is zero. All
// of it is personal, so a Profile prints redacted. Its JSON holds everything.
type Profile struct {
	UserID      string `json:"user_id"`
	LoginName   string `json:"login_name,omitempty"`
	DisplayName string `json:"display_name,omitempty"`
	Country     string `json:"country,omitempty"` // two letters, such as "JP"
	Locale      string `json:"locale,omitempty"`  // of the user's messages, such as "ja"

	// Email and Phone are where a reset goes, if they are verified.
	Email         string `json:"email,omitempty"`
	EmailVerified bool   `json:"email_verified"`
	Phone         string `json:"phone,omitempty"` // + and digits
	PhoneVerified bool   `json:"phone_verified"`

	// PendingEmail and PendingPhone take the place of Email and Phone as soon as they are verified.
	PendingEmail string `json:"pending_email,omitempty"`
	PendingPhone string `json:"pending_phone,omitempty"`

	// HasPassword reports whether there is a password that a reset could replace. If it is false, a
	// reset is refused with [ErrNoPassword]; if it is nil, Kii Cloud did not say.
	HasPassword *bool `json:"has_password,omitempty"`

	// Disabled reports whether an administrator has disabled the account. Then a login and a reset
	// are refused with [ErrUserDisabled].
	Disabled bool `json:"disabled"`
}

// Format implements [fmt.Formatter]. It prints no field.
func (p Profile) Format(f fmt.State, verb rune) { format(f, verb, p.String()) }

// LogValue implements [slog.LogValuer].
func (p Profile) LogValue() slog.Value { return slog.StringValue(p.String()) }

// String returns a text that holds nothing of the profile.
func (p Profile) String() string { return "kii.Profile" + blanked }

// profile returns the user of the record o, and what is wrong with the record, or "".
// https://documentation.kii.com/rest/apps-collection/application/user-collection/user-logged-in/
func (o object) profile() (p *Profile, wrong string) {
	p = new(Profile)
	for name, field := range map[string]any{
		"userID": &p.UserID, "loginName": &p.LoginName, "displayName": &p.DisplayName,
		"emailAddress": &p.Email, "emailAddressVerified": &p.EmailVerified,
		"phoneNumber": &p.Phone, "phoneNumberVerified": &p.PhoneVerified,
		"country": &p.Country, "locale": &p.Locale,
		"_emailAddressPending": &p.PendingEmail, "_phoneNumberPending": &p.PendingPhone,
	} {
		o.get(name, field)
	}
	// The server sends a boolean; the mock in the tests of Kii's Unity SDK sends a string.
	disabled := string(o["_disabled"])
	p.Disabled = disabled == "true" || disabled == `"true"`
	if has := string(o["_hasPassword"]); has == "true" || has == "false" {
		p.HasPassword = new(has == "true")
	}
	if unsendable(p.UserID) != "" {
		return nil, "no user ID"
	}
	return p, ""
}
