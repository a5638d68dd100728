package kiitest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

const verificationType = "application/vnd.kii.AddressVerificationRequest+json"

func verify(s *kiitest.Settings) { s.VerifyEmail, s.VerifyPhone = true, true }

// The two addresses behave alike.
func TestAddressIsVerifiedByTheCodeThatWentToIt(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct{ path, field, address, other, kind, changeType string }{
		"e-mail": {"email-address", "emailAddress", "carol@example.com", "carol@example.net", "EMAIL:", "application/vnd.kii.EmailAddressModificationRequest+json"},
		"phone":  {"phone-number", "phoneNumber", "+819012345678", "+819087654321", "PHONE:", "application/vnd.kii.PhoneNumberModificationRequest+json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv, c := start(t, kiitest.WithSettings(verify))
			id := c.register(registrationType, `{"loginName":"carol","`+one.field+`":"`+one.address+`","password":"carol-pass"}`).string("userID")
			require.Equal(t, "400 invalid_grant", c.login(one.address, "carol-pass").String(), "not verified yet")
			first := last(t, srv, id)
			require.Equal(t, kiitest.VerifyAddress, first.Purpose)
			require.Equal(t, one.address, first.To)
			require.Contains(t, first.Text, first.Code)

			verify := func(user, code, token string) string {
				return c.send("POST", "users/"+user+"/"+one.path+"/verify", verificationType, `{"verificationCode":"`+code+`"}`, token).String()
			}
			resend := func() string {
				return c.send("POST", "users/"+id+"/"+one.path+"/resend-verification", "application/json", "", "").String()
			}
			require.Equal(t, "403 INVALID_VERIFICATION_CODE", verify(id, "123456", ""))
			require.Equal(t, "204", resend())
			second := last(t, srv, id)
			require.Equal(t, first.Code, second.Code, "the same again")
			require.Equal(t, kiitest.Pending, srv.FindMessages(kiitest.Filter{ID: first.ID})[0].State, "either message will do")
			srv.Advance(24 * time.Hour)
			require.Equal(t, "410 PHONE_NUMBER_VERIFICATION_CODE_EXPIRED", verify(id, second.Code, ""))
			require.Equal(t, "204", resend())
			require.NotEqual(t, second.Code, last(t, srv, id).Code, "an expired code is not sent again")
			require.Equal(t, kiitest.Replaced, srv.FindMessages(kiitest.Filter{ID: second.ID})[0].State)
			require.Equal(t, "200", verify(id, last(t, srv, id).Code, ""))
			require.Equal(t, kiitest.Used, last(t, srv, id).State)
			token := c.token(one.kind+one.address, "carol-pass")
			require.Equal(t, "400 INVALID_ACCOUNT_STATUS", verify("me", "123456", token), "done")
			require.Equal(t, "400 INVALID_ACCOUNT_STATUS", resend())

			change := func(to string) string {
				return c.send("PUT", "users/me/"+one.path, one.changeType, `{"`+one.field+`":"`+to+`"}`, token).String()
			}
			require.Equal(t, "204", change(one.other))
			require.Equal(t, one.other, c.me(token).string("_"+one.field+"Pending"))
			require.Equal(t, one.address, c.me(token).string(one.field), "the old one stays meanwhile")
			require.Equal(t, one.other, last(t, srv, id).To)
			require.Equal(t, "200", verify("me", last(t, srv, id).Code, token))
			require.Equal(t, one.other, c.me(token).string(one.field))
			require.Equal(t, "400 invalid_grant", c.login(one.kind+one.address, "carol-pass").String())

			srv.SetSettings(func(s *kiitest.Settings) { s.VerifyEmail, s.VerifyPhone = false, false })
			require.Equal(t, "204", change(one.address), "at once where the app asks for no verification")
			require.Equal(t, "200", c.login(one.address, "carol-pass").String())
			require.Equal(t, "400 INVALID_INPUT_DATA", change("nowhere"))
			require.Equal(t, "404 USER_NOT_FOUND", verifyOf(c, one.path))
		})
	}
}

func verifyOf(c *caller, path string) string {
	return c.send("POST", "users/nobody/"+path+"/verify", verificationType, `{"verificationCode":"123456"}`, "").String()
}

