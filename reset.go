package kii

import (
	"cmp"
	"context"
	"net/http"
)

// ResetPassword asks Kii Cloud to tell the user how to reset the password: by an e-mail with a
// link, an SMS with a link, or an SMS with a PIN code for [User.CompleteResetPassword]. The user
// need not be logged in. Nothing else changes: the old password and the sessions work until the
// reset is completed.
//
// id is a user ID, an e-mail address, a phone number with + and country code, or a name with its
// type, such as "LOGIN_NAME:alice"; see the package documentation. method decides where the message
// goes, and the user needs a verified address of that kind, which need not be the one in id. An id
// with characters that are invisible, or only look right, is refused.
//
// A nil error means that Kii Cloud accepted the request, not that the message was delivered. To
// send another one, call again. The errors to expect:
//   - [ErrUserNotFound]: there is no such user, or the address is not verified.
//   - [ErrAddressNotVerified]: the user has no verified address for method.
//   - [ErrNoPassword]: the user has no password, for example after a social login.
//   - [ErrUserDisabled]: the account is disabled.
//   - [ErrRateLimited]: the app's limit is reached, and no message was sent. [APIError].RetryAfter
//     is the wait; if it is 0, Kii Cloud named none, so choose your own.
//
// The first four reveal whether an account exists. They are for your program and your support
// staff; a stranger's browser must get the same answer after all of them: see [RevealsAccount]. For
// a user who is logged in, [Session.Profile] reports beforehand whether an address is verified and
// whether there is a password.
//
// ResetPassword is safe for concurrent use and sends one request, never a second one that could
// send a second message. If [OutcomeUnknown] reports true, the message may be on its way.
func (u *User) ResetPassword(ctx context.Context, id string, method NotificationMethod) error {
	body, known := resetRequests[method]
	unknown := refuseIf(!known, "method", "must be NotificationEmail, NotificationSMS or NotificationSMSPIN")
	user, err := u.check(ctx, id, unknown)
	if err != nil {
		return err
	}
	return u.api.do(ctx, &call{
		op:          "ResetPassword",
		method:      http.MethodPost,
		url:         u.api.userURL(user, "/password/request-reset"),
		contentType: resetPasswordType,
		body:        body,
		secrets:     []string{user.secret()},
	}, empty)
}

// CompleteResetPassword resets the password with the PIN code that an SMS brought to the user. It
// logs nobody in: the next step is [User.Login] with the new password. Every session that was
// obtained with the old password is over, and its next call returns a [*SessionError].
//
// newPassword is what the user chose: 4 to 50 printable ASCII characters. If it is nil, Kii Cloud
// generates a password and sends it by SMS. Which of the two an app wants is the setting "Password
// Reset Flow" of the developer portal. No call of a user can read it. An app set to "Generate
// Password" ignores newPassword. For one set to "Input Password" see [ErrInvalidInput] below. Kii
// Cloud has no call that only checks the PIN; a newPassword that it never takes is refused here,
// before the PIN is used.
//
// The errors to expect:
//   - [ErrWrongPIN]: the PIN is not the one that was sent. It may be tried again.
//   - [ErrPINExpired]: ask for another one with ResetPassword.
//   - [ErrInvalidInput]: with a nil newPassword, the app wants one; with one, it equals the old
//     password.
//   - [ErrPasswordTooShort]: shorter than the app wants; [APIError].MinPasswordLength is the least.
//   - [ErrAddressNotVerified]: no verified phone, or no reset is pending.
//   - [ErrUserNotFound], [ErrUserDisabled]: as for ResetPassword.
//
// Kii Cloud does not document how long a PIN lives, nor how often it may be tried.
//
// CompleteResetPassword is safe for concurrent use and sends one request, never a second one that
// could burn the PIN. If [OutcomeUnknown] reports true, the password may have been reset: log in to
// find out.
func (u *User) CompleteResetPassword(ctx context.Context, id, pin string, newPassword *string) error {
	var password string
	wrong := checkText("pin", pin)
	if newPassword != nil {
		password = *newPassword
		wrong = cmp.Or(wrong, checkNewPassword(password))
	}
	user, err := u.check(ctx, id, wrong)
	if err != nil {
		return err
	}
	return u.api.do(ctx, &call{
		op:          "CompleteResetPassword",
		method:      http.MethodPost,
		url:         u.api.userURL(user, "/password/complete-reset"),
		contentType: completeResetType,
		body: marshal(struct {
			PINCode     string  `json:"pinCode"`
			NewPassword *string `json:"newPassword,omitempty"`
		}{pin, newPassword}),
		secrets: []string{user.secret(), pin, password},
	}, empty)
}
