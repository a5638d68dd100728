package kiitest

import "slices"

// wrongPINLimit is how many wrong PINs end the right one, unless WrongPINsAreUnlimited.
const wrongPINLimit = 5

// requestReset sends a link or a PIN. Nothing else changes: the old password and the tokens live on.
func (s *Server) requestReset(c *call) answer {
	channel, withPIN := Email, false
	if len(c.body) > 0 { // without a body it is the older call, which knows e-mail alone
		var refused *answer
		if channel, withPIN, refused = s.resetMethod(c); refused != nil {
			return *refused
		}
	}
	a, refused := c.resettable()
	switch {
	case refused != nil:
		return *refused
	case channel == Email && !a.EmailVerified:
		return s.invalidStatus("The user has no verified email address")
	case channel == SMS && !a.PhoneVerified:
		return s.invalidStatus("The user has no verified phone number")
	case withPIN:
		s.sendPIN(a)
	default:
		s.sendLink(a, channel)
	}
	return noContent()
}

// requestResetByEmail is the oldest form of the call.
func (s *Server) requestResetByEmail(c *call) answer {
	if kind, ok := parseAddress(c.user); !ok || kind.kind != kindEmail {
		return notEmulated()
	}
	c.body = nil
	return s.requestReset(c)
}

// resetMethod reads how the user wants to be told.
func (s *Server) resetMethod(c *call) (channel Channel, withPIN bool, refused *answer) {
	body, refused := c.texts("notificationMethod", "smsResetMethod")
	method := Channel(body["notificationMethod"])
	how, given := body["smsResetMethod"]
	switch {
	case refused != nil:
		return "", false, refused
	case method != Email && method != SMS:
		return "", false, new(s.badChannel("notificationMethod must be EMAIL or SMS"))
	case method == Email:
		return Email, false, nil
	case !given && s.Assumes(SMSDefaultsToLink):
		return SMS, false, nil
	case how != "URL" && how != "PIN":
		return "", false, new(s.badChannel("smsResetMethod must be URL or PIN"))
	}
	return SMS, how == "PIN", nil
}

func (s *Server) badChannel(message string) answer {
	if s.Assumes(BadChannelIsInvalidInput) {
		return invalidInput(message)
	}
	return invalidJSON()
}

func (s *Server) sendPIN(a *account) {
	last := ""
	if len(a.pins) > 0 {
		last = a.pins[len(a.pins)-1].PIN
	}
	m := &message{Message: Message{Channel: SMS, Purpose: ResetPIN, State: Pending, PIN: s.made.nextPIN(last)}}
	a.pins = append(s.outdated(a.pins), m)
	a.wrongPINs = 0
	s.send(a, m, s.settings.PINValidity)
}

func (s *Server) sendLink(a *account, channel Channel) {
	m := &message{Message: Message{Channel: channel, Purpose: ResetLink, State: Pending}, secret: s.made.token()}
	m.Link = s.origin + apiPath + "/apps/" + s.appID + "/password-reset/" + m.secret
	a.links = append(s.outdated(a.links), m)
	s.links[m.secret] = &link{a, m}
	s.send(a, m, s.settings.LinkValidity)
}

// outdated ends the pending messages that a newer one replaces, and returns those that stay.
func (s *Server) outdated(pending []*message) []*message {
	if !s.Assumes(NewerRequestReplacesOlder) {
		return pending
	}
	for _, m := range pending {
		m.State = Replaced
	}
	return nil
}

// completeReset sets a new password for who knows the PIN.
func (s *Server) completeReset(c *call) answer {
	body, refused := c.object("pinCode", "newPassword")
	if refused != nil {
		return *refused
	}
	pin, _, refused := body.text("pinCode")
	switch {
	case refused != nil:
		return *refused
	case pin == "":
		return invalidInput("pinCode is missing or empty")
	}
	a, refused := c.resettable()
	if refused != nil {
		return *refused
	}
	if !a.PhoneVerified {
		return s.invalidStatus("The user has no verified phone number")
	}
	password, badPassword := s.newPassword(a, body)
	if badPassword != nil && !s.Assumes(PINCheckedBeforePassword) {
		return *badPassword
	}
	m, refused := s.checkPIN(c, a, pin)
	switch {
	case refused != nil:
		return *refused
	case badPassword == nil:
		s.reset(a, m, password)
		return noContent()
	case !s.Assumes(BadPasswordKeepsPIN):
		s.use(a, m)
	}
	return *badPassword
}

