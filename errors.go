package kii

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// ErrorCode is Kii Cloud's errorCode. It is itself an error, to be given to [errors.Is]:
//
//	errors.Is(err, kii.ErrPINExpired)
//	errors.Is(err, kii.ErrorCode("SOMETHING_NEW")) // one that this library does not know
//
// [errors.AsType] with ErrorCode returns the code of any answer that is not success.
type ErrorCode string

// The codes of Kii Cloud that a caller may want to tell apart, each with the HTTP status that it
// comes with. They are those of https://documentation.kii.com/rest/. What it leaves out, such as
// the answers to a dead token, a wrong login, a disabled account and a wrong app ID, is from the
// error table of Kii's JavaScript SDK.
const (
	// 404: there is no such user, or the address is not verified.
	ErrUserNotFound ErrorCode = "USER_NOT_FOUND"
	// 409: the user has no verified address for the message. Completing a reset: also, none is
	// pending.
	ErrAddressNotVerified ErrorCode = "INVALID_STATUS"
	// 409: the user has no password, so none can be reset or changed.
	ErrNoPassword ErrorCode = "OPERATION_NOT_ALLOWED"
	// 401: the account is disabled. A session survives this.
	ErrUserDisabled ErrorCode = "USER_DISABLED"
	// 403: this is not the PIN, or the verification code, that was sent.
	ErrWrongPIN ErrorCode = "INVALID_VERIFICATION_CODE"
	// 410: the PIN is too old. Ask for another one.
	ErrPINExpired ErrorCode = "PIN_CODE_EXPIRED"
	// 400: see APIError.MinPasswordLength.
	ErrPasswordTooShort ErrorCode = "PASSWORD_TOO_SHORT"
	// 400: the new password of a reset is missing or the old one, or a new address is not valid.
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
	// 409: another user has verified the same address. The user who asks to change to it learns so.
	ErrAddressTaken ErrorCode = "USER_ALREADY_EXISTS"
)

// The codes that are made here, for answers that carry none.
const (
	// ErrRateLimited is a 429: the app's contract limits its calls, and nothing was done. Kii Cloud
	// asks clients not to retry by themselves; APIError.RetryAfter is the wait, if it named one.
	// errors.Is finds it in any 429, also in one that has another Code or a body that is broken.
	// https://documentation.kii.com/en/guides/cloudsdk/rest/guidelines/rate-limit/
	ErrRateLimited ErrorCode = "TOO_MANY_REQUESTS"
	// ErrUnexpectedReply is an answer that Kii Cloud does not give: a redirect, a portal's HTML, a
	// body that is broken or too long, an error without a code or with a gateway's. What happened
	// is unknown. A code that this library does not know is a gateway's if it comes with 408, 409,
	// 424 or a status of no registry, such as 499, and has no media type of Kii's.
	ErrUnexpectedReply ErrorCode = "UNEXPECTED_REPLY"
)

// Error returns the code.
func (c ErrorCode) Error() string { return string(c) }

// Is answers [OutcomeUnknown].
func (c ErrorCode) Is(target error) bool {
	return target == outcomeUnknown{} && c == ErrUnexpectedReply
}

// An ArgumentError means that a call was refused by this library, and nothing was sent.
type ArgumentError struct {
	Name   string // the Go parameter; "User" or the like if a method was called on an unusable one
	Reason string // what is wanted; it never repeats the value
}

// Error returns the parameter and the reason.
func (e *ArgumentError) Error() string { return "kii: " + e.Name + " " + e.Reason }

// A TransportError means that no whole answer arrived. See [OutcomeUnknown] for what may have
// happened.
type TransportError struct {
	Op      string // the method, such as "ResetPassword"
	NotSent bool   // true: it is proved that Kii Cloud got no whole request; false: it may have
	Err     error  // for errors.Is and errors.As: the context's error, its cause, the network's failure
}

// Error returns Op and the failure in one line, without secrets and without its URL.
func (e *TransportError) Error() string {
	if e.NotSent {
		return printable(fmt.Sprintf("kii: %s: not sent: %v", e.Op, e.Err))
	}
	return printable(fmt.Sprintf("kii: %s: no answer, the outcome is unknown: %v", e.Op, e.Err))
}

// Unwrap returns Err for [errors.Is] and [errors.As]. They find in it all but the errors of this
// package, as when a call was cancelled because of another's: those say nothing of this one; and
// nothing by an interface that returns what an error wraps, such as one with Unwrap or Cause.
func (e *TransportError) Unwrap() error {
	if e.Err == nil {
		return nil
	}
	if h, ok := e.Err.(*hidden); ok {
		return h
	}
	return secrets{}.hide(e.Err)
}

// Is answers [OutcomeUnknown].
func (e *TransportError) Is(target error) bool { return target == outcomeUnknown{} && !e.NotSent }

