package kiitest

import (
	"maps"
	"net/http"
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

func (s *Server) userNotFound(field, value string) answer {
	return failure(http.StatusNotFound, "UserNotFoundException", "USER_NOT_FOUND",
		"User with the given identifier was not found", fields{"field": field, "value": value, "appID": s.appID})
}

func (s *Server) invalidStatus(message string) answer {
	return failure(http.StatusConflict, "InvalidStatusException", "INVALID_STATUS", message, fields{"appID": s.appID})
}

func noPassword() answer {
	return failure(http.StatusConflict, "OperationNotAllowedException", "OPERATION_NOT_ALLOWED", "The user has no password", nil)
}

func (s *Server) userDisabled(status int, a *account) answer {
	return failure(status, "UserDisabledException", "USER_DISABLED", "The user is disabled", fields{"UserID": a.ID, "appID": s.appID})
}

func invalidInput(message string) answer {
	return failure(http.StatusBadRequest, "ValidationException", "INVALID_INPUT_DATA", message, nil)
}

func invalidJSON() answer {
	return failure(http.StatusBadRequest, "ValidationException", "INVALID_JSON", "The body is not a JSON object", nil)
}

func passwordTooShort(least int) answer {
	return failure(http.StatusBadRequest, "PasswordTooShortException", "PASSWORD_TOO_SHORT", "The password is too short", fields{"minimumLength": least})
}

// wrongCode echoes what was sent, as Kii Cloud does.
func (s *Server) wrongCode(a *account, sent string) answer {
	return failure(http.StatusForbidden, "InvalidVerificationCodeException", "INVALID_VERIFICATION_CODE", "The verification code is not valid",
		fields{"userID": a.ID, "appID": s.appID, "verificationCode": sent})
}

func (s *Server) pinExpired() answer {
	return failure(http.StatusGone, "PINCodeExpiredException", "PIN_CODE_EXPIRED", "The PIN code has expired", fields{"appID": s.appID, "thingID": nil})
}

// deadToken is for a token that is unknown, expired or ended: Kii Cloud does not say which.
func (s *Server) deadToken() answer {
	if s.Assumes(DeadTokenIsForbidden) {
		return failure(http.StatusForbidden, "WrongTokenException", "WRONG_TOKEN", "The provided token is not valid", fields{"appID": s.appID})
	}
	return s.unauthorized(nil)
}

// unauthorized is for who may not do this. The principal is the user of the token, if any.
func (s *Server) unauthorized(principal *account) answer {
	id := ""
	if principal != nil {
		id = principal.ID
	}
	return failure(http.StatusUnauthorized, "UnauthorizedAccessException", "UNAUTHORIZED", "The principal may not do this",
		fields{"authenticatedAppID": s.appID, "authenticatedPrincipalID": id})
}

func (s *Server) appNotFound() answer {
	return failure(http.StatusNotFound, "ApplicationNotFoundException", "APP_NOT_FOUND", "The application was not found", nil)
}

func (s *Server) wrongPassword(a *account) answer {
	return failure(http.StatusUnauthorized, "WrongPasswordException", "WRONG_PASSWORD", "The password is wrong",
		fields{"appID": s.appID, "principalID": a.ID, "address": nil})
}

// oauthFailure is an error of the token endpoint. Clients read errorCode, some the OAuth fields.
func oauthFailure(status int, code, description string) answer {
	a := jsonAnswer(status, "application/json", map[string]any{"errorCode": code, "error": code, "error_description": description})
	a.code = code
	return a
}

func (s *Server) alreadyExists(field, value string) answer {
	return failure(http.StatusConflict, "UserAlreadyExistsException", "USER_ALREADY_EXISTS", "The address is taken", fields{"field": field, "value": value})
}

func (s *Server) invalidAccountStatus(a *account, kind string) answer {
	return failure(http.StatusBadRequest, "InvalidAccountStatusException", "INVALID_ACCOUNT_STATUS", "There is nothing to verify",
		fields{"userID": a.ID, "appID": s.appID, "accountType": kind})
}

func notEmulated() answer {
	return failure(http.StatusNotImplemented, "OperationNotImplementedException", "OPERATION_NOT_IMPLEMENTED",
		"kiitest does not emulate this call; its package comment lists those that it does", nil)
}
