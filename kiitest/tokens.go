package kiitest

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// neverExpires is the expires_in that Kii Cloud's own tests show for a token without an end: more
// seconds than fit a time.Duration.
const neverExpires = math.MaxInt64 / 1000

// maxTokens bounds how many tokens a server knows, those that are over included; the oldest go first.
const maxTokens = 100_000

// A token stands for an account, or where it is anonymous for the app.
type token struct {
	value   string
	account *account
	expires time.Time // zero: never
	refresh bool
	pair    *token // the access token of a refresh token, and the reverse; nil: none
}

func (t *token) expired(now time.Time) bool { return !t.expires.IsZero() && !now.Before(t.expires) }

// A grant is what a call to the token endpoint asks for.
type grant struct {
	kind, username, password, refreshToken, clientID, clientSecret string
	expiresAt                                                      int64 // ms since 1970; 0: not given
	refused                                                        *answer
}

func (g grant) operation() Operation {
	switch g.kind {
	case "refresh_token":
		return OpRefresh
	case "client_credentials":
		return OpAnonymousLogin
	default:
		return OpLogin
	}
}

// isLogin tells the operations of the token endpoint.
func (o Operation) isLogin() bool { return o == OpLogin || o == OpRefresh || o == OpAnonymousLogin }

// readGrant reads the body of a call to the token endpoint, which is JSON or a form.
func (c *call) readGrant() grant {
	var g grant
	var body object
	if c.hasType(typeForm) {
		body, g.refused = c.form()
	} else {
		body, g.refused = c.object("grant_type", "username", "password", "refresh_token", "client_id", "client_secret", "expiresAt", "scope")
	}
	for name, field := range map[string]*string{
		"grant_type": &g.kind, "username": &g.username, "password": &g.password,
		"refresh_token": &g.refreshToken, "client_id": &g.clientID, "client_secret": &g.clientSecret,
	} {
		if g.refused == nil {
			*field, _, g.refused = body.text(name)
		}
	}
	if g.refused == nil {
		g.expiresAt, g.refused = body.millis("expiresAt")
	}
	return g
}

// millis reads a moment in milliseconds since 1970, which some clients send as a string.
func (o object) millis(name string) (int64, *answer) {
	raw := string(o[name])
	if raw == "" || raw == "null" {
		return 0, nil
	}
	if unquoted, err := strconv.Unquote(raw); err == nil {
		raw = unquoted
	}
	n, err := strconv.ParseInt(raw, 10, 64)
	if err != nil || n <= 0 {
		return 0, new(invalidInput(name + " must be milliseconds since 1970"))
	}
	return n, nil
}

// login serves the token endpoint: a password, a refresh token, or the app's own credentials for one
// of an anonymous user.
func (s *Server) login(c *call) answer {
	g := c.grant
	if g.refused != nil {
		return *g.refused
	}
	switch g.kind {
	case "", "password":
		return s.loginByPassword(c, g)
	case "refresh_token":
		return s.refresh(c, g)
	case "client_credentials":
		if g.clientID != s.appID || g.clientSecret != s.appKey {
			return oauthFailure(http.StatusBadRequest, "invalid_client", "The client credentials are wrong")
		}
		return s.issue(c, nil, g)
	default:
		return oauthFailure(http.StatusBadRequest, "unsupported_grant_type", "The grant type is not supported")
	}
}

func (s *Server) loginByPassword(c *call, g grant) answer {
	if g.username == "" || g.password == "" {
		return invalidInput("username or password is missing")
	}
	by := anyAddress(g.username)
	a := s.byName[s.key(by)]
	switch {
	case a == nil || a.Password != g.password || !a.verified(by):
		return s.invalidGrant()
	case a.Disabled && s.Assumes(DisabledLoginSaysSo):
		return s.userDisabled(http.StatusUnauthorized, a)
	case a.Disabled:
		return s.invalidGrant()
	}
	return s.issue(c, a, g)
}

func (s *Server) invalidGrant() answer {
	status := http.StatusUnauthorized
	if s.Assumes(WrongLoginIsBadRequest) {
		status = http.StatusBadRequest
	}
	return oauthFailure(status, "invalid_grant", "The user was not found or the password is wrong")
}

// refresh hands out a new pair of tokens for a refresh token, once.
func (s *Server) refresh(c *call, g grant) answer {
	t := s.tokens[g.refreshToken]
	if t == nil || !t.refresh || !s.settings.RefreshTokens {
		return failure(http.StatusForbidden, "WrongRefreshTokenException", "WRONG_REFRESH_TOKEN", "The provided refresh token is not valid", fields{"appID": s.appID})
	}
	if t.account.Disabled {
		return s.userDisabled(http.StatusUnauthorized, t.account)
	}
	a := s.issue(c, t.account, g)
	if a.status == http.StatusOK {
		s.kill(t)
		s.kill(t.pair)
	}
	return a
}

// issue answers with a token for the account, or where it is nil an anonymous one.
func (s *Server) issue(c *call, a *account, g grant) answer {
	access := &token{value: s.made.token(), account: a}
	seconds := int64(neverExpires)
	if validity := s.settings.TokenValidity; validity > 0 {
		access.expires = c.now.Add(validity)
		seconds = int64(validity / time.Second)
	}
	if g.expiresAt != 0 {
		wanted := time.UnixMilli(g.expiresAt)
		if !wanted.After(c.now) || (!access.expires.IsZero() && wanted.After(access.expires)) {
			return invalidInput("expiresAt is in the past or exceeds the app's maximum")
		}
		access.expires = wanted
		seconds = int64(wanted.Sub(c.now) / time.Second)
	}
	body := map[string]any{"access_token": access.value, "expires_in": seconds, "token_type": "bearer"}
	s.keep(access)
	if a != nil {
		body["id"] = a.ID
	}
	if a != nil && s.settings.RefreshTokens {
		access.pair = &token{value: s.made.token(), account: a, refresh: true, pair: access}
		body["refresh_token"] = access.pair.value
		s.keep(access.pair)
	}
	return jsonAnswer(http.StatusOK, typeJSON, body)
}

func (s *Server) keep(t *token) {
	if len(s.issued) == maxTokens {
		for _, old := range s.issued[:maxTokens/10] { // a tenth at once, so that most logins move nothing
			s.kill(old)
		}
		s.issued = slices.Delete(s.issued, 0, maxTokens/10)
	}
	s.issued = append(s.issued, t)
	s.tokens[t.value] = t
	if t.account != nil {
		t.account.tokens = append(t.account.tokens, t)
	}
}

func (s *Server) kill(t *token) {
	if t == nil || s.tokens[t.value] != t {
		return
	}
	delete(s.tokens, t.value)
	if t.account == nil {
		return
	}
	t.account.tokens = slices.DeleteFunc(t.account.tokens, func(other *token) bool { return other == t })
}

// killTokens ends the access tokens of the account, and with them its refresh tokens or not.
func (s *Server) killTokens(a *account, refreshToo bool) {
	a.tokens = slices.DeleteFunc(a.tokens, func(t *token) bool {
		dies := refreshToo || !t.refresh
		if dies {
			delete(s.tokens, t.value)
		}
		return dies
	})
}
