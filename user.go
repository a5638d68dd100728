package kii

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// User is the user API of a [Client]: what can be done without being logged in, and the ways to a
// [Session]. It is safe for concurrent use.
type User struct{ api *api }

// Format implements [fmt.Formatter]. It prints no field: fmt would reach the app key through a wrong verb.
func (u User) Format(f fmt.State, verb rune) { format(f, verb, "kii.User"+blanked) }

// Login logs a user in. id takes the forms of [User.ResetPassword], but that a bare name is a login
// name; an e-mail address or phone number must be verified.
//
// The errors of note are [ErrWrongCredentials], which does not tell a wrong password from an unknown
// user, and [ErrUserDisabled].
//
// Login is safe for concurrent use and sends one request. It leaves the Sessions that you hold as they are. Where
// [OutcomeUnknown] is true a token may have been issued that nobody holds; to log in again is safe.
func (u *User) Login(ctx context.Context, id, password string) (*Session, error) {
	account, err := u.account(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := checkText("password", password); err != nil {
		return nil, err
	}
	token, err := u.api.token(ctx, &call{
		op: "Login",
		body: marshal(struct {
			Username string `json:"username"`
			Password string `json:"password"`
		}{string(account), password}),
		secrets: secrets{u.api.appKey, string(account), password},
	}, "")
	if err != nil {
		return nil, err
	}
	return &Session{api: u.api, token: token}, nil
}

// Resume returns the session of a token that was kept from an earlier one: the SDKs' loginWithToken.
// It sends nothing, so whether the token still works shows at the first call. token needs an
// AccessToken; UserID is filled in by [Session.Profile] where it is missing; a past Expiry is
// accepted, since the server's clock decides. Resume is safe for concurrent use.
func (u *User) Resume(token Token) (*Session, error) {
	if u == nil || u.api == nil {
		return nil, errNoUser
	}
	if token.AccessToken == "" {
		return nil, &ArgumentError{"token", "must have an AccessToken"}
	}
	if hasControl(token.AccessToken + token.RefreshToken + token.UserID) {
		return nil, &ArgumentError{"token", "must not hold control characters"}
	}
	return &Session{api: u.api, token: &token}, nil
}

var errNoUser = &ArgumentError{"User", "is nil or zero: use the User of a client that New returned"}

// account checks what every call without a token has in common.
func (u *User) account(ctx context.Context, id string) (account, error) {
	if u == nil || u.api == nil {
		return "", errNoUser
	}
	if ctx == nil {
		return "", errNilContext
	}
	return parseAccount(id)
}

var errNilContext = &ArgumentError{"ctx", "must not be nil"}

// account is a user ID, or an address with its type in front: EMAIL:, PHONE: or LOGIN_NAME:.
// https://documentation.kii.com/rest/apps-collection/application/user-collection/user-by-address/
type account string

var (
	email       = regexp.MustCompile(`^[^@:]+@[^@:]+$`)
	globalPhone = regexp.MustCompile(`^\+[0-9]{7,20}$`)
	localPhone  = regexp.MustCompile(`^[A-Z]{2}-[0-9]{7,20}$`)
	loginName   = regexp.MustCompile(`^[^@:+][^@:]*$`)
)

// parseAccount makes a bare address a typed one and refuses what cannot be right, as an unknown
// user would be all that Kii Cloud could say of it.
func parseAccount(id string) (account, error) {
	refused := func(reason string) (account, error) { return "", &ArgumentError{"id", reason} }
	kind, address, typed := strings.Cut(id, ":")
	switch {
	case id == "":
		return refused("must not be empty")
	case hasControl(id):
		return refused("must not hold control characters")
	case strings.TrimSpace(id) != id || strings.TrimSpace(address) != address:
		return refused("must not begin or end with a space")
	case id == "." || id == "..":
		return refused("must not be a dot segment")
	case id == "me":
		return refused(`must name a user; "me" is for logged-in calls`)
	case typed && kind == "EMAIL" && email.MatchString(address),
		typed && kind == "PHONE" && (globalPhone.MatchString(address) || localPhone.MatchString(address)),
		typed && kind == "LOGIN_NAME" && loginName.MatchString(address):
		return account(id), nil
	case typed:
		return refused(`must not hold ":", except in EMAIL:a@b, PHONE:+819012345678, PHONE:JP-09012345678 or LOGIN_NAME:name`)
	case email.MatchString(id):
		return account("EMAIL:" + id), nil
	case strings.Contains(id, "@"):
		return refused("must be an e-mail address with one @ if it holds any")
	case globalPhone.MatchString(id):
		return account("PHONE:" + id), nil
	case strings.HasPrefix(id, "+"):
		return refused("must be + and 7 to 20 digits if it begins with +")
	}
	return account(id), nil
}

// segment returns the one path segment that names a.
func (a account) segment() string {
	return strings.ReplaceAll(escapeSegment(string(a)), "%3A", ":")
}

// escapeSegment encodes all that is not a letter, a digit or one of -_.~
func escapeSegment(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

var printableASCII = regexp.MustCompile(`^[ -~]{4,50}$`)

// checkNewPassword is Kii Cloud's own rule, applied here so that a refusal burns no PIN.
func checkNewPassword(password string) error {
	if !printableASCII.MatchString(password) {
		return &ArgumentError{"newPassword", "must be 4 to 50 printable ASCII characters"}
	}
	return nil
}

// checkText refuses what would not arrive as it was typed.
func checkText(name, value string) error {
	switch {
	case value == "":
		return &ArgumentError{name, "must not be empty"}
	case hasControl(value):
		return &ArgumentError{name, "must not hold control characters"}
	}
	return nil
}

// hasControl says whether s holds a control character or is no UTF-8.
func hasControl(s string) bool {
	return !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl)
}
