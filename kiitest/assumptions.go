package kiitest

// An Assumption names something that Kii Cloud does and no public documentation describes, so that
// the Server had to choose. Each holds unless [WithAssumption] says otherwise. The package comment
// lists them with what speaks for each, and what the server does if one does not hold.
type Assumption string

const (
	// UnverifiedAddressIsUnknown: an address that is not verified finds no user.
	UnverifiedAddressIsUnknown Assumption = "UnverifiedAddressIsUnknown"
	// EmailCaseMatters: e-mail addresses that differ in upper and lower case are different.
	EmailCaseMatters Assumption = "EmailCaseMatters"
	// LoginNameResets: LOGIN_NAME:… names a user on the calls that reset a password.
	LoginNameResets Assumption = "LoginNameResets"
	// MeCanRequestReset: a user's token names the user on request-reset too, by the path users/me.
	MeCanRequestReset Assumption = "MeCanRequestReset"
	// BadChannelIsInvalidInput: a notificationMethod that does not exist is answered
	// INVALID_INPUT_DATA.
	BadChannelIsInvalidInput Assumption = "BadChannelIsInvalidInput"
	// SMSDefaultsToLink: an SMS reset without smsResetMethod goes by link.
	SMSDefaultsToLink Assumption = "SMSDefaultsToLink"
	// NewerRequestReplacesOlder: a new PIN, or link, ends the user's older one.
	NewerRequestReplacesOlder Assumption = "NewerRequestReplacesOlder"
	// ResetEndsOtherRequests: a new password ends the user's other pending PINs and links.
	ResetEndsOtherRequests Assumption = "ResetEndsOtherRequests"
	// CodesAreSingleUse: a PIN or a link resets once.
	CodesAreSingleUse Assumption = "CodesAreSingleUse"
	// NoPendingPINIsWrongPIN: if the user has no PIN, any is a wrong one.
	NoPendingPINIsWrongPIN Assumption = "NoPendingPINIsWrongPIN"
	// OnlyRightPINExpires: a wrong PIN is a wrong one, even after the right one has expired.
	OnlyRightPINExpires Assumption = "OnlyRightPINExpires"
	// WrongPINsAreUnlimited: wrong PINs do not end the right one.
	WrongPINsAreUnlimited Assumption = "WrongPINsAreUnlimited"
	// PINCheckedBeforePassword: a wrong PIN with a bad password is a wrong PIN.
	PINCheckedBeforePassword Assumption = "PINCheckedBeforePassword"
	// BadPasswordKeepsPIN: the right PIN with a bad password can be used again.
	BadPasswordKeepsPIN Assumption = "BadPasswordKeepsPIN"
	// NewPasswordKillsRefreshTokens: refresh tokens die together with the access tokens.
	NewPasswordKillsRefreshTokens Assumption = "NewPasswordKillsRefreshTokens"
	// InputResetIsSilent: a reset with a chosen password sends no message.
	InputResetIsSilent Assumption = "InputResetIsSilent"
	// DisabledIsUnauthorized: USER_DISABLED comes with 401 on the calls that reset a password.
	DisabledIsUnauthorized Assumption = "DisabledIsUnauthorized"
	// DeadTokenIsForbidden: a dead token is answered 403 WRONG_TOKEN.
	DeadTokenIsForbidden Assumption = "DeadTokenIsForbidden"
	// WrongLoginIsBadRequest: a login with a wrong password is answered 400.
	WrongLoginIsBadRequest Assumption = "WrongLoginIsBadRequest"
	// DisabledLoginSaysSo: the right password of a disabled user is answered USER_DISABLED.
	DisabledLoginSaysSo Assumption = "DisabledLoginSaysSo"
	// ChangedPasswordMustDiffer: a change of password must change it.
	ChangedPasswordMustDiffer Assumption = "ChangedPasswordMustDiffer"
	// VerifiedUnlessRequired: while the portal asks for no verification, a registered address
	// counts as verified.
	VerifiedUnlessRequired Assumption = "VerifiedUnlessRequired"
	// OtherUsersAreReadable: a user's token reads the public part of another user's record.
	OtherUsersAreReadable Assumption = "OtherUsersAreReadable"
	// CallsMustNameTheApp: a call without Authorization and X-Kii headers is refused.
	CallsMustNameTheApp Assumption = "CallsMustNameTheApp"
	// AnyContentTypeWillDo: a JSON body is read whatever its content type says.
	AnyContentTypeWillDo Assumption = "AnyContentTypeWillDo"
	// ResetsOutliveTheirAddress: a link or PIN still works when the user's address is no longer the
	// one it went to.
	ResetsOutliveTheirAddress Assumption = "ResetsOutliveTheirAddress"
	// ResendRepeatsTheCode: resending a verification sends the code that was sent before, while it
	// works.
	ResendRepeatsTheCode Assumption = "ResendRepeatsTheCode"
	// VerifyTellsStatus: verifying an address is answered with a body.
	VerifyTellsStatus Assumption = "VerifyTellsStatus"
	// VerifiedIsForAdmins: "verified" in a user's own call is refused.
	VerifiedIsForAdmins Assumption = "VerifiedIsForAdmins"
	// NamelessIsInvalidInput: a registration without any name is answered INVALID_INPUT_DATA.
	NamelessIsInvalidInput Assumption = "NamelessIsInvalidInput"
	// RegistrationTellsRecord: the answer to a registration holds the user's whole record.
	RegistrationTellsRecord Assumption = "RegistrationTellsRecord"
	// DisabledIsBoolean: _disabled in a user's record is a boolean, not a string.
	DisabledIsBoolean Assumption = "DisabledIsBoolean"
	// WrongTokenIsEchoed: WRONG_TOKEN repeats the token.
	WrongTokenIsEchoed Assumption = "WrongTokenIsEchoed"
	// InvalidFieldsAreNamed: INVALID_INPUT_DATA has invalidFields.
	InvalidFieldsAreNamed Assumption = "InvalidFieldsAreNamed"
	// ErrorsHaveACode: the body of an error has an errorCode.
	ErrorsHaveACode Assumption = "ErrorsHaveACode"
	// WrongClientIsWrongLogin: wrong credentials of an administrator are answered as a wrong
	// password is.
	WrongClientIsWrongLogin Assumption = "WrongClientIsWrongLogin"
	// AdminPasswordEndsTokens: a password that an administrator sets ends the user's tokens.
	AdminPasswordEndsTokens Assumption = "AdminPasswordEndsTokens"
	// AdminMayRepeatPassword: an administrator may set the password that the user already has.
	AdminMayRepeatPassword Assumption = "AdminMayRepeatPassword"
	// AdminOldPasswordIsIgnored: an old password that an administrator gives is ignored.
	AdminOldPasswordIsIgnored Assumption = "AdminOldPasswordIsIgnored"
	// ResetCodeIsSilent: a verification code that an administrator resets is not sent to the user.
	ResetCodeIsSilent Assumption = "ResetCodeIsSilent"
	// UnknownFieldsAreIgnored: fields that a call does not document change nothing.
	UnknownFieldsAreIgnored Assumption = "UnknownFieldsAreIgnored"
)

