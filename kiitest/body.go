package kiitest

import (
	"bytes"
	"encoding/json"
	"maps"
	"mime"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// anyObject reads the body as a JSON object with whatever fields.
func (c *call) anyObject() (object, *answer) {
	var o object
	switch err := json.Unmarshal(c.body, &o); {
	case len(c.body) == 0:
		return nil, new(c.invalidJSON("the body is empty"))
	case err != nil || o == nil:
		return nil, new(c.invalidJSON("the body is no JSON object"))
	case !utf8.Valid(c.body):
		return nil, new(c.invalidJSON("the body is not UTF-8"))
	}
	return o, nil
}

// object reads the body as a JSON object. The call documents the given fields.
func (c *call) object(documented ...string) (object, *answer) {
	o, refused := c.anyObject()
	if refused != nil {
		return nil, refused
	}
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if slices.Contains(documented, name) {
			continue
		}
		c.remark("sends a JSON field that the call does not document: %s", fieldName(name))
		if !c.server.assumes(UnknownFieldsAreIgnored) {
			return nil, new(c.invalidInput(fieldName(name), "is no field of this call"))
		}
		c.because("the field %s was ignored, as the call does not document it", fieldName(name))
	}
	return o, nil
}

// fieldName repeats a field's name if it looks like one, and not like a value in the wrong place.
func fieldName(name string) string {
	if consistsOf(name, 1, 40, "_") && !strings.ContainsAny(name, "0123456789") {
		return name
	}
	return "(not a name)"
}

// texts reads the body as a JSON object whose documented fields are strings. A null or missing one
// is not in the map.
func (c *call) texts(documented ...string) (map[string]string, *answer) {
	body, refused := c.object(documented...)
	if refused != nil {
		return nil, refused
	}
	texts := make(map[string]string)
	for _, name := range documented {
		text, given, refused := body.text(c, name)
		if refused != nil {
			return nil, refused
		}
		if given {
			texts[name] = text
		}
	}
	return texts, nil
}

// form reads the body as a form.
func (c *call) form() (object, *answer) {
	if json.Valid(c.body) {
		c.because("the content type made a form of the body, which is JSON")
	}
	values, err := url.ParseQuery(string(c.body))
	if err != nil {
		return nil, new(c.invalidInput("body", "is no form"))
	}
	o := make(object)
	for name := range values {
		encoded, _ := json.Marshal(values.Get(name)) // a string always encodes
		o[name] = encoded
	}
	return o, nil
}

// An object is a JSON object whose values were not looked at.
type object map[string]json.RawMessage

// text returns a field that must be a string; a null or missing one is absent.
func (o object) text(c *call, name string) (value string, present bool, refused *answer) {
	raw := o[name]
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return "", false, nil
	}
	if err := json.Unmarshal(raw, &value); err != nil {
		return "", false, new(c.invalidInput(name, "must be a string"))
	}
	return value, true, nil
}

// bool returns a field that must be true or false; a null or missing one is false.
func (o object) bool(c *call, name string) (value bool, refused *answer) {
	raw := o[name]
	if len(raw) == 0 {
		return false, nil
	}
	if err := json.Unmarshal(raw, &value); err != nil {
		return false, new(c.invalidInput(name, "must be true or false"))
	}
	return value, nil
}

// hasType reports whether the body is of one of the content types.
func (c *call) hasType(types ...string) bool {
	t, _, _ := mime.ParseMediaType(c.header.Get("Content-Type"))
	return slices.ContainsFunc(types, func(one string) bool { return strings.EqualFold(one, t) })
}
