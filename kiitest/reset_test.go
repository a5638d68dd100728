package kiitest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

const (
	resetType    = "application/vnd.kii.ResetPasswordRequest+json"
	completeType = "application/vnd.kii.CompletePasswordResetRequest+json"
)

func TestRequestResetFindsTheUser(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{
		"user ID":                "some-user",
		"e-mail":                 "EMAIL:alice@example.com",
		"e-mail, all escaped":    "EMAIL%3Aalice%40example.com",
		"international phone":    "PHONE:+819012341234",
		"phone, all escaped":     "PHONE%3A%2B819012341234",
		"local phone":            "PHONE:JP-9012341234",
		"local phone with a 0":   "PHONE:JP-09012341234",
		"login name":             "LOGIN_NAME:alice",
		"unknown query is there": "some-user",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv, c := start(t)
			a := alice()
			a.ID = "some-user"
			srv.AddAccount(a)
			query := ""
			if strings.HasPrefix(name, "unknown query") {
				query = "?disable_cache=1764020000000"
			}
			require.Equal(t, "204", c.send("POST", "users/"+path+"/password/request-reset"+query, resetType, byEmail, "").String())
			require.Equal(t, "alice@example.com", last(t, srv, "some-user").To)
		})
	}
}

func TestRequestResetChoosesTheMessage(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		path, contentType, body string
		channel                 kiitest.Channel
		purpose                 kiitest.Purpose
	}{
		"e-mail":                  {"request-reset", resetType, byEmail, kiitest.Email, kiitest.ResetLink},
		"SMS link":                {"request-reset", resetType, bySMS, kiitest.SMS, kiitest.ResetLink},
		"SMS link by default":     {"request-reset", resetType, `{"notificationMethod":"SMS"}`, kiitest.SMS, kiitest.ResetLink},
		"SMS PIN":                 {"request-reset", resetType, byPIN, kiitest.SMS, kiitest.ResetPIN},
		"no body is e-mail":       {"request-reset", "", "", kiitest.Email, kiitest.ResetLink},
		"no body, JSON by name":   {"request-reset", "application/json", "", kiitest.Email, kiitest.ResetLink},
		"the oldest form":         {"reset", "", "", kiitest.Email, kiitest.ResetLink},
		"the oldest form, a body": {"reset", resetType, byPIN, kiitest.Email, kiitest.ResetLink},
		"e-mail ignores an SMS's": {"request-reset", resetType, `{"notificationMethod":"EMAIL","smsResetMethod":"PIN"}`, kiitest.Email, kiitest.ResetLink},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv, c := start(t)
			id := srv.AddAccount(alice())
			got := c.send("POST", "users/EMAIL:alice@example.com/password/"+one.path, one.contentType, one.body, "")
			require.Equal(t, "204", got.String())
			require.Empty(t, got.text)
			m := last(t, srv, id)
			require.Equal(t, one.channel, m.Channel)
			require.Equal(t, one.purpose, m.Purpose)
			require.Equal(t, one.purpose == kiitest.ResetPIN, m.PIN != "")
			require.Equal(t, one.purpose == kiitest.ResetLink, m.Link != "")
			require.Equal(t, one.channel == kiitest.Email, m.Subject != "")
			require.Contains(t, m.Text, m.PIN+m.Link)
			require.Len(t, srv.Messages(), 1)
		})
	}
}

// Its page in the reference is below users/{type}:{address}, and it goes by e-mail.
func TestOldestResetIsForEmailAddresses(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	id := srv.AddAccount(alice())
	for _, user := range []string{id, "LOGIN_NAME:alice", "PHONE:+819012341234", "PHONE:1"} {
		require.Equal(t, "501 OPERATION_NOT_IMPLEMENTED", c.send("POST", "users/"+user+"/password/reset", "", "", "").String(), user)
	}
	require.Empty(t, srv.Messages())
}

