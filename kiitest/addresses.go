package kiitest

import (
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"
)

// An address names one account: the value of a kind is taken once in an app.
type address struct {
	kind  string
	value string // of a phone: the international number
}

const (
	kindEmail     = "EMAIL"
	kindPhone     = "PHONE"
	kindLoginName = "LOGIN_NAME"
)

// parseAddress reads TYPE:address.
func parseAddress(text string) (address, bool) {
	kind, value, found := strings.Cut(text, ":")
	if !found {
		return address{}, false
	}
	switch kind {
	case kindEmail, kindLoginName:
		return address{kind, value}, true
	case kindPhone:
		number, ok := international(value)
		return address{kind, number}, ok
	}
	return address{}, false
}

// bareAddress reads an address without its type, as a login takes it.
func bareAddress(text string) address {
	switch {
	case strings.Contains(text, "@"):
		return address{kindEmail, text}
	case strings.HasPrefix(text, "+"):
		return address{kindPhone, text}
	default:
		return address{kindLoginName, text}
	}
}

// anyAddress reads an address with or without its type.
func anyAddress(text string) address {
	if a, ok := parseAddress(text); ok {
		return a
	}
	return bareAddress(text)
}

// international turns +819012341234, JP-09012341234 and JP-9012341234 into the first. It refuses a
// local number if it is not certain which of its digits an international one leaves out.
func international(phone string) (string, bool) {
	if strings.HasPrefix(phone, "+") {
		return phone, validPhone(phone)
	}
	name, local, _ := strings.Cut(phone, "-")
	country, known := countries()[name]
	if !known {
		return "", false
	}
	local = strings.TrimPrefix(local, country.trunk)
	unsure := country.unsure != "" && strings.HasPrefix(local, country.unsure)
	if unsure || strings.HasPrefix(local, "0") && !country.keepsZero {
		return "", false
	}
	number := "+" + country.code + local
	return number, validPhone(number)
}

// A country is a line of countries.txt, whose head describes the fields.
type country struct {
	code, trunk, unsure string
	keepsZero           bool
}

//go:embed countries.txt
var countriesText string

// countries returns the countries by their ISO 3166 codes.
var countries = sync.OnceValue(func() map[string]country {
	all := make(map[string]country)
	for line := range strings.Lines(countriesText) {
		words := strings.Fields(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		c := country{code: words[1]}
		if len(words) > 2 {
			prefix, unsure := strings.CutSuffix(words[2], "?")
			switch {
			case prefix == "keep":
				c.keepsZero = true
			case unsure:
				c.unsure = prefix
			default:
				c.trunk = prefix
			}
		}
		all[words[0]] = c
	}
	return all
})

func validUserID(id string) bool {
	return id != "me" && strings.TrimLeft(id, "._-") == id && consistsOf(id, 1, 64, "._-")
}

// validEmail is as wide as the official SDKs: anything around one @, apart from what cannot be in a
// header or would read as another kind of address.
func validEmail(email string) bool {
	name, host, _ := strings.Cut(email, "@")
	odd := func(r rune) bool { return r <= ' ' || r == 0x7f || r == utf8.RuneError }
	return name != "" && host != "" && !strings.Contains(host, "@") && !strings.Contains(name, ":") &&
		len(email) <= 256 && !strings.ContainsFunc(email, odd)
}

func validPhone(phone string) bool {
	digits, plus := strings.CutPrefix(phone, "+")
	return plus && consistsOf(digits, 7, 20, "") && strings.Trim(digits, "0123456789") == ""
}

func validLoginName(name string) bool { return consistsOf(name, 3, 64, "._-") }

func validCountry(country string) bool {
	return len(country) == 2 && strings.Trim(country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// validPassword reports whether Kii Cloud would take the password in any app.
func validPassword(password string) bool {
	odd := func(r rune) bool { return r < ' ' || r > '~' }
	return minPassword <= len(password) && len(password) <= maxPassword && !strings.ContainsFunc(password, odd)
}

// consistsOf reports whether the text consists of ASCII letters, digits and what else is given.
func consistsOf(text string, least, most int, also string) bool {
	for _, r := range text {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if digit := '0' <= r && r <= '9'; !letter && !digit && !strings.ContainsRune(also, r) {
			return false
		}
	}
	return least <= len(text) && len(text) <= most
}

// goField is the field of an [Account] that holds an address.
func goField(kind string) string {
	switch kind {
	case kindEmail:
		return "Email"
	case kindPhone:
		return "Phone"
	default:
		return "LoginName"
	}
}
