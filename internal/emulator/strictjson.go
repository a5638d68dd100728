package emulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strings"
)

// strictly decodes JSON that may hold no unknown field and nothing behind it. Its errors say what is
// wanted and repeat no value, which may be a secret.
func decodeStrict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return describeJSON(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("there is more than one JSON value")
	}
	return nil
}

func describeJSON(err error) error {
	if bad, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s must be %s", strings.TrimPrefix("the field "+bad.Field, "the field ."), kindName(bad.Type))
	}
	if bad, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("this is no JSON: %w", bad)
	}
	if name, found := strings.CutPrefix(err.Error(), "json: unknown field "); found {
		if !regexp.MustCompile(`^"[A-Za-z]{1,40}"$`).MatchString(name) {
			name = "of that name"
		}
		return fmt.Errorf("there is no field %s", name)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the JSON is empty or ends too early")
	}
	return err
}

func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Slice:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	default:
		return "a whole number"
	}
}
