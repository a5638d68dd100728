package kiitest

import "net/http"

func (s *Server) changeEmail(c *call) answer { return s.changeAddress(c, Email) }

func (s *Server) changePhone(c *call) answer { return s.changeAddress(c, SMS) }

func (s *Server) verifyEmail(c *call) answer { return s.verifyAddress(c, Email) }

func (s *Server) verifyPhone(c *call) answer { return s.verifyAddress(c, SMS) }

func (s *Server) resendEmail(c *call) answer { return s.resendCode(c, Email) }

func (s *Server) resendPhone(c *call) answer { return s.resendCode(c, SMS) }

func (s *Server) getEmail(c *call) answer { return s.getAddress(c, Email) }

func (s *Server) getPhone(c *call) answer { return s.getAddress(c, SMS) }

// A contact is one of an account's two addresses that messages go to.
type contact struct {
	channel  Channel
	kind     string // of its address
	value    *string
	verified *bool
	pending  *string     // the address that takes its place once verified
	codes    *[]*message // that verify the pending address, or this one: all hold the same code
	required bool        // whether a new address must be verified
}

func (s *state) contact(a *account, by Channel) contact {
	if by == Email {
		return contact{Email, kindEmail, &a.Email, &a.EmailVerified, &a.PendingEmail, &a.emailCodes, s.settings.VerifyEmail}
	}
	return contact{SMS, kindPhone, &a.Phone, &a.PhoneVerified, &a.PendingPhone, &a.phoneCodes, s.settings.VerifyPhone}
}

// unverified is the address that a code would verify; empty: there is none.
func (c contact) unverified() string {
	if *c.pending == "" && !*c.verified {
		return *c.value
	}
	return *c.pending
}

// code is the newest message that holds the code for the unverified address, or nil.
func (c contact) code() *message {
	codes := *c.codes
	if len(codes) == 0 || codes[len(codes)-1].To != c.unverified() {
		return nil
	}
	return codes[len(codes)-1]
}

// endCodes ends the codes that were sent.
func (c contact) endCodes(state State) {
	for _, m := range *c.codes {
		m.State = state
	}
	*c.codes = nil
}

// newCode makes a code for the unverified address, which replaces the last one.
func (s *Server) newCode(own contact) *message {
	last := ""
	if n := len(*own.codes); n > 0 {
		last = (*own.codes)[n-1].Code
	}
	own.endCodes(Replaced)
	m := &message{Message: Message{Channel: own.channel, Purpose: VerifyAddress, State: Pending, To: own.unverified(), Code: s.random.nextPIN(last)}}
	*own.codes = []*message{m}
	return m
}

// sendCode sends a verification code to the address that wants one: the last one again, as long as
// that works.
func (s *Server) sendCode(c *call, a *account, by Channel) {
	own := s.contact(a, by)
	last := own.code()
	if last == nil || last.expired(s.now()) || !s.assumes(ResendRepeatsTheCode) {
		s.send(c, a, s.newCode(own), s.settings.CodeValidity)
		return
	}
	again := &message{Message: Message{Channel: by, Purpose: VerifyAddress, State: Pending, To: last.To, Code: last.Code}}
	*own.codes = append(*own.codes, again)
	s.send(c, a, again, s.settings.CodeValidity)
}

// changeAddress gives the account another address: at once, or if the app asks for verification
// when the code that goes to the new address comes back. An administrator can say that it is
// verified.
func (s *Server) changeAddress(c *call, by Channel) answer {
	a, refused := c.own()
	if refused != nil {
		return *refused
	}
	own := s.contact(a, by)
	field := fieldOf(own.kind)
	body, refused := c.object(field, "verified")
	if refused != nil {
		return *refused
	}
	value, _, refused := body.text(c, field)
	if refused != nil {
		return *refused
	}
	verified, refused := body.bool(c, "verified")
	if refused != nil {
		return *refused
	}
	valid := validEmail(value)
	if by == SMS {
		value, valid = international(value)
	}
	switch {
	case !valid:
		return c.invalidInput(field, "is not valid")
	case verified && !c.admin && s.assumes(VerifiedIsForAdmins):
		return c.unauthorized("verified is for an administrator to say")
	}
	if verified && !c.admin {
		c.because("verified was ignored, as only an administrator can say so")
	}
	if owner := s.owner(address{own.kind, value}); owner != nil && owner != a {
		return c.alreadyExists(field, value)
	}
	switch {
	case verified && c.admin:
		own.endCodes(Replaced)
		s.setAddress(c, a, own, value, true)
	case own.required:
		c.because("the new address is pending until its code comes back, as the settings ask for verification")
		*own.pending = value
		s.sendCode(c, a, by)
	default:
		own.endCodes(Replaced)
		s.setAddress(c, a, own, value, s.assumes(VerifiedUnlessRequired))
	}
	return noContent()
}

