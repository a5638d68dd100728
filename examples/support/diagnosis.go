package main

import (
	"strings"
	"unicode"

	"github.com/go-kii/kii"
)

// show prints what the desk needs to know of a user: who it is, and whether a reset can work.
func (d *desk) show(user *kii.Profile) {
	d.Say("\nUser %s", user.UserID)
	for _, line := range []struct{ name, value string }{
		{"login name", user.LoginName},
		{"e-mail", addressLine(user.Email, user.EmailVerified, user.PendingEmail)},
		{"phone", addressLine(user.Phone, user.PhoneVerified, user.PendingPhone)},
	} {
		if line.value != "" {
			d.Say("  %-11s %s", line.name, printable(line.value))
		}
	}
	d.Say("%s", diagnosis(user))
}

func addressLine(address string, verified bool, pending string) string {
	line := address
	switch {
	case address != "" && verified:
		line += " (verified)"
	case address != "":
		line += " (not verified)"
	}
	if pending != "" {
		line = strings.TrimSpace(line + " " + pending + " (waits for its verification)")
	}
	return line
}

// printable returns text without what would steer the terminal: users choose their names
// themselves.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}

// A way is a method of a reset that can work.
type way struct {
	method kii.NotificationMethod
	name   string
}

// ways returns the methods that can work for a user.
func ways(user *kii.Profile) (ways []way) {
	if user.Disabled || lacksPassword(user) {
		return nil
	}
	if user.EmailVerified {
		ways = append(ways, way{kii.NotificationEmail, "an e-mail with a link"})
	}
	if user.PhoneVerified {
		ways = append(ways, way{kii.NotificationSMS, "an SMS with a link"}, way{kii.NotificationSMSPIN, "an SMS with a PIN"})
	}
	return ways
}

// lacksPassword reports whether Kii Cloud said that there is no password to reset.
func lacksPassword(user *kii.Profile) bool { return user.HasPassword != nil && !*user.HasPassword }

// diagnosis says in a sentence why a user can or cannot reset, and by which ways.
func diagnosis(user *kii.Profile) string {
	switch {
	case user.Disabled:
		return "This user cannot reset, because the account is disabled."
	case lacksPassword(user):
		return "This user cannot reset, because there is no password: the user logs in another way, such as a social network."
	}
	var missing []string
	if !user.EmailVerified {
		missing = append(missing, whyNot("e-mail address", user.Email, user.PendingEmail))
	}
	if !user.PhoneVerified {
		missing = append(missing, whyNot("phone number", user.Phone, user.PendingPhone))
	}
	reason := strings.Join(missing, ", and ")
	var names []string
	for _, w := range ways(user) {
		names = append(names, w.name)
	}
	switch {
	case len(names) == 0:
		return "This user cannot reset, because " + reason + "."
	case reason == "":
		return "This user can reset by " + list(names) + "."
	}
	return "This user can reset by " + list(names) + ", and by nothing else, because " + reason + "."
}

func whyNot(kind, address, pending string) string {
	if address == "" && pending == "" {
		return "there is no " + kind
	}
	return "the " + kind + " is not verified"
}

func list(names []string) string {
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
