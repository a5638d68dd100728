package kii

import (
	"context"
	"net/http"

	"github.com/go-kii/kii/internal/transport"
)

// ResendEmailVerification asks Kii Cloud to send again the e-mail that verifies the user's address,
// or the pending address if there is one. A reset by e-mail needs a verified address, so call this
// while the user can still log in. The e-mail brings the same code again, as tests that others
// wrote for the real Kii Cloud expect; Kii does not document it.
//
// The error to expect is [ErrAlreadyVerified]: nothing is left to verify.
//
// ResendEmailVerification is safe for concurrent use and sends one request. If [OutcomeUnknown]
// reports true, the e-mail may be on its way. An answer that the token is dead ends the session.
func (s *Session) ResendEmailVerification(ctx context.Context) error {
	return s.resendVerification(ctx, "ResendEmailVerification", emailAddress)
}

// ResendPhoneVerification asks Kii Cloud to send again the SMS with the code for
// [Session.VerifyPhone]. It is otherwise like [Session.ResendEmailVerification].
func (s *Session) ResendPhoneVerification(ctx context.Context) error {
	return s.resendVerification(ctx, "ResendPhoneVerification", phoneNumber)
}

// VerifyEmail verifies the user's e-mail address with the code that was sent there. If an address
// is pending, that one is verified, and takes the place of the old one. From then on a reset by
// e-mail works. The link in the e-mail does the same, so most programs need no VerifyEmail.
//
// The errors to expect:
//   - [ErrWrongPIN]: the code is not the one that was sent. It may be tried again.
//   - [ErrCodeExpired], [ErrNoCodePending]: ask for another one with ResendEmailVerification.
//   - [ErrAlreadyVerified]: nothing is left to verify.
//   - [ErrAddressTaken]: another user has verified the same address.
//
// How long a code lives, and how often it may be tried, is not documented.
//
// VerifyEmail is safe for concurrent use and sends one request. If [OutcomeUnknown] reports true,
// the address may have been verified; [Session.Profile] shows it. An answer that the token is
// dead ends the session.
func (s *Session) VerifyEmail(ctx context.Context, code string) error {
	return s.verify(ctx, "VerifyEmail", emailAddress, code)
}

// VerifyPhone verifies the user's phone number, or the pending one, with the code that an SMS
// brought there. From then on a reset by SMS works. Its errors and outcomes are those of
// [Session.VerifyEmail].
func (s *Session) VerifyPhone(ctx context.Context, code string) error {
	return s.verify(ctx, "VerifyPhone", phoneNumber, code)
}

// ChangeEmail gives the user another e-mail address, a bare one such as "alice@example.com". If the
// app asks for verification, the new address is pending and the old one still works, until the user
// opens the link in the e-mail that Kii Cloud sends to the new one, or [Session.VerifyEmail]
// verifies it. In other apps the new address replaces the old one at once. [Profile].PendingEmail
// shows which it is.
//
// The errors to expect are [ErrAddressTaken], if another user has verified the same address, and
// [ErrInvalidInput].
//
// ChangeEmail is safe for concurrent use and sends one request. If [OutcomeUnknown] reports true,
// the address may have been changed; [Session.Profile] shows it. An answer that the token is
// dead ends the session.
func (s *Session) ChangeEmail(ctx context.Context, email string) error {
	if err := s.check(ctx, checkEmail(email)); err != nil {
		return err
	}
	return s.do(ctx, emailChange("ChangeEmail", s.api.app+"/users/me", email, false), empty)
}

// ChangePhone gives the user another phone number: + and 7 to 20 digits, the country code first. If
// the app asks for verification, the new number is pending until [Session.VerifyPhone] verifies it.
// It is otherwise like [Session.ChangeEmail].
func (s *Session) ChangePhone(ctx context.Context, phone string) error {
	if err := s.check(ctx, checkPhone(phone)); err != nil {
		return err
	}
	return s.do(ctx, phoneChange("ChangePhone", s.api.app+"/users/me", phone, false), empty)
}

// The addresses of a user, as paths name them.
const (
	emailAddress = "/email-address"
	phoneNumber  = "/phone-number"
)

// https://documentation.kii.com/rest/apps-collection/application/user-collection/user-logged-in/,
// below phone-number and email-address.
func (s *Session) resendVerification(ctx context.Context, op, address string) error {
	if err := s.check(ctx); err != nil {
		return err
	}
	return s.do(ctx, &call{
		op:     op,
		method: http.MethodPost,
		url:    s.api.app + "/users/me" + address + "/resend-verification",
	}, empty)
}

// https://documentation.kii.com/rest/apps-collection/application/user-collection/user-by-id/, below
// phone-number and email-address.
func (s *Session) verify(ctx context.Context, op, address, code string) error {
	if err := s.check(ctx, checkText("code", code)); err != nil {
		return err
	}
	return s.do(ctx, &call{
		op:          op,
		method:      http.MethodPost,
		url:         s.api.app + "/users/me" + address + "/verify",
		contentType: "application/vnd.kii.AddressVerificationRequest+json",
		body: marshal(struct {
			VerificationCode string `json:"verificationCode"`
		}{code}),
		secrets: []string{code},
	}, verified)
}

// verified is the success of a verification. The reference documents 200 with a verificationStatus,
// whose values it does not list; the mock in the tests of Kii's Unity SDK answers 204.
func verified(reply transport.Reply) string {
	answer := parseObject(reply.Body)
	switch {
	case reply.Status == http.StatusNoContent:
		return ""
	case reply.Status != http.StatusOK:
		return "not the status of a success"
	case answer == nil:
		return "not a JSON object"
	case answer["errorCode"] != nil:
		return "an errorCode"
	}
	return ""
}

// emailChange returns the call that gives the user at url another e-mail address. Only an
// administrator may set one as verified.
// https://documentation.kii.com/rest/apps-collection/application/user-collection/user-by-address/email-address/
func emailChange(op, url, address string, verified bool, secrets ...string) *call {
	return put(op, url+emailAddress, "application/vnd.kii.EmailAddressModificationRequest+json", struct {
		EmailAddress string `json:"emailAddress"`
		Verified     bool   `json:"verified,omitempty"`
	}{address, verified}, append(secrets, address)...)
}

// phoneChange is emailChange for a phone number.
func phoneChange(op, url, number string, verified bool, secrets ...string) *call {
	return put(op, url+phoneNumber, "application/vnd.kii.PhoneNumberModificationRequest+json", struct {
		PhoneNumber string `json:"phoneNumber"`
		Verified    bool   `json:"verified,omitempty"`
	}{number, verified}, append(secrets, userRef{"PHONE:", number}.secret())...)
}

func checkEmail(address string) error {
	bad := unsendable(address) != "" || !isEmail(address)
	return refuseIf(bad, "email", "must be a bare address such as alice@example.com")
}

func checkPhone(number string) error {
	return refuseIf(!isGlobalPhone(number), "phone", "must be + and 7 to 20 digits, such as +819012345678")
}
