package kiitest

import "slices"

// requestReset sends a link or a PIN. Nothing else changes: the old password and the tokens live
// on.
func (s *Server) requestReset(c *call) answer {
	channel, withPIN := Email, false
	if len(c.body) > 0 { // without a body it is the older call, which knows e-mail only
		var refused *answer
		if channel, withPIN, refused = c.resetMethod(); refused != nil {
			return *refused
		}
	}
	a, refused := c.resettable()
	switch {
	case refused != nil:
		return *refused
	case channel == Email && !a.EmailVerified:
		return c.invalidStatus("The user has no verified email address", "%s", a.whyUnreachable(Email))
	case channel == SMS && !a.PhoneVerified:
		return c.invalidStatus("The user has no verified phone number", "%s", a.whyUnreachable(SMS))
	case withPIN:
		s.sendPIN(c, a)
	default:
		s.sendLink(c, a, channel)
	}
	return noContent()
}

// whyUnreachable says why no reset can go to the account's address of the channel.
func (a *account) whyUnreachable(by Channel) string {
	kind, value := kindEmail, a.Email
	if by == SMS {
		kind, value = kindPhone, a.Phone
	}
	if value == "" {
		return a.name() + " has no " + inWords(kind)
	}
	return "the " + inWords(kind) + " of " + a.name() + " is not verified"
}

// requestResetByEmail is the oldest form of the call.
func (s *Server) requestResetByEmail(c *call) answer {
	if by, _ := parseAddress(c.user); by.kind != kindEmail {
		return c.notEmulated("password/reset takes an EMAIL: address only")
	}
	c.body = nil
	return s.requestReset(c)
}

// resetMethod reads by which way the user wants to reset.
func (c *call) resetMethod() (channel Channel, withPIN bool, refused *answer) {
	body, refused := c.texts("notificationMethod", "smsResetMethod")
	method := Channel(body["notificationMethod"])
	how, given := body["smsResetMethod"]
	switch {
	case refused != nil:
		return "", false, refused
	case method != Email && method != SMS:
		return "", false, new(c.badChannel("notificationMethod", "must be EMAIL or SMS"))
	case method == Email:
		return Email, false, nil
	case !given && c.server.assumes(SMSDefaultsToLink):
		return SMS, false, nil
	case how != "URL" && how != "PIN":
		return "", false, new(c.badChannel("smsResetMethod", "must be URL or PIN"))
	}
	return SMS, how == "PIN", nil
}

func (c *call) badChannel(field, reason string) answer {
	if c.server.assumes(BadChannelIsInvalidInput) {
		return c.invalidInput(field, reason)
	}
	return c.invalidJSON(field + " " + reason)
}

func (s *Server) sendPIN(c *call, a *account) {
	last := ""
	if len(a.pins) > 0 {
		last = a.pins[len(a.pins)-1].PIN
	}
	m := &message{Message: Message{Channel: SMS, Purpose: ResetPIN, State: Pending, PIN: s.random.nextPIN(last)}}
	a.pins = append(s.outdated(c, "PIN", a.pins), m)
	a.wrongPINs = 0
	s.send(c, a, m, s.settings.PINValidity)
}

func (s *Server) sendLink(c *call, a *account, channel Channel) {
	m := &message{Message: Message{Channel: channel, Purpose: ResetLink, State: Pending}, secret: s.random.token()}
	m.Link = s.origin + apiPath + "/apps/" + s.appID + "/password-reset/" + m.secret
	a.links = append(s.outdated(c, "link", a.links), m)
	s.links[m.secret] = &link{a, m}
	s.send(c, a, m, s.settings.LinkValidity)
}

// outdated ends the pending messages that a newer one replaces, and returns those that stay.
func (s *Server) outdated(c *call, what string, pending []*message) []*message {
	if !s.assumes(NewerRequestReplacesOlder) {
		return pending
	}
	for _, m := range pending {
		if !m.expired(s.now()) {
			c.because("the older %s, of message %d, was replaced", what, m.ID)
		}
		m.State = Replaced
	}
	return nil
}

// checkPassword refuses a password that no account can have, and the one that the account has. The
// account is nil if there is none, or if reusing the old password is allowed.
func (c *call) checkPassword(a *account, password string) *answer {
	least := c.server.settings.MinPasswordLength
	switch {
	case len(password) < least:
		return new(c.passwordTooShort(least))
	case !validPassword(password):
		return new(c.invalidInput("newPassword", "must be 4 to 50 printable ASCII characters"))
	case a != nil && password == a.Password:
		return new(c.invalidInput("newPassword", "is the same as the old one"))
	}
	return nil
}

// reset gives the account a new password because of the message m: the chosen one, or a generated
// one if that is empty, which goes the way that m went.
func (s *Server) reset(c *call, a *account, m *message, chosen string) {
	s.use(a, m)
	told := &message{Message: Message{Channel: m.Channel, Purpose: PasswordReset, To: m.To}}
	password := chosen
	if chosen == "" {
		password = s.random.password(s.settings.MinPasswordLength, a.Password)
		told.Purpose, told.Password = NewPassword, password
	}
	s.setPassword(c, a, password, m)
	if chosen == "" || !s.assumes(InputResetIsSilent) {
		s.send(c, a, told, 0)
	}
}

// use marks a PIN or a link as used, and takes it from those that work.
func (s *Server) use(a *account, m *message) {
	m.State = Used
	if s.assumes(CodesAreSingleUse) {
		isThis := func(other *message) bool { return other == m }
		a.pins = slices.DeleteFunc(a.pins, isThis)
		a.links = slices.DeleteFunc(a.links, isThis)
	}
}

// setPassword ends what was obtained with the old password, and what was to replace it, except the
// message that it was replaced with.
func (s *Server) setPassword(c *call, a *account, password string, because *message) {
	a.Password = password
	if n := len(a.tokens); n > 0 && (!c.admin || s.assumes(AdminPasswordEndsTokens)) {
		a.endTokens(s.assumes(NewPasswordKillsRefreshTokens), a.name()+" got a new password")
		c.because("the new password ended %d of the tokens of %s", n-len(a.tokens), a.name())
	}
	if s.assumes(ResetEndsOtherRequests) {
		a.endPending(because)
	}
}

// endPending ends the account's PINs and links except one.
func (a *account) endPending(except *message) {
	a.endPendingIf(func(m *message) bool { return m != except })
}

// endPendingBy ends the account's PINs and links that went by the channel.
func (a *account) endPendingBy(channel Channel) {
	a.endPendingIf(func(m *message) bool { return m.Channel == channel })
}

func (a *account) endPendingIf(ends func(*message) bool) {
	end := func(m *message) bool {
		if !ends(m) {
			return false
		}
		m.State = Replaced
		return true
	}
	a.pins = slices.DeleteFunc(a.pins, end)
	a.links = slices.DeleteFunc(a.links, end)
}
