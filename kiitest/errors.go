package kiitest

import (
	"maps"
	"net/http"
	"strings"
)

// fields are what an error reply holds beside errorCode and message.
type fields map[string]any

// failure is an error reply as Kii Cloud words it.
func failure(status int, exception, code, message string, more fields) answer {
	body := map[string]any{"errorCode": code, "message": message, "suppressed": []string{}}
	maps.Copy(body, more)
	a := jsonAnswer(status, "application/vnd.kii."+exception+"+json", body)
	a.code = code
	return a
}

// oauthFailure is an error of the token endpoint. Clients read errorCode, some the OAuth fields.
func oauthFailure(status int, code, description string) answer {
	a := jsonAnswer(status, typeJSON, map[string]any{"errorCode": code, "error": code, "error_description": description})
	a.code = code
	return a
}

// The methods below make the errors of the user API, and note in the call's log why.

func (c *call) userNotFound(field, value, why string, args ...any) answer {
	c.because(why, args...)
	return failure(http.StatusNotFound, "UserNotFoundException", "USER_NOT_FOUND",
		"User with the given identifier was not found", fields{"field": field, "value": value, "appID": c.server.appID})
}

func (c *call) invalidStatus(message, why string, args ...any) answer {
	c.because(why, args...)
	return failure(http.StatusConflict, "InvalidStatusException", "INVALID_STATUS", message, fields{"appID": c.server.appID})
}

func (c *call) noPassword(a *account) answer {
	c.because("%s has no password", a.name())
	return failure(http.StatusConflict, "OperationNotAllowedException", "OPERATION_NOT_ALLOWED", "The user has no password", nil)
}

func (c *call) userDisabled(status int, a *account) answer {
	c.because("%s is disabled", a.name())
	return failure(status, "UserDisabledException", "USER_DISABLED", "The user is disabled", fields{"UserID": a.ID, "appID": c.server.appID})
}

// invalidInput says of a field of the body what is wrong with it. Neither text holds a value.
func (c *call) invalidInput(field, reason string) answer {
	c.because("%s %s", field, reason)
	var more fields
	if c.server.assumes(InvalidFieldsAreNamed) {
		more = fields{"invalidFields": map[string]string{field: reason}}
	}
	return failure(http.StatusBadRequest, "ValidationException", "INVALID_INPUT_DATA", "There are validation errors: "+field+" - "+reason+". ", more)
}

func (c *call) invalidJSON(why string) answer {
	c.because("%s", why)
	return failure(http.StatusBadRequest, "ValidationException", "INVALID_JSON", "The body is not a JSON object that this call takes", nil)
}

func (c *call) passwordTooShort(least int) answer {
	c.because("the new password is shorter than the app's least length, %d", least)
	return failure(http.StatusBadRequest, "PasswordTooShortException", "PASSWORD_TOO_SHORT", "The password is too short", fields{"minimumLength": least})
}

// wrongCode echoes the code that was sent, as Kii Cloud does.
func (c *call) wrongCode(a *account, sent, why string, args ...any) answer {
	c.because(why, args...)
	return failure(http.StatusForbidden, "InvalidVerificationCodeException", "INVALID_VERIFICATION_CODE", "The verification code is not valid",
		fields{"userID": a.ID, "appID": c.server.appID, "verificationCode": sent})
}

func (c *call) pinExpired(why string, args ...any) answer {
	c.because(why, args...)
	return failure(http.StatusGone, "PINCodeExpiredException", "PIN_CODE_EXPIRED", "The PIN code has expired", fields{"appID": c.server.appID, "thingID": nil})
}

// deadToken is for a token that is unknown, expired or ended: Kii Cloud does not say which.
func (c *call) deadToken(why string) answer {
	if !c.server.assumes(DeadTokenIsForbidden) {
		return c.unauthorized("%s", why)
	}
	c.because("%s", why)
	more := fields{"appID": c.server.appID}
	if c.server.assumes(WrongTokenIsEchoed) {
		_, more["accessToken"], _ = strings.Cut(c.header.Get("Authorization"), " ")
	}
	return failure(http.StatusForbidden, "WrongTokenException", "WRONG_TOKEN", "The provided token is not valid", more)
}

// unauthorized refuses a caller that may not do this.
func (c *call) unauthorized(why string, args ...any) answer {
	c.because(why, args...)
	id := ""
	if c.principal != nil {
		id = c.principal.ID
	}
	return failure(http.StatusUnauthorized, "UnauthorizedAccessException", "UNAUTHORIZED", "The principal may not do this",
		fields{"authenticatedAppID": c.server.appID, "authenticatedPrincipalID": id})
}

func (c *call) appNotFound(named string) answer {
	c.because("the %s names another app than this server's", named)
	return failure(http.StatusNotFound, "ApplicationNotFoundException", "APP_NOT_FOUND", "The application was not found", nil)
}

func (c *call) wrongPassword(a *account) answer {
	c.because("oldPassword is not the password of %s", a.name())
	return failure(http.StatusUnauthorized, "WrongPasswordException", "WRONG_PASSWORD", "The password is wrong",
		fields{"appID": c.server.appID, "principalID": a.ID, "address": nil})
}

func (c *call) alreadyExists(field, value string) answer {
	c.because("another user has this %s", field)
	return failure(http.StatusConflict, "UserAlreadyExistsException", "USER_ALREADY_EXISTS", "The address is taken", fields{"field": field, "value": value})
}

func (c *call) invalidAccountStatus(a *account, kind string) answer {
	c.because("%s has no unverified %s", a.name(), inWords(kind))
	return failure(http.StatusBadRequest, "InvalidAccountStatusException", "INVALID_ACCOUNT_STATUS", "There is nothing to verify",
		fields{"userID": a.ID, "appID": c.server.appID, "accountType": kind})
}

func (c *call) notEmulated(why string) answer {
	c.because("%s", why)
	return failure(http.StatusNotImplemented, "OperationNotImplementedException", "OPERATION_NOT_IMPLEMENTED",
		"kiitest does not emulate this call; its package comment lists those that it does", nil)
}
