package emulator

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-kii/kii/kiitest"
)

func TestTheFilterBoxReadsKeysAndText(t *testing.T) {
	t.Parallel()
	for q, want := range map[string]kiitest.Filter{
		"":                                   {},
		"  hello   world ":                   {Text: "hello world"},
		"hello hello http: http:":            {Text: "hello hello http: http:"},
		"to:alice@example.com":               {To: alice},
		"TO:alice@example.com is:Pending":    {To: alice, State: kiitest.Pending},
		"channel:sms purpose:reset-pin code": {Channel: kiitest.SMS, Purpose: kiitest.ResetPIN, Text: "code"},
		"http://127.0.0.1:8484":              {Text: "http://127.0.0.1:8484"},
		"to:EMAIL:alice@example.com":         {To: "EMAIL:" + alice},
		"purpose:VERIFY_ADDRESS":             {Purpose: kiitest.VerifyAddress},
	} {
		got, err := parseFilter(q)
		assert.NoError(t, err, q)
		assert.Equal(t, want, got, q)
	}
	for q, want := range map[string]string{
		"is:gone":             "is: wants one of pending, used, replaced, expired",
		"channel:fax":         "channel: wants one of email, sms",
		"to:":                 "to: wants a whole address or a user ID; in a URL a + is written %2B",
		"is:used is:expired":  "is: is there twice",
		"purpose:":            "purpose: wants one of reset_link, reset_pin, new_password, password_reset, verify_address",
		"free text channel:x": "channel: wants one of email, sms",
	} {
		_, err := parseFilter(q)
		assert.EqualError(t, err, want, q)
	}
}

func TestQueryParametersNarrowTheFilter(t *testing.T) {
	t.Parallel()
	f, err := filterOf(url.Values{"q": {"is:used hello"}, "state": {"pending"}, "after": {"7"}, "to": {"alice"}})
	assert.NoError(t, err)
	assert.Equal(t, kiitest.Filter{State: kiitest.Pending, Text: "hello", After: 7, To: "alice"}, f)
	for _, bad := range []url.Values{{"after": {"-1"}}, {"after": {"x"}}, {"state": {"x"}}, {"q": {"is:x"}}} {
		_, err := filterOf(bad)
		assert.Error(t, err, bad)
	}
	f, err = filterOf(url.Values{"text": {" 8190"}})
	assert.NoError(t, err)
	assert.Equal(t, kiitest.Filter{Text: "8190"}, f)
	for _, query := range []string{"to=+819012341234", "to=%2B819012341234", "to=PHONE:+819012341234", "q=to:%2B819012341234"} {
		values, err := url.ParseQuery(query)
		assert.NoError(t, err)
		f, err := filterOf(values)
		assert.NoError(t, err)
		assert.Equal(t, phone, strings.TrimPrefix(f.To, "PHONE:"), "a + stays a + in %s", query)
	}
}

// FuzzParseFilter looks for a box that panics, or that reads its own words differently.
func FuzzParseFilter(f *testing.F) {
	f.Add("to:alice@example.com channel:sms is:pending hello")
	f.Add("is:")
	f.Fuzz(func(t *testing.T, q string) {
		first, err := parseFilter(q)
		again, errAgain := parseFilter("  " + q + " ")
		if (err == nil) != (errAgain == nil) || first != again {
			t.Errorf("blanks around %q change it", q)
		}
	})
}
