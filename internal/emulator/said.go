package emulator

import (
	"regexp"
	"strings"

	"github.com/go-kii/kii/kiitest"
)

// goName is a field as kiitest's Go programmers know it: Account.EmailVerified.
var goName = regexp.MustCompile(`\b(?:Account|Settings|Fault)\.([A-Z]\w*)`)

// said turns an error of kiitest's for a person who wrote JSON or filled in a form: without the
// package, and with the names of JSON.
func userText(err error) string {
	text := strings.ReplaceAll(err.Error(), "kiitest: ", "")
	text = goName.ReplaceAllStringFunc(text, func(name string) string {
		_, field, _ := strings.Cut(name, ".")
		return jsonName(field)
	})
	return strings.NewReplacer(
		"\n", "; ",
		"GeneratePassword", string(kiitest.GeneratePassword), "InputPassword", string(kiitest.InputPassword),
		"none of FaultKinds", "none of "+joinWords(kiitest.FaultKinds()), "none of Operations", "none of "+joinWords(kiitest.Operations()),
		"a FaultDelay", "a delay", "a FaultStatus", "a status", "a FaultRefused", "a refused", "a FaultRedirect", "a redirect",
	).Replace(text)
}

// jsonName is the field's name in JSON: emailVerified, pinValidity, successURL, id.
func jsonName(field string) string {
	for _, initials := range []string{"ID", "PIN"} {
		if rest, found := strings.CutPrefix(field, initials); found {
			return strings.ToLower(initials) + rest
		}
	}
	return strings.ToLower(field[:1]) + field[1:]
}

func joinWords[T ~string](words []T) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return strings.Join(texts, ", ")
}
