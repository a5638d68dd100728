package kiitest

import (
	"encoding/json"
	"net/http"
	"reflect"
	"time"
)

// asAdmin finds the user that the path names, for an administrator only.
func (c *call) asAdmin() (*account, *answer) {
	if !c.admin {
		return nil, new(c.unauthorized("the call needs an administrator's token"))
	}
	return c.target()
}

// getStatus answers whether a user is disabled, for an administrator.
func (s *Server) getStatus(c *call) answer {
	a, refused := c.asAdmin()
	if refused != nil {
		return *refused
	}
	return jsonAnswer(http.StatusOK, kiiType("UserStatusRetrievalResponse"), map[string]any{"disabled": a.Disabled})
}

// setStatus disables or enables a user.
func (s *Server) setStatus(c *call) answer {
	a, refused := c.asAdmin()
	if refused != nil {
		return *refused
	}
	body, refused := c.object("disabled")
	if refused != nil {
		return *refused
	}
	if _, given := body["disabled"]; !given {
		return c.invalidInput("disabled", "is missing")
	}
	disabled, refused := body.bool(c, "disabled")
	if refused != nil {
		return *refused
	}
	a.setDisabled(c, disabled)
	return noContent()
}

// setDisabled disables or enables the account. Its tokens end when it is disabled, and stay so.
func (a *account) setDisabled(c *call, disabled bool) {
	if n := len(a.tokens); disabled && n > 0 {
		c.because("%d of the tokens of %s ended", n, a.name())
	}
	a.Disabled = disabled
	if disabled {
		a.endTokens(true, a.name()+" was disabled")
	}
}

// SetDisabled disables or enables a user as an administrator's call does: a disabled user's tokens
// end, and none of them works again afterwards. It reports whether there is such a user. The id is
// a user ID or an address, as for [Server.Account].
func (s *Server) SetDisabled(id string, disabled bool) bool {
	defer s.lock("SetDisabled")()
	a := s.find(id)
	if a != nil {
		a.setDisabled(nil, disabled)
	}
	return a != nil
}

func (s *Server) readEmailCode(c *call) answer { return s.readCode(c, Email) }

func (s *Server) readPhoneCode(c *call) answer { return s.readCode(c, SMS) }

// readCode answers with the code that was sent to an address, for an administrator.
func (s *Server) readCode(c *call, by Channel) answer {
	a, refused := c.asAdmin()
	if refused != nil {
		return *refused
	}
	own := s.contact(a, by)
	sent := own.code()
	if sent == nil {
		return c.noCode(a, own)
	}
	return jsonAnswer(http.StatusOK, kiiType("VerificationCodeRetrievalResponse"), map[string]any{"verificationCode": sent.Code})
}

// resetPhoneCode gives an administrator a new code for a phone number that is not verified.
func (s *Server) resetPhoneCode(c *call) answer {
	a, refused := c.asAdmin()
	if refused != nil {
		return *refused
	}
	own := s.contact(a, SMS)
	if own.unverified() == "" {
		return c.invalidAccountStatus(a, own.kind)
	}
	m := s.newCode(own)
	if s.assumes(ResetCodeIsSilent) {
		m.Expires = c.now.Add(s.settings.CodeValidity)
	} else {
		s.send(c, a, m, s.settings.CodeValidity)
	}
	return jsonAnswer(http.StatusOK, kiiType("ResetVerificationCodeResponse"), map[string]any{"verificationCode": m.Code})
}

// deleteUser deletes the caller, or for an administrator any user.
func (s *Server) deleteUser(c *call) answer {
	a, refused := c.own()
	if refused != nil {
		return *refused
	}
	s.remove(a)
	return noContent()
}

// queryUsers finds users by a clause of type eq or all, for an administrator.
func (s *Server) queryUsers(c *call) answer {
	if !c.admin {
		return c.unauthorized("the call needs an administrator's token")
	}
	body, refused := c.object("userQuery", "bestEffortLimit", "paginationKey")
	if refused != nil {
		return *refused
	}
	var query, clause object // not structs, whose fields a decoder also finds in other cases
	if json.Unmarshal(body["userQuery"], &query) != nil || json.Unmarshal(query["clause"], &clause) != nil {
		return c.invalidInput("userQuery", "must be an object with a clause")
	}
	kind, _, refused := clause.text(c, "type")
	if refused != nil {
		return *refused
	}
	field, _, refused := clause.text(c, "field")
	if refused != nil {
		return *refused
	}
	if kind != "eq" && kind != "all" {
		return c.notEmulated("kiitest knows the clauses eq and all")
	}
	results := []map[string]any{}
	for _, a := range s.byOrder() {
		record := s.record(a)
		if kind == "eq" {
			value, has := record[field]
			if !has || !sameJSON(value, clause["value"]) {
				continue
			}
		}
		results = append(results, record)
	}
	return jsonAnswer(http.StatusOK, kiiType("UserQueryResponse"), map[string]any{"queryDescription": "", "results": results})
}

// sameJSON reports whether a value is the one that some JSON stands for, however it is escaped.
func sameJSON(value any, text json.RawMessage) bool {
	encoded, _ := json.Marshal(value) // the server's own always encodes
	var is, wanted any
	return json.Unmarshal(encoded, &is) == nil && json.Unmarshal(text, &wanted) == nil && reflect.DeepEqual(is, wanted)
}

// getParameters answers with the app's settings, for an administrator.
func (s *Server) getParameters(c *call) answer {
	if !c.admin {
		return c.unauthorized("the call needs an administrator's token")
	}
	validity := int64(neverExpires)
	if s.settings.TokenValidity > 0 {
		validity = int64(s.settings.TokenValidity / time.Second)
	}
	return jsonAnswer(http.StatusOK, typeJSON, map[string]any{
		"passwordResetMethod":                s.settings.ResetFlow,
		"passwordResetTimeoutSeconds":        int64(s.settings.LinkValidity / time.Second),
		"passwordResetOKRedirectionURL":      s.settings.SuccessURL,
		"passwordResetFailureRedirectionURL": s.settings.FailureURL,
		"emailAddressVerificationRequired":   s.settings.VerifyEmail,
		"phoneNumberVerificationRequired":    s.settings.VerifyPhone,
		"exposeFullUserDataToOthers":         false,
		"refreshTokenEnabled":                s.settings.RefreshTokens,
		"defaultTokenExpirationSeconds":      validity,
		"maxTokenExpirationSeconds":          validity,
	})
}
