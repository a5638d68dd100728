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
	word := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, plain)
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
	case plain == acct.Key || plain == local || strings.Trim(plain, "0123456789 !?.") == local:
		return &problem{Word: "password.address"}
	}
	return nil
}