func TestAddressOfAnotherUserIsTaken(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithSettings(verify))
	srv.AddAccount(alice())
	bob := srv.AddAccount(kiitest.Account{LoginName: "bob", Email: "bob@example.com", EmailVerified: true, Password: "bob-pass"})
	token := c.token("bob", "bob-pass")
	change := func(to string) string {
		return c.send("PUT", "users/me/email-address", "application/vnd.kii.EmailAddressModificationRequest+json", `{"emailAddress":"`+to+`"}`, token).String()
	}
	require.Equal(t, "409 USER_ALREADY_EXISTS", change("alice@example.com"))
	require.Equal(t, "204", change("free@example.com"))
	code := last(t, srv, bob).Code
	srv.AddAccount(kiitest.Account{Email: "free@example.com", EmailVerified: true})
	got := c.send("POST", "users/me/email-address/verify", verificationType, `{"verificationCode":"`+code+`"}`, token)
	require.Equal(t, "409 USER_ALREADY_EXISTS", got.String(), "somebody was faster")
	require.Equal(t, "204", change("bob@example.com"), "one's own is not")
	got = c.send("POST", "users/me/email-address/verify", verificationType, `{"verificationCode":"`+last(t, srv, bob).Code+`"}`, token)
	require.Equal(t, "200", got.String())
}

func TestUnverifiedAccountWithoutACode(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	id := srv.AddAccount(kiitest.Account{LoginName: "unv", Email: "unv@example.com", Password: "unv-pass"})
	got := c.send("POST", "users/"+id+"/email-address/verify", verificationType, `{"verificationCode":"123456"}`, "")
	require.Equal(t, "404 VERIFICATION_CODE_NOT_FOUND", got.String())
	got = c.send("POST", "users/"+id+"/email-address/resend-verification", "application/json", `{}`, "")
	require.Equal(t, "204", got.String(), "a strict server has nothing against a body that no page describes")
}

func TestCodeIsForTheAddressThatItWentTo(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithSettings(verify))
	id := c.register(registrationType, `{"loginName":"carol","emailAddress":"carol@example.com","password":"carol-pass"}`).string("userID")
	code := last(t, srv, id).Code
	a, _ := srv.Account(id)
	a.Email = "carol@example.net"
	_, err := srv.PutAccount(a)
	require.NoError(t, err)
	got := c.send("POST", "users/"+id+"/email-address/verify", verificationType, `{"verificationCode":"`+code+`"}`, "")
	require.Equal(t, "404 VERIFICATION_CODE_NOT_FOUND", got.String())
	require.Equal(t, kiitest.Replaced, last(t, srv, id).State)
}

func TestCodeThatEndedIsNotSentAgain(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithSettings(verify))
	id := c.register(registrationType, `{"loginName":"carol","emailAddress":"carol@example.com","password":"carol-pass"}`).string("userID")
	code := last(t, srv, id).Code
	for _, body := range []string{`{"emailAddress":"new@example.com","verified":true}`, `{"emailAddress":"carol@example.com"}`} {
		require.Equal(t, "204", c.send("PUT", "users/"+id+"/email-address", emailType, body, c.admin()).String())
	}
	require.NotEqual(t, code, last(t, srv, id).Code)
}

func TestAddressThatNobodyVerifiedIsNotVerified(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithAssumption(kiitest.VerifiedUnlessRequired, false))
	id := c.register(registrationType, `{"loginName":"carol","emailAddress":"carol@example.com","phoneNumber":"+819012345678","password":"carol-pass"}`).string("userID")
	a, _ := srv.Account(id)
	require.False(t, a.EmailVerified || a.PhoneVerified)
	token := c.token("carol", "carol-pass")
	require.Equal(t, "204", c.send("PUT", "users/me/email-address", emailType, `{"emailAddress":"new@example.com"}`, token).String())
	require.Equal(t, "204", c.send("PUT", "users/me/phone-number", phoneType, `{"phoneNumber":"+819087654321"}`, token).String())
	a, _ = srv.Account(id)
	require.Equal(t, "new@example.com +819087654321", a.Email+" "+a.Phone)
	require.False(t, a.EmailVerified || a.PhoneVerified)
}

func TestCodeEndsWithWhatItWouldVerify(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*kiitest.Server, *caller, string){
		"another address": func(srv *kiitest.Server, c *caller, id string) {
			srv.SetSettings(func(s *kiitest.Settings) { s.VerifyEmail = false })
			got := c.send("PUT", "users/"+id+"/email-address", emailType, `{"emailAddress":"new@example.com"}`, c.admin())
			require.Equal(t, "204", got.String())
		},
		"verified already": func(srv *kiitest.Server, _ *caller, id string) {
			a, _ := srv.Account(id)
			a.EmailVerified = true
			_, err := srv.PutAccount(a)
			require.NoError(t, err)
		},
		"no user": func(srv *kiitest.Server, _ *caller, id string) { srv.DeleteAccount(id) },
	} {
		srv, c := start(t, kiitest.WithSettings(verify))
		id := c.register(registrationType, `{"loginName":"carol","emailAddress":"carol@example.com","password":"carol-pass"}`).string("userID")
		a, _ := srv.Account(id)
		_, err := srv.PutAccount(a)
		require.NoError(t, err)
		require.Equal(t, kiitest.Pending, last(t, srv, id).State, name)
		end(srv, c, id)
		require.Equal(t, kiitest.Replaced, last(t, srv, id).State, name)
	}
}
