package kii

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"time"
)

// A Token is what a session lives by. It marshals to JSON, to be kept where secrets are kept, and
// prints redacted.
type Token struct {
	UserID       string    `json:"user_id,omitempty"`
	AccessToken  string    `json:"access_token"`
	RefreshToken string    `json:"refresh_token,omitempty"` // empty unless the app has them switched on
	Expiry       time.Time `json:"expiry,omitzero"`         // by this machine's clock; zero: never, or Kii Cloud named none
}

// Format implements [fmt.Formatter]. It prints no field but Expiry.
func (t Token) Format(f fmt.State, verb rune) { format(f, verb, t.String()) }

// LogValue implements [slog.LogValuer].
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// String returns the expiry and nothing else of the token.
func (t Token) String() string {
	if t.Expiry.IsZero() {
		return "kii.Token" + blanked
	}
	return "kii.Token" + blanked + " until " + t.Expiry.Format(time.RFC3339)
}

// tokenReply is the answer of the token endpoint.
type tokenReply struct {
	ID, AccessToken, RefreshToken string
	ExpiresIn                     json.Number // seconds; documented ones overflow a Duration
}

// UnmarshalJSON goes by exact names. A life that cannot be read costs no login: it is then unknown.
func (r *tokenReply) UnmarshalJSON(data []byte) error {
	var fields object
	err := json.Unmarshal(data, &fields)
	fields.get("id", &r.ID)
	fields.get("access_token", &r.AccessToken)
	fields.get("expires_in", &r.ExpiresIn)
	if refresh := fields["refresh_token"]; refresh != nil {
		err = cmp.Or(err, json.Unmarshal(refresh, &r.RefreshToken))
	}
	return err
}

// wrong returns why r holds no login; empty if it does.
func (r *tokenReply) wrong() string {
	switch {
	case unsendable(r.ID) != "":
		return "no user ID"
	case unsendable(r.AccessToken) != "":
		return "no access token"
	case r.RefreshToken != "" && unsendable(r.RefreshToken) != "":
		return "a broken refresh token"
	}
	return ""
}

// token returns the token of a login. A refresh that is answered without a refresh token leaves the
// old one valid (RFC 6749, section 6).
func (r *tokenReply) token(oldRefreshToken string) *Token {
	t := &Token{UserID: r.ID, AccessToken: r.AccessToken, RefreshToken: cmp.Or(r.RefreshToken, oldRefreshToken)}
	if r.ExpiresIn != "" {
		// Round removes the monotonic clock, which stands still while a machine is suspended. So a
		// token is the same after JSON.
		t.Expiry = time.Now().UTC().Round(0).Add(r.lifetime())
	}
	return t
}

func (r *tokenReply) lifetime() time.Duration {
	if seconds, err := r.ExpiresIn.Int64(); err == nil {
		return saturate(seconds)
	}
	seconds, _ := r.ExpiresIn.Float64() // infinite if it overflows; a json.Number is valid
	return saturate(int64(min(seconds, math.MaxInt32*1e9)))
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
