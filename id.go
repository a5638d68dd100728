package kii

import (
	"cmp"
	"context"
	"net/url"
	"strings"
	"unicode"
)

// A userRef names a user: by user ID, or by an address of kind "EMAIL:", "PHONE:" or "LOGIN_NAME:".
// https://documentation.kii.com/rest/apps-collection/application/user-collection/user-by-address/
type userRef struct{ kind, address string } // kind is empty with a user ID

// String returns the name as a login sends it.
func (u userRef) String() string { return u.kind + u.address }

// userURL returns the URL of a user. The name is one path segment, with its colon unescaped.
func (a *api) userURL(u userRef, path string) string {
	return a.app + "/users/" + u.kind + escapeSegment(u.address) + path
}

// secret returns the part of the name that no text may show. Of a phone number that is the last
// seven digits, since a server may repeat it in other forms: it stores PHONE:JP-090… as +8190…, and
// may show that as 090…. The shortest number has seven digits.
func (u userRef) secret() string {
	if u.kind == "PHONE:" {
		digits := strings.TrimLeft(u.address, "+ABCDEFGHIJKLMNOPQRSTUVWXYZ-0")
		return digits[max(0, len(digits)-7):]
	}
	return u.address
}

// escapeSegment percent-encodes all bytes but ASCII letters, digits, -, _, . and ~.
func escapeSegment(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

// parseID adds the type to a bare address. It refuses an id that cannot be right, because Kii Cloud
// would answer only that there is no such user.
func parseID(id string) (userRef, error) {
	refused := func(reason string) (userRef, error) { return userRef{}, &ArgumentError{"id", reason} }
	kind, address, typed := strings.Cut(id, ":")
	wrong := unsendable(id)
	switch {
	case wrong != "":
		return refused(wrong)
	case strings.TrimSpace(address) != address:
		return refused("must not begin or end with a space")
	case id == "." || id == "..":
		return refused("must not be a dot segment")
	case id == "me":
		return refused(`must name a user; "me" is for logged-in calls`)
	case kind == "EMAIL" && isEmail(address),
		kind == "PHONE" && (isGlobalPhone(address) || isLocalPhone(address)),
		kind == "LOGIN_NAME" && address != "" && address[0] != '+' && !strings.ContainsAny(address, "@:"):
		return userRef{kind + ":", address}, nil
	case typed:
		return refused(`must not hold ":", except in EMAIL:a@b, PHONE:+819012345678, PHONE:JP-09012345678 or LOGIN_NAME:name`)
	case isEmail(id):
		return userRef{"EMAIL:", id}, nil
	case strings.Contains(id, "@"):
		return refused("must be a bare e-mail address such as alice@example.com if it holds an @")
	case isGlobalPhone(id):
		return userRef{"PHONE:", id}, nil
	case strings.HasPrefix(id, "+"):
		return refused("must be + and 7 to 20 digits if it begins with +")
	}
	return userRef{"", id}, nil
}

// checkUser returns the user that id names, and the first error of ctx, id and args.
func checkUser(ctx context.Context, id string, args ...error) (userRef, error) {
	user, err := parseID(id)
	return user, cmp.Or(checkContext(ctx), err, cmp.Or(args...))
}

// isEmail reports whether s has the form a@b, with letters, digits and the signs that RFC 5322
// allows in an atom. So there is no comma or bracket, which mail programs copy along. Dots may be
// anywhere before the @, as in addresses that Japanese carriers gave out.
func isEmail(s string) bool {
	local, domain, _ := strings.Cut(s, "@")
	return isWord(local, "!#$%&'*+/=?^_`{|}~-.·・") && isWord(domain, "_-.·・") && !strings.Contains("."+domain+".", "..")
}

// isWord reports whether s consists of letters, digits and characters in signs.
func isWord(s, signs string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsNumber(r) && !strings.ContainsRune(signs, r)
	})
}

// isGlobalPhone reports whether s is + and 7 to 20 digits.
func isGlobalPhone(s string) bool {
	return strings.HasPrefix(s, "+") && isPhone(s[1:])
}

// isLocalPhone reports whether s is a country of two capital letters, a hyphen and 7 to 20 digits.
func isLocalPhone(s string) bool {
	country, digits, _ := strings.Cut(s, "-")
	return len(country) == 2 && strings.Trim(country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" && isPhone(digits)
}

func isPhone(digits string) bool {
	return len(digits) >= 7 && len(digits) <= 20 && strings.Trim(digits, "0123456789") == ""
}
