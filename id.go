package kii

import (
	"net/url"
	"regexp"
	"strings"
)

// A userRef is a user ID, or an address with its type in front: EMAIL:, PHONE: or LOGIN_NAME:.
// https://documentation.kii.com/rest/apps-collection/application/user-collection/user-by-address/
type userRef string

var (
	email       = regexp.MustCompile(`^[^@:]+@[^@:]+$`)
	globalPhone = regexp.MustCompile(`^\+[0-9]{7,20}$`)
	localPhone  = regexp.MustCompile(`^[A-Z]{2}-[0-9]{7,20}$`)
	loginName   = regexp.MustCompile(`^[^@:+][^@:]*$`)
)

// parseID adds the type to a bare address. It refuses what cannot be right, because Kii Cloud would
// answer only that there is no such user.
func parseID(id string) (userRef, error) {
	refused := func(reason string) (userRef, error) { return "", &ArgumentError{"id", reason} }
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
		return userRef(id), nil
	case typed:
		return refused(`must not hold ":", except in EMAIL:a@b, PHONE:+819012345678, PHONE:JP-09012345678 or LOGIN_NAME:name`)
	case email.MatchString(id):
		return userRef("EMAIL:" + id), nil
	case strings.Contains(id, "@"):
		return refused("must be an e-mail address with one @ if it holds any")
	case globalPhone.MatchString(id):
		return userRef("PHONE:" + id), nil
	case strings.HasPrefix(id, "+"):
		return refused("must be + and 7 to 20 digits if it begins with +")
	}
	return userRef(id), nil
}

// segment returns the path segment that names the user.
func (u userRef) segment() string {
	return strings.ReplaceAll(escapeSegment(string(u)), "%3A", ":")
}

// escapeSegment percent-encodes all but letters, digits and -_.~
func escapeSegment(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