// checkPIN finds the message that told the PIN.
func (s *Server) checkPIN(c *call, a *account, pin string) (*message, *answer) {
	if len(a.pins) == 0 && !s.Assumes(NoPendingPINIsWrongPIN) {
		return nil, new(s.invalidStatus("The user has no pending password reset"))
	}
	for _, m := range slices.Backward(a.pins) {
		switch {
		case m.PIN != pin:
		case m.expired(c.now):
			return nil, new(s.pinExpired())
		default:
			return m, nil
		}
	}
	allExpired := !slices.ContainsFunc(a.pins, func(m *message) bool { return !m.expired(c.now) })
	if len(a.pins) > 0 && allExpired && !s.Assumes(OnlyRightPINExpires) {
		return nil, new(s.pinExpired())
	}
	a.wrongPINs++
	if a.wrongPINs >= wrongPINLimit && !s.Assumes(WrongPINsAreUnlimited) {
		for _, m := range a.pins {
			m.State = Replaced
		}
		a.pins = nil
	}
	return nil, new(s.wrongCode(a, pin))
}

// newPassword reads the password that complete-reset should set; in the Generate flow there is none,
// whatever was sent.
func (s *Server) newPassword(a *account, body object) (string, *answer) {
	if s.settings.ResetFlow == GeneratePassword {
		return "", nil
	}
	password, given, refused := body.text("newPassword")
	switch {
	case refused != nil:
		return "", refused
	case !given:
		return "", new(invalidInput("newPassword is missing"))
	}
	return password, s.checkPassword(a, password)
}

// checkPassword refuses a password that no account can have, and the one that the account has. The
// account is nil where there is none, or where its password will do.
func (s *Server) checkPassword(a *account, password string) *answer {
	switch {
	case len(password) < s.settings.MinPasswordLength:
		return new(passwordTooShort(s.settings.MinPasswordLength))
	case !validPassword(password):
		return new(invalidInput("The password must be 4 to 50 printable ASCII characters"))
	case a != nil && password == a.Password:
		return new(invalidInput("The new password is the same as the old one"))
	}
	return nil
}

// reset gives the account a new password because of the message m: the chosen one, or where it is
// empty a generated one, which goes the way that m went.
func (s *Server) reset(a *account, m *message, chosen string) {
	s.use(a, m)
	told := &message{Message: Message{Channel: m.Channel, Purpose: PasswordReset, To: m.To}}
	password := chosen
	if chosen == "" {
		password = s.made.password(s.settings.MinPasswordLength, a.Password)
		told.Purpose, told.Password = NewPassword, password
	}
	s.setPassword(a, password, m)
	if chosen == "" || !s.Assumes(InputResetIsSilent) {
		s.send(a, told, 0)
	}
}

// use marks a PIN or a link as used, and takes it from those that work.
func (s *Server) use(a *account, m *message) {
	m.State = Used
	if s.Assumes(CodesAreSingleUse) {
		isThis := func(other *message) bool { return other == m }
		a.pins = slices.DeleteFunc(a.pins, isThis)
		a.links = slices.DeleteFunc(a.links, isThis)
	}
}

// setPassword ends what was obtained with the old password, and what was to replace it; all but the
// message that it was replaced with.
func (s *Server) setPassword(a *account, password string, because *message) {
	a.Password = password
	s.killTokens(a, s.Assumes(NewPasswordKillsRefreshTokens))
	if s.Assumes(ResetEndsOtherRequests) {
		s.endPending(a, because)
	}
}

// endPending ends the account's PINs and links but one.
func (s *Server) endPending(a *account, but *message) {
	ended := func(m *message) bool {
		if m == but {
			return false
		}
		m.State = Replaced
		return true
	}
	a.pins = slices.DeleteFunc(a.pins, ended)
	a.links = slices.DeleteFunc(a.links, ended)
}
