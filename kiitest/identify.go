package kiitest

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
)

// identify finds the caller. It refuses a token that is dead, a disabled user's token, and a call
// that names no app or another one.
func (c *call) identify() *answer {
	s := c.server
	scheme, credentials, _ := strings.Cut(c.header.Get("Authorization"), " ")
	app, named := c.header.Get("X-Kii-AppID"), "header X-Kii-AppID"
	switch strings.ToLower(scheme) {
	case "bearer":
		t := s.tokens[credentials]
		if why := t.dead(c.now); why != "" {
			return new(c.deadToken(why))
		}
		c.principal, c.admin = t.account, t.admin
		app = s.appID
		if t.account != nil && t.account.Disabled {
			return new(c.userDisabled(http.StatusUnauthorized, t.account))
		}
	case "basic":
		decoded, err := base64.StdEncoding.DecodeString(credentials)
		if err != nil {
			return new(c.unauthorized("the Basic authorization is not base64"))
		}
		app, _, _ = strings.Cut(string(decoded), ":")
		named = "Basic authorization"
	default:
		if scheme != "" {
			c.remark("has an Authorization header that is neither Bearer nor Basic")
			c.because("the Authorization header is neither Bearer nor Basic, and was ignored")
		}
	}
	if app == "" { // only a call to the token endpoint has a grant
		app, named = c.grant.clientID, "body's client_id"
		if c.operation == OpAdminLogin {
			app = s.appID // the credentials name it
		}
	}
	switch {
	case app == "" && s.assumes(CallsMustNameTheApp):
		return new(c.unauthorized("neither an Authorization header nor X-Kii-AppID names the app"))
	case app != "" && app != s.appID:
		return new(c.appNotFound(named))
	}
	return nil
}

// bearer returns the token that the call carries; empty: none.
func (c *call) bearer() string {
	scheme, token, _ := strings.Cut(c.header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}

// target finds the user that the path names.
func (c *call) target() (*account, *answer) {
	s := c.server
	if c.user == "me" {
		if c.principal == nil {
			return nil, new(c.unauthorized("users/me needs a user's token"))
		}
		return c.principal, nil
	}
	if !strings.Contains(c.user, ":") {
		if a := s.accounts[c.user]; a != nil {
			return a, nil
		}
		return nil, new(c.userNotFound("userID", c.user, "no user has this ID%s", c.otherName()))
	}
	kind, value, _ := strings.Cut(c.user, ":")
	wanted, ok := parseAddress(c.user)
	a := s.holder(wanted)
	switch {
	case !ok:
		return nil, new(c.userNotFound(fieldOf(kind), value, "the path's user is no EMAIL:, PHONE: or LOGIN_NAME: and an address"))
	case a == nil:
		return nil, new(c.userNotFound(fieldOf(kind), value, "no user has this %s%s", inWords(kind), s.inOtherLetters(wanted)))
	case kind == kindLoginName && c.operation.resets() && !s.assumes(LoginNameResets):
		return nil, new(c.userNotFound(fieldOf(kind), value, "a login name names nobody on a reset, as LoginNameResets does not hold"))
	case a.verified(wanted):
		return a, nil
	case s.assumes(UnverifiedAddressIsUnknown):
		return nil, new(c.userNotFound(fieldOf(kind), value, "the %s of %s is not verified", inWords(kind), a.name()))
	default:
		return nil, new(c.invalidStatus("The address is not verified", "the %s of %s is not verified", inWords(kind), a.name()))
	}
}

// inOtherLetters says that somebody has an e-mail address which nobody has as it is written.
func (s *state) inOtherLetters(by address) string {
	if by.kind == kindEmail {
		for _, a := range s.accounts {
			if strings.EqualFold(a.Email, by.value) {
				return ", but one has it in other letters, and EmailCaseMatters holds"
			}
		}
	}
	return ""
}

// otherName says which form the path needs if a user's name stands in place of a user ID.
func (c *call) otherName() string {
	by := bareAddress(c.user)
	if c.server.holder(by) == nil {
		return ""
	}
	return ", but one has this " + inWords(by.kind) + ": the path needs " + by.kind + ": before it"
}

// own finds the user that the path names, if the caller is that user or an administrator.
func (c *call) own() (*account, *answer) {
	a, refused := c.target()
	if refused != nil {
		return nil, refused
	}
	if c.principal != a && !c.admin {
		return nil, new(c.unauthorized("the call needs a token of %s", a.name()))
	}
	return a, nil
}

// resettable finds the user that a call of the reset is for. A caller with a token may only reset
// the token's user.
func (c *call) resettable() (*account, *answer) {
	s := c.server
	a, refused := c.target()
	switch {
	case refused != nil:
		return nil, refused
	case c.principal != nil && c.principal != a:
		return nil, new(c.unauthorized("the token is not of %s", a.name()))
	case c.user == "me" && c.operation == OpRequestReset && !s.assumes(MeCanRequestReset):
		return nil, new(c.userNotFound("userID", c.user, "users/me names nobody here, as MeCanRequestReset does not hold"))
	case a.Disabled && s.assumes(DisabledIsUnauthorized):
		return nil, new(c.userDisabled(http.StatusUnauthorized, a))
	case a.Disabled:
		return nil, new(c.userDisabled(http.StatusForbidden, a))
	case a.Password == "":
		return nil, new(c.noPassword(a))
	}
	return a, nil
}

// verified reports whether an address of the account may be used to name it.
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

// owner returns the account that is named by the address, or nil: several may have an address, and
// one of them verified.
func (s *state) owner(by address) *account {
	for _, a := range s.byName[s.key(by)] {
		if a.verified(by) {
			return a
		}
	}
	return nil
}

// holder returns the owner of the address, or if there is none the first account that has it, or
// nil.
func (s *state) holder(by address) *account {
	all := s.byName[s.key(by)]
	if owner := s.owner(by); owner != nil || len(all) == 0 {
		return owner
	}
	return all[0]
}

// take gives the account an address, and drop takes it away.
func (s *state) take(a *account, by address) { s.byName[s.key(by)] = append(s.byName[s.key(by)], a) }

func (s *state) drop(a *account, by address) {
	key := s.key(by)
	s.byName[key] = slices.DeleteFunc(s.byName[key], func(other *account) bool { return other == a })
	if len(s.byName[key]) == 0 {
		delete(s.byName, key)
	}
}

// name is what a person calls the account, for the call log.
func (a *account) name() string {
	for _, name := range []string{a.LoginName, a.DisplayName, a.Email, a.Phone} {
		if name != "" {
			return name
		}
	}
	return a.ID
}

// key is the form of an address under which accounts are found.
func (s *state) key(a address) address {
	if a.kind == kindEmail && !s.assumes(EmailCaseMatters) {
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

// inWords is the name of an address kind in sentences.
func inWords(kind string) string {
	switch kind {
	case kindEmail:
		return "e-mail address"
	case kindPhone:
		return "phone number"
	default:
		return "login name"
	}
}
