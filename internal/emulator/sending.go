package emulator

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/go-kii/kii/kiitest"
)

// A sending is a message that a person can have sent to a user.
type sending struct {
	Kind  string // in the JSON API and in the form
	Label string
	has   func(kiitest.Account) bool // an address for it
}

var sendings = []sending{
	{"reset-email", "Reset link by e-mail", hasEmail},
	{"reset-sms", "Reset link by SMS", hasPhone},
	{"reset-pin", "Reset PIN by SMS", hasPhone},
	{"verify-email", "Verification by e-mail", hasEmail},
	{"verify-phone", "Verification by SMS", hasPhone},
}

func hasEmail(a kiitest.Account) bool { return a.Email != "" }
func hasPhone(a kiitest.Account) bool { return a.Phone != "" }

// sendingsOf are those that the user has an address for.
func sendingsOf(a kiitest.Account) []sending {
	return slices.DeleteFunc(slices.Clone(sendings), func(s sending) bool { return !s.has(a) })
}

func sendingKinds() []string {
	kinds := make([]string, len(sendings))
	for i, s := range sendings {
		kinds[i] = s.Kind
	}
	return kinds
}

func (e *emulator) formSend(w http.ResponseWriter, r *http.Request) error {
	m, err := e.send(r.PostForm.Get("id"), r.PostForm.Get("kind"))
	if err != nil {
		return err
	}
	return redirectBack(w, r, "/messages/"+strconv.Itoa(m.ID), "sent", "n", strconv.Itoa(m.ID))
}
