package kiitest

import (
	"math"
	"slices"
	"time"
)

// neverExpires is the expires_in that Kii Cloud's own tests show for a token without an end: more
// seconds than fit a time.Duration.
const neverExpires = math.MaxInt64 / 1000

// maxTokens bounds how many tokens a server knows, those that are over included; the oldest go
// first.
const maxTokens = 100_000

// A token stands for an account, or if it is anonymous for the app.
type token struct {
	value   string
	account *account
	expires time.Time // zero: never
	refresh bool
	admin   bool
	pair    *token // the access token of a refresh token, and the reverse; nil: none
	ended   string // what ended it before its time; empty: nothing
}

func (t *token) expired(now time.Time) bool { return !t.expires.IsZero() && !now.Before(t.expires) }

// dead says why the token is no access token that works; empty: it is one. A nil token is dead.
func (t *token) dead(now time.Time) string {
	switch {
	case t == nil:
		return "the server gave out no such token"
	case t.refresh:
		return "the token is a refresh token"
	case t.ended != "":
		return "the token ended: " + t.ended
	case t.expired(now):
		return "the token has expired"
	}
	return ""
}

// newToken makes an access token, and its refresh token if the settings want one, for the account,
// or an anonymous one if it is nil. A pseudo user, without any name or address, gets no refresh
// token, as Kii Cloud's guide says.
func (s *Server) newToken(now time.Time, a *account) *token {
	access := &token{value: s.random.token(), account: a}
	if validity := s.settings.TokenValidity; validity > 0 {
		access.expires = now.Add(validity)
	}
	s.keep(access)
	if a != nil && len(s.addresses(a.Account)) > 0 && s.settings.RefreshTokens {
		access.pair = &token{value: s.random.token(), account: a, refresh: true, pair: access}
		s.keep(access.pair)
	}
	return access
}

// reply is what the token endpoint says of an access token.
func (t *token) reply(now time.Time) map[string]any {
	seconds := int64(neverExpires)
	if !t.expires.IsZero() {
		seconds = int64(t.expires.Sub(now) / time.Second)
	}
	return map[string]any{"access_token": t.value, "expires_in": seconds, "token_type": "bearer"}
}

func (s *Server) keep(t *token) {
	if len(s.issued) == maxTokens {
		for _, old := range s.issued[:maxTokens/10] { // a tenth at once, so that most logins move nothing
			old.end("it was the oldest of too many")
			delete(s.tokens, old.value)
		}
		s.issued = slices.Delete(s.issued, 0, maxTokens/10)
	}
	s.issued = append(s.issued, t)
	s.tokens[t.value] = t
	if t.account != nil {
		t.account.tokens = append(t.account.tokens, t)
	}
}

// end ends a token that still works. The server remembers it, to say why it is dead.
func (t *token) end(why string) {
	if t.ended != "" {
		return
	}
	t.ended = why
	if t.account != nil {
		t.account.tokens = slices.DeleteFunc(t.account.tokens, func(other *token) bool { return other == t })
	}
}

// endTokens ends the access tokens of the account, and its refresh tokens if they are to go too.
func (a *account) endTokens(refreshToo bool, why string) {
	a.tokens = slices.DeleteFunc(a.tokens, func(t *token) bool {
		ends := refreshToo || !t.refresh
		if ends {
			t.ended = why
		}
		return ends
	})
}
