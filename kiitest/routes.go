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
	OpAnonymousLogin     Operation = "anonymous-login"     // a token of nobody's
	OpGetUser            Operation = "get-user"            // kii: Session.Profile
	OpRegister           Operation = "register"            // a new user, with or without a login
	OpChangePassword     Operation = "change-password"     // kii: Session.ChangePassword
	OpChangeAddress      Operation = "change-address"      // another e-mail address or phone number
	OpVerifyAddress      Operation = "verify-address"      // by the code that went to it
	OpResendVerification Operation = "resend-verification" // that code again
	OpPreflight          Operation = "preflight"           // what a browser asks before a call from another origin
)

// Operations lists the operations.
func Operations() []Operation {
	return []Operation{
		OpRequestReset, OpCompleteReset, OpOpenLink, OpSubmitLink, OpLogin, OpRefresh, OpAnonymousLogin, OpGetUser,
		OpRegister, OpChangePassword, OpChangeAddress, OpVerifyAddress, OpResendVerification, OpPreflight,
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
		{OpChangePassword, http.MethodPut, user + "/password", []string{kiiType("ChangePasswordRequest")}, (*Server).changePassword, false},
		{OpChangeAddress, http.MethodPut, email, []string{kiiType("EmailAddressModificationRequest")}, (*Server).changeEmail, false},
		{OpChangeAddress, http.MethodPut, phone, []string{kiiType("PhoneNumberModificationRequest")}, (*Server).changePhone, false},
		{OpVerifyAddress, http.MethodPost, email + "/verify", []string{kiiType("AddressVerificationRequest")}, (*Server).verifyEmail, false},
		{OpVerifyAddress, http.MethodPost, phone + "/verify", []string{kiiType("AddressVerificationRequest")}, (*Server).verifyPhone, false},
		{OpResendVerification, http.MethodPost, email + "/resend-verification", nil, (*Server).resendEmail, false},
		{OpResendVerification, http.MethodPost, phone + "/resend-verification", nil, (*Server).resendPhone, false},
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
		text, err := url.PathUnescape(part)
		if err != nil || text == "" {
			return false
		}
		taken[wanted[i]] = text
	}
	c.app, c.user, c.link = taken["{app}"], taken["{user}"], taken["{link}"]
	return true
}
