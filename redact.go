package kii

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/textproto"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const blanked = "[redacted]"

// secrets are the values that a call must never show: passwords, PINs, tokens, the app key, account
// identifiers.
type secrets []string

// A sealed value is hidden from reflection. spew, testify's diff and fmt with a wrong verb read
// fields, but cannot look into a func.
type sealed[T any] func() T

func seal[T any](value T) sealed[T] { return func() T { return value } }

// open returns the value, or the zero value if none was sealed.
func (s sealed[T]) open() (value T) {
	if s != nil {
		value = s()
	}
	return value
}

// blank returns text, or "[redacted]" if text shows a secret.
func (s secrets) blank(text string) string {
	if s.shownIn(text) {
		return blanked
	}
	return text
}

// shownIn reports whether text shows a secret, as it is or after decoding it up to three times. Its
// time is linear in the length of text.
func (s secrets) shownIn(text string) bool {
	forms, encoded := s.forms()
	for range 4 {
		if holdsAny(fold(text), forms) || holdsAny(base64URL.Replace(text), encoded) {
			return true
		}
		last := text
		if text = decode(last); text == last {
			return false
		}
	}
	return true // no honest text is escaped so often
}

func holdsAny(text string, forms []string) bool {
	return slices.ContainsFunc(forms, func(form string) bool { return strings.Contains(text, form) })
}

// forms returns the forms in which a server or a library may repeat the secrets: folded ones, and
// those in base64, which cannot be folded because case matters there. Forms that decode undoes are
// left out. A secret of one character has no forms, because most texts hold it by chance.
func (s secrets) forms() (forms, encoded []string) {
	for _, secret := range s {
		if utf8.RuneCountInString(secret) < 2 {
			continue
		}
		escaped := marshal(secret)
		forms = append(forms, secret, url.PathEscape(secret), url.QueryEscape(secret),
			html.EscapeString(secret), string(escaped[1:len(escaped)-1]), hex.EncodeToString([]byte(secret)))
		// In base64 the position of a secret decides which three of its bytes become one group of
		// four characters.
		for skip := range min(3, len(secret)-2) {
			group := secret[skip : len(secret)-(len(secret)-skip)%3]
			encoded = append(encoded, base64.StdEncoding.EncodeToString([]byte(group)))
		}
	}
	for i, form := range forms {
		forms[i] = fold(form)
	}
	return forms, encoded
}

// escape matches an escape of a URL, or of a string in JSON or JavaScript, where two \u may be one
// character.
var escape = regexp.MustCompile(`%[[:xdigit:]]{2}|(\\u[[:xdigit:]]{4})+|\\x[[:xdigit:]]{2}|\\.`)

// decode undoes the escapes of HTML and those above, once.
func decode(text string) string {
	return escape.ReplaceAllStringFunc(html.UnescapeString(text), func(found string) string {
		if found[0] == '\\' && json.Unmarshal([]byte(`"`+found+`"`), &found) == nil {
			return found
		}
		if b, err := hex.DecodeString(strings.TrimLeft(found, `%\x`)); err == nil && len(b) == 1 {
			return string(b) // perhaps a part of a character in UTF-8
		}
		return found[1:] // the character after a backslash
	})
}

// fold maps texts that differ only in case to the same text.
func fold(s string) string { return strings.ToLower(strings.ToUpper(s)) }

// base64URL replaces the URL alphabet of base64 by the standard one.
var base64URL = strings.NewReplacer("-", "+", "_", "/")

// hide wraps err, which may be net/http's, the cause of a context or what the caller's RoundTripper
// returned. The result prints no secret, and errors.Is and errors.As find no error of this package
// in it.
func (s secrets) hide(err error) *hidden { return &hidden{err: err, text: s.describe(err)} }

