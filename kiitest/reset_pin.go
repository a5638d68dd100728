package kiitest

import "slices"

// wrongPINLimit is how many wrong PINs end the right one, unless WrongPINsAreUnlimited.
const wrongPINLimit = 5

// completeReset sets a new password for a user who knows the PIN.
func (s *Server) completeReset(c *call) answer {
	body, refused := c.object("pinCode", "newPassword")
	if refused != nil {
		return *refused
	}
	pin, _, refused := body.text(c, "pinCode")
	switch {
	case refused != nil:
		return *refused
	case pin == "":
		return c.invalidInput("pinCode", "is missing or empty")
	}
	a, refused := c.resettable()
	if refused != nil {
		return *refused
	}
	if !a.PhoneVerified {
		return c.invalidStatus("The user has no verified phone number", "%s", a.whyUnreachable(SMS))
	}
	password := ""
	passwordFirst := !s.assumes(PINCheckedBeforePassword)
	if passwordFirst {
		if password, refused = c.newPassword(a, body); refused != nil {
			return *refused
		}
	}
	m, refused := c.checkPIN(a, pin)
	if refused != nil {
		return *refused
	}
	if !passwordFirst {
		password, refused = c.newPassword(a, body)
	}
	if refused == nil {
		s.reset(c, a, m, password)
		return noContent()
	}
	if s.assumes(BadPasswordKeepsPIN) {
		c.because("the PIN can be used again")
	} else {
		s.use(a, m)
		c.because("the PIN is used up")
	}
	return *refused
}

// checkPIN finds the message that holds the PIN.
func (c *call) checkPIN(a *account, pin string) (*message, *answer) {
	s := c.server
	if len(a.pins) == 0 && !s.assumes(NoPendingPINIsWrongPIN) {
		return nil, new(c.invalidStatus("The user has no pending password reset", "%s", s.whyWrong(a, pin)))
	}
	for _, m := range slices.Backward(a.pins) {
		switch {
		case m.PIN != pin:
		case m.expired(c.now):
			return nil, new(c.pinExpired("the PIN, of message %d, has expired", m.ID))
		default:
			return m, nil
		}
	}
	allExpired := !slices.ContainsFunc(a.pins, func(m *message) bool { return !m.expired(c.now) })
	if len(a.pins) > 0 && allExpired && !s.assumes(OnlyRightPINExpires) {
		return nil, new(c.pinExpired("%s, and the right one has expired", s.whyWrong(a, pin)))
	}
	refused := c.wrongCode(a, pin, "%s", s.whyWrong(a, pin))
	a.wrongPINs++
	if a.wrongPINs >= wrongPINLimit && !s.assumes(WrongPINsAreUnlimited) {
		for _, m := range a.pins {
			m.State = Replaced
		}
		a.pins = nil
		c.because("%d wrong PINs ended the right one", a.wrongPINs)
	}
	return nil, &refused
}

// whyWrong says why the PIN does not work for the account.
func (s *Server) whyWrong(a *account, pin string) string {
	for _, m := range slices.Backward(s.messages) {
		if m.PIN != pin {
			continue
		}
		switch {
		case m.UserID != a.ID:
		case m.State == Used:
			return "the PIN was used before"
		case len(a.pins) > 0:
			return "the PIN was replaced by a newer one"
		default:
			return "the PIN was ended before it was used"
		}
	}
	if len(a.pins) == 0 {
		return "no PIN is pending for " + a.name()
	}
	return "this is not the PIN that was sent to " + a.name()
}

// newPassword reads the password that complete-reset should set. In the Generate flow there is
// none, whatever was sent.
func (c *call) newPassword(a *account, body object) (string, *answer) {
	_, sent := body["newPassword"]
	if c.server.settings.ResetFlow == GeneratePassword {
		if sent {
			c.because("the flow is Generate, so the chosen password was ignored")
		}
		return "", nil
	}
	password, given, refused := body.text(c, "newPassword")
	switch {
	case refused != nil:
		return "", refused
	case !given:
		return "", new(c.invalidInput("newPassword", "is missing, and the flow is Input"))
	}
	return password, c.checkPassword(a, password)
}
