package emulator

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-kii/kii/kiitest"
)

// filterParams are the query parameters that choose messages.
var filterParams = []string{"q", "after", "to", "channel", "purpose", "state", "text"}

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
	for _, word := range strings.Fields(q) {
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
			return problemf(http.StatusUnprocessableEntity, "to: wants a whole address or a user ID")
		}
		f.To = value
	case "channel":
		f.Channel, err = oneOf(key, value, channels)
	case "purpose":
		f.Purpose, err = oneOf(key, value, purposes)
	case "is", "state":
		f.State, err = oneOf(key, value, states)
	}
	return err
}

// one finds a word in a list, in upper or lower case, with - for _.
func oneOf[T ~string](key, value string, words []T) (T, error) {
	wanted := T(strings.ToUpper(strings.ReplaceAll(value, "-", "_")))
	if !slices.Contains(words, wanted) {
		return "", problemf(http.StatusUnprocessableEntity, "%s: wants one of %s", key, strings.ToLower(joinWords(words)))
	}
	return wanted, nil
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
		f.Text = text
	}
	f.After, err = intParam(query, "after", 0, 0, 1<<53)
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

func notFound(what string) error {
	return &problem{http.StatusNotFound, fmt.Sprintf("there is no such %s", what)}
}
