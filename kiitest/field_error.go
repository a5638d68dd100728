package kiitest

import (
	"errors"
	"fmt"
)

// A FieldError says that a field of a value, such as an [Account], is not valid or stands in the
// way. The Validate methods, [Server.PutAccount] and [Server.Restore] return one, or several that
// [errors.Join] put together; [FieldErrors] lists them. It never holds the field's value.
type FieldError struct {
	Type   string // Account, Settings, Template, Fault, Filter or Snapshot
	Field  string // the field's name in Go: Email, PINValidity, Templates[2].Text
	Reason string // what follows the name in a sentence: must be two capital letters
}

func (e *FieldError) Error() string { return "kiitest: " + e.Type + "." + e.Field + " " + e.Reason }

// FieldErrors lists the field errors that err is or joins, in the order of the fields.
func FieldErrors(err error) []*FieldError {
	if one, ok := err.(*FieldError); ok {
		return []*FieldError{one}
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*FieldError
		for _, e := range joined.Unwrap() {
			all = append(all, FieldErrors(e)...)
		}
		return all
	}
	if inner := errors.Unwrap(err); inner != nil {
		return FieldErrors(inner)
	}
	return nil
}

// A validation collects what is wrong with a value of a type.
type validation struct {
	of     string
	errors []error
}

// check notes that a field is wrong, unless ok.
func (v *validation) check(ok bool, field, format string, args ...any) {
	if !ok {
		v.errors = append(v.errors, &FieldError{v.of, field, fmt.Sprintf(format, args...)})
	}
}

func (v *validation) err() error { return errors.Join(v.errors...) }