// An APIError is an answer that is not success. It unwraps to its Code. Only Op, StatusCode, Code
// and Reason are ever printed.
type APIError struct {
	Op         string    // the method, such as "ResetPassword"
	StatusCode int       // of HTTP
	Code       ErrorCode // never empty
	// Reason says what is unexpected, with ErrUnexpectedReply: "a redirect", "a page of text/html",
	// "not a JSON object", "too long", "cut short", "no errorCode" and the like. If an [Admin] has
	// no token that works, it says what to check. It is always this library's own text.
	Reason string
	// Message is Kii Cloud's, in English, for the developer. It is "[redacted]" if it holds a
	// secret or an account identifier of this call, as it is, escaped, in hexadecimal or in base64.
	// It may still describe the account, so it is not for a stranger.
	Message           string
	MinPasswordLength int           // in characters, with ErrPasswordTooShort; 0: unknown
	RetryAfter        time.Duration // from the Retry-After header; 0: there is none
}

// Error returns Op, StatusCode, Code and Reason.
func (e *APIError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("kii: %s: %d %s", e.Op, e.StatusCode, e.Code)
	}
	return fmt.Sprintf("kii: %s: %d %s: %s", e.Op, e.StatusCode, e.Code, e.Reason)
}

// Unwrap returns Code.
func (e *APIError) Unwrap() error { return e.Code }

// Is reports whether target is [ErrRateLimited] and e a 429, whatever its Code. It also answers
// [OutcomeUnknown].
func (e *APIError) Is(target error) bool {
	return target == ErrRateLimited && e.StatusCode == http.StatusTooManyRequests ||
		target == outcomeUnknown{} && e.StatusCode/100 == 5
}

// A SessionError means that the session is over and the user must log in again.
type SessionError struct {
	UserID string // never printed; empty if the session did not know it
	Err    error  // the answer that ended it; nil after a ChangePassword that succeeded
}

// Error returns that the session is over, and why.
func (e *SessionError) Error() string {
	if e.Err == nil {
		return "kii: the session is over, log in again: the password was changed"
	}
	return printable(fmt.Sprintf("kii: the session is over, log in again: %v", e.Err))
}

// Unwrap returns Err.
func (e *SessionError) Unwrap() error { return e.Err }

// The errors print the same under every verb and as JSON, as a value as well as by pointer. So they
// do in every log: the handlers of slog call Error or MarshalText.

// Format implements [fmt.Formatter]. It prints what Error returns.
func (e ArgumentError) Format(f fmt.State, verb rune) { format(f, verb, (&e).Error()) }

// Format implements [fmt.Formatter]. It prints what Error returns.
func (e TransportError) Format(f fmt.State, verb rune) { format(f, verb, (&e).Error()) }

// Format implements [fmt.Formatter]. It prints what Error returns.
func (e APIError) Format(f fmt.State, verb rune) { format(f, verb, (&e).Error()) }

// Format implements [fmt.Formatter]. It prints what Error returns.
func (e SessionError) Format(f fmt.State, verb rune) { format(f, verb, (&e).Error()) }

// MarshalText returns what Error does, for the JSON of what holds e.
func (e ArgumentError) MarshalText() ([]byte, error) { return []byte((&e).Error()), nil }

// MarshalText returns what Error does, for the JSON of what holds e.
func (e TransportError) MarshalText() ([]byte, error) { return []byte((&e).Error()), nil }

// MarshalText returns what Error does, for the JSON of what holds e.
func (e APIError) MarshalText() ([]byte, error) { return []byte((&e).Error()), nil }

// MarshalText returns what Error does, for the JSON of what holds e.
func (e SessionError) MarshalText() ([]byte, error) { return []byte((&e).Error()), nil }

// OutcomeUnknown reports whether a call that returned err may have been carried out: a request that
// was not proved unsent got no whole answer, or the answer was a 5xx or an [ErrUnexpectedReply]. If
// it is false and err is not nil, nothing happened. Of several joined errors it is enough that one
// is unknown. The cause of a cancelled context does not count, even if it is an error of this
// package: it is of another call.
//
// err must be the error that a call returned, or wrap it. OutcomeUnknown reports false for what has
// lost it: the text that a job queue keeps, or the error that a package for retries returns in its
// place. So ask before.
func OutcomeUnknown(err error) bool { return errors.Is(err, outcomeUnknown{}) }

// outcomeUnknown is what each error is asked for. errors.Is reaches all errors that are joined,
// whatever type joins them: errors.Join's, or a retry package's own.
type outcomeUnknown struct{}

// Error is never printed.
func (outcomeUnknown) Error() string { return "kii: the outcome is unknown" }

// RevealsAccount reports whether err, shown to somebody who is not logged in, would reveal whether
// an account exists or what it is like: [ErrUserNotFound], [ErrAddressNotVerified],
// [ErrNoPassword], [ErrUserDisabled]. After [User.ResetPassword] answer as if it had succeeded.
// After [User.CompleteResetPassword] and [User.Login], which cannot be answered so, give the same
// answer as for a wrong PIN and as for a wrong password.
func RevealsAccount(err error) bool {
	return errors.Is(err, ErrUserNotFound) || errors.Is(err, ErrAddressNotVerified) ||
		errors.Is(err, ErrNoPassword) || errors.Is(err, ErrUserDisabled)
}