func TestRequestResetRefusals(t *testing.T) {
	t.Parallel()
	with := func(change func(*kiitest.Account)) *kiitest.Account {
		a := alice()
		change(&a)
		return &a
	}
	for name, one := range map[string]struct {
		account   *kiitest.Account
		id, body  string
		want      string
		exception string
	}{
		"unknown ID":            {nil, "nobody", byEmail, "404 USER_NOT_FOUND", "UserNotFound"},
		"unknown e-mail":        {nil, "EMAIL:nobody@example.com", byEmail, "404 USER_NOT_FOUND", "UserNotFound"},
		"unknown phone":         {nil, "PHONE:+815012345678", byPIN, "404 USER_NOT_FOUND", "UserNotFound"},
		"phone of no country":   {nil, "PHONE:QQ-5012345678", byPIN, "404 USER_NOT_FOUND", "UserNotFound"},
		"no such kind":          {nil, "FAX:alice", byPIN, "404 USER_NOT_FOUND", "UserNotFound"},
		"unverified e-mail":     {with(func(a *kiitest.Account) { a.EmailVerified = false }), "EMAIL:alice@example.com", bySMS, "404 USER_NOT_FOUND", "UserNotFound"},
		"unverified phone":      {with(func(a *kiitest.Account) { a.PhoneVerified = false }), "PHONE:+819012341234", byEmail, "404 USER_NOT_FOUND", "UserNotFound"},
		"no verified e-mail":    {with(func(a *kiitest.Account) { a.EmailVerified = false }), "LOGIN_NAME:alice", byEmail, "409 INVALID_STATUS", "InvalidStatus"},
		"no verified phone":     {with(func(a *kiitest.Account) { a.PhoneVerified = false }), "LOGIN_NAME:alice", bySMS, "409 INVALID_STATUS", "InvalidStatus"},
		"no phone at all":       {with(func(a *kiitest.Account) { a.Phone, a.PhoneVerified = "", false }), "LOGIN_NAME:alice", byPIN, "409 INVALID_STATUS", "InvalidStatus"},
		"no password":           {with(func(a *kiitest.Account) { a.Password = "" }), "LOGIN_NAME:alice", byEmail, "409 OPERATION_NOT_ALLOWED", "OperationNotAllowed"},
		"disabled":              {with(func(a *kiitest.Account) { a.Disabled = true }), "LOGIN_NAME:alice", byEmail, "401 USER_DISABLED", "UserDisabled"},
		"broken JSON":           {nil, "LOGIN_NAME:alice", `{"notificationMethod":`, "400 INVALID_JSON", "Validation"},
		"JSON, but no object":   {nil, "LOGIN_NAME:alice", `["EMAIL"]`, "400 INVALID_JSON", "Validation"},
		"null":                  {nil, "LOGIN_NAME:alice", `null`, "400 INVALID_JSON", "Validation"},
		"no channel":            {nil, "LOGIN_NAME:alice", `{}`, "400 INVALID_INPUT_DATA", "Validation"},
		"an SDK's channel name": {nil, "LOGIN_NAME:alice", `{"notificationMethod":"SMS_PIN"}`, "400 INVALID_INPUT_DATA", "Validation"},
		"lower-case channel":    {nil, "LOGIN_NAME:alice", `{"notificationMethod":"email"}`, "400 INVALID_INPUT_DATA", "Validation"},
		"unknown SMS method":    {nil, "LOGIN_NAME:alice", `{"notificationMethod":"SMS","smsResetMethod":"LINK"}`, "400 INVALID_INPUT_DATA", "Validation"},
		"channel is no string":  {nil, "LOGIN_NAME:alice", `{"notificationMethod":1}`, "400 INVALID_INPUT_DATA", "Validation"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv, c := start(t)
			if one.account == nil {
				one.account = with(func(*kiitest.Account) {})
			}
			srv.AddAccount(*one.account)
			got := c.ask(one.id, one.body)
			require.Equal(t, one.want, got.String())
			require.Equal(t, "application/vnd.kii."+one.exception+"Exception+json", got.header.Get("Content-Type"))
			require.NotEmpty(t, got.body["message"])
			require.Equal(t, []any{}, got.body["suppressed"])
			require.Empty(t, srv.Messages())
		})
	}
}

func TestAddressIsNoNameUntilItIsVerified(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithAssumption(kiitest.UnverifiedAddressIsUnknown, false))
	a := alice()
	a.EmailVerified = false
	srv.AddAccount(a)
	require.Equal(t, "409 INVALID_STATUS", c.ask("EMAIL:alice@example.com", byPIN).String(), "though the phone could be reached")
	require.Empty(t, srv.Messages())
}

