package kii_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// appHeader are all headers of a call in the app's name: no bearer among them.
func appHeader(contentType string) http.Header {
	return http.Header{
		"Accept":       {"*/*"},
		"Content-Type": {contentType},
		"User-Agent":   {"kii-go/0.1.0"},
		"X-Kii-Appid":  {"appId"},
		"X-Kii-Appkey": {"appKey"},
	}
}

func TestResetPasswordSendsOneRequestInTheAppsName(t *testing.T) {
	t.Parallel()
	c := newCloud(t, documented(t, "ResetPassword_done"))
	c.session(t) // a session changes nothing about it
	require.NoError(t, c.User.ResetPassword(t.Context(), "alice@example.com", kii.NotificationSMSPIN))
	assert.Equal(t, request{
		http.MethodPost,
		"https://api.kii.com/api/apps/appId/users/EMAIL:alice%40example.com/password/request-reset",
		appHeader("application/vnd.kii.ResetPasswordRequest+json"),
		`{"notificationMethod":"SMS","smsResetMethod":"PIN"}`,
	}, c.last(t))
}

func TestCompleteResetPasswordSendsOneRequestInTheAppsName(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		newPassword *string
		body        string
	}{
		"chosen":    {new(`new "pass" <&>`), `{"pinCode":"012345","newPassword":"new \"pass\" \u003c\u0026\u003e"}`},
		"generated": {nil, `{"pinCode":"012345"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, documented(t, "CompleteResetPassword_done"))
			require.NoError(t, c.User.CompleteResetPassword(t.Context(), "+819012345678", "012345", tt.newPassword))
			assert.Equal(t, request{
				http.MethodPost,
				"https://api.kii.com/api/apps/appId/users/PHONE:%2B819012345678/password/complete-reset",
				appHeader("application/vnd.kii.CompletePasswordResetRequest+json"),
				tt.body,
			}, c.last(t))
		})
	}
}

func TestPINIsNeitherEmptyNorHoldsControlCharacters(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	for _, pin := range []string{"", "12\n34", "1234\x00", "12\x7f34", "\u0085", "12\xff34"} {
		assertArgument(t, "pin", c.User.CompleteResetPassword(t.Context(), "alice", pin, nil))
	}
}

func TestPINIsSentAsItWasTyped(t *testing.T) {
	t.Parallel()
	for pin, sent := range map[string]string{"000000": "000000", "1": "1", "12 34": "12 34", "é1": "é1", `"\`: `\"\\`} {
		c := newCloud(t, replyOf(204, ""))
		require.NoError(t, c.User.CompleteResetPassword(t.Context(), "alice", pin, nil))
		assert.Equal(t, `{"pinCode":"`+sent+`"}`, c.last(t).body)
	}
}

var newPasswords = map[string]bool{
	"abcd":                   true,
	"    ":                   true,
	"~!@#":                   true,
	strings.Repeat("x", 50):  true,
	"":                       false,
	"abc":                    false,
	strings.Repeat("x", 51):  false,
	"pässword":               false,
	"pass\tword":             false,
	"password\n":             false,
	"\npassword":             false,
	"pass\x7fword":           false,
	"パスワード":                  false,
	"pass\xffword":           false,
	"pass\u200bword":         false,
	strings.Repeat("é", 10):  false,
	strings.Repeat("x", 5e4): false,
}

// So that a bad one does not burn the PIN.
func TestBadNewPasswordSendsNothing(t *testing.T) {
	t.Parallel()
	for password, good := range newPasswords {
		if good {
			c := newCloud(t, replyOf(204, ""), replyOf(204, ""))
			require.NoError(t, c.User.CompleteResetPassword(t.Context(), "alice", "1234", &password))
			require.NoError(t, c.session(t).ChangePassword(t.Context(), "x", password))
			continue
		}
		c := newCloud(t)
		assertArgument(t, "newPassword", c.User.CompleteResetPassword(t.Context(), "alice", "1234", &password))
		assertArgument(t, "newPassword", c.session(t).ChangePassword(t.Context(), "x", password))
	}
}

func TestNotificationMethodIsTheBodyOfTheRequest(t *testing.T) {
	t.Parallel()
	for method, body := range map[kii.NotificationMethod]string{
		kii.NotificationEmail:  `{"notificationMethod":"EMAIL"}`,
		kii.NotificationSMS:    `{"notificationMethod":"SMS","smsResetMethod":"URL"}`,
		kii.NotificationSMSPIN: `{"notificationMethod":"SMS","smsResetMethod":"PIN"}`,
	} {
		c := newCloud(t, documented(t, "ResetPassword_done"))
		require.NoError(t, c.User.ResetPassword(t.Context(), "alice", method))
		assert.Equal(t, body, c.last(t).body)
	}
}

