package kiitest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

func TestAccountIsFoundByAllItsNames(t *testing.T) {
	t.Parallel()
	srv, _ := start(t)
	a := alice()
	a.EmailVerified, a.Phone = false, "JP-09012341234"
	id := srv.AddAccount(a)
	require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, id)
	for _, name := range []string{
		id, "alice", "LOGIN_NAME:alice", "alice@example.com", "EMAIL:alice@example.com", "+819012341234", "PHONE:+819012341234", "PHONE:JP-9012341234",
	} {
		got, ok := srv.Account(name)
		require.True(t, ok, name)
		require.Equal(t, id, got.ID)
		require.Equal(t, "+819012341234", got.Phone, "international")
	}
	for _, name := range []string{"", "bob", "EMAIL:alice", "me", "PHONE:alice"} {
		_, ok := srv.Account(name)
		require.False(t, ok, name)
	}
	id = srv.AddAccount(kiitest.Account{LoginName: "EMAIL"})
	got, _ := srv.Account("EMAIL")
	require.Equal(t, id, got.ID, "a login name, as no address follows")
}

func TestAccountsAreListedAsTheyWereAdded(t *testing.T) {
	t.Parallel()
	srv, _ := start(t)
	var added, listed []string
	for range 10 {
		added = append(added, srv.AddAccount(kiitest.Account{}))
	}
	for _, a := range srv.Accounts() {
		listed = append(listed, a.ID)
	}
	require.Equal(t, added, listed)
}

func TestLocalPhonesBecomeInternational(t *testing.T) {
	t.Parallel()
	for local, want := range map[string]string{
		"JP-09012341234": "+819012341234", "JP-9012341234": "+819012341234", "US-4085550100": "+14085550100", "GB-07700900123": "+447700900123",
		"DE-0301234567": "+49301234567", "IT-0612345678": "+390612345678", "SM-0549123456": "+3780549123456", "VA-0669812345": "+390669812345", "ZW-0771234567": "+263771234567", "AD-312345678": "+376312345678",
		"+819012341234": "+819012341234",
		"CI-0712345678": "+2250712345678", "CG-061234567": "+242061234567", "BJ-0197123456": "+2290197123456", "HU-06201234567": "+36201234567", "HU-201234567": "+36201234567",
		"US-14085550100": "+14085550100", "JM-8765550100": "+18765550100", "ES-612345678": "+34612345678", "RU-9161234567": "+79161234567", "LT-61234567": "+37061234567",
	} {
		srv, _ := start(t)
		a, _ := srv.Account(srv.AddAccount(kiitest.Account{Phone: local}))
		require.Equal(t, want, a.Phone)
	}
}