func TestErrorRepliesHoldTheDocumentedFields(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithSettings(input), kiitest.WithSettings(func(s *kiitest.Settings) { s.MinPasswordLength = 8 }))
	id := srv.AddAccount(alice())
	disabled := srv.AddAccount(kiitest.Account{LoginName: "dis", Password: "old-pass", Disabled: true})
	require.Equal(t, "204", c.ask(id, byPIN).String())
	pin := last(t, srv, id).PIN

	got := c.ask("EMAIL:nobody@example.com", byEmail)
	require.Equal(t, "emailAddress nobody@example.com "+srv.AppID(), got.string("field")+" "+got.string("value")+" "+got.string("appID"))
	require.Equal(t, disabled, c.ask(disabled, byEmail).string("UserID"))
	got = c.complete(id, "000000", "new-pass")
	require.Equal(t, id+" 000000", got.string("userID")+" "+got.string("verificationCode"), "the PIN that was sent comes back")
	got = c.send("PUT", "users/"+disabled+"/password", changeType, `{"oldPassword":"x","newPassword":"new-pass"}`, c.token("alice", "old-pass"))
	require.Equal(t, srv.AppID()+" "+id, got.string("authenticatedAppID")+" "+got.string("authenticatedPrincipalID"))
	require.InDelta(t, 8, c.complete(id, pin, "short").body["minimumLength"], 0)
	srv.Advance(time.Hour)
	got = c.complete(id, pin, "new-pass")
	require.Contains(t, got.body, "thingID")
	require.Equal(t, "application/vnd.kii.PINCodeExpiredException+json", got.header.Get("Content-Type"))
}

func TestCompleteResetRefusals(t *testing.T) {
	t.Parallel()
	const right = "(the PIN)"
	for name, one := range map[string]struct {
		body string
		want string
	}{
		"no PIN":                    {`{"newPassword":"new-pass"}`, "400 INVALID_INPUT_DATA"},
		"empty PIN":                 {`{"pinCode":"","newPassword":"new-pass"}`, "400 INVALID_INPUT_DATA"},
		"PIN is a number":           {`{"pinCode":123456,"newPassword":"new-pass"}`, "400 INVALID_INPUT_DATA"},
		"wrong PIN":                 {`{"pinCode":"123456","newPassword":"new-pass"}`, "403 INVALID_VERIFICATION_CODE"},
		"wrong PIN, bad password":   {`{"pinCode":"123456","newPassword":"x"}`, "403 INVALID_VERIFICATION_CODE"},
		"PIN with a space":          {`{"pinCode":" ` + right + `","newPassword":"new-pass"}`, "403 INVALID_VERIFICATION_CODE"},
		"no password":               {`{"pinCode":"` + right + `"}`, "400 INVALID_INPUT_DATA"},
		"null password":             {`{"pinCode":"` + right + `","newPassword":null}`, "400 INVALID_INPUT_DATA"},
		"empty password":            {`{"pinCode":"` + right + `","newPassword":""}`, "400 PASSWORD_TOO_SHORT"},
		"short password":            {`{"pinCode":"` + right + `","newPassword":"abc"}`, "400 PASSWORD_TOO_SHORT"},
		"51 characters":             {`{"pinCode":"` + right + `","newPassword":"` + strings.Repeat("a", 51) + `"}`, "400 INVALID_INPUT_DATA"},
		"a password with an accent": {`{"pinCode":"` + right + `","newPassword":"pässword"}`, "400 INVALID_INPUT_DATA"},
		"the old password":          {`{"pinCode":"` + right + `","newPassword":"old-pass"}`, "400 INVALID_INPUT_DATA"},
		"password is a number":      {`{"pinCode":"` + right + `","newPassword":12345678}`, "400 INVALID_INPUT_DATA"},
		"broken JSON":               {`pinCode=` + right, "400 INVALID_JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv, c := start(t, kiitest.WithSettings(input))
			id := srv.AddAccount(alice())
			require.Equal(t, "204", c.ask(id, byPIN).String())
			pin := last(t, srv, id).PIN
			path := "users/" + id + "/password/complete-reset"
			require.Equal(t, one.want, c.send("POST", path, completeType, strings.ReplaceAll(one.body, right, pin), "").String())
			require.Equal(t, "200", c.login("alice", "old-pass").String(), "a refusal changes nothing")
			require.Equal(t, "204", c.complete(id, pin, strings.Repeat("a", 50)).String(), "and keeps the PIN")
		})
	}
}

