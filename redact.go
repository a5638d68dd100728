package kii

import (
	"errors"
	"fmt"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const blanked = "[redacted]"

// secrets are what a call must never show: passwords, PINs, tokens, the app key, account identifiers.
type secrets []string

// blank replaces every secret in text, in any of the forms in which a server or a library may
// repeat it. One-letter secrets stay, as text without one letter tells it.
func (s secrets) blank(text string) string {
	if text == "" {
		return ""
	}
	if re := s.pattern(text); re != nil {
		return re.ReplaceAllString(text, blanked)
	}
	return text
}

// in says whether text holds a secret.
func (s secrets) in(text string) bool {
	re := s.pattern(text)
	return re != nil && re.MatchString(text)
}

// pattern matches all forms of the secrets that fit into text, the longest first. It is compiled only after a
// failure.
func (s secrets) pattern(text string) *regexp.Regexp {
	var forms []string
	most := utf8.RuneCountInString(text)
	tooLong := func(form string) bool { return utf8.RuneCountInString(form) > most }
	for _, secret := range s {
		for _, f := range append(accountForms(secret), secret) {
			if tooLong(f) {
				continue
			}
			forms = append(forms, f, url.PathEscape(f), url.QueryEscape(f), escapeSegment(f), strings.Trim(strconv.Quote(f), `"`))
		}
	}
	forms = slices.DeleteFunc(forms, func(f string) bool { return len([]rune(f)) < 2 || tooLong(f) })
	if len(forms) == 0 {
		return nil
	}
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) })
	forms = slices.Compact(forms)
	for i, f := range forms {
		forms[i] = regexp.QuoteMeta(f)
	}
	pattern := strings.Join(forms, "|")
	if len(pattern) > maxPattern {
		return everything
	}
	return regexp.MustCompile(`(?i:` + pattern + `)`)
}

// maxPattern is the most, in bytes, that is worth compiling. Where a caller's PIN of megabytes meets a reply
// as long, the reply is blanked as a whole.
const maxPattern = 64 << 10

var everything = regexp.MustCompile(`(?s).+`)

// accountForms returns what a server may make of a typed address: the bare one, and of a phone
// number the digits without what is in front of them, since it stores PHONE:JP-090… as +8190….
func accountForms(id string) []string {
	kind, address, _ := strings.Cut(id, ":")
	switch kind {
	case "EMAIL", "LOGIN_NAME":
		return []string{address}
	case "PHONE":
		digits := strings.TrimLeft(address, "+ABCDEFGHIJKLMNOPQRSTUVWXYZ-0")
		return []string{address, digits}
	}
	return nil
}

// hide wraps err so that no text of it shows a secret. What it wraps is found by errors.Is and
// errors.As, but cannot be unwrapped and printed.
func (s secrets) hide(err error) error { return &hidden{err: err, text: s.describe(err)} }

// describe tells err without secrets. net/http quotes what a server sent, and that may repeat
// the request in a form that cannot be recognised; so quoted text goes.
func (s secrets) describe(err error) string {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var texts []string
		for _, e := range joined.Unwrap() {
			texts = append(texts, s.describe(e))
		}
		return strings.Join(texts, "; ")
	}
	if _, ok := errors.AsType[textproto.ProtocolError](err); ok {
		return "malformed reply header"
	}
	before, _, quoted := strings.Cut(err.Error(), `"`)
	if quoted {
		before += `"…"`
	}
	return s.blank(before)
}

type hidden struct {
	err  error
	text string
}

func (h *hidden) Error() string                 { return h.text }
func (h *hidden) Is(target error) bool          { return errors.Is(h.err, target) }
func (h *hidden) Format(f fmt.State, verb rune) { format(f, verb, h.text) }

// As finds all but a *url.Error, whose URL names an account.
func (h *hidden) As(target any) bool {
	if _, isURL := target.(**url.Error); isURL {
		return false
	}
	return errors.As(h.err, target)
}

// format prints text under any verb, so that no verb reaches a field.
func format(f fmt.State, verb rune, text string) {
	if verb == 'q' {
		text = strconv.Quote(text)
	}
	_, _ = f.Write([]byte(text))
}
