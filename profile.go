package kii

import (
	"fmt"
	"log/slog"
)

// A Profile is what Kii Cloud knows of a user. All of it is personal: it prints redacted.
type Profile struct {
	UserID, LoginName, DisplayName, Email, Phone, Country, Locale string

	EmailVerified, PhoneVerified bool

	// HasPassword tells beforehand whether a reset can work, or would be [ErrNoPassword]. nil:
	// Kii Cloud did not say.
	HasPassword *bool
}

// Format implements [fmt.Formatter]. It prints no field.
func (p Profile) Format(f fmt.State, verb rune) { format(f, verb, p.String()) }

// LogValue implements [slog.LogValuer].
func (p Profile) LogValue() slog.Value { return slog.StringValue(p.String()) }

// String returns nothing of the profile.
func (p Profile) String() string { return "kii.Profile" + blanked }

// profileReply is the answer of users/me.
// https://documentation.kii.com/rest/apps-collection/application/user-collection/user-logged-in/
type profileReply struct {
	UserID        string `json:"userID"`
	LoginName     string `json:"loginName"`
	DisplayName   string `json:"displayName"`
	Email         string `json:"emailAddress"`
	Phone         string `json:"phoneNumber"`
	Country       string `json:"country"`
	Locale        string `json:"locale"`
	EmailVerified bool   `json:"emailAddressVerified"`
	PhoneVerified bool   `json:"phoneNumberVerified"`
	HasPassword   *bool  `json:"_hasPassword"`
}

func (r *profileReply) profile() *Profile {
	return &Profile{
		UserID: r.UserID, LoginName: r.LoginName, DisplayName: r.DisplayName,
		Email: r.Email, Phone: r.Phone, Country: r.Country, Locale: r.Locale,
		EmailVerified: r.EmailVerified, PhoneVerified: r.PhoneVerified, HasPassword: r.HasPassword,
	}
}
