package main

import (
	_ "embed"
	"fmt"
	"strings"
	"unicode"
)

// maxPassword is Kii Cloud's.
const maxPassword = 50

//go:embed static/common.txt
var commonList string

var common = func() map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(commonList) {
		set[word] = true
	}
	return set
}()

// weakness says what is wrong with a new password, or returns "". It asks for no kinds of
// characters, and it is called before the code is spent.
func weakness(password string, least int, appName string, acct account) string {
	plain := strings.ToLower(password)
	word := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, plain)
	local, _, _ := strings.Cut(acct.key, "@")
	name := strings.ToLower(appName)
	switch {
	case password == "":
		return "Enter a new password."
	case strings.ContainsFunc(password, func(r rune) bool { return r < ' ' || r > '~' }):
		return "Use letters without accents, digits, signs and spaces only: other characters are not accepted here."
	case len(password) > maxPassword:
		return fmt.Sprintf("Use at most %d characters. This one has %d, and nothing is cut off.", maxPassword, len(password))
	case len(password) < least:
		return fmt.Sprintf("Use at least %d characters. Several words in a row are easy to remember.", least)
	case strings.Trim(plain, plain[:1]) == "":
		return "Use more than one character over and over: this is among the first that others would try."
	case common[plain] || common[word] && len(plain) <= len(word)+4:
		return "Choose another password: this is among the first that others would try."
	case word != "" && word == strings.ReplaceAll(name, " ", "") && len(plain) <= len(word)+8:
		return "Choose a password that is more than the name of this site."
	case plain == acct.key || plain == local || strings.Trim(plain, "0123456789 !?.") == local:
		return "Choose a password that is more than your own address."
	}
	return ""
}
