package kii

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// ErrorCode is Kii Cloud's errorCode. It is an error, for use with [errors.Is]:
//
//	errors.Is(err, kii.ErrPINExpired)
//	errors.Is(err, kii.ErrorCode("SOMETHING_NEW")) // one that this library does not know
//
// [errors.AsType] with ErrorCode returns the code of any answer that is not a success.
type ErrorCode string

// The codes of Kii Cloud that a caller may want to distinguish, each with its HTTP status. They are
// from https://documentation.kii.com/rest/. Those that are missing there, such as the answers to a
// dead token, a wrong login, a disabled account and a wrong app ID, are from the error table of
// Kii's JavaScript SDK.
const (
	// 404: there is no such user, or the address is not verified.
	ErrUserNotFound ErrorCode = "USER_NOT_FOUND"
	// 409: the user has no verified address for the message. From CompleteResetPassword also: no
	// reset is pending.
	ErrAddressNotVerified ErrorCode = "INVALID_STATUS"
	// 409: the user has no password, so none can be reset or changed.
	ErrNoPassword ErrorCode = "OPERATION_NOT_ALLOWED"
	// 401: the account is disabled. A session survives this.
	ErrUserDisabled ErrorCode = "USER_DISABLED"
	// 403: this is not the PIN, or the verification code, that was sent.
	ErrWrongPIN ErrorCode = "INVALID_VERIFICATION_CODE"
	// 410: the PIN is too old. Ask for another one.
	ErrPINExpired ErrorCode = "PIN_CODE_EXPIRED"
	// 400: the new password is shorter than the app allows. See APIError.MinPasswordLength.
	ErrPasswordTooShort ErrorCode = "PASSWORD_TOO_SHORT"
	// 400: the new password of a reset is missing or equals the old one, or a new address is not
	// valid.
	ErrInvalidInput ErrorCode = "INVALID_INPUT_DATA"
	// 401: the old password given to ChangePassword is wrong. The session survives this.
	ErrWrongPassword ErrorCode = "WRONG_PASSWORD"
	// 400: the user or the password given to Login is wrong, or the token of Refresh is dead.
	ErrWrongCredentials ErrorCode = "invalid_grant"
	// 403: the access token is dead.
	ErrWrongToken ErrorCode = "WRONG_TOKEN"
	// 403: the refresh token is dead.
	ErrWrongRefreshToken ErrorCode = "WRONG_REFRESH_TOKEN"
	// 401: the token does not give this right.
	ErrUnauthorized ErrorCode = "UNAUTHORIZED"
	// 401: the token, or the login, was not accepted.
	ErrAuthenticationFailed ErrorCode = "AUTHENTICATION_FAILED"
	// 404: the app ID is wrong, or the app is at another site.
	ErrAppNotFound ErrorCode = "APP_NOT_FOUND"
	// 400: the address is verified, so there is nothing to verify or to send a code for.
	ErrAlreadyVerified ErrorCode = "INVALID_ACCOUNT_STATUS"
	// 410: the verification code is too old. Ask for another one.
	ErrCodeExpired ErrorCode = "PHONE_NUMBER_VERIFICATION_CODE_EXPIRED"
	// 404: no verification code was sent to the address. Ask for one.
	ErrNoCodePending ErrorCode = "VERIFICATION_CODE_NOT_FOUND"
	// 409: another user has verified the same address. So this code reveals to a user that another
	// one has it.
	ErrAddressTaken ErrorCode = "USER_ALREADY_EXISTS"
)

