package kiitest

import "net/http"

func (s *Server) changeEmail(c *call) answer { return s.changeAddress(c, Email) }

func (s *Server) changePhone(c *call) answer { return s.changeAddress(c, SMS) }

func (s *Server) verifyEmail(c *call) answer { return s.verifyAddress(c, Email) }

func (s *Server) verifyPhone(c *call) answer { return s.verifyAddress(c, SMS) }

func (s *Server) resendEmail(c *call) answer { return s.resendCode(c, Email) }

func (s *Server) resendPhone(c *call) answer { return s.resendCode(c, SMS) }

// A contact is one of an account's two addresses that messages go to.
type contact struct {
	kind     string // of its address
	value    *string
	verified *bool
	pending  *string   // the address that takes its place once verified
	code     **message // that verifies the pending address, or this one
	required bool      // whether a new address must be verified
}

func (s *Server) contact(a *account, by Channel) contact {
	if by == Email {
		return contact{kindEmail, &a.Email, &a.EmailVerified, &a.PendingEmail, &a.emailCode, s.settings.VerifyEmail}
	}
	return contact{kindPhone, &a.Phone, &a.PhoneVerified, &a.PendingPhone, &a.phoneCode, s.settings.VerifyPhone}
}

// unverified is the address that a code would verify; empty: there is none.
func (c contact) unverified() string {
	if *c.pending == "" && !*c.verified {
		return *c.value
	}
	return *c.pending
}

// sendCode sends a verification code to the address that wants one. It replaces the last code.
func (s *Server) sendCode(c *call, a *account, by Channel) {
	own := s.contact(a, by)
	m := &message{Message: Message{Channel: by, Purpose: VerifyAddress, State: Pending, To: own.unverified()}}
	last := ""
	if *own.code != nil {
		(*own.code).State = Replaced
		last = (*own.code).Code
	}
	m.Code = s.random.nextPIN(last)
	*own.code = m
	s.send(c, a, m, s.settings.CodeValidity)
}

// changeAddress gives the account another address: at once, or where the app asks for verification
// when the code that goes to the new address comes back.
func (s *Server) changeAddress(c *call, by Channel) answer {
	a, refused := c.own()
	if refused != nil {
		return *refused
	}
	own := s.contact(a, by)
	field := fieldOf(own.kind)
	body, refused := c.texts(field)
	if refused != nil {
		return *refused
	}
	value := body[field]
	valid := validEmail(value)
	if by == SMS {
		value, valid = international(value)
	}
	if !valid {
		return c.invalidInput(field, "is not valid")
	}
	if owner := s.byName[s.key(address{own.kind, value})]; owner != nil && owner != a {
		return c.alreadyExists(field, value)
	}
	if own.required {
		c.because("the new address is pending until its code comes back, as the settings ask for verification")
		*own.pending = value
		s.sendCode(c, a, by)
		return noContent()
	}
	s.setAddress(a, own, value, s.assumes(VerifiedUnlessRequired))
	return noContent()
}

func (s *Server) setAddress(a *account, own contact, value string, verified bool) {
	delete(s.byName, s.key(address{own.kind, *own.value}))
	*own.value, *own.verified, *own.pending = value, verified, ""
	s.byName[s.key(address{own.kind, value})] = a
}

// verifyAddress takes the code that was sent to an address.
func (s *Server) verifyAddress(c *call, by Channel) answer {
	body, refused := c.texts("verificationCode")
	if refused != nil {
		return *refused
	}
	code := body["verificationCode"]
	a, refused := c.target()
	if refused != nil {
		return *refused
	}
	own := s.contact(a, by)
	sent := *own.code
	switch {
	case own.unverified() == "":
		return c.invalidAccountStatus(a, own.kind)
	case sent == nil || sent.To != own.unverified():
		c.because("no code was sent to the %s of %s that is to be verified", inWords(own.kind), a.name())
		return failure(http.StatusNotFound, "VerificationCodeNotFoundException", "VERIFICATION_CODE_NOT_FOUND", "No code was sent",
			fields{"userID": a.ID, "appID": s.appID})
	case sent.Code != code:
		return c.wrongCode(a, code, "this is not the code that was last sent to the %s of %s", inWords(own.kind), a.name())
	case sent.expired(c.now):
		c.because("the code, of message %d, has expired", sent.ID)
		return failure(http.StatusGone, "VerificationCodeExpiredException", "PHONE_NUMBER_VERIFICATION_CODE_EXPIRED", "The code has expired",
			fields{"userID": a.ID, "appID": s.appID})
	}
	if owner := s.byName[s.key(address{own.kind, sent.To})]; owner != nil && owner != a {
		return c.alreadyExists(fieldOf(own.kind), sent.To) // somebody took it since the code was sent
	}
	sent.State = Used
	*own.code = nil
	s.setAddress(a, own, sent.To, true)
	return jsonAnswer(http.StatusOK, kiiType("AddressVerificationResponse"), map[string]any{"verificationStatus": "VERIFIED"})
}

// resendCode sends a new code for an address that is not verified.
func (s *Server) resendCode(c *call, by Channel) answer {
	a, refused := c.target()
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
