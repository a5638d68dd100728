package kiitest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

// jsSDK sends what the official JavaScript SDK 2.4.19 was seen to send: a query parameter that
// stops caches, the X-Kii headers also beside a token, and application/json where it has nothing to
// send.
type jsSDK struct{ *caller }

func (js jsSDK) send(method, path, contentType, body, token string) reply {
	js.t.Helper()
	if !strings.HasPrefix(path, "/") {
		path = "/apps/" + js.server.AppID() + "/" + path
	}
	r, err := http.NewRequestWithContext(js.t.Context(), method, string(js.server.Site())+path+"?disable_cache=1795560354830", strings.NewReader(body))
	require.NoError(js.t, err)
	r.Header.Set("Accept", "*/*")
	r.Header.Set("Content-Type", "application/json")
	if contentType != "" {
		r.Header.Set("Content-Type", "application/vnd.kii."+contentType+"+json")
	}
	r.Header.Set("x-kii-appid", js.server.AppID())
	r.Header.Set("x-kii-appkey", js.server.AppKey())
	r.Header.Set("x-kii-sdk", "sn=jss;sv=2.4.19")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return js.do(r)
}

// The whole story of that SDK, word for word as it went over the wire, on a strict server.
func TestJavaScriptSDKRunsItsWholeStory(t *testing.T) {
	t.Parallel()
	srv := kiitest.NewServer(kiitest.WithTest(t), kiitest.WithSettings(verify))
	js := jsSDK{socketCaller(t, srv)}
	id := srv.AddAccount(alice())
	login := func(username, password string) reply {
		return js.send("POST", "/oauth2/token", "", `{"username":"`+username+`","password":"`+password+`"}`, "")
	}

	token := login("+819012341234", "old-pass").string("access_token")
	require.Equal(t, id, js.send("GET", "users/me", "", "", token).string("userID"), "authenticateWithToken")
	require.Equal(t, id, js.send("GET", "users/"+id, "", "", token).string("userID"), "refresh()")
	require.Equal(t, "400 invalid_grant", login("alice", "wrong-pass").String())

	require.Equal(t, "204", js.send("POST", "users/EMAIL:alice@example.com/password/request-reset", "", "", "").String(), "resetPassword")
	require.Equal(t, kiitest.Email, last(t, srv, id).Channel)
	for _, body := range []string{`{"notificationMethod":"EMAIL"}`, `{"notificationMethod":"SMS"}`, `{"notificationMethod":"SMS","smsResetMethod":"PIN"}`} {
		for _, segment := range []string{"EMAIL%3Aalice%40example.com", "PHONE%3A%2B819012341234", id, "LOGIN_NAME%3Aalice", "PHONE%3AJP-09012341234"} {
			require.Equal(t, "204", js.send("POST", "users/"+segment+"/password/request-reset", "ResetPasswordRequest", body, "").String())
		}
	}
	complete := func(segment, body string) reply {
		return js.send("POST", "users/"+segment+"/password/complete-reset", "CompletePasswordResetRequest", body, "")
	}
	pin := last(t, srv, id).PIN
	require.Equal(t, "403 INVALID_VERIFICATION_CODE", complete(id, `{"pinCode":"000000","newPassword":"new-pass"}`).String())
	require.Equal(t, "204", complete("PHONE%3A%2B819012341234", `{"pinCode":"`+pin+`"}`).String())
	require.Equal(t, "403 WRONG_TOKEN", js.send("GET", "users/"+id, "", "", token).String())
	token = login("alice", last(t, srv, id).Password).string("access_token")

	change := `{"oldPassword":"` + last(t, srv, id).Password + `","newPassword":"upd-pass"}`
	require.Equal(t, "401 WRONG_PASSWORD", js.send("PUT", "users/"+id+"/password", "ChangePasswordRequest", `{"oldPassword":"bad-pass","newPassword":"upd-pass"}`, token).String())
	require.Equal(t, "204", js.send("PUT", "users/"+id+"/password", "ChangePasswordRequest", change, token).String())
	require.Equal(t, "403 WRONG_TOKEN", js.send("GET", "users/"+id, "", "", token).String())

	got := js.send("POST", "users", "RegistrationRequest", `{"password":"carol-pass","loginName":"carol","country":"JP","age":30}`, "")
	require.Equal(t, "201", got.String())
	carol := got.string("userID")
	token = login("carol", "carol-pass").string("access_token")
	require.Equal(t, "204", js.send("PUT", "users/"+carol+"/email-address", "EmailAddressModificationRequest", `{"emailAddress":"carol@example.com"}`, token).String())
	require.Equal(t, "204", js.send("POST", "users/"+carol+"/email-address/resend-verification", "", "", token).String())
	code := last(t, srv, carol).Code
	require.Equal(t, "200", js.send("POST", "users/me/email-address/verify", "AddressVerificationRequest", `{"verificationCode":"`+code+`"}`, token).String())
	require.Equal(t, "204", js.send("PUT", "users/"+carol+"/phone-number", "PhoneNumberModificationRequest", `{"phoneNumber":"+819077778888"}`, token).String())
	code = last(t, srv, carol).Code
	require.Equal(t, "200", js.send("POST", "users/me/phone-number/verify", "AddressVerificationRequest", `{"verificationCode":"`+code+`"}`, token).String())
	me := js.send("GET", "users/"+carol, "", "", token)
	require.Equal(t, true, me.body["emailAddressVerified"])
	require.Equal(t, true, me.body["phoneNumberVerified"])

	got = js.send("POST", "users", "RegistrationAndAuthorizationRequest", `{"displayName":"Pseudo"}`, "")
	require.Equal(t, false, js.send("GET", "users/"+got.string("userID"), "", "", got.string("_accessToken")).body["_hasPassword"])
}

// That SDK's administrator, as it went over the wire: the token without a grant_type, an old
// password that nobody asked for.
func TestJavaScriptSDKRunsItsAdministratorsStory(t *testing.T) {
	t.Parallel()
	srv := kiitest.NewServer(kiitest.WithTest(t))
	js := jsSDK{socketCaller(t, srv)}
	id := srv.AddAccount(alice())
	login := func(secret string) reply {
		return js.send("POST", "/oauth2/token", "", `{"client_id":"`+srv.ClientID()+`","client_secret":"`+secret+`"}`, "")
	}
	require.Equal(t, "400 invalid_grant", login("wrong").String(), "authenticateAsAppAdmin")
	token := login(srv.ClientSecret()).string("access_token")
	for _, user := range []string{"EMAIL:alice@example.com", "PHONE:+819012341234", "LOGIN_NAME:alice", id} {
		got := js.send("GET", "users/"+user, "", "", token)
		require.Equal(t, id+" alice@example.com", got.string("userID")+" "+got.string("emailAddress"), "findUserByEmail, findUserByPhone, findUserByUsername, refresh()")
	}
	require.Equal(t, "204", js.send("PUT", "users/"+id+"/password", "ChangePasswordRequest", `{"oldPassword":"whatever","newPassword":"new-pass"}`, token).String())
	require.Equal(t, "oldPassword was ignored, as an administrator needs none", srv.Calls(kiitest.OpChangePassword)[0].Why)
	require.Equal(t, "204", js.send("DELETE", "users/"+id, "", "", token).String())
}