// setAddress makes the address the account's current one.
func (s *Server) setAddress(c *call, a *account, own contact, value string, verified bool) {
	if *own.value != value && !s.assumes(ResetsOutliveTheirAddress) {
		c.because("what was pending for the old address ended")
		a.endPendingBy(own.channel)
	}
	s.drop(a, address{own.kind, *own.value})
	*own.value, *own.verified, *own.pending = value, verified, ""
	s.take(a, address{own.kind, value})
}

// verifyAddress takes the code that was sent to an address.
func (s *Server) verifyAddress(c *call, by Channel) answer {
	body, refused := c.texts("verificationCode")
	if refused != nil {
		return *refused
	}
	code := body["verificationCode"]
	a, refused := c.enabledTarget()
	if refused != nil {
		return *refused
	}
	own := s.contact(a, by)
	sent := own.code()
	switch {
	case own.unverified() == "":
		return c.invalidAccountStatus(a, own.kind)
	case sent == nil:
		return c.noCode(a, own)
	case sent.Code != code:
		return c.wrongCode(a, code, "this is not the code that was last sent to the %s of %s", inWords(own.kind), a.name())
	case sent.expired(c.now):
		c.because("the code has expired")
		return failure(http.StatusGone, "VerificationCodeExpiredException", "PHONE_NUMBER_VERIFICATION_CODE_EXPIRED", "The code has expired",
			fields{"userID": a.ID, "appID": s.appID})
	}
	if owner := s.owner(address{own.kind, sent.To}); owner != nil && owner != a {
		return c.alreadyExists(fieldOf(own.kind), sent.To) // another user took it since the code was sent
	}
	own.endCodes(Used)
	s.setAddress(c, a, own, sent.To, true)
	if !s.assumes(VerifyTellsStatus) {
		return noContent()
	}
	return jsonAnswer(http.StatusOK, kiiType("AddressVerificationResponse"), map[string]any{"verificationStatus": "VERIFIED"})
}

func (c *call) noCode(a *account, own contact) answer {
	c.because("no code was sent to the %s of %s that is to be verified", inWords(own.kind), a.name())
	return failure(http.StatusNotFound, "VerificationCodeNotFoundException", "VERIFICATION_CODE_NOT_FOUND", "No code was sent",
		fields{"userID": a.ID, "appID": c.server.appID, "accountType": own.kind})
}

// resendCode sends the code for an address that is not verified.
func (s *Server) resendCode(c *call, by Channel) answer {
	a, refused := c.enabledTarget()
	if refused != nil {
		return *refused
	}
	own := s.contact(a, by)
	if own.unverified() == "" {
		return c.invalidAccountStatus(a, own.kind)
	}
	s.sendCode(c, a, by)
	return noContent()
}

// enabledTarget finds the user that the path names, unless the user is disabled.
func (c *call) enabledTarget() (*account, *answer) {
	a, refused := c.target()
	if refused == nil && a.Disabled {
		refused = new(c.userDisabled(http.StatusUnauthorized, a))
	}
	return a, refused
}

// getAddress reads one of the caller's own addresses.
func (s *Server) getAddress(c *call, by Channel) answer {
	a, refused := c.own()
	if refused != nil {
		return *refused
	}
	own := s.contact(a, by)
	if *own.value == "" {
		c.because("%s has no %s", a.name(), inWords(own.kind))
		return failure(http.StatusNotFound, "UserAddressNotFoundException", "USER_ADDRESS_NOT_FOUND", "The user has no such address",
			fields{"userID": a.ID, "appID": s.appID})
	}
	reply := map[Channel]string{Email: "EmailAddressRetrievalResponse", SMS: "PhoneNumberRetrievalResponse"}[by]
	return jsonAnswer(http.StatusOK, kiiType(reply), map[string]any{fieldOf(own.kind): *own.value, "verified": *own.verified})
}
