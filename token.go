package kii

import (
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
	Expiry       time.Time `json:"expiry,omitzero"`         // by this machine's clock; zero: never
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
	ID           string      `json:"id"`
	AccessToken  string      `json:"access_token"`
	RefreshToken string      `json:"refresh_token"`
	ExpiresIn    json.Number `json:"expires_in"` // seconds; documented ones overflow a Duration
}

// complete reports whether r holds a token that can be sent.
func (r *tokenReply) complete() bool {
	return r.ID != "" && r.AccessToken != "" && !hasControl(r.ID+r.AccessToken+r.RefreshToken)
}

func (r *tokenReply) token() *Token {
	t := &Token{UserID: r.ID, AccessToken: r.AccessToken, RefreshToken: r.RefreshToken}
	if r.ExpiresIn != "" {
		t.Expiry = time.Now().Add(r.lifetime())
	}
	return t
}

func (r *tokenReply) lifetime() time.Duration {
	if seconds, err := r.ExpiresIn.Int64(); err == nil {
		return saturate(seconds)
	}
	seconds, _ := r.ExpiresIn.Float64() // infinite where it overflows, and valid JSON in any case
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
