package main

import (
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"

	"github.com/go-kii/kii"
)

// An account is what a visitor typed to name one. Whether it exists nobody knows yet.
type account struct {
	ID  string // for Kii Cloud, which may tell addresses apart by case
	Key string // for counting: the same for all ways to write one address
}

// by names the message that is asked for: the same address in other letters may be another account.
func (a account) by(method kii.NotificationMethod) string { return string(method) + a.ID }

// parseAccount reads an e-mail address or a phone number. Other names, user IDs among them, are not
// for strangers to type.
func parseAccount(typed, region string) (account, bool) {
	if !utf8.ValidString(typed) {
		return account{}, false
	}
	typed = plain(typed)
	if strings.Contains(typed, "@") {
		return parseEmail(typed)
	}
	return parsePhone(typed, region)
}

// emailDomain matches no sign that comes with a paste or a slip, such as the dot that ends a
// sentence, or the one of a Japanese keyboard.
var emailDomain = regexp.MustCompile(`^[\pL\pM\pN_-]+(\.[\pL\pM\pN_-]+)*$`)

// parseEmail refuses what cannot be an address: the page would promise a message that never comes.
// It takes dots anywhere in front of the @, as Japanese carriers gave them out.
func parseEmail(typed string) (account, bool) {
	if strings.Contains(typed, "<") { // as copied from a mail: Alice <alice@example.com>
		named, err := mail.ParseAddress(typed)
		if err != nil {
			return account{}, false
		}
		typed = named.Address
	}
	local, domain, _ := strings.Cut(typed, "@")
	odd := strings.ContainsFunc(local, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(":,()\u2800", r)
	})
	if local == "" || odd || !emailDomain.MatchString(domain) || len(typed) > 254 {
		return account{}, false
	}
	return account{ID: typed, Key: strings.ToLower(strings.ToUpper(typed))}, true
}

// parsePhone never alters a number that came with a plus, except for the script of its digits and
// the (0) that some write in it. Others are read as people of the region write them.
func parsePhone(typed, region string) (account, bool) {
	number := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Dash, r) || strings.ContainsRune(".\u30fc/", r) {
			return -1
		}
		return westernDigit(r)
	}, typed)
	if country, rest, found := strings.Cut(number, "(0)"); found && country != "" {
		number = country + rest // the zero is for those who leave the country out
	}
	number = strings.NewReplacer("(", "", ")", "").Replace(number)
	if digits := strings.TrimPrefix(number, "+"); strings.Trim(digits, "0123456789") != "" {
		return account{}, false
	}
	if !strings.HasPrefix(number, "+") {
		read, err := phonenumbers.Parse(number, region)
		valid := err == nil && phonenumbers.IsValidNumber(read)
		switch abroad, ok := strings.CutPrefix(number, "00"); {
		case ok && !valid: // as from most countries, though not from Japan or the USA
			number = "+" + abroad
		case valid, err == nil && number[:1] == "0" && phonenumbers.IsPossibleNumber(read):
			number = phonenumbers.Format(read, phonenumbers.E164)
		default:
			return account{}, false
		}
	}
	if len(number) < 8 || len(number) > 21 { // 7 to 20 digits
		return account{}, false
	}
	return account{ID: number, Key: number}, true
}

// examplePhone is a number as one might type it.
func examplePhone(region string) string {
	example := phonenumbers.GetExampleNumberForType(region, phonenumbers.MOBILE)
	if example == nil {
		return "+81 90-1234-5678"
	}
	return phonenumbers.Format(example, phonenumbers.INTERNATIONAL)
}

// A runOfDigits may have spaces and dashes in it.
var runOfDigits = regexp.MustCompile(`[0-9]+(?:[\s\pZ\p{Pd}\x{30fc}]*[0-9]+)*`)

// parsePIN reads a code as it is typed, or pasted with the message around it: the one run of digits
// in it, or the same one again and again. It keeps zeros in front and asks for no length.
func parsePIN(typed string) (pin string, ok bool) {
	text := strings.Map(westernDigit, plain(typed))
	words := strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) && r != '\u30fc' })
	for _, at := range runOfDigits.FindAllStringIndex(text, -1) {
		before, _ := utf8.DecodeLastRuneInString(text[:at[0]])
		after, _ := utf8.DecodeRuneInString(text[at[1]:])
		if isCased(before) || isCased(after) { // as in 12ab, or an O for a 0
			return "", false
		}
		groups := strings.FieldsFunc(text[at[0]:at[1]], func(r rune) bool { return r < '0' || r > '9' })
		for _, group := range groups {
			if words && len(group) != len(groups[0]) { // 123 456 is one number; 123456 10 may be two
				return "", false
			}
		}
		if !slices.ContainsFunc(groups, func(group string) bool { return len(group) < 6 }) {
			// Nobody writes a code in groups of six: each of them is a code.
			if groups = slices.Compact(groups); len(groups) > 1 {
				return "", false
			}
		}
		run := strings.Join(groups, "")
		if pin != "" && run != pin {
			return "", false
		}
		pin = run
	}
	return pin, pin != "" && len(pin) <= 64
}

// westernDigit makes an ASCII digit of one of another script, which an Arabic keyboard types, and
// leaves all else. Each script has its ten from 0 to 9 in a row.
func westernDigit(r rune) rune {
	if !unicode.IsDigit(r) {
		return r
	}
	before := rune(0)
	for unicode.IsDigit(r - before - 1) {
		before++
	}
	return '0' + before%10
}

// isCased reports whether r is of a script that writes words with spaces around them, unlike
// Japanese.
func isCased(r rune) bool { return unicode.IsUpper(r) || unicode.IsLower(r) }

// plain is s as it was meant: without the signs that nobody sees and that come with a paste, with
// the letters, digits and signs of a Japanese keyboard as ASCII, and with no space around it.
func plain(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r):
			return -1
		case r >= '\uff01' && r <= '\uff5e':
			return r - '\uff01' + '!'
		}
		return r
	}, s))
}