func TestUnknownNotificationMethodSendsNothing(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	for _, method := range []kii.NotificationMethod{"", "email", "PHONE", "SMS-PIN", "EMAIL "} {
		assertArgument(t, "method", c.User.ResetPassword(t.Context(), "alice", method))
	}
}

// The cases of the official Unity SDK's own tests, by the file and the number of each. There each
// is run as a blocking call, by a callback, or both; here every call blocks.
const (
	sdkUsers     = "https://api.kii.com/api/apps/appId/users/"
	resetType    = "application/vnd.kii.ResetPasswordRequest+json"
	completeType = "application/vnd.kii.CompletePasswordResetRequest+json"
	changeType   = "application/vnd.kii.ChangePasswordRequest+json"
	guid         = "a7784f94-9c0e-4d2b-8bd2-5a4a5e6f9d11"

	bodyEmail  = `{"notificationMethod":"EMAIL"}`
	bodySMS    = `{"notificationMethod":"SMS","smsResetMethod":"URL"}`
	bodySMSPIN = `{"notificationMethod":"SMS","smsResetMethod":"PIN"}`
)

func TestOfficialSDKCasesOfCompleteReset(t *testing.T) {
	t.Parallel()
	const body = `{"newPassword":"password","pinCode":"1234"}`
	password := new("password")
	tests := []struct {
		name        string // in KiiUser_CompleteResetPasswordTest.cs
		id, pin     string
		newPassword *string
		reply       reply
		path, body  string // of the request; none where path is empty
		want        error  // nil: success
	}{
		{"A1 WithID", guid, "1234", password, replyOf(204, ""), guid, body, nil},
		{"A2 WithPhone", "+818034068125", "1234", password, replyOf(204, ""), "PHONE:%2B818034068125", body, nil},
		{"A3 WithEmail", "test@kii.com", "1234", password, replyOf(204, ""), "EMAIL:test%40kii.com", body, nil},
		{"A4 WithoutPassword", guid, "1234", nil, replyOf(204, ""), guid, `{"pinCode":"1234"}`, nil},
		{"A5 WithoutIdentifier", "", "1234", password, reply{}, "", "", &kii.ArgumentError{Name: "id"}},
		{"A6 WithoutPinCode", guid, "", password, reply{}, "", "", &kii.ArgumentError{Name: "pin"}},
		{"A7 Error400", guid, "1234", password, replyOf(400, "{}"), guid, body, &kii.APIError{StatusCode: 400, Code: kii.ErrUnexpectedReply}},
		{"A8 Error401", guid, "1234", password, replyOf(401, "{}"), guid, body, &kii.APIError{StatusCode: 401, Code: kii.ErrUnexpectedReply}},
		{"A9 Error403", guid, "1234", password, replyOf(403, "{}"), guid, body, &kii.APIError{StatusCode: 403, Code: kii.ErrUnexpectedReply}},
		{"A10 Error409", guid, "1234", password, documented(t, "CompleteResetPassword_address_not_verified"), guid, body, &kii.APIError{StatusCode: 409, Code: kii.ErrAddressNotVerified}},
		// CMO5086.cs: what each status is made into.
		{"F 400 INVALID_INPUT_DATA", guid, "1234", password, refusal(400, kii.ErrInvalidInput), guid, body, &kii.APIError{StatusCode: 400, Code: kii.ErrInvalidInput}},
		{"F 400 INVALID_ACCOUNT_STATUS", guid, "1234", password, refusal(400, "INVALID_ACCOUNT_STATUS"), guid, body, &kii.APIError{StatusCode: 400, Code: "INVALID_ACCOUNT_STATUS"}},
		{"F 401 UNAUTHORIZED", guid, "1234", password, refusal(401, kii.ErrUnauthorized), guid, body, &kii.APIError{StatusCode: 401, Code: kii.ErrUnauthorized}},
		{"F 403 INVALID_VERIFICATION_CODE", guid, "1234", password, refusal(403, kii.ErrWrongPIN), guid, body, &kii.APIError{StatusCode: 403, Code: kii.ErrWrongPIN}},
		{"F 404 USER_NOT_FOUND", guid, "1234", password, refusal(404, kii.ErrUserNotFound), guid, body, &kii.APIError{StatusCode: 404, Code: kii.ErrUserNotFound}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var replies []reply
			if tt.path != "" {
				replies = append(replies, tt.reply)
			}
			c := newCloud(t, replies...)
			err := c.User.CompleteResetPassword(t.Context(), tt.id, tt.pin, tt.newPassword)
			assertSameError(t, tt.want, err)
			if tt.path != "" {
				assertRequest(t, c, http.MethodPost, sdkUsers+tt.path+"/password/complete-reset", completeType, tt.body)
			}
		})
	}
}