// describe returns one line about err, without secrets. Quoted text is left out: net/http quotes
// what a server sent, and that may repeat the request in a form that cannot be recognised.
func (s secrets) describe(err error) (text string) {
	defer func() {
		if recover() != nil { // a typed nil, say
			text = fmt.Sprintf("an error that cannot be printed, of type %T", err)
		}
	}()
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var texts []string
		for _, e := range joined.Unwrap() {
			if e != nil {
				texts = append(texts, s.describe(e))
			}
		}
		return strings.Join(texts, "; ")
	}
	if (&hidden{err: err}).As(new(textproto.ProtocolError)) { // its text was sent by the server
		return "malformed reply header"
	}
	text, _, quoted := strings.Cut(err.Error(), `"`)
	if quoted {
		text += `"…"`
	}
	if s.shownIn(text) && errors.Unwrap(err) != nil {
		return s.describe(errors.Unwrap(err)) // the inner error says most, and may show none
	}
	return printable(s.blank(text))
}

// maxDescribed is how many bytes of a text are printed at most: a peer can send kilobytes.
const maxDescribed = 500

// printable returns text as one line, with spaces for control and invisible characters: a line
// break, for example, could forge a record in a log.
func printable(text string) string {
	if len(text) > maxDescribed {
		text = strings.ToValidUTF8(text[:maxDescribed], "") + "…"
	}
	return strings.Map(func(r rune) rune {
		if isInvisible(r) {
			return ' '
		}
		return r
	}, text)
}

// A hidden error can be searched by errors.Is and errors.As, but not unwrapped and printed.
type hidden struct {
	err  error
	text string
}

// Error returns the text without secrets.
func (h *hidden) Error() string { return h.text }

// Format implements [fmt.Formatter]. It prints no field.
func (h *hidden) Format(f fmt.State, verb rune) { format(f, verb, h.text) }

// Is finds any error except this package's: those belong to another call, and say nothing about
// this one.
func (h *hidden) Is(target error) (found bool) {
	defer func() { _ = recover() }() // the methods of h.err may be the caller's code
	return !isOwn(target) && errors.Is(h.err, target)
}

// As finds any error except this package's and a *url.Error, whose URL may name an account. It
// finds nothing if target is an interface with an Unwrap method or the like, because that would
// return an error that is not hidden.
func (h *hidden) As(target any) (ok bool) {
	defer func() { _ = recover() }()
	into := reflect.ValueOf(target).Elem()
	found := reflect.New(into.Type()) // so that target stays as it is if nothing is found
	if unwraps(into.Type()) || !errors.As(h.err, found.Interface()) {
		return false
	}
	switch e := found.Elem().Interface().(type) {
	case *url.Error:
		return (&hidden{err: e.Err}).As(target)
	case error:
		if isOwn(e) {
			return false
		}
	}
	into.Set(found.Elem())
	return true
}

// unwrappers are the interfaces by which programs ask an error what it wraps, older libraries'
// included. They are listed because reflect's Method functions would make the linker keep every
// method in a program: its binary would grow by up to a sixth.
var unwrappers = []reflect.Type{
	reflect.TypeFor[interface{ Unwrap() error }](),
	reflect.TypeFor[interface{ Unwrap() []error }](),
	reflect.TypeFor[interface{ Cause() error }](),
	reflect.TypeFor[interface{ Errors() []error }](),
	reflect.TypeFor[interface{ WrappedErrors() []error }](),
}

// unwraps reports whether t is an interface with a method that returns wrapped errors.
func unwraps(t reflect.Type) bool {
	return t.Kind() == reflect.Interface && slices.ContainsFunc(unwrappers, t.Implements)
}

// isOwn reports whether err is one of this package's errors.
func isOwn(err error) bool {
	switch err.(type) {
	case *APIError, *SessionError, *TransportError, *ArgumentError, ErrorCode, outcomeUnknown:
		return true
	}
	return false
}

// format prints text for every verb, so that no verb prints a field.
func format(f fmt.State, verb rune, text string) {
	if verb == 'q' {
		text = strconv.Quote(text)
	}
	_, _ = f.Write([]byte(text))
}