func TestMalformedAccountsAreRefusedWithoutRepeatingThem(t *testing.T) {
	t.Parallel()
	srv, _ := start(t)
	srv.AddAccount(kiitest.Account{ID: "taken-id", LoginName: "taken-name", Email: "taken@example.com", EmailVerified: true, Phone: "+819012341234", PhoneVerified: true})
	for i, one := range []struct {
		account kiitest.Account
		want    string
	}{
		{kiitest.Account{ID: "me"}, "Account.ID must be"},
		{kiitest.Account{ID: "a/b"}, "Account.ID must be"},
		{kiitest.Account{ID: ".."}, "Account.ID must be"},
		{kiitest.Account{LoginName: "xy"}, "Account.LoginName must be"},
		{kiitest.Account{LoginName: "x y z"}, "Account.LoginName must be"},
		{kiitest.Account{LoginName: "x^y"}, "Account.LoginName must be"},
		{kiitest.Account{LoginName: "zoë"}, "Account.LoginName must be"},
		{kiitest.Account{Email: "nowhere"}, "Account.Email must be"},
		{kiitest.Account{Email: "a@b@c"}, "Account.Email must be"},
		{kiitest.Account{Email: "EMAIL:a@b"}, "Account.Email must be"},
		{kiitest.Account{Email: "a b@c"}, "Account.Email must be"},
		{kiitest.Account{Email: "@example.com"}, "Account.Email must be"},
		{kiitest.Account{Email: "somebody@"}, "Account.Email must be"},
		{kiitest.Account{Email: "some\x7fbody@example.com"}, "Account.Email must be"},
		{kiitest.Account{Email: "some\xffbody@example.com"}, "Account.Email must be"},
		{kiitest.Account{Email: strings.Repeat("x", 245) + "@example.com"}, "Account.Email must be"},
		{kiitest.Account{Phone: "08055556666"}, "Account.Phone must be"},
		{kiitest.Account{Phone: "+123456"}, "Account.Phone must be"},
		{kiitest.Account{Phone: "+81abcdefgh"}, "Account.Phone must be"},
		{kiitest.Account{Phone: "+123456789012345678901"}, "Account.Phone must be"},
		{kiitest.Account{Phone: "QQ-9012341234"}, "Account.Phone must be"},
		{kiitest.Account{Phone: "JP-"}, "Account.Phone must be"},
		{kiitest.Account{Phone: "JP-0090-1234-1234"}, "Account.Phone must be"},
		{kiitest.Account{Phone: "JP-00901234123"}, "Account.Phone must be"},
		{kiitest.Account{Phone: "RU-89161234567"}, "must be written with +"},
		{kiitest.Account{Phone: "RU-8121234567"}, "must be written with +"},
		{kiitest.Account{Phone: "ES-0612345678"}, "must be written with +"},
		{kiitest.Account{Country: "jp"}, "Account.Country must be"},
		{kiitest.Account{Country: "JPN"}, "Account.Country must be"},
		{kiitest.Account{Password: "abc"}, "Account.Password must be"},
		{kiitest.Account{Password: "päss"}, "Account.Password must be"},
		{kiitest.Account{Password: "tab\tpass"}, "Account.Password must be"},
		{kiitest.Account{EmailVerified: true}, "Account.EmailVerified cannot be set without an Email"},
		{kiitest.Account{PhoneVerified: true}, "Account.PhoneVerified cannot be set without a Phone"},
		{kiitest.Account{Fields: map[string]json.RawMessage{"_x": json.RawMessage("1")}}, "Account.Fields must"},
		{kiitest.Account{Fields: map[string]json.RawMessage{"userID": json.RawMessage("1")}}, "Account.Fields must"},
		{kiitest.Account{Fields: map[string]json.RawMessage{"x": json.RawMessage("{")}}, "Account.Fields must"},
		{kiitest.Account{Fields: map[string]json.RawMessage{"x": json.RawMessage("\"\xff\"")}}, "Account.Fields must"},
		{kiitest.Account{Fields: map[string]json.RawMessage{"\xff": json.RawMessage("1")}}, "Account.Fields must"},
		{kiitest.Account{Fields: map[string]json.RawMessage{strings.Repeat("x", 63<<10-1): json.RawMessage("1")}}, "Account.Fields must"},
		{kiitest.Account{ID: "taken-id"}, "Account.ID is taken"},
		{kiitest.Account{LoginName: "taken-name"}, "Account.LoginName is taken"},
		{kiitest.Account{Email: "taken@example.com", EmailVerified: true}, "Account.Email is taken"},
		{kiitest.Account{Phone: "JP-09012341234", PhoneVerified: true}, "Account.Phone is taken"},
	} {
		text := panicText(func() { srv.AddAccount(one.account) })
		require.Contains(t, text, one.want, "account %d", i)
		for _, value := range []string{one.account.LoginName, one.account.Email, one.account.Phone, one.account.Password} {
			require.False(t, len(value) > 3 && strings.Contains(text, value), "account %d is repeated", i)
		}
		if one.account.ID != "taken-id" {
			_, err := srv.PutAccount(one.account)
			require.EqualError(t, err, text)
		}
	}
	require.Len(t, srv.Accounts(), 1)
}

func TestWidestNamesAreTaken(t *testing.T) {
	t.Parallel()
	srv, _ := start(t)
	srv.AddAccount(kiitest.Account{
		ID: strings.Repeat("x", 64), LoginName: strings.Repeat("x", 64), Email: strings.Repeat("x", 244) + "@example.com",
		Phone: "+12345678901234567890", Password: strings.Repeat("x", 50),
	})
	srv.AddAccount(kiitest.Account{ID: "x", LoginName: "xYZ", Email: "x@y", Phone: "+1234567", Password: "x ~x"})
	require.Len(t, srv.Accounts(), 2)
}

func TestPutAccountReplacesWhatItNames(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	id := srv.AddAccount(alice())
	token := c.token("alice", "old-pass")
	a, _ := srv.Account(id)
	a.LoginName, a.Password = "alicia", "new-pass"
	got, err := srv.PutAccount(a)
	require.NoError(t, err)
	require.Equal(t, id, got)
	require.Equal(t, "400 invalid_grant", c.login("alice", "old-pass").String(), "the old name is free")
	require.Equal(t, "200", c.login("alicia", "new-pass").String())
	require.Equal(t, "200", c.me(token).String(), "tokens stay")
	other, err := srv.PutAccount(kiitest.Account{LoginName: "alice"})
	require.NoError(t, err)
	all := srv.Accounts()
	require.Equal(t, []string{id, other}, []string{all[0].ID, all[1].ID}, "as they were added")
	a.LoginName = "alice"
	_, err = srv.PutAccount(a)
	require.Error(t, err)
	require.Equal(t, "200", c.login("alicia", "new-pass").String(), "a refused change changes nothing")
}

