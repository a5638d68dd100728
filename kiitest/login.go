package kiitest

import (
	"net/http"
	"strconv"
	"time"
)

// A grant is what a call to the token endpoint asks for.
type grant struct {
	kind, username, password, refreshToken, clientID, clientSecret string

	ofApp     bool  // whether the client is the app itself
	expiresAt int64 // ms since 1970; 0: not given
	refused   *answer
}

// clientCredentials is the grant for a client without a user.
const clientCredentials = "client_credentials"

func (g grant) operation() Operation {
	switch {
	case g.kind == "refresh_token":
		return OpRefresh
	case g.kind == clientCredentials && g.ofApp:
		return OpAnonymousLogin
	case g.kind == clientCredentials:
		return OpAdminLogin
	default:
		return OpLogin
	}
}

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
			*field, _, g.refused = body.text(c, name)
		}
	}
	if g.refused == nil {
		g.expiresAt, g.refused = body.millis(c, "expiresAt")
	}
	if g.kind == "" && g.clientID != "" && g.username == "" && g.password == "" { // the JavaScript SDK
		g.kind = clientCredentials
	}
	g.ofApp = g.clientID == c.server.appID
	return g
}

// millis reads a moment in milliseconds since 1970, which some clients send as a string.
func (o object) millis(c *call, name string) (int64, *answer) {
	raw := string(o[name])
	if raw == "" || raw == "null" {
		return 0, nil
	}
	if unquoted, err := strconv.Unquote(raw); err == nil {
		raw = unquoted
	}
	n, err := strconv.ParseInt(raw, 10, 64)
	if err != nil || n <= 0 {
		return 0, new(c.invalidInput(name, "must be milliseconds since 1970"))
	}
	return n, nil
}

// login serves the token endpoint: a password, a refresh token, or the app's own credentials for
// one of an anonymous user.
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
	case clientCredentials:
		return s.loginClient(c, g)
	default:
		c.because("kiitest knows the grant types password, refresh_token and client_credentials")
		return oauthFailure(http.StatusBadRequest, "unsupported_grant_type", "The grant type is not supported")
	}
}

// loginClient gives an administrator's token for the administrator's credentials, and one without
// rights for the app's.
func (s *Server) loginClient(c *call, g grant) answer {
	const wrong = "the client credentials are neither the administrator's nor the app's"
	switch {
	case g.clientID == s.clientID && g.clientSecret == s.clientSecret:
		return s.issueAdmin(c, g)
	case g.ofApp && g.clientSecret == s.appKey:
		c.because("the credentials are the app's own, so the token is anonymous and has no rights")
		return s.issue(c, nil, g)
	case s.assumes(WrongClientIsWrongLogin):
		return c.invalidGrant(wrong)
	}
	c.because(wrong)
	return oauthFailure(http.StatusBadRequest, "invalid_client", "The client credentials are wrong")
}

func (s *Server) loginByPassword(c *call, g grant) answer {
	switch {
	case g.username == "":
		return c.invalidInput("username", "is missing or empty")
	case g.password == "":
		return c.invalidInput("password", "is missing or empty")
	}
	by := anyAddress(g.username)
	a := s.holder(by)
	switch {
	case !canName(g.username):
		return c.invalidGrant("username can name nobody: it is no login name, e-mail address or phone number with + (in a form: %%2B)")
	case a == nil && s.accounts[g.username] != nil:
		return c.invalidGrant("no user has this login name, but %s has this user ID, and Kii documents no login by one", s.accounts[g.username].name())
	case a == nil:
		return c.invalidGrant("no user has this %s%s", inWords(by.kind), s.inOtherLetters(by))
	case !a.verified(by):
		return c.invalidGrant("the %s of %s is not verified", inWords(by.kind), a.name())
	case a.Password == "":
		return c.invalidGrant("%s has no password", a.name())
	case a.Password != g.password:
		return c.invalidGrant("this is not the password of %s", a.name())
	case a.Disabled && s.assumes(DisabledLoginSaysSo):
		return c.userDisabled(http.StatusUnauthorized, a)
	case a.Disabled:
		return c.invalidGrant("%s is disabled", a.name())
	}
	return s.issue(c, a, g)
}

func (c *call) invalidGrant(why string, args ...any) answer {
	c.because(why, args...)
	status := http.StatusUnauthorized
	if c.server.assumes(WrongLoginIsBadRequest) {
		status = http.StatusBadRequest
	}
	return oauthFailure(status, "invalid_grant", "The user was not found or a wrong password was provided")
}

// refresh hands out a new pair of tokens for a refresh token, once.
func (s *Server) refresh(c *call, g grant) answer {
	t := s.tokens[g.refreshToken]
	refuse := func(why string) answer {
		c.because("%s", why)
		return failure(http.StatusForbidden, "WrongRefreshTokenException", "WRONG_REFRESH_TOKEN", "The provided refresh token is not valid", fields{"appID": s.appID})
	}
	switch {
	case !s.settings.RefreshTokens:
		return refuse("refresh tokens are off in the settings")
	case t == nil:
		return refuse("the server gave out no such refresh token")
	case !t.refresh:
		return refuse("the token is an access token")
	case t.ended != "":
		return refuse("the refresh token ended: " + t.ended)
	case t.account.Disabled:
		return c.userDisabled(http.StatusUnauthorized, t.account)
	}
	a := s.issue(c, t.account, g)
	if a.status == http.StatusOK {
		t.end("it was used")
		t.pair.end("its refresh token was used")
	}
	return a
}

// issue answers with a token for the account, or with an anonymous one if it is nil.
func (s *Server) issue(c *call, a *account, g grant) answer {
	var limit time.Time
	if validity := s.settings.TokenValidity; validity > 0 {
		limit = c.now.Add(validity)
	}
	expires, refused := c.expiry(g, limit)
	if refused != nil {
		return *refused
	}
	access := s.newToken(c.now, a)
	access.expires = expires
	body := access.reply(c.now)
	if a != nil {
		body["id"] = a.ID
	}
	if access.pair != nil {
		body["refresh_token"] = access.pair.value
	}
	return jsonAnswer(http.StatusOK, typeJSON, body)
}

// issueAdmin answers with an administrator's token, which has no end unless the call asks for one.
func (s *Server) issueAdmin(c *call, g grant) answer {
	expires, refused := c.expiry(g, time.Time{})
	if refused != nil {
		return *refused
	}
	access := &token{value: s.random.token(), admin: true, expires: expires}
	s.keep(access)
	body := access.reply(c.now)
	body["id"] = g.clientID
	return jsonAnswer(http.StatusOK, typeJSON, body)
}

// expiry is when a token ends that the grant asks for: at the limit, unless expiresAt is earlier. A
// zero time is never.
func (c *call) expiry(g grant, limit time.Time) (time.Time, *answer) {
	if g.expiresAt == 0 {
		return limit, nil
	}
	wanted := time.UnixMilli(g.expiresAt)
	if !wanted.After(c.now) || !limit.IsZero() && wanted.After(limit) {
		return time.Time{}, new(c.invalidInput("expiresAt", "is in the past or exceeds the app's maximum"))
	}
	return wanted, nil
}