func TestOfficialSDKCasesOfRequestReset(t *testing.T) {
	t.Parallel()
	const (
		phone      = "PHONE:+819011112222"
		phonePath  = "PHONE:%2B819011112222"
		email      = "EMAIL:test@kii.com"
		emailPath  = "EMAIL:test%40kii.com"
		userID     = "USERID-00001-00001"
		localPhone = "09011112222"
	)
	done := replyOf(204, "")
	tests := []struct {
		name       string // B: in KiiUser_ResetPasswordWithNotificationMethodTest.cs; C: in KiiUser_PasswordResetTest.cs
		id         string
		method     kii.NotificationMethod
		reply      reply
		path, body string // of the request; none where path is empty
		want       error  // nil: success
	}{
		{"B1 IdentifyIsNull", "", kii.NotificationSMS, reply{}, "", "", &kii.ArgumentError{Name: "id"}},
		{"B2 UserNotFound", "notfound@kii.com", kii.NotificationSMS, documented(t, "ResetPassword_user_not_found"), "EMAIL:notfound%40kii.com", bodySMS, &kii.APIError{StatusCode: 404, Code: kii.ErrUserNotFound}},
		{"B3 UserNotHasEmail", userID, kii.NotificationEmail, documented(t, "ResetPassword_address_not_verified"), userID, bodyEmail, &kii.APIError{StatusCode: 409, Code: kii.ErrAddressNotVerified}},
		// They send the malformed address and mock 400 INVALID_JSON for it. It is refused here; the
		// next row is that reply.
		{"B4 BadRequest", "400@kii@com", kii.NotificationSMS, reply{}, "", "", &kii.ArgumentError{Name: "id"}},
		{"B4 BadRequest, its reply", "400@kii.com", kii.NotificationSMS, documented(t, "ResetPassword_invalid_json"), "EMAIL:400%40kii.com", bodySMS, &kii.APIError{StatusCode: 400, Code: "INVALID_JSON"}},
		{"B5 PhoneViaSms", phone, kii.NotificationSMS, done, phonePath, bodySMS, nil},
		{"B6 PhoneViaSmsPin", phone, kii.NotificationSMSPIN, done, phonePath, bodySMSPIN, nil},
		{"B7 EmailViaSms", email, kii.NotificationSMS, done, emailPath, bodySMS, nil},
		{"B8 EmailViaSmsPin", email, kii.NotificationSMSPIN, done, emailPath, bodySMSPIN, nil},
		{"B9 IdViaSms", userID, kii.NotificationSMS, done, userID, bodySMS, nil},
		{"B10 IdViaSmsPin", userID, kii.NotificationSMSPIN, done, userID, bodySMSPIN, nil},
		{"B11 PhoneViaEmail", phone, kii.NotificationEmail, done, phonePath, bodyEmail, nil},
		{"B12 LocalPhoneViaEmail", localPhone, kii.NotificationEmail, done, localPhone, bodyEmail, nil},
		{"B13 GlobalPhoneViaEmail", "+819011112222", kii.NotificationEmail, done, phonePath, bodyEmail, nil},
		{"B14 EmailViaEmail", email, kii.NotificationEmail, done, emailPath, bodyEmail, nil},
		{"B15 IdViaEmail", userID, kii.NotificationEmail, done, userID, bodyEmail, nil},
		// The older call takes only e-mail addresses and refuses the four in the middle, which are
		// a phone number and user IDs to this one; what makes no path there is escaped here.
		{"C null", "", kii.NotificationEmail, reply{}, "", "", &kii.ArgumentError{Name: "id"}},
		{"C phone", "+818034068125", kii.NotificationEmail, done, "PHONE:%2B818034068125", bodyEmail, nil},
		{"C testUser", "testUser", kii.NotificationEmail, refusal(404, kii.ErrUserNotFound), "testUser", bodyEmail, &kii.APIError{StatusCode: 404, Code: kii.ErrUserNotFound}},
		{"C signs", "'%#=!('%~^¥", kii.NotificationEmail, refusal(404, kii.ErrUserNotFound), "%27%25%23%3D%21%28%27%25~%5E%C2%A5", bodyEmail, &kii.APIError{StatusCode: 404, Code: kii.ErrUserNotFound}},
		{"C e-mail, a mocked 200", "moshiur.rahman@kii.com", kii.NotificationEmail, replyOf(200, ""), "EMAIL:moshiur.rahman%40kii.com", bodyEmail, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var replies []reply
			if tt.path != "" {
				replies = append(replies, tt.reply)
			}
			c := newCloud(t, replies...)
			err := c.User.ResetPassword(t.Context(), tt.id, tt.method)
			assertSameError(t, tt.want, err)
			if tt.path != "" {
				assertRequest(t, c, http.MethodPost, sdkUsers+tt.path+"/password/request-reset", resetType, tt.body)
			}
		})
	}
}

