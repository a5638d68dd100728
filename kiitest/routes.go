package kiitest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// An Operation is a call of the user API, or a visit to a page that a message links to.
type Operation string

// The operations of a [Call]. The package comment's table has their paths.
const (
	OpRequestReset       Operation = "request-reset"       // kii: User.ResetPassword
	OpCompleteReset      Operation = "complete-reset"      // kii: User.CompleteResetPassword
	OpOpenLink           Operation = "open-link"           // the user, or a mail scanner, opens a message's link
	OpSubmitLink         Operation = "submit-link"         // the user sends the form behind it
	OpLogin              Operation = "login"               // kii: User.Login
	OpRefresh            Operation = "refresh"             // kii: Session.Refresh
	OpAnonymousLogin     Operation = "anonymous-login"     // a token of no user, without rights
	OpAdminLogin         Operation = "admin-login"         // an administrator's token; kii: each call of an Admin, once an hour
	OpGetUser            Operation = "get-user"            // kii: Session.Profile, Admin.User
	OpQueryUsers         Operation = "query-users"         // for an administrator
	OpRegister           Operation = "register"            // a new user, with or without a login
	OpDeleteUser         Operation = "delete-user"         // oneself, or any user for an administrator
	OpChangePassword     Operation = "change-password"     // kii: Session.ChangePassword, Admin.SetPassword
	OpGetAddress         Operation = "get-address"         // an e-mail address or a phone number
	OpChangeAddress      Operation = "change-address"      // kii: Session.ChangeEmail and ChangePhone, Admin.SetEmail and SetPhone
	OpVerifyAddress      Operation = "verify-address"      // kii: Session.VerifyEmail and VerifyPhone
	OpResendVerification Operation = "resend-verification" // kii: Session.ResendEmailVerification and ResendPhoneVerification
	OpReadCode           Operation = "read-code"           // the code that verifies an address, for an administrator
	OpResetCode          Operation = "reset-code"          // a new one, for an administrator
	OpGetStatus          Operation = "get-status"          // whether a user is disabled, for an administrator
	OpSetStatus          Operation = "set-status"          // kii: Admin.SetDisabled
	OpGetParameters      Operation = "get-parameters"      // the app's settings, for an administrator
	OpPreflight          Operation = "preflight"           // what a browser asks before a call from another origin
)

// Operations lists the operations.
func Operations() []Operation {
	return []Operation{
		OpRequestReset, OpCompleteReset, OpOpenLink, OpSubmitLink, OpLogin, OpRefresh, OpAnonymousLogin, OpAdminLogin, OpGetUser, OpQueryUsers,
		OpRegister, OpDeleteUser, OpChangePassword, OpGetAddress, OpChangeAddress, OpVerifyAddress, OpResendVerification, OpReadCode, OpResetCode,
		OpGetStatus, OpSetStatus, OpGetParameters, OpPreflight,
	}
}

// resets reports whether the call is for users who cannot log in.
func (o Operation) resets() bool { return o == OpRequestReset || o == OpCompleteReset }

// A route leads from a method and a path to what handles the call.
type route struct {
	operation Operation
	method    string
	path      string   // below the API's root
	types     []string // the content types that the call documents for its body; none: it has no body
	serve     func(*Server, *call) answer
	isPage    bool
}

const (
	typeJSON = "application/json"
	typeForm = "application/x-www-form-urlencoded"
)

func kiiType(name string) string { return "application/vnd.kii." + name + "+json" }

