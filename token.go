package kii

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// A Token holds the access token of a session and, if the app has them, its refresh token. It
// marshals to JSON, to be stored where secrets are stored, and prints redacted.
type Token struct {
	UserID       string    `json:"user_id,omitempty"`
	AccessToken  string    `json:"access_token"`
	RefreshToken string    `json:"refresh_token,omitempty"` // empty unless the app has them switched on
	Expiry       time.Time `json:"expiry,omitzero"`         // by this machine's clock; zero if Kii Cloud named none
}

// Format implements [fmt.Formatter]. It prints no field but Expiry.
func (t Token) Format(f fmt.State, verb rune) { format(f, verb, t.String()) }

// LogValue implements [slog.LogValuer].
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// String returns a text that holds the expiry, and nothing else of the token.
func (t Token) String() string {
	if t.Expiry.IsZero() {
		return "kii.Token" + blanked
	}
	return "kii.Token" + blanked + " until " + t.Expiry.Format(time.RFC3339)
}

// token returns the token in the answer to a login, or to a refresh of old, and what is wrong with
// it, or "". An answer to a refresh may have no ID, and no refresh token or an unusable one: then
// those of old are kept (RFC 6749, section 6).
func (o object) token(old Token) (t *Token, wrong string) {
	t = &Token{UserID: old.UserID}
	o.get("id", &t.UserID)
	o.get("access_token", &t.AccessToken)
	o.get("refresh_token", &t.RefreshToken)
	switch {
	case unsendable(t.UserID) != "" && (t.UserID != "" || old.AccessToken == ""):
		return nil, "no user ID"
	case unsendable(t.AccessToken) != "":
		return nil, "no access token"
	case unsendable(t.RefreshToken) != "":
		t.RefreshToken = old.RefreshToken
	}
	if life, known := o.lifetime(); known {
		// Round removes the monotonic clock, which stops while a machine is suspended. Without that
		// clock a token also equals itself after JSON.
		t.Expiry = time.Now().UTC().Round(0).Add(life)
	}
	return t, ""
}

// lifetime returns how long a token lives. A value that cannot be read counts as not known, so that
// it fails no login. Kii documents values that overflow a Duration.
func (o object) lifetime() (life time.Duration, known bool) {
	var number json.Number
	o.get("expires_in", &number)
	seconds, _ := number.Float64() // infinite if it overflows, and 0 if there is no number
	return saturate(seconds), number != ""
}

// tokenCall returns a call to the token endpoint: a login or a refresh.
// https://documentation.kii.com/rest/oauth2/token
func (a *api) tokenCall(op string, body []byte, secrets ...string) *call {
	return &call{
		op:          op,
		method:      http.MethodPost,
		url:         a.site + "/oauth2/token",
		contentType: tokenType,
		body:        body,
		secrets:     secrets,
	}
}
