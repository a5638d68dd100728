package main

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// An account is what a visitor typed to name one. Whether it exists nobody knows yet.
type account struct {
	id  string // for Kii Cloud, which may tell addresses apart by case
	key string // for counting: the same for all ways to write one address
}

// parseAccount reads an e-mail address or a phone number. Other names, user IDs among them, are not
// for strangers to type.
func parseAccount(typed, callingCode string) (account, bool) {
	typed = strings.TrimSpace(typed)
	if strings.Contains(typed, "@") {
		local, domain, _ := strings.Cut(typed, "@")
		odd := strings.ContainsFunc(typed, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == ':' })
		if local == "" || domain == "" || strings.Contains(domain, "@") || odd || len(typed) > 254 || !utf8.ValidString(typed) {
			return account{}, false
		}
		return account{id: typed, key: strings.ToLower(typed)}, true
	}

	number := compact(typed, "().\u30fc")
	switch {
	case strings.HasPrefix(number, "00"):
		number = "+" + number[2:]
	case strings.HasPrefix(number, "0"):
		number = "+" + callingCode + number[1:]
	}
	if rest, ok := strings.CutPrefix(number, "+"+callingCode); ok {
		number = "+" + callingCode + strings.TrimLeft(rest, "0") // as in +81 (0)90
	}
	digits, ok := strings.CutPrefix(number, "+")
	if !ok || len(digits) < 7 || len(digits) > 20 || strings.Trim(digits, "0123456789") != "" {
		return account{}, false
	}
	return account{id: number, key: number}, true
}

// parsePIN reads a code as it is pasted from a message. It keeps zeros in front and asks for no length.
func parsePIN(typed string) (string, bool) {
	pin := compact(typed, "\u30fc")
	odd := strings.ContainsFunc(pin, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return pin, pin != "" && len(pin) <= 64 && !odd
}

// compact leaves out what people put between digits, and turns the digits of a Japanese keyboard into ASCII.
func compact(s, also string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) || unicode.Is(unicode.Dash, r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(also, r):
			return -1
		case r >= '\uff10' && r <= '\uff19':
			return r - '\uff10' + '0'
		case r == '\uff0b':
			return '+'
		}
		return r
	}, s)
}