// The codes that this library gives to answers without one.
const (
	// ErrRateLimited is a 429: the app's contract limits its calls, and nothing was done. Kii Cloud
	// asks clients not to retry by themselves; APIError.RetryAfter is the wait, if it named one.
	// errors.Is finds it in any 429, even if that has another Code or a broken body.
	// https://documentation.kii.com/en/guides/cloudsdk/rest/guidelines/rate-limit/
	ErrRateLimited ErrorCode = "TOO_MANY_REQUESTS"
	// ErrUnexpectedReply is an answer that Kii Cloud does not give: a redirect, the HTML of a
	// portal, a body that is broken or too long, an error without a code or with a gateway's code.
	// The outcome is unknown. A code that this library does not know is taken for a gateway's if it
	// comes with 408, 409, 424 or an unregistered status, such as 499, and without one of Kii's
	// media types.
	ErrUnexpectedReply ErrorCode = "UNEXPECTED_REPLY"
)

// Error returns the code.
func (c ErrorCode) Error() string { return string(c) }

// Is implements [OutcomeUnknown].
func (c ErrorCode) Is(target error) bool {
	return target == outcomeUnknown{} && c == ErrUnexpectedReply
}

// An ArgumentError means that this library refused a call and sent nothing.
type ArgumentError struct {
	Name   string // the Go parameter, or the type, such as "User", if a method was called on a nil or zero value
	Reason string // what is wanted; it never holds the value
}

// Error returns the parameter and the reason.
func (e *ArgumentError) Error() string { return "kii: " + e.Name + " " + e.Reason }

// A TransportError means that no whole answer arrived. [OutcomeUnknown] reports whether the call
// may have been carried out.
type TransportError struct {
	Op      string // the method, such as "ResetPassword"
	NotSent bool   // it is proved that Kii Cloud got no whole request; if false, it may have got one
	Err     error  // for errors.Is and errors.As: the context's error, its cause, the network's failure
}

// Error returns Op and the failure in one line, without secrets or the URL.
func (e *TransportError) Error() string {
	if e.NotSent {
		return printable(fmt.Sprintf("kii: %s: not sent: %v", e.Op, e.Err))
	}
	return printable(fmt.Sprintf("kii: %s: no answer, the outcome is unknown: %v", e.Op, e.Err))
}

// Unwrap returns Err for [errors.Is] and [errors.As]. They do not find errors of this package in
// it, which are of another call and say nothing about this one, nor a *url.Error, whose URL may
// name an account. Nor do they find anything by an interface with a method that returns wrapped
// errors, such as Unwrap or Cause.
func (e *TransportError) Unwrap() error {
	if e.Err == nil {
		return nil
	}
	if h, ok := e.Err.(*hidden); ok {
		return h
	}
	return secrets{}.hide(e.Err)
}

// Is implements [OutcomeUnknown].
func (e *TransportError) Is(target error) bool { return target == outcomeUnknown{} && !e.NotSent }

// An APIError is an answer that is not a success. It unwraps to its Code. Only Op, StatusCode, Code
// and Reason are ever printed.
type APIError struct {
	Op         string    // the method, such as "ResetPassword"
	StatusCode int       // of HTTP
	Code       ErrorCode // never empty
	// Reason says what is unexpected, with ErrUnexpectedReply: "a redirect", "a page of text/html",
	// "not a JSON object", "too long", "cut short", "no errorCode" and the like. If an [Admin] has
	// no token that works, it says what to check. The text is always this library's.
	Reason string
	// Message is Kii Cloud's text for the developer, in English. It is "[redacted]" if it holds a
	// secret or an account identifier of this call, plain, escaped, in hexadecimal or in base64. It
	// may still describe the account, so do not show it to a stranger.
	Message           string
	MinPasswordLength int           // in characters, with ErrPasswordTooShort; 0 if unknown
	RetryAfter        time.Duration // from the Retry-After header; 0 if there is none
}

// Error returns Op, StatusCode, Code and Reason, and says so if the outcome is unknown.
func (e *APIError) Error() string {
	text := fmt.Sprintf("kii: %s: %d %s", e.Op, e.StatusCode, e.Code)
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	if OutcomeUnknown(e) {
		text += ", the outcome is unknown"
	}
	return text
}

// Unwrap returns Code.
func (e *APIError) Unwrap() error { return e.Code }