func TestOfficialSDKCasesOfChangePassword(t *testing.T) {
	t.Parallel()
	const body = `{"oldPassword":"old-pass","newPassword":"new-pass"}`
	tests := []struct {
		name     string // in TestKiiUser_ChangeAPI.cs
		old, new string
		reply    *reply
		want     error // nil: success
	}{
		{"E 204", "old-pass", "new-pass", &reply{Status: 204}, nil},
		{"E 401 WRONG_PASSWORD", "old-pass", "new-pass", new(documented(t, "ChangePassword_wrong_password")), &kii.APIError{StatusCode: 401, Code: kii.ErrWrongPassword}},
		{"E null new", "old-pass", "", nil, &kii.ArgumentError{Name: "newPassword"}},
		{"E null old", "", "new-pass", nil, &kii.ArgumentError{Name: "oldPassword"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var replies []reply
			if tt.reply != nil {
				replies = append(replies, *tt.reply)
			}
			c := newCloud(t, replies...)
			err := c.session(t).ChangePassword(t.Context(), tt.old, tt.new)
			assertSameError(t, tt.want, err)
			if tt.reply != nil {
				assertRequest(t, c, http.MethodPut, sdkUsers+"me/password", changeType, body)
			}
		})
	}
}

// The cases that their authors played by hand: ResetPasswordTest.cs and
// CompleteRestPasswordTest.cs.
func TestOfficialSDKCasesPlayedByHand(t *testing.T) {
	t.Parallel()
	srv := kiitest.NewServer(kiitest.WithTest(t), kiitest.WithoutSocket())
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site(), kii.WithHTTPClient(&http.Client{Transport: srv.Transport()}))
	require.NoError(t, err)
	id := srv.AddAccount(kiitest.Account{
		Email: "test@kii.com", EmailVerified: true, Phone: "+818034068125", PhoneVerified: true, Password: "old-pass",
	})

	require.NoError(t, client.User.ResetPassword(t.Context(), "test@kii.com", kii.NotificationSMS), "D an e-mail address, by SMS")
	require.NoError(t, client.User.ResetPassword(t.Context(), "+818034068125", kii.NotificationEmail), "D a phone number, by e-mail")

	require.NoError(t, client.User.ResetPassword(t.Context(), id, kii.NotificationSMSPIN))
	_, err = client.User.Login(t.Context(), "test@kii.com", "old-pass")
	require.NoError(t, err, "D the old password works until the reset is completed")
	msg, ok := srv.LastMessage(id)
	require.True(t, ok)
	require.NoError(t, client.User.CompleteResetPassword(t.Context(), id, msg.PIN, nil), "D user ID and PIN, no password")
	msg, ok = srv.LastMessage(id)
	require.True(t, ok)
	_, err = client.User.Login(t.Context(), "test@kii.com", msg.Password)
	require.NoError(t, err, "D the password from the SMS works")
}

// assertSameError compares type, argument name, status and code.
func assertSameError(t *testing.T, want, got error) {
	t.Helper()
	switch want := want.(type) {
	case nil:
		assert.NoError(t, got)
	case *kii.ArgumentError:
		assertArgument(t, want.Name, got)
	case *kii.APIError:
		if e, ok := got.(*kii.APIError); assert.True(t, ok, "an *APIError") {
			assert.Equal(t, want.StatusCode, e.StatusCode)
			assert.Equal(t, want.Code, e.Code)
		}
	default:
		t.Fatalf("no comparison for %T", want)
	}
}

// assertArgument wants an *ArgumentError for the argument called name.
func assertArgument(t *testing.T, name string, err error) {
	t.Helper()
	if e, ok := err.(*kii.ArgumentError); assert.True(t, ok, "an *ArgumentError") {
		assert.Equal(t, name, e.Name)
		assert.NotEmpty(t, e.Reason)
		assert.False(t, kii.OutcomeUnknown(err))
	}
}

// assertRequest compares the last request, and its headers with those of calls that name the app
// or, below users/me, the user.
func assertRequest(t *testing.T, c *cloud, method, url, contentType, body string) {
	t.Helper()
	r := c.last(t)
	assert.Equal(t, method, r.method)
	assert.Equal(t, url, r.url)
	if body == "" {
		assert.Empty(t, r.body)
		assert.NotContains(t, r.header, "Content-Type")
	} else {
		assert.JSONEq(t, body, r.body)
		assert.Equal(t, []string{contentType}, r.header.Values("Content-Type"))
	}
	app := []string{r.header.Get("X-Kii-AppID"), r.header.Get("X-Kii-AppKey"), r.header.Get("Authorization")}
	if url == sdkUsers+"me" || url == sdkUsers+"me/password" {
		assert.Equal(t, []string{"", "", "Bearer access-1"}, app)
	} else {
		assert.Equal(t, []string{"appId", "appKey", ""}, app)
	}
}