func TestDeletedAccountIsGone(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	id := srv.AddAccount(alice())
	token := c.token("alice", "old-pass")
	require.True(t, srv.DeleteAccount("alice@example.com"))
	require.Equal(t, "403 WRONG_TOKEN", c.me(token).String())
	require.Equal(t, "404 USER_NOT_FOUND", c.ask("LOGIN_NAME:alice", byEmail).String())
	require.Equal(t, "404 USER_NOT_FOUND", c.ask(id, byEmail).String())
	require.Empty(t, srv.Accounts())
	require.NotPanics(t, func() { srv.AddAccount(alice()) })
}

func TestAccountsAreCopies(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	mine := alice()
	mine.Fields = map[string]json.RawMessage{"age": json.RawMessage("30")}
	id := srv.AddAccount(mine)
	mine.Fields["age"][0] = '9'
	got, _ := srv.Account(id)
	got.Fields["age"][0] = '9'
	got.Fields["more"] = json.RawMessage("1")
	srv.Accounts()[0].Fields["age"][0] = '9'
	me := c.me(c.token("alice", "old-pass"))
	require.InDelta(t, 30, me.body["age"], 0)
	require.NotContains(t, me.body, "more")
}

func TestAccountPrintsNothingThatTellsWhoItIs(t *testing.T) {
	t.Parallel()
	a := alice()
	a.ID = "some-user"
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		text := fmt.Sprintf(verb, a) + fmt.Sprintf(verb, &a) + fmt.Sprintf(verb, []kiitest.Account{a})
		for _, secret := range []string{"alice", "some-user", "+81", "old-pass"} {
			require.NotContains(t, text, secret)
		}
		require.Contains(t, text, "email: verified")
	}
	require.Equal(t, "Account{email: none, phone: unverified, password: false, disabled: true}", fmt.Sprint(kiitest.Account{Phone: "+819012341234", Disabled: true}))
}

// Kii Cloud's guide: many users may have an address, but only one of them verified.
func TestAddressIsOfTheUserWhoVerifiedIt(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithSettings(verify))
	const shared = "shared@example.com"
	body := func(name string) string {
		return `{"loginName":"` + name + `","emailAddress":"` + shared + `","password":"old-pass"}`
	}
	bob := c.register(registrationType, body("bob")).string("userID")
	carol := c.register(registrationType, body("carol")).string("userID")
	require.Equal(t, carol, last(t, srv, shared).UserID, "the newest to the address, whoever it is")
	require.Len(t, srv.FindMessages(kiitest.Filter{To: shared}), 2)
	require.Equal(t, "404 USER_NOT_FOUND", c.ask("EMAIL:"+shared, byEmail).String())
	require.Equal(t, "400 invalid_grant", c.login(shared, "old-pass").String())
	check := func(id string) string {
		return c.send("POST", "users/"+id+"/email-address/verify", verificationType, `{"verificationCode":"`+last(t, srv, id).Code+`"}`, "").String()
	}
	require.Equal(t, "200", check(carol))
	require.Equal(t, "204", c.ask("EMAIL:"+shared, byEmail).String())
	require.Equal(t, carol, last(t, srv, carol).UserID)
	require.Equal(t, carol, c.login(shared, "old-pass").string("id"))
	require.Equal(t, "409 USER_ALREADY_EXISTS", check(bob), "it is taken")
	require.Equal(t, "409 USER_ALREADY_EXISTS", c.register(registrationType, body("dave")).String())
	again, _ := srv.Account(bob)
	_, err := srv.PutAccount(again)
	require.NoError(t, err, "what a call made is accepted again")
	again.EmailVerified = true
	_, err = srv.PutAccount(again)
	require.EqualError(t, err, "kiitest: Account.Email is taken")
	require.NoError(t, srv.Restore(srv.Snapshot()))
	require.True(t, srv.DeleteAccount(carol))
	found, _ := srv.Account(shared)
	require.Equal(t, bob, found.ID)
	require.True(t, srv.DeleteAccount(bob))
	_, ok := srv.Account(shared)
	require.False(t, ok)
}
