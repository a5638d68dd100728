package emulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"unicode/utf8"
)

// byteOrderMark is what some editors and shells put before JSON. It says nothing.
const byteOrderMark = "\uFEFF"

// A jsonError is what is wrong with JSON, and the byte that it is at.
type jsonError struct {
	offset int64
	text   string
}

func (e *jsonError) Error() string { return e.text }

// checkJSON reports what encoding/json lets pass or says badly: bytes that are not UTF-8, a name
// that an object has twice, in whatever case, since the decoder takes both for one field, and null,
// which changes nothing where a value was meant.
func checkJSON(data []byte) error {
	if at := invalidUTF8(data); at >= 0 {
		return &jsonError{int64(at), "the text must be UTF-8"}
	}
	if err := json.Unmarshal(data, new(json.RawMessage)); err != nil {
		syntax, _ := errors.AsType[*json.SyntaxError](err) // nothing else can be wrong with it
		return &jsonError{syntax.Offset, fmt.Sprintf("this is not JSON: %v", syntax)}
	}
	return checkValue(json.NewDecoder(bytes.NewReader(data)), "the JSON")
}

// invalidUTF8 returns where the first byte is that is not UTF-8, or -1. A zero byte counts: JSON
// has none, and English in UTF-16 has one in each character.
func invalidUTF8(data []byte) int {
	for at := 0; at < len(data); {
		r, size := utf8.DecodeRune(data[at:])
		if r == 0 || r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return -1
}

// checkValue goes through a value. What an app keeps in a user's fields is its own.
func checkValue(d *json.Decoder, what string) error {
	token, _ := d.Token() // the syntax was checked
	switch token {
	case nil:
		return &jsonError{d.InputOffset(), what + " must not be null"}
	case json.Delim('['):
		for d.More() {
			if err := checkValue(d, "what the array holds"); err != nil {
				return err
			}
		}
		_, _ = d.Token()
	case json.Delim('{'):
		seen := make(map[string]bool)
		for d.More() {
			key, _ := d.Token()
			name := key.(string)
			folded := strings.ToLower(strings.ToUpper(name)) // so that ſ is an s, as for the decoder
			if seen[folded] {
				return &jsonError{d.InputOffset(), fmt.Sprintf("the field %s is there twice", shownName(name))}
			}
			seen[folded] = true
			if strings.EqualFold(name, "fields") {
				_ = d.Decode(new(json.RawMessage))
				continue
			}
			if err := checkValue(d, "the field "+shownName(name)); err != nil {
				return err
			}
		}
		_, _ = d.Token()
	}
	return nil
}

// decodeStrict decodes JSON that checkJSON has passed and that may hold no unknown field. Its
// errors say what should be there and repeat no value, which may be a secret.
func decodeStrict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return describeJSON(err)
	}
	return nil
}

func describeJSON(err error) error {
	if bad, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		field := "the value" // from Go 1.27 on a type's own UnmarshalJSON is not told its field
		if bad.Field != "" {
			field = strings.TrimPrefix("the field "+bad.Field, "the field .")
		}
		return fmt.Errorf("%s must be %s", field, kindName(bad.Type))
	}
	if name, found := strings.CutPrefix(err.Error(), "json: unknown field "); found {
		return fmt.Errorf("there is no field %s", shownName(strings.Trim(name, `"`)))
	}
	return err
}

var fieldNames = regexp.MustCompile(`^[A-Za-z_]{1,40}$`)

// shownName repeats a name if it is one, and no value in its place.
func shownName(name string) string {
	if fieldNames.MatchString(name) {
		return `"` + name + `"`
	}
	return "of that name"
}

func kindName(t reflect.Type) string {
	if t == reflect.TypeFor[duration]() {
		return `a time such as "90s", "10m" or "24h", or a number of seconds`
	}
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