// Assumptions lists the [Assumption] constants, in the order of the package comment's table.
func Assumptions() []Assumption {
	return []Assumption{
		UnverifiedAddressIsUnknown, EmailCaseMatters, LoginNameResets, MeCanRequestReset, BadChannelIsInvalidInput, SMSDefaultsToLink,
		NewerRequestReplacesOlder, ResetEndsOtherRequests, CodesAreSingleUse, NoPendingPINIsWrongPIN, OnlyRightPINExpires,
		WrongPINsAreUnlimited, PINCheckedBeforePassword, BadPasswordKeepsPIN, NewPasswordKillsRefreshTokens,
		InputResetIsSilent, DisabledIsUnauthorized, DeadTokenIsForbidden, WrongLoginIsBadRequest,
		DisabledLoginSaysSo, ChangedPasswordMustDiffer, VerifiedUnlessRequired, OtherUsersAreReadable, CallsMustNameTheApp, AnyContentTypeWillDo,
		ResetsOutliveTheirAddress, ResendRepeatsTheCode, VerifyTellsStatus, VerifiedIsForAdmins, NamelessIsInvalidInput, RegistrationTellsRecord,
		DisabledIsBoolean, WrongTokenIsEchoed, InvalidFieldsAreNamed, ErrorsHaveACode, WrongClientIsWrongLogin, AdminPasswordEndsTokens,
		AdminMayRepeatPassword, AdminOldPasswordIsIgnored, ResetCodeIsSilent, UnknownFieldsAreIgnored,
	}
}

// Assumes reports whether the assumption holds on the server.
func (s *Server) Assumes(a Assumption) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.assumes(a)
}

func (s *state) assumes(a Assumption) bool { return s.assumed[a] }
