package kiitest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

// A page shows each reason beside the field that it is about.
func TestEachFieldThatIsWrongIsNamed(t *testing.T) {
	t.Parallel()
	const secret = "not-a-valid-value"
	for of, one := range map[string]struct {
		value interface{ Validate() error }
		want  []string
	}{
		"Account": {
			kiitest.Account{
				ID: "me", LoginName: "x", DisplayName: "\xff", Email: secret, EmailVerified: true, Phone: secret, Country: secret, Locale: "\xff",
				Password: strings.Repeat(secret, 9), PendingEmail: secret, PendingPhone: secret, Fields: map[string]json.RawMessage{secret: json.RawMessage("{")},
			},
			[]string{"ID", "LoginName", "DisplayName", "Email", "Phone", "Country", "Locale", "Password", "PendingEmail", "PendingPhone", "Fields"},
		},
		"Settings": {
			kiitest.Settings{SuccessURL: secret, FailureURL: secret, HomeURL: secret, TokenValidity: -time.Second, Templates: []kiitest.Template{
				{Purpose: kiitest.ResetPIN, Channel: kiitest.SMS, Locale: "en", Text: "${pin}"}, {Purpose: secret, Channel: secret}, {Purpose: kiitest.ResetLink, Text: secret},
			}},
			[]string{
				"ResetFlow", "LinkValidity", "PINValidity", "CodeValidity", "TokenValidity", "MinPasswordLength", "SuccessURL", "FailureURL", "HomeURL",
				"Templates[1].Purpose", "Templates[1].Channel", "Templates[1].Locale", "Templates[2].Channel", "Templates[2].Locale", "Templates[2].Text",
			},
		},
		"Template": {kiitest.Template{Purpose: kiitest.ResetPIN, Channel: "FAX"}, []string{"Channel", "Locale", "Text"}},
		"Fault": {
			kiitest.Fault{Operation: secret, Kind: secret, Nth: -1, Times: -1, Delay: -1, RetryIn: -1, Location: secret + "\n"},
			[]string{"Operation", "Kind", "Nth", "Times", "Delay", "RetryIn", "Location"},
		},
	} {
		err := one.value.Validate()
		var named []string
		for _, field := range kiitest.FieldErrors(fmt.Errorf("settings: %w", err)) {
			require.Equal(t, of, field.Type)
			name, _, _ := strings.Cut(field.Field, "[")
			_, known := reflect.TypeOf(one.value).FieldByName(name)
			require.True(t, known, "%s is a field of %s", name, of)
			require.NotEmpty(t, field.Reason)
			require.Equal(t, "kiitest: "+of+"."+field.Field+" "+field.Reason, field.Error())
			named = append(named, field.Field)
		}
		require.Equal(t, one.want, named)
		require.NotContains(t, err.Error(), secret, "no value is repeated")
		first, ok := errors.AsType[*kiitest.FieldError](err)
		require.True(t, ok)
		require.Equal(t, one.want[0], first.Field)
	}
	require.Empty(t, kiitest.FieldErrors(errors.New("another")))
	require.Empty(t, kiitest.FieldErrors(nil))
}

func TestEachTakenNameIsNamed(t *testing.T) {
	t.Parallel()
	srv, _ := start(t)
	srv.AddAccount(alice())
	again := alice()
	again.ID = "another"
	_, err := srv.PutAccount(again)
	require.EqualError(t, err, "kiitest: Account.Email is taken\nkiitest: Account.Phone is taken\nkiitest: Account.LoginName is taken")
	require.Len(t, kiitest.FieldErrors(err), 3)
}

// A registration, a seed and a form have one idea of what an account can be: what one door lets in,
// the others do.
func TestRegistrationAndPutAccountAgree(t *testing.T) {
	t.Parallel()
	odd := []any{
		"", "a", "abc", "a.b-c_d", "a b c", "me", "äöü", "x\ny", "a@b", "a@b@c", "b:a@c", "EMAIL:a@b", "+1234567", "+123456", "JP-09012341234", "09012341234",
		"JP", "jp", "ja", "zh-Hant-TW", strings.Repeat("x", 51), strings.Repeat("x", 300), nil, 7, true,
		map[string]any{"a": []int{1}},
		"\x00", "\ufffd",
	}
	names := []string{"loginName", "displayName", "country", "locale", "emailAddress", "phoneNumber", "password", "likes", "", "_x", "userID", "ÿ"}
	accepted := 0
	for _, contentType := range []string{registrationType, "application/vnd.kii.RegistrationAndAuthorizationRequest+json"} {
		for _, name := range names {
			for _, value := range odd {
				body := map[string]any{"loginName": "carol", "password": "carol-pass", name: value}
				encoded, err := json.Marshal(body)
				require.NoError(t, err)
				srv, c := start(t)
				got := c.register(contentType, string(encoded))
				require.Contains(t, []int{201, 400}, got.status)
				if got.status != 201 {
					require.Empty(t, srv.Accounts())
					continue
				}
				accepted++
				other, _ := start(t)
				text, err := json.Marshal(srv.Accounts()[0])
				require.NoError(t, err)
				var again kiitest.Account
				require.NoError(t, json.Unmarshal(text, &again))
				_, err = other.PutAccount(again)
				require.NoError(t, err, "%s: %v", name, value)
				require.Equal(t, srv.Accounts(), other.Accounts())
			}
		}
	}
	require.Greater(t, accepted, 100)
	srv, c := start(t)
	for _, body := range []string{
		`{"loginName":"carol","password":"carol-pass","x":["\"",` + strings.Repeat(`[{"x":`, 50) + "1" + strings.Repeat("}]", 50) + `]}`,
		`{"loginName":"carol","password":"carol-pass","x":"` + strings.Repeat("x", 64<<10) + `"}`,
	} {
		require.Equal(t, "400 INVALID_INPUT_DATA", c.register(registrationType, body).String())
	}
	require.Equal(t, "400 INVALID_JSON", c.register(registrationType, `{"loginName":"carol","password":"carol-pass","x":"`+"\xff"+`"}`).String())
	require.Empty(t, srv.Accounts())
	deep := json.RawMessage(strings.Repeat("[", 100) + `"\"["` + strings.Repeat("]", 100))
	wide := json.RawMessage(strings.Repeat("[", 50) + "1" + strings.Repeat(",[{}]", 100) + strings.Repeat("]", 50))
	require.NoError(t, kiitest.Account{Fields: map[string]json.RawMessage{"x": deep, "y": wide}}.Validate(), "no bracket counts in a string or once it is closed")
}
