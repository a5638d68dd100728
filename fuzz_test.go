package kii

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-kii/kii/internal/transport"
)

// FuzzID: an accepted id is one path segment that decodes to it, with its type once.
func FuzzID(f *testing.F) {
	for _, id := range []string{
		"alice", "a@b", "EMAIL:a@b", "+819012345678", "PHONE:JP-09012345678", "LOGIN_NAME:x", "me", "..", ".", "a/b?c#d",
		"%2e%2e", "a b", "é", "EMAIL:EMAIL:a@b", "LOGIN_NAME:..", "a;b", "\x00", " a", "+12", "a@b@c",
	} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		a, err := parseID(id)
		if err != nil {
			if _, ok := errors.AsType[*ArgumentError](err); !ok {
				t.Fatalf("%T", err)
			}
			return
		}
		address := (&api{app: "https://h/api"}).userURL(a, "/password")
		segment := strings.TrimSuffix(strings.TrimPrefix(address, "https://h/api/users/"), "/password")
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(u.EscapedPath(), "/")
		if len(parts) != 5 || parts[3] != segment || u.RawQuery != "" || u.Fragment != "" {
			t.Fatalf("%q leaves its segment", segment)
		}
		if back, err := url.PathUnescape(segment); err != nil || back != a.String() {
			t.Fatalf("%q does not round-trip", segment)
		}
		if strings.Count(a.String(), ":") > 1 || !strings.HasSuffix(a.String(), id) || segment == "." || segment == ".." || segment == "me" {
			t.Fatalf("%q is sent as %q", id, segment)
		}
	})
}

// FuzzErrorBody: whatever the body, there is an error with a code, never a panic, and no secret in
// what it prints.
func FuzzErrorBody(f *testing.F) {
	for _, body := range []string{
		``, `{}`, `null`, `[]`, `{"errorCode":"WRONG_TOKEN","message":"m"}`, `{"error":"invalid_grant","error_description":"x"}`,
		`{"errorCode":1}`, `{"errorCode":"SEEKRET"}`, `{"errorCode":"A","message":"seekret"}`, `{"errorCode":"A","minimumLength":-1}`, "\xff",
	} {
		f.Add(403, []byte(body))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		hidden := secrets{"seekret"}
		e := new(api).apiError(&call{op: "Login", secrets: hidden}, &transport.Reply{Status: status, Body: body}, "wrong")
		if e.Code == "" || e.MinPasswordLength < 0 {
			t.Fatal("no code, or a negative length")
		}
		if status < 400 && e.Code != ErrUnexpectedReply {
			t.Fatalf("%d is %s", status, e.Code)
		}
		if strings.Contains(strings.ToLower(e.Error()+e.Message), "seekret") {
			t.Fatal("a secret is shown")
		}
	})
}

// FuzzRetryAfter: never negative.
func FuzzRetryAfter(f *testing.F) {
	for _, v := range []string{"", "0", "120", "-1", "9223372036854775807", "Wed, 21 Oct 2015 07:28:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "1.5", " 1"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		if d := retryAfter(http.Header{"Retry-After": {v}}); d < 0 || d%time.Second != 0 && !strings.Contains(v, "GMT") && !strings.Contains(v, "-") && !strings.Contains(v, " ") {
			t.Fatalf("%q is %v", v, d)
		}
	})
}

// FuzzBlank: no secret of two letters or more survives, as it is or percent-encoded.
func FuzzBlank(f *testing.F) {
	f.Add("1234", "the PIN 1234 is wrong")
	f.Add("PHONE:JP-09012345678", "user +819012345678 and %2B819012345678")
	f.Add("EMAIL:a+b@c.d", "A+B@C.D or a%2Bb%40c.d")
	f.Add("(?i)[", "(?I)[")
	f.Add("ÄÖ", "äö")
	f.Add("0 ", "0%0") // with the next two characters, an escape
	f.Fuzz(func(t *testing.T, secret, text string) {
		if len([]rune(secret)) < 2 || hasControl(secret) || strings.Contains(blanked, strings.ToLower(secret)) {
			t.Skip()
		}
		s := secrets{secret}
		for _, form := range []string{secret, url.PathEscape(secret), url.QueryEscape(secret)} {
			// What a blanked part stood in front of may form a secret with the mark itself, which
			// tells nothing.
			for part := range strings.SplitSeq(s.blank(text+form+text), blanked) {
				if strings.Contains(part, form) {
					t.Fatal("a secret survives")
				}
			}
		}
	})
}
