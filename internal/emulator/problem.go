package emulator

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/go-kii/kii/kiitest"
)

// A problem is a request that cannot be done, with the status to answer.
type problem struct {
	status int
	text   string
	fields []fieldProblem // what is wrong with which field, if it is a field
}

// A fieldProblem is what is wrong with a field of JSON or of a form.
type fieldProblem struct {
	Field  string `json:"field"`  // the JSON name: emailVerified, templates[2].text
	Reason string `json:"reason"` // continues the name: must be two capital letters
}

func (p *problem) Error() string { return p.text }

func problemf(status int, format string, args ...any) error {
	return &problem{status: status, text: fmt.Sprintf(format, args...)}
}

func notFound(what string) error {
	return problemf(http.StatusNotFound, "there is no such %s", what)
}

// fieldProblemf is a problem of one field.
func fieldProblemf(field, format string, args ...any) error {
	return fieldsInvalid([]fieldProblem{{field, fmt.Sprintf(format, args...)}})
}

func fieldsInvalid(fields []fieldProblem) error {
	texts := make([]string, len(fields))
	for i, f := range fields {
		texts[i] = f.Field + " " + f.Reason
	}
	return &problem{http.StatusUnprocessableEntity, strings.Join(texts, "; "), fields}
}

// invalid names the fields of kiitest's errors as JSON does.
func invalid(err error) error {
	var fields []fieldProblem
	for _, e := range kiitest.FieldErrors(err) {
		fields = append(fields, fieldProblem{jsonName(e.Field), e.Reason})
	}
	if len(fields) == 0 {
		return problemf(http.StatusUnprocessableEntity, "%v", err)
	}
	return fieldsInvalid(fields)
}

// statusOf returns the status to answer.
func statusOf(err error) int {
	if p, ok := errors.AsType[*problem](err); ok {
		return p.status
	}
	return http.StatusInternalServerError
}

// fieldsOf returns the fields that are wrong.
func fieldsOf(err error) []fieldProblem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p.fields
	}
	return nil
}

// jsonName is a Go field's name in JSON: emailVerified, pinValidity, id, templates[2].text.
func jsonName(field string) string {
	parts := strings.Split(field, ".")
	for i, part := range parts {
		parts[i] = lowerFirst(part)
	}
	return strings.Join(parts, ".")
}

func lowerFirst(name string) string {
	for _, initials := range []string{"ID", "PIN"} {
		if rest, found := strings.CutPrefix(name, initials); found {
			return strings.ToLower(initials) + rest
		}
	}
	return strings.ToLower(name[:1]) + name[1:]
}

// sentence writes an error as a page shows it.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}

// joinWords lists constants as a sentence does.
func joinWords[T ~string](words []T) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return strings.Join(texts, ", ")
}

// wordFrom finds a word in a list, in upper or lower case, with - for _.
func wordFrom[T ~string](key, value string, words []T) (T, error) {
	word := T(strings.ToUpper(strings.ReplaceAll(value, "-", "_")))
	if !slices.Contains(words, word) {
		return "", problemf(http.StatusUnprocessableEntity, "%s: wants one of %s", key, strings.ToLower(joinWords(words)))
	}
	return word, nil
}
