package kii

import (
	"strings"
	"unicode"
)

// maxTyped is far more, in bytes, than any address or code that Kii Cloud takes.
const maxTyped = 1000

// checkTyped refuses what a person cannot have meant to type: text that Kii Cloud would only fail
// to recognise, or that looks like another. Contacts apps paste direction marks around numbers,
// and Japanese keyboards produce full-width signs and digits.
func checkTyped(name, value string) error {
	switch {
	case value == "":
		return &ArgumentError{name, "must not be empty"}
	case len(value) > maxTyped:
		return &ArgumentError{name, "must not be longer than 1,000 bytes"}
	case hasControl(value):
		return &ArgumentError{name, "must not hold control characters"}
	case strings.TrimSpace(value) != value:
		return &ArgumentError{name, "must not begin or end with a space"}
	case strings.ContainsFunc(value, isInvisible):
		return &ArgumentError{name, "must not hold invisible characters"}
	case strings.ContainsFunc(value, isFullWidth):
		return &ArgumentError{name, "must not hold full-width characters"}
	}
	return nil
}

func isInvisible(r rune) bool { return unicode.In(r, unicode.Cf, unicode.Variation_Selector) }

// isFullWidth reports whether r is the full-width form of an ASCII character.
func isFullWidth(r rune) bool { return r >= 0xFF01 && r <= 0xFF5E }