// Is reports whether target is [ErrRateLimited] and e is a 429, whatever its Code. It also
// implements [OutcomeUnknown].
func (e *APIError) Is(target error) bool {
	return target == ErrRateLimited && e.StatusCode == http.StatusTooManyRequests ||
		target == outcomeUnknown{} && e.StatusCode/100 == 5
}

// A SessionError means that the session is over and the user must log in again.
type SessionError struct {
	UserID string // never printed; empty if the session did not know its user
	Err    error  // the answer that ended it; nil after a ChangePassword that succeeded
}

// Error says that the session is over, and why.
func (e *SessionError) Error() string {
	if e.Err == nil {
		return "kii: the session is over, log in again: the password was changed"
	}
	return printable(fmt.Sprintf("kii: the session is over, log in again: %v", e.Err))
}

// Unwrap returns Err.
func (e *SessionError) Unwrap() error { return e.Err }

// The errors print the same text with every verb and as JSON, whether they are values or pointers.
// They do so in every log, too: the handlers of slog call Error or MarshalText.

// Format implements [fmt.Formatter]. It prints what Error returns.
func (e ArgumentError) Format(f fmt.State, verb rune) { format(f, verb, (&e).Error()) }

// Format implements [fmt.Formatter]. It prints what Error returns.
func (e TransportError) Format(f fmt.State, verb rune) { format(f, verb, (&e).Error()) }

// Format implements [fmt.Formatter]. It prints what Error returns.
func (e APIError) Format(f fmt.State, verb rune) { format(f, verb, (&e).Error()) }

// Format implements [fmt.Formatter]. It prints what Error returns.
func (e SessionError) Format(f fmt.State, verb rune) { format(f, verb, (&e).Error()) }

// MarshalText returns what Error returns, so that JSON holds no field of e.
func (e ArgumentError) MarshalText() ([]byte, error) { return []byte((&e).Error()), nil }

// MarshalText returns what Error returns, so that JSON holds no field of e.
func (e TransportError) MarshalText() ([]byte, error) { return []byte((&e).Error()), nil }

// MarshalText returns what Error returns, so that JSON holds no field of e.
func (e APIError) MarshalText() ([]byte, error) { return []byte((&e).Error()), nil }

// MarshalText returns what Error returns, so that JSON holds no field of e.
func (e SessionError) MarshalText() ([]byte, error) { return []byte((&e).Error()), nil }

// OutcomeUnknown reports whether a call that returned err may have been carried out. That is so if
// a request may have been sent and got no whole answer, or if the answer was a 5xx or an
// [ErrUnexpectedReply]. If it is false and err is not nil, nothing happened. If errors are joined,
// one unknown outcome is enough. The cause of a cancelled context does not count, even if it is an
// error of this package, because that belongs to another call.
//
// err must be the error that a call returned, or wrap it. OutcomeUnknown reports false for an error
// that replaced it, such as one that a retry package returns or that a job queue made from its
// text. So ask before that.
func OutcomeUnknown(err error) bool { return errors.Is(err, outcomeUnknown{}) }

// outcomeUnknown is the target that each error's Is method knows. errors.Is reaches all joined
// errors, whether errors.Join or a retry package's own type joins them.
type outcomeUnknown struct{}

// Error is never printed.
func (outcomeUnknown) Error() string { return "kii: the outcome is unknown" }

// RevealsAccount reports whether err, shown to somebody who is not logged in, would reveal whether
// an account exists or what it is like: [ErrUserNotFound], [ErrAddressNotVerified],
// [ErrNoPassword], [ErrUserDisabled]. After [User.ResetPassword] answer as if it had succeeded.
// After [User.CompleteResetPassword] and [User.Login], which cannot be answered so, give the same
// answer as after a wrong PIN or a wrong password.
func RevealsAccount(err error) bool {
	return errors.Is(err, ErrUserNotFound) || errors.Is(err, ErrAddressNotVerified) ||
		errors.Is(err, ErrNoPassword) || errors.Is(err, ErrUserDisabled)
}
