package emulator

import (
	"cmp"

	"github.com/go-kii/kii/kiitest"
)

// assumptionTexts say what each assumption means, and what happens if it is turned off.
var assumptionTexts = map[kiitest.Assumption]string{
	kiitest.UnverifiedAddressIsUnknown:    "An address that is not verified finds no user: 404. Turned off: 409 INVALID_STATUS.",
	kiitest.EmailCaseMatters:              "E-mail addresses that differ in upper and lower case are of different users. Turned off: of the same.",
	kiitest.LoginNameResets:               "LOGIN_NAME:… names a user on the calls that reset a password. Turned off: 404.",
	kiitest.MeCanRequestReset:             "A user's token can ask for a reset by the path users/me. Turned off: 404.",
	kiitest.BadChannelIsInvalidInput:      "A notificationMethod that does not exist is INVALID_INPUT_DATA. Turned off: INVALID_JSON.",
	kiitest.SMSDefaultsToLink:             "An SMS reset without smsResetMethod goes by link. Turned off: 400.",
	kiitest.NewerRequestReplacesOlder:     "A new PIN, or link, ends the user's older one. Turned off: all live until they expire.",
	kiitest.ResetEndsOtherRequests:        "A new password ends the user's other PINs and links. Turned off: they live until they expire.",
	kiitest.CodesAreSingleUse:             "A PIN or a link resets once. Turned off: until it expires.",
	kiitest.NoPendingPINIsWrongPIN:        "If the user has no PIN, any is a wrong one: 403. Turned off: 409 INVALID_STATUS.",
	kiitest.OnlyRightPINExpires:           "A wrong PIN stays a wrong one when the right one has expired. Turned off: 410 PIN_CODE_EXPIRED.",
	kiitest.WrongPINsAreUnlimited:         "Wrong PINs do not end the right one. Turned off: the fifth does.",
	kiitest.PINCheckedBeforePassword:      "A wrong PIN with a bad password is a wrong PIN: 403. Turned off: the password is judged first, 400.",
	kiitest.BadPasswordKeepsPIN:           "The right PIN with a bad password can be used again. Turned off: it is used up.",
	kiitest.NewPasswordKillsRefreshTokens: "Refresh tokens die together with the access tokens. Turned off: they live on.",
	kiitest.InputResetIsSilent:            "A reset with a chosen password sends no message. Turned off: it sends one that says so.",
	kiitest.DisabledIsUnauthorized:        "USER_DISABLED comes with 401 on the calls that reset a password. Turned off: with 403.",
	kiitest.DeadTokenIsForbidden:          "A dead token is 403 WRONG_TOKEN. Turned off: 401 UNAUTHORIZED.",
	kiitest.WrongLoginIsBadRequest:        "A login with a wrong password is 400. Turned off: 401.",
	kiitest.DisabledLoginSaysSo:           "The right password of a disabled user is answered USER_DISABLED. Turned off: invalid_grant.",
	kiitest.ChangedPasswordMustDiffer:     "A change of password must change it. Turned off: the old one is taken again.",
	kiitest.VerifiedUnlessRequired:        "While the portal asks for no verification, a registered address counts as verified. Turned off: it does not.",
	kiitest.OtherUsersAreReadable:         "A user's token reads the public part of another user's record. Turned off: 401.",
	kiitest.CallsMustNameTheApp:           "A call without Authorization and X-Kii headers is refused. Turned off: it is served.",
	kiitest.AnyContentTypeWillDo:          "A JSON body is read whatever its content type says. Turned off: 400 INVALID_DATA_TYPE.",
	kiitest.UnknownFieldsAreIgnored:       "Fields that a call does not document change nothing. Turned off: 400 INVALID_INPUT_DATA.",
	kiitest.ResetsOutliveTheirAddress:     "A link or PIN works after the user has another address than it went to. Turned off: a new address ends it.",
	kiitest.ResendRepeatsTheCode:          "Resending a verification sends the code that was sent before. Turned off: a new one.",
	kiitest.VerifyTellsStatus:             "Verifying an address is answered with a body. Turned off: 204.",
	kiitest.VerifiedIsForAdmins:           "A user who says that an address is verified is refused: 401. Turned off: it is ignored.",
	kiitest.NamelessIsInvalidInput:        "A registration without any name is INVALID_INPUT_DATA. Turned off: NO_ACCOUNT_PROVIDED.",
	kiitest.RegistrationTellsRecord:       "The answer to a registration holds the whole record. Turned off: only the user ID.",
	kiitest.DisabledIsBoolean:             "_disabled in a user's record is false or true. Turned off: a string.",
	kiitest.WrongTokenIsEchoed:            "WRONG_TOKEN repeats the token. Turned off: it does not.",
	kiitest.InvalidFieldsAreNamed:         "INVALID_INPUT_DATA has invalidFields. Turned off: it does not.",
	kiitest.ErrorsHaveACode:               "The body of each error has an errorCode. Turned off: only the content type names the error.",
	kiitest.WrongClientIsWrongLogin:       "Wrong credentials of an administrator are answered as a wrong password is. Turned off: 400 invalid_client.",
	kiitest.AdminPasswordEndsTokens:       "A password that an administrator sets ends the user's tokens. Turned off: they live on.",
	kiitest.AdminMayRepeatPassword:        "An administrator may set the password that the user has. Turned off: 400.",
	kiitest.AdminOldPasswordIsIgnored:     "An old password that an administrator gives is not looked at. Turned off: a wrong one is 401.",
	kiitest.ResetCodeIsSilent:             "A verification code that an administrator resets is not sent. Turned off: it is.",
}

// assumptionText says what an assumption means.
func assumptionText(a kiitest.Assumption) string {
	return cmp.Or(assumptionTexts[a], "The package comment of kiitest explains it.")
}
