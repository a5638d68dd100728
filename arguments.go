package kii

import (
	"cmp"
	"context"
	"strings"
	"unicode"
	"unicode/utf8"
)

// refuseIf returns an [*ArgumentError] if an argument is bad.
func refuseIf(bad bool, name, reason string) error {
	if bad {
		return &ArgumentError{name, reason}
	}
	return nil
}

func checkContext(ctx context.Context) error {
	return refuseIf(isNil(ctx), "ctx", "must not be nil")
}

// checkText refuses a value that cannot be what the caller meant.
func checkText(name, value string) error {
	wrong := unsendable(value)
	return refuseIf(wrong != "", name, wrong)
}

// maxLength is the most bytes of any argument but a password. Kii Cloud accepts nothing so long.
const maxLength = 1000

// unsendable returns what is wrong with a value, or "". Text that was pasted, or typed on another
// keyboard, may hold characters that are invisible or only look right: Kii Cloud would find nobody.
func unsendable(value string) string {
	switch {
	case value == "":
		return "must not be empty"
	case len(value) > maxLength:
		return "must not be longer than 1,000 bytes"
	case hasControl(value):
		return "must not hold control characters"
	case strings.ContainsFunc(value, isInvisible):
		return "must not hold invisible characters"
	case strings.ContainsFunc(value, isLookAlike):
		return "must not hold full-width characters, nor digits or signs beyond Latin-1, such as a non-breaking hyphen"
	case strings.TrimSpace(value) != value:
		return "must not begin or end with a space"
	}
	return ""
}

// hasControl reports whether s holds a control character or U+FFFD, or is not UTF-8.
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError })
}

// isInvisible reports whether r is invisible, or only changes how its neighbours look. Every space
// except the ASCII one counts as invisible.
func isInvisible(r rune) bool {
	return !unicode.IsPrint(r) ||
		r > unicode.MaxLatin1 && unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// isLookAlike reports whether r may be mistaken for an ASCII character: whether it has full width,
// such as ＋ or １ from a Japanese keyboard, or is beyond Latin-1 and no letter or mark, as many
// dashes and digits are. The katakana middle dot is allowed, because domain names have it.
func isLookAlike(r rune) bool {
	return r >= '\uff01' && r <= '\uff60' ||
		r > unicode.MaxLatin1 && r != '・' && !unicode.In(r, unicode.Letter, unicode.Mark, unicode.Nl)
}

// maxPassword is the length in bytes of the longest password that Kii Cloud accepts.
const maxPassword = 50

// checkPassword refuses what cannot be a password. It is less strict than checkNewPassword, since
// the rules of Kii Cloud may have changed.
func checkPassword(name, password string) error {
	return cmp.Or(
		refuseIf(password == "", name, "must not be empty"),
		refuseIf(len(password) > maxPassword, name, "must not be longer than 50 bytes, as no password is"),
		refuseIf(hasControl(password), name, "must not hold control characters"),
	)
}

// checkNewPassword applies Kii Cloud's rule before anything is sent, so that a bad password uses up
// no PIN.
func checkNewPassword(password string) error {
	unprintable := func(r rune) bool { return r < ' ' || r > '~' }
	bad := len(password) < 4 || len(password) > maxPassword || strings.ContainsFunc(password, unprintable)
	return refuseIf(bad, "newPassword", "must be 4 to 50 printable ASCII characters")
}