func TestCompleteResetNeedsAUserWhoCanReset(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		change func(*kiitest.Account)
		want   string
	}{
		"disabled since":         {func(a *kiitest.Account) { a.Disabled = true }, "401 USER_DISABLED"},
		"phone unverified since": {func(a *kiitest.Account) { a.PhoneVerified = false }, "409 INVALID_STATUS"},
		"password gone since":    {func(a *kiitest.Account) { a.Password = "" }, "409 OPERATION_NOT_ALLOWED"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv, c := start(t)
			id := srv.AddAccount(alice())
			require.Equal(t, "204", c.ask(id, byPIN).String())
			a, _ := srv.Account(id)
			one.change(&a)
			_, err := srv.PutAccount(a)
			require.NoError(t, err)
			require.Equal(t, one.want, c.complete(id, last(t, srv, id).PIN, "").String())
			require.Equal(t, "404 USER_NOT_FOUND", c.complete("nobody", "123456", "").String())
		})
	}
}

func TestPINIsGoodOnceForItsUserUntilANewerOne(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	id := srv.AddAccount(alice())
	other := srv.AddAccount(kiitest.Account{LoginName: "bob", Phone: "+819099999999", PhoneVerified: true, Password: "old-pass"})
	wrong := "403 INVALID_VERIFICATION_CODE"
	require.Equal(t, wrong, c.complete(id, "123456", "").String(), "none was sent")

	require.Equal(t, "204", c.ask(id, byPIN).String())
	first := last(t, srv, id)
	require.Equal(t, "204", c.ask(id, byPIN).String())
	second := last(t, srv, id)
	require.NotEqual(t, first.PIN, second.PIN)
	require.Equal(t, "204", c.ask(other, byPIN).String())
	require.Equal(t, wrong, c.complete(other, second.PIN, "").String(), "another user's")
	require.Equal(t, wrong, c.complete(id, first.PIN, "").String(), "replaced")
	require.Equal(t, "204", c.complete("PHONE:JP-09012341234", second.PIN, "").String())
	require.Equal(t, wrong, c.complete(id, second.PIN, "").String(), "used")
	require.Equal(t, kiitest.Replaced, srv.FindMessages(kiitest.Filter{ID: first.ID})[0].State)
	require.Equal(t, kiitest.Pending, last(t, srv, other).State)
}

func TestNoPINIsNoExpiredPIN(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithAssumption(kiitest.OnlyRightPINExpires, false))
	id := srv.AddAccount(alice())
	require.Equal(t, "403 INVALID_VERIFICATION_CODE", c.complete(id, "123456", "").String())
}

func TestUsedLinkStaysUsed(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	id := srv.AddAccount(alice())
	require.Equal(t, "204", c.ask(id, byEmail).String())
	m := last(t, srv, id)
	require.Equal(t, "200", c.open(m.Link).String())
	require.Equal(t, "204", c.ask(id, byEmail).String())
	require.Equal(t, "200", c.open(last(t, srv, id).Link).String())
	require.Equal(t, kiitest.Used, srv.FindMessages(kiitest.Filter{ID: m.ID})[0].State)
}

func TestWrongPINsAreCountedForEachPIN(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithAssumption(kiitest.WrongPINsAreUnlimited, false))
	id := srv.AddAccount(alice())
	wrong := func(times int) {
		for range times {
			require.Equal(t, "403 INVALID_VERIFICATION_CODE", c.complete(id, "123456", "").String())
		}
	}
	for range 2 {
		require.Equal(t, "204", c.ask(id, byPIN).String())
		wrong(4)
	}
	require.Equal(t, "204", c.complete(id, last(t, srv, id).PIN, "").String(), "four wrong ones each")
	require.Equal(t, "204", c.ask(id, byPIN).String())
	m := last(t, srv, id)
	wrong(5)
	require.Equal(t, "403 INVALID_VERIFICATION_CODE", c.complete(id, m.PIN, "").String())
	require.Equal(t, kiitest.Replaced, last(t, srv, id).State)
}

