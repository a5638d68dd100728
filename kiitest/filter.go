package kiitest

import (
	"slices"
	"strings"
)

// A Filter chooses messages. An empty field matches all.
type Filter struct {
	ID      int    // only this message
	After   int    // messages with a greater ID
	Before  int    // messages with a smaller ID; 0: all
	To      string // a user ID or an address, as for [Server.Account]
	Channel Channel
	Purpose Purpose
	State   State
	Text    string // found in the recipient, the subject or the text, in upper or lower case
}

// Validate returns nil, or an error that joins a [FieldError] for each field that no message can
// ever match, such as a phone number whose + became a space in a URL. [Server.WaitMessage] returns
// it, a strict server reports it, and elsewhere such a filter matches nothing.
func (f Filter) Validate() error {
	v := validation{of: "Filter"}
	v.check(f.ID >= 0, "ID", "cannot be negative")
	v.check(f.After >= 0, "After", "cannot be negative")
	v.check(f.Before >= 0, "Before", "cannot be negative")
	v.check(f.To == "" || canName(f.To), "To", "can name nobody: it must be a user ID, a login name, an e-mail address or a phone number with + (in a URL: %%2B)")
	v.check(f.Channel == "" || f.Channel == Email || f.Channel == SMS, "Channel", "must be %s or %s", Email, SMS)
	v.check(f.Purpose == "" || slices.Contains(purposes(), f.Purpose), "Purpose", "must be one of %s", commaList(purposes()))
	states := []State{Pending, Used, Replaced, Expired}
	v.check(f.State == "" || slices.Contains(states, f.State), "State", "must be one of %s", commaList(states))
	return v.err()
}

// canName reports whether an account can go by the text, with or without the kind of an address.
func canName(text string) bool {
	a := anyAddress(text)
	switch a.kind {
	case kindEmail:
		return validEmail(a.value)
	case kindPhone:
		return validPhone(a.value)
	default:
		return validLoginName(a.value) || validUserID(text)
	}
}

// matches reports whether the filter lets the message through.
func (s *Server) matches(f Filter, m *message) bool {
	return (f.ID == 0 || f.ID == m.ID) && m.ID > f.After && (f.Before == 0 || m.ID < f.Before) &&
		(f.Channel == "" || f.Channel == m.Channel) && (f.Purpose == "" || f.Purpose == m.Purpose) &&
		(f.To == "" || s.sentTo(m, f.To)) &&
		(f.State == "" || f.State == m.copy(s.now()).State) &&
		(f.Text == "" || strings.Contains(strings.ToLower(m.To+"\n"+m.Subject+"\n"+m.Text), strings.ToLower(f.Text)))
}

// sentTo reports whether a message went to a user, also after the user or the address is gone.
func (s *Server) sentTo(m *message, id string) bool {
	by := anyAddress(id)
	if holders := s.byName[s.key(by)]; len(holders) > 0 && s.accounts[id] == nil {
		return slices.ContainsFunc(holders, func(a *account) bool { return a.ID == m.UserID })
	}
	return m.UserID == id || m.To == by.value
}

// checkFilter reports to a strict server's test what no message can match.
func (s *Server) checkFilter(method string, f Filter) {
	if err := f.Validate(); err != nil {
		s.strict.report("%s: %s", method, strings.ReplaceAll(err.Error(), "kiitest: ", ""))
	}
}
