package emulator

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A field is an input of a form.
type field struct {
	Name, Label, Hint, Placeholder string
	Type                           string // text, checkbox or select; empty: text
	Mode                           string // the keyboard that a phone shows
	Value                          string
	On                             bool     // of a checkbox
	Choices                        []choice // of a select
	Also                           []field  // checkboxes that belong to the input
	Error                          string   // continues the label: must be a whole number
}

// A choice is an option of a select.
type choice struct{ Value, Text string }

// A wrongField is an error at a field, as the summary above the form shows it.
type wrongField struct{ Field, Label, Reason string }

// fill sets the fields to what was sent, and tells each what is wrong with it.
func fill(fields []field, form url.Values, wrong []wrongField) []field {
	filled := slices.Clone(fields)
	for i := range filled {
		f := &filled[i]
		if f.Type == "checkbox" {
			f.On = form.Has(f.Name)
		} else {
			f.Value = form.Get(f.Name)
		}
		for _, w := range wrong {
			if w.Field == f.Name {
				f.Error = w.Reason
			}
		}
		f.Also = fill(f.Also, form, wrong)
	}
	return filled
}

// labels are the words by which a form calls its fields. A checkbox that belongs to an input is
// never wrong.
func labels(fields []field) map[string]string {
	all := make(map[string]string)
	for _, f := range fields {
		all[f.Name] = f.Label
	}
	return all
}

// A formReader reads a form's values and collects what is wrong with them.
type formReader struct {
	form  url.Values
	wrong []fieldProblem
}

func (f *formReader) text(name string) string { return strings.TrimSpace(f.form.Get(name)) }

func (f *formReader) number(name string) int {
	text := f.text(name)
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		f.wrong = append(f.wrong, fieldProblem{name, "must be a whole number"})
	}
	return n
}

func (f *formReader) duration(name string) time.Duration {
	text := f.text(name)
	if text == "" {
		return 0
	}
	d, err := parseDuration(text)
	if err != nil {
		f.wrong = append(f.wrong, fieldProblem{name, durationForm})
	}
	return d
}

// with adds what else is wrong, except with fields that could not be read. It returns nil if
// nothing is.
func (f *formReader) with(err error) error {
	if err != nil && len(fieldsOf(err)) == 0 {
		return err
	}
	all := f.wrong
	for _, one := range fieldsOf(err) {
		unread := slices.ContainsFunc(f.wrong, func(w fieldProblem) bool { return w.Field == one.Field })
		if !unread {
			all = append(all, one)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return fieldsInvalid(all)
}
