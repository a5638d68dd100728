package emulator

import (
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-kii/kii/kiitest"
)

// filterParams are the query parameters that choose messages.
var filterParams = []string{"q", "after", "before", "to", "channel", "purpose", "state", "text"}

var (
	channels = []kiitest.Channel{kiitest.Email, kiitest.SMS}
	purposes = []kiitest.Purpose{kiitest.ResetLink, kiitest.ResetPIN, kiitest.NewPassword, kiitest.PasswordReset, kiitest.VerifyAddress}
	states   = []kiitest.State{kiitest.Pending, kiitest.Used, kiitest.Replaced, kiitest.Expired}
)

// parseFilter reads what the page's filter box takes: to:, channel:, purpose:, is: and free text.
func parseFilter(q string) (kiitest.Filter, error) {
	var f kiitest.Filter
	var text []string
	seen := make(map[string]bool)
	for word := range strings.FieldsSeq(q) {
		key, value, keyed := strings.Cut(word, ":")
		key = strings.ToLower(key)
		if !keyed || !slices.Contains([]string{"to", "channel", "purpose", "is"}, key) {
			text = append(text, word)
			continue
		}
		if seen[key] {
			return f, problemf(http.StatusUnprocessableEntity, "%s: is there twice", key)
		}
		seen[key] = true
		if err := setFilter(&f, key, value); err != nil {
			return f, err
		}
	}
	f.Text = strings.Join(text, " ")
	return f, nil
}

func setFilter(f *kiitest.Filter, key, value string) (err error) {
	switch key {
	case "to":
		if value == "" {
			return problemf(http.StatusUnprocessableEntity, "to: wants a whole address or a user ID; in a URL a + is written %%2B")
		}
		f.To = strings.ReplaceAll(value, " ", "+") // a + in a query is a space, and no ID or address holds one
	case "channel":
		f.Channel, err = wordFrom(key, value, channels)
	case "purpose":
		f.Purpose, err = wordFrom(key, value, purposes)
	case "is", "state":
		f.State, err = wordFrom(key, value, states)
	}
	return err
}

// filterOf reads the query parameters of filterParams. Those beside q narrow it.
func filterOf(query url.Values) (kiitest.Filter, error) {
	f, err := parseFilter(query.Get("q"))
	if err != nil {
		return f, err
	}
	for _, key := range []string{"to", "channel", "purpose", "state"} {
		if value := query.Get(key); value != "" {
			if err := setFilter(&f, key, value); err != nil {
				return f, err
			}
		}
	}
	if text := query.Get("text"); text != "" {
		f.Text = strings.TrimSpace(text) // "+8190" comes as " 8190"
	}
	if f.After, err = intParam(query, "after", 0, 0, math.MaxInt); err != nil {
		return f, err
	}
	f.Before, err = intParam(query, "before", 0, 0, math.MaxInt)
	return f, err
}

// number reads a query parameter that is a whole number.
func intParam(query url.Values, name string, otherwise, least, most int) (int, error) {
	text := query.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, problemf(http.StatusUnprocessableEntity, "%s must be a whole number from %d to %d", name, least, most)
	}
	return n, nil
}