func routes() []route {
	const (
		user  = "/apps/{app}/users/{user}"
		email = user + "/email-address"
		phone = user + "/phone-number"
		link  = "/apps/{app}/password-reset/{link}"
	)
	login := []string{typeJSON, kiiType("OauthTokenRequest"), typeForm}
	return []route{
		{OpRequestReset, http.MethodPost, user + "/password/request-reset", []string{kiiType("ResetPasswordRequest")}, (*Server).requestReset, false},
		{OpRequestReset, http.MethodPost, user + "/password/reset", nil, (*Server).requestResetByEmail, false},
		{OpCompleteReset, http.MethodPost, user + "/password/complete-reset", []string{kiiType("CompletePasswordResetRequest")}, (*Server).completeReset, false},
		{OpLogin, http.MethodPost, "/oauth2/token", login, (*Server).login, false},
		{OpLogin, http.MethodPost, "/apps/{app}/oauth2/token", login, (*Server).login, false},
		{OpRegister, http.MethodPost, "/apps/{app}/users", []string{kiiType("RegistrationRequest"), kiiType(registerAndLogin), typeJSON}, (*Server).register, false},
		{OpGetUser, http.MethodGet, user, nil, (*Server).getUser, false},
		{OpDeleteUser, http.MethodDelete, user, nil, (*Server).deleteUser, false},
		{OpQueryUsers, http.MethodPost, "/apps/{app}/users/query", []string{kiiType("UserQueryRequest")}, (*Server).queryUsers, false},
		{OpChangePassword, http.MethodPut, user + "/password", []string{kiiType("ChangePasswordRequest")}, (*Server).changePassword, false},
		{OpChangeAddress, http.MethodPut, email, []string{kiiType("EmailAddressModificationRequest")}, (*Server).changeEmail, false},
		{OpChangeAddress, http.MethodPut, phone, []string{kiiType("PhoneNumberModificationRequest")}, (*Server).changePhone, false},
		{OpVerifyAddress, http.MethodPost, email + "/verify", []string{kiiType("AddressVerificationRequest")}, (*Server).verifyEmail, false},
		{OpVerifyAddress, http.MethodPost, phone + "/verify", []string{kiiType("AddressVerificationRequest")}, (*Server).verifyPhone, false},
		{OpResendVerification, http.MethodPost, email + "/resend-verification", nil, (*Server).resendEmail, false},
		{OpResendVerification, http.MethodPost, phone + "/resend-verification", nil, (*Server).resendPhone, false},
		{OpGetAddress, http.MethodGet, email, nil, (*Server).getEmail, false},
		{OpGetAddress, http.MethodGet, phone, nil, (*Server).getPhone, false},
		{OpReadCode, http.MethodGet, email + "/verification-code", nil, (*Server).readEmailCode, false},
		{OpReadCode, http.MethodGet, phone + "/verification-code", nil, (*Server).readPhoneCode, false},
		{OpResetCode, http.MethodPost, phone + "/reset-verification-code", nil, (*Server).resetPhoneCode, false},
		{OpGetStatus, http.MethodGet, user + "/status", nil, (*Server).getStatus, false},
		{OpSetStatus, http.MethodPut, user + "/status", []string{kiiType("UserStatusUpdateRequest")}, (*Server).setStatus, false},
		{OpGetParameters, http.MethodGet, "/apps/{app}/configuration/parameters", nil, (*Server).getParameters, false},
		{OpOpenLink, http.MethodGet, link, nil, (*Server).openLink, true},
		{OpOpenLink, http.MethodHead, link, nil, (*Server).peekLink, true},
		{OpSubmitLink, http.MethodPost, link, []string{typeForm}, (*Server).submitLink, true},
	}
}

// methods lists the methods of the routes.
func methods() []string {
	var all []string
	for _, r := range routes() {
		if !slices.Contains(all, r.method) && !r.isPage {
			all = append(all, r.method)
		}
	}
	slices.Sort(all)
	return all
}

// match finds the call's route.
func (c *call) match(routes []route) {
	path, below := strings.CutPrefix(c.path, apiPath)
	if !below {
		return
	}
	if c.request.Method == http.MethodOptions && c.header.Get("Access-Control-Request-Method") != "" {
		c.operation = OpPreflight
		c.route = &route{operation: OpPreflight, path: "preflight", serve: (*Server).preflight, isPage: true}
		return
	}
	parts := strings.Split(path, "/")
	for i := range routes {
		if r := &routes[i]; r.method == c.request.Method && c.fits(r, parts) {
			c.operation = r.operation
			c.route = r
			break
		}
	}
	if c.operation == OpLogin {
		c.grant = c.readGrant()
		c.operation = c.grant.operation()
	}
}

// fits reports whether the path is the route's, and takes what stands in the route's braces.
func (c *call) fits(r *route, parts []string) bool {
	wanted := strings.Split(r.path, "/")
	if len(parts) != len(wanted) {
		return false
	}
	taken := make(map[string]string)
	for i, part := range parts {
		if !strings.HasPrefix(wanted[i], "{") {
			if part != wanted[i] {
				return false
			}
			continue
		}
		if part == "" {
			return false
		}
		taken[wanted[i]], _ = url.PathUnescape(part) // net/url escaped it
	}
	c.app, c.user, c.link = taken["{app}"], taken["{user}"], taken["{link}"]
	return true
}
