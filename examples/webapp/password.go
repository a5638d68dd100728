package main

import (
	_ "embed"
	"strings"
	"unicode"
)

// maxPassword is Kii Cloud's.
const maxPassword = 50

//go:embed common.txt
var commonList string

var common = func() map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(commonList) {
		set[word] = true
	}
	return set
}()

// weakness returns what is wrong with a new password, or nil. It asks for no kinds of characters,
// and it is called before the code is spent.
func weakness(password string, least int, siteName string, acct account) *problem {
	plain := strings.ToLower(password)
	word, digits := only(unicode.IsLetter, plain), only(unicode.IsDigit, plain)
	local, _, _ := strings.Cut(acct.Key, "@")
	name := strings.ToLower(siteName)
	switch {
	case password == "":
		return &problem{Word: "want-new-password"}
	case strings.ContainsFunc(password, func(r rune) bool { return r < ' ' || r > '~' }):
		return &problem{Word: "password.signs"}
	case len(password) > maxPassword:
		return &problem{Word: "password.long", Most: maxPassword, Length: len(password)}
	case len(password) < least:
		return &problem{Word: "password.short", Least: least}
	case strings.Trim(plain, plain[:1]) == "":
		return &problem{Word: "password.repeated"}
	case common[plain] || common[word] && len(plain) <= len(word)+4:
		return &problem{Word: "password.common"}
	case word != "" && word == strings.ReplaceAll(name, " ", "") && len(plain) <= len(word)+8:
		return &problem{Word: "password.site"}
	case plain == acct.Key || plain == local || strings.Trim(plain, "0123456789 !?.") == local, word == "" && isNumberOf(acct, digits):
		return &problem{Word: "password.address"}
	}
	return nil
}

// isSpaced reports whether a password has a space at either end, as one that is pasted may. It is
// sent as it is, since a password may have one.
func isSpaced(password string) bool { return strings.TrimSpace(password) != password }

// only returns those characters of s that are of a kind.
func only(kind func(rune) bool, s string) string {
	return strings.Map(func(r rune) rune {
		if kind(r) {
			return r
		}
		return -1
	}, s)
}

// isNumberOf reports whether digits hold the account's phone number. Its end is enough, as people
// write a number without its country.
func isNumberOf(acct account, digits string) bool {
	number, isPhone := strings.CutPrefix(acct.Key, "+")
	return isPhone && strings.Contains(digits, number[max(0, len(number)-8):])
}
