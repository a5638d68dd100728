package kiitest

import (
	"errors"

	"github.com/go-kii/kii"
)

// SendReset sends a user what a call to request-reset would, and returns the message: for a program
// with a button for it. The id is a user ID or an address, as for [Server.Account]. An error is a
// [FieldError] of the account's field that stands in the way, or of its ID if there is no such
// user. If method is none of the three, it is another error.
func (s *Server) SendReset(id string, method kii.NotificationMethod) (Message, error) {
	s.checkClock("SendReset")
	if method != kii.NotificationEmail && method != kii.NotificationSMS && method != kii.NotificationSMSPIN {
		return Message{}, errors.New("kiitest: SendReset: method must be EMAIL, SMS or SMS_PIN")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.find(id)
	switch {
	case a == nil:
		return Message{}, &FieldError{"Account", "ID", "is of no user"}
	case a.Disabled:
		return Message{}, &FieldError{"Account", "Disabled", "is set, and a disabled user cannot reset"}
	case a.Password == "":
		return Message{}, &FieldError{"Account", "Password", "is empty, and a user without one cannot reset"}
	case method == kii.NotificationEmail && !a.EmailVerified:
		return Message{}, &FieldError{"Account", "EmailVerified", "is not set, and a reset goes to a verified address only"}
	case method != kii.NotificationEmail && !a.PhoneVerified:
		return Message{}, &FieldError{"Account", "PhoneVerified", "is not set, and a reset goes to a verified address only"}
	}
	switch method {
	case kii.NotificationEmail:
		s.sendLink(nil, a, Email)
	case kii.NotificationSMS:
		s.sendLink(nil, a, SMS)
	default:
		s.sendPIN(nil, a)
	}
	return s.messages[len(s.messages)-1].copy(s.now()), nil
}

// SendVerification sends a user the code that verifies the pending address of the channel, or the
// current one if that is not verified, and returns the message. The id and an error are as for
// [Server.SendReset].
func (s *Server) SendVerification(id string, channel Channel) (Message, error) {
	s.checkClock("SendVerification")
	if channel != Email && channel != SMS {
		return Message{}, errors.New("kiitest: SendVerification: channel must be EMAIL or SMS")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.find(id)
	switch {
	case a == nil:
		return Message{}, &FieldError{"Account", "ID", "is of no user"}
	case a.Disabled:
		return Message{}, &FieldError{"Account", "Disabled", "is set, and a disabled user cannot verify an address"}
	}
	own := s.contact(a, channel)
	if own.unverified() == "" {
		return Message{}, &FieldError{"Account", goField(own.kind), "is empty or verified, and none is pending"}
	}
	s.sendCode(nil, a, channel)
	return s.messages[len(s.messages)-1].copy(s.now()), nil
}
