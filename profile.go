package kii

import (
	"encoding/json"
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
type profileReply Profile

// UnmarshalJSON goes by exact names, where encoding/json takes a name in another case too: a user's
// record also holds fields that the user's program named, and EMAILADDRESSVERIFIED must not count.
// A field of another type than documented is passed over.
func (r *profileReply) UnmarshalJSON(data []byte) error {
	var fields map[string]json.RawMessage
	err := json.Unmarshal(data, &fields)
	for name, field := range map[string]any{
		"userID": &r.UserID, "loginName": &r.LoginName, "displayName": &r.DisplayName,
		"emailAddress": &r.Email, "emailAddressVerified": &r.EmailVerified,
		"phoneNumber": &r.Phone, "phoneNumberVerified": &r.PhoneVerified,
		"country": &r.Country, "locale": &r.Locale,
	} {
		_ = json.Unmarshal(fields[name], field)
	}
	if has := string(fields["_hasPassword"]); has == "true" || has == "false" {
		r.HasPassword = new(has == "true")
	}
	return err
}
