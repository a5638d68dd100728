package kiitest

import (
	"encoding/base64"
	"net/http"
	"strings"
)

// identify finds out who calls. It refuses a token that is dead, a disabled user's token, and a call
// that names no app or another one.
func (c *call) identify() *answer {
	s := c.server
	scheme, credentials, _ := strings.Cut(c.header.Get("Authorization"), " ")
	app := c.header.Get("X-Kii-AppID")
	switch strings.ToLower(scheme) {
	case "bearer":
		t := s.tokens[credentials]
		if t == nil || t.refresh || t.expired(c.now) {
			return new(s.deadToken())
		}
		c.principal = t.account
		app = s.appID
		if t.account != nil && t.account.Disabled {
			return new(s.userDisabled(http.StatusUnauthorized, t.account))
		}
	case "basic":
		decoded, err := base64.StdEncoding.DecodeString(credentials)
		if err != nil {
			return new(s.unauthorized(nil))
		}
		app, _, _ = strings.Cut(string(decoded), ":")
	}
	if app == "" && c.operation.isLogin() {
		app = c.grant.clientID
	}
	switch {
	case app == "" && s.Assumes(CallsMustNameTheApp):
		return new(s.unauthorized(nil))
	case app != "" && app != s.appID:
		return new(s.appNotFound())
	}
	return nil
}

// target finds the user that the path names.
func (c *call) target() (*account, *answer) {
	s := c.server
	if c.user == "me" {
		if c.principal == nil {
			return nil, new(s.unauthorized(nil))
		}
		return c.principal, nil
	}
	if !strings.Contains(c.user, ":") {
		if a := s.accounts[c.user]; a != nil {
			return a, nil
		}
		return nil, new(s.userNotFound("userID", c.user))
	}
	kind, value, _ := strings.Cut(c.user, ":")
	wanted, ok := parseAddress(c.user)
	a := s.byName[s.key(wanted)]
	switch {
	case !ok || a == nil || (kind == kindLoginName && c.operation.resets() && !s.Assumes(LoginNameResets)):
		return nil, new(s.userNotFound(fieldOf(kind), value))
	case a.verified(wanted):
		return a, nil
	case s.Assumes(UnverifiedAddressIsUnknown):
		return nil, new(s.userNotFound(fieldOf(kind), value))
	default:
		return nil, new(s.invalidStatus("The address is not verified"))
	}
}

// own finds the user that the path names where the caller is that user.
func (c *call) own() (*account, *answer) {
	a, refused := c.target()
	if refused != nil {
		return nil, refused
	}
	if c.principal != a {
		return nil, new(c.server.unauthorized(c.principal))
	}
	return a, nil
}

// resettable finds the user that a call of the reset is for. Who shows a token may only reset the
// token's user.
func (c *call) resettable() (*account, *answer) {
	s := c.server
	a, refused := c.target()
	switch {
	case refused != nil:
		return nil, refused
	case c.principal != nil && c.principal != a:
		return nil, new(s.unauthorized(c.principal))
	case c.user == "me" && c.operation == OpRequestReset && !s.Assumes(MeCanRequestReset):
		return nil, new(s.userNotFound("userID", c.user))
	case a.Disabled && s.Assumes(DisabledIsUnauthorized):
		return nil, new(s.userDisabled(http.StatusUnauthorized, a))
	case a.Disabled:
		return nil, new(s.userDisabled(http.StatusForbidden, a))
	case a.Password == "":
		return nil, new(noPassword())
	}
	return a, nil
}

// verified tells whether an address of the account's may be used to name it.
func (a *account) verified(by address) bool {
	switch by.kind {
	case kindEmail:
		return a.EmailVerified
	case kindPhone:
		return a.PhoneVerified
	default:
		return true
	}
}

// key is the form of an address under which accounts are found.
func (s *Server) key(a address) address {
	if a.kind == kindEmail && !s.Assumes(EmailCaseMatters) {
		a.value = strings.ToLower(a.value)
	}
	return a
}

// fieldOf is the name of an address kind in bodies.
func fieldOf(kind string) string {
	switch kind {
	case kindEmail:
		return "emailAddress"
	case kindPhone:
		return "phoneNumber"
	case kindLoginName:
		return "loginName"
	default:
		return "userID"
	}
}