func TestGenerateFlowIgnoresWhatIsChosen(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"nothing":      `{"pinCode":"PIN"}`,
		"null":         `{"pinCode":"PIN","newPassword":null}`,
		"a password":   `{"pinCode":"PIN","newPassword":"new-pass"}`,
		"a bad one":    `{"pinCode":"PIN","newPassword":"x"}`,
		"no string":    `{"pinCode":"PIN","newPassword":17}`,
		"the old one":  `{"pinCode":"PIN","newPassword":"old-pass"}`,
		"a long field": `{"newPassword":"` + strings.Repeat("x", 60) + `","pinCode":"PIN"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv, c := start(t)
			id := srv.AddAccount(alice())
			require.Equal(t, "204", c.ask(id, byPIN).String())
			body = strings.ReplaceAll(body, "PIN\"", last(t, srv, id).PIN+"\"")
			require.Equal(t, "204", c.send("POST", "users/"+id+"/password/complete-reset", completeType, body, "").String())
			m := last(t, srv, id)
			require.Regexp(t, `^[A-Za-z]{6}$`, m.Password)
			require.Equal(t, "200", c.login("alice", m.Password).String())
		})
	}
}

func TestGeneratedPasswordIsAsLongAsTheAppWants(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithSettings(func(s *kiitest.Settings) { s.MinPasswordLength = 12 }))
	id := srv.AddAccount(alice())
	require.Equal(t, "204", c.ask(id, byPIN).String())
	require.Equal(t, "204", c.complete(id, last(t, srv, id).PIN, "").String())
	require.Len(t, last(t, srv, id).Password, 12)
}

func TestTokenResetsItsOwnUserAlone(t *testing.T) {
	t.Parallel()
	srv := kiitest.NewServer(kiitest.WithoutSocket()) // not strict: these calls carry a token
	c := newCaller(t, srv)
	id := srv.AddAccount(alice())
	bob := srv.AddAccount(kiitest.Account{LoginName: "bob", Phone: "+819099999999", PhoneVerified: true, Password: "bob-pass"})
	token := c.token("bob", "bob-pass")
	ask := func(user, token string) string {
		return c.send("POST", "users/"+user+"/password/request-reset", resetType, byPIN, token).String()
	}
	require.Equal(t, "401 UNAUTHORIZED", ask(id, token))
	require.Equal(t, "403 WRONG_TOKEN", ask(id, "no-token"))
	require.Equal(t, "401 UNAUTHORIZED", ask("me", ""))
	require.Empty(t, srv.Messages())
	require.Equal(t, "204", ask("me", token))
	body := `{"pinCode":"` + last(t, srv, bob).PIN + `"}`
	require.Equal(t, "204", c.send("POST", "users/me/password/complete-reset", completeType, body, token).String())
	require.Equal(t, "403 WRONG_TOKEN", c.me(token).String())
}

// A link or a PIN to the old address, and the password that the link makes, for each way to change
// the address.
func TestResetThatOutlivesItsAddress(t *testing.T) {
	t.Parallel()
	for _, outlives := range []bool{true, false} {
		for name, change := range map[string]func(c *caller, id, email, phone string){
			"by a call": func(c *caller, id, email, phone string) {
				admin := c.admin()
				got := c.send("PUT", "users/"+id+"/email-address", emailType, `{"emailAddress":"`+email+`","verified":true}`, admin)
				require.Equal(t, "204", got.String())
				got = c.send("PUT", "users/"+id+"/phone-number", phoneType, `{"phoneNumber":"`+phone+`","verified":true}`, admin)
				require.Equal(t, "204", got.String())
			},
			"by PutAccount": func(c *caller, id, email, phone string) {
				a, _ := c.server.Account(id)
				a.Email, a.Phone = email, phone
				_, err := c.server.PutAccount(a)
				require.NoError(t, err)
			},
		} {
			srv, c := start(t, kiitest.WithAssumption(kiitest.ResetsOutliveTheirAddress, outlives))
			id := srv.AddAccount(alice())
			require.Equal(t, "204", c.ask(id, byEmail).String())
			require.Equal(t, "204", c.ask(id, byPIN).String())
			link := srv.FindMessages(kiitest.Filter{Channel: kiitest.Email})[0].Link
			pin := last(t, srv, id).PIN
			change(c, id, "alice@example.com", "+819012341234")
			require.Len(t, srv.FindMessages(kiitest.Filter{State: kiitest.Pending}), 2, "%s: the same address is no other", name)
			change(c, id, "new@example.com", "+819012341234")
			if !outlives {
				require.Equal(t, "410", c.open(link).String(), name)
				require.Equal(t, kiitest.Pending, last(t, srv, id).State, "the phone is the same")
				change(c, id, "new@example.com", "+819000000000")
				require.Equal(t, "403 INVALID_VERIFICATION_CODE", c.complete(id, pin, "").String(), name)
				continue
			}
			require.Equal(t, "200", c.open(link).String(), name)
			require.Equal(t, "alice@example.com", last(t, srv, id).To, "the password goes where the link went")
		}
	}
}
