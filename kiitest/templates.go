package kiitest

import (
	"cmp"
	"strings"
)

// A Template is the text of a message, as the portal's "Email/SMS templates" hold one. The one
// whose locale matches most of the user's is taken: of zh, zh-Hant and en, a user of zh-Hant-TW
// gets the second. If none matches it is en, and without such a template the built-in text.
//
// In Subject and Text, ${link}, ${pin}, ${code}, ${password}, ${name} and ${app} are replaced. Text
// must hold what the Purpose promises, such as ${pin} of a [ResetPIN].
type Template struct {
	Purpose Purpose `json:"purpose"`
	Channel Channel `json:"channel"`
	Locale  string  `json:"locale"`
	Subject string  `json:"subject,omitempty"` // of an e-mail
	Text    string  `json:"text"`
}

// holds names what a message is sent for, as its template must hold it.
func (p Purpose) holds() (placeholder string, known bool) {
	switch p {
	case ResetLink:
		return "${link}", true
	case ResetPIN:
		return "${pin}", true
	case NewPassword:
		return "${password}", true
	case VerifyAddress:
		return "${code}", true
	case PasswordReset:
		return "", true
	}
	return "", false
}

// Validate returns nil, or an error that joins a [FieldError] for each field that is not valid.
func (t Template) Validate() error {
	v := validation{of: "Template"}
	placeholder, known := t.Purpose.holds()
	v.check(known, "Purpose", "must be one of %s", commaList(purposes()))
	v.check(t.Channel == Email || t.Channel == SMS, "Channel", "must be %s or %s", Email, SMS)
	v.check(t.Locale != "", "Locale", "is empty")
	v.check(strings.Contains(t.Text, placeholder), "Text", "must hold %s", placeholder)
	return v.err()
}

// template picks the text for a message.
func (s *Server) template(m *message, locale string) Template {
	for _, wanted := range []string{locale, "en"} {
		for wanted = normalLocale(wanted); wanted != ""; wanted = wanted[:max(0, strings.LastIndex(wanted, "-"))] {
			for _, t := range s.settings.Templates {
				if t.Purpose == m.Purpose && t.Channel == m.Channel && normalLocale(t.Locale) == wanted {
					return t
				}
			}
		}
	}
	return builtIn(m.Purpose)
}

func normalLocale(locale string) string {
	return strings.ToLower(strings.ReplaceAll(locale, "_", "-"))
}

func builtIn(p Purpose) Template {
	switch p {
	case ResetLink:
		return Template{Subject: "Reset your password", Text: "Open this link to reset your password: ${link}"}
	case ResetPIN:
		return Template{Subject: "Reset your password", Text: "Your PIN to reset your password is ${pin}"}
	case NewPassword:
		return Template{Subject: "Your new password", Text: "Your password was reset. Your new password is ${password}"}
	case VerifyAddress:
		return Template{Subject: "Verify your address", Text: "Your verification code is ${code}"}
	default:
		return Template{Subject: "Your password was reset", Text: "Your password was reset. If it was not you, reset it again."}
	}
}

// fill returns the message's subject and text. An SMS has no subject.
func (t Template) fill(m *message, a *account, appID string) (subject, text string) {
	name := cmp.Or(a.DisplayName, a.LoginName)
	fill := strings.NewReplacer("${link}", m.Link, "${pin}", m.PIN, "${code}", m.Code, "${password}", m.Password, "${name}", name, "${app}", appID)
	if m.Channel == Email {
		subject = fill.Replace(t.Subject)
	}
	return subject, fill.Replace(t.Text)
}
