package kii_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

func TestAddressCallSendsOneRequestWithTheToken(t *testing.T) {
	t.Parallel()
	const (
		me     = "https://api.kii.com/api/apps/appId/users/me"
		verify = "application/vnd.kii.AddressVerificationRequest+json"
	)
	for op, want := range map[string]request{
		"ResendEmailVerification": {method: http.MethodPost, url: me + "/email-address/resend-verification"},
		"ResendPhoneVerification": {method: http.MethodPost, url: me + "/phone-number/resend-verification"},
		"VerifyEmail": {
			http.MethodPost, me + "/email-address/verify", http.Header{"Content-Type": {verify}}, `{"verificationCode":"012345"}`,
		},
		"VerifyPhone": {
			http.MethodPost, me + "/phone-number/verify", http.Header{"Content-Type": {verify}}, `{"verificationCode":"012345"}`,
		},
		"ChangeEmail": {
			http.MethodPut, me + "/email-address",
			http.Header{"Content-Type": {"application/vnd.kii.EmailAddressModificationRequest+json"}},
			`{"emailAddress":"new@example.com"}`,
		},
		"ChangePhone": {
			http.MethodPut, me + "/phone-number",
			http.Header{"Content-Type": {"application/vnd.kii.PhoneNumberModificationRequest+json"}},
			`{"phoneNumber":"+819087654321"}`,
		},
	} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, documented(t, op+"_done"))
			require.NoError(t, operate(t, op, c))
			header := userHeader()
			maps.Copy(header, want.header)
			want.header = header
			assert.Equal(t, want, c.last(t))
		})
	}
}

// Promise 1.
func TestVerifiedIsA200WithAnObjectOrA204(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"VerifyEmail", "VerifyPhone"} {
		for _, r := range []reply{
			replyOf(200, `{"verificationStatus":"VERIFIED"}`), replyOf(200, " {}\n"), replyOf(200, `{"verificationStatus":7}`), replyOf(204, ""),
		} {
			require.NoError(t, operate(t, op, newCloud(t, r)), string(r.Body))
		}
		for _, r := range []reply{
			replyOf(200, ""), replyOf(200, "null"), replyOf(200, "[]"), replyOf(200, `"VERIFIED"`), replyOf(200, `{"verificationStatus"`),
			replyOf(200, "<html>"), replyOf(200, `{"errorCode":"INVALID_VERIFICATION_CODE"}`), replyOf(200, `{}{}`),
			replyOf(201, "{}"), replyOf(202, ""), replyOf(302, ""),
		} {
			err := operate(t, op, newCloud(t, r))
			require.ErrorIs(t, err, kii.ErrUnexpectedReply, "%d %s", r.Status, r.Body)
			assert.True(t, kii.OutcomeUnknown(err))
		}
	}
}

// Promise 1.
func TestAnAddressIsChangedOnlyByAnAnswerWithoutABody(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"ChangeEmail", "ChangePhone", "ResendEmailVerification", "ResendPhoneVerification"} {
		require.NoError(t, operate(t, op, newCloud(t, replyOf(200, ""))))
		for _, r := range []reply{replyOf(200, "{}"), replyOf(303, ""), replyOf(200, "<html>")} {
			require.ErrorIs(t, operate(t, op, newCloud(t, r)), kii.ErrUnexpectedReply)
		}
	}
}

func TestBadCodeIsRefusedAndNotSent(t *testing.T) {
	t.Parallel()
	s := newCloud(t).session(t)
	for name, code := range map[string]string{
		"empty": "", "a control character": "0123\x0045", "a line break": "012345\n", "no UTF-8": "\xff",
		"a space in front": " 012345", "a space behind": "012345 ", "an ideographic space": "012345\u3000",
		"a zero-width space": "012345\u200b", "a direction mark": "\u202a012345\u202c", "a soft hyphen": "012\u00ad345",
		"a variation selector": "0\ufe0f", "full width": "０１２３４５", "digits of Arabic": "٠١٢٣٤٥",
		"an empty pattern": "012345\u2800", "a filler": "012345\u3164", "a long dash": "012\u2013345", "a no-break space": "012\u00a0345", "too long": strings.Repeat("1", 1001),
	} {
		assertArgument(t, "code", s.VerifyEmail(t.Context(), code))
		assertArgument(t, "code", s.VerifyPhone(t.Context(), code))
		t.Log(name)
	}
}

func TestACodeOfAnyOtherShapeIsSent(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"1", "012345", "XYZXYZXYZ", "012-345", strings.Repeat("1", 1000)} {
		c := newCloud(t, replyOf(204, ""))
		require.NoError(t, c.session(t).VerifyPhone(t.Context(), code))
		assert.JSONEq(t, `{"verificationCode":"`+code+`"}`, c.last(t).body)
	}
}

func TestBadNewAddressIsRefusedAndNotSent(t *testing.T) {
	t.Parallel()
	s := newCloud(t).session(t)
	for _, email := range []string{
		"", "alice", "@example.com", "alice@", "a@b@c", "EMAIL:alice@example.com", "mailto:a@b", "+819012345678", " a@b", "a@b ", "a @b", "a@b c",
		"Alice <a@b>", "a@b\n", "a@\x00b", "\xff@b", "a@b\u200b", "\u202aa@b\u202c", "a＠b", "ａ@b", "a@\u3000b", strings.Repeat("a", 999) + "@b",
		"alice@example.com,", "alice@example.com.", "<alice@example.com>", "a@b..c", "a@.b", "a\u00a0b@c", "a@b\u2011c", "a\u2800@b", "a@b\u3164",
	} {
		assertArgument(t, "email", s.ChangeEmail(t.Context(), email))
	}
	for _, phone := range []string{
		"", "+", "+123456", "+123456789012345678901", "819012345678", "09012345678", "JP-09012345678", "PHONE:+819012345678", "+81 90 1234 5678",
		"+81-90-1234-5678", "+8190123x5678", " +819012345678", "+819012345678 ", "+819012345678\n", "＋８１９０１２３４５６７８", "+８１９０１２３４５６７８",
		"\u202a+819012345678\u202c", "alice@example.com", "+٨١٩٠١٢٣٤٥٦٧٨", "+81९०१२३४५६७८", "\ufe62819012345678",
	} {
		assertArgument(t, "phone", s.ChangePhone(t.Context(), phone))
	}
}

func TestNewAddressIsSentAsItIs(t *testing.T) {
	t.Parallel()
	for _, email := range []string{"a@b", "a+b@c.d", "a..b.@docomo.ne.jp", "é@例え.jp", "o'hara/x=y@example.com"} {
		c := newCloud(t, replyOf(204, ""))
		require.NoError(t, c.session(t).ChangeEmail(t.Context(), email))
		assert.JSONEq(t, `{"emailAddress":"`+email+`"}`, c.last(t).body)
	}
	for _, phone := range []string{"+1234567", "+12345678901234567890"} {
		c := newCloud(t, replyOf(204, ""))
		require.NoError(t, c.session(t).ChangePhone(t.Context(), phone))
		assert.JSONEq(t, `{"phoneNumber":"`+phone+`"}`, c.last(t).body)
	}
}

func TestAddressCallOnNoSessionOrWithoutAContextIsRefused(t *testing.T) {
	t.Parallel()
	for op, call := range sessionCalls {
		assertArgument(t, "Session", call(t.Context(), nil))
		assertArgument(t, "Session", call(t.Context(), new(kii.Session)))
		assertArgument(t, "ctx", call(nil, newCloud(t).session(t)))
		t.Log(op)
	}
}

// Promise 4.
func TestAddressCallKeepsWhatItSends(t *testing.T) {
	t.Parallel()
	const everything = "012345 new@example.com NEW@EXAMPLE.COM new%40example.com +819087654321 819087654321 access-1 refresh-1 " + userID
	for _, op := range []string{"VerifyEmail", "VerifyPhone", "ChangeEmail", "ChangePhone", "ResendPhoneVerification"} {
		c := newCloud(t, replyOf(400, `{"errorCode":"INVALID_INPUT_DATA","message":"`+everything+`"}`))
		err := operate(t, op, c)
		require.ErrorIs(t, err, kii.ErrInvalidInput)
		message := strings.ToLower(err.(*kii.APIError).Message)
		for _, secret := range []string{"access-1", "refresh-1", userID} {
			assert.NotContains(t, message, secret, op)
		}
		switch op {
		case "VerifyEmail", "VerifyPhone":
			assert.NotContains(t, message, "012345")
		case "ChangeEmail":
			assert.NotContains(t, message, "new@example.com")
			assert.NotContains(t, message, "new%40example.com")
		case "ChangePhone":
			assert.NotContains(t, message, "9087654321")
		}
	}
}

// Promise 4: what ends a session repeats the token that was sent.
func TestWrongTokensReplyRepeatsTheTokenAndTheErrorDoesNot(t *testing.T) {
	t.Parallel()
	c := newCloud(t, replyOf(403, `{"errorCode":"WRONG_TOKEN","message":"access-1 is not valid","accessToken":"access-1"}`))
	err := operate(t, "VerifyPhone", c)
	require.ErrorIs(t, err, kii.ErrWrongToken)
	for _, text := range []string{err.Error(), err.(*kii.SessionError).Err.(*kii.APIError).Message} {
		assert.NotContains(t, text, "access-1")
	}
}

// A user without a verified address makes a reset possible before it is needed.
func TestUserVerifiesAnAddressInTimeForAReset(t *testing.T) {
	t.Parallel()
	srv := kiitest.NewServer(kiitest.WithTest(t), kiitest.WithoutSocket(),
		kiitest.WithSettings(func(s *kiitest.Settings) { s.VerifyPhone = true }))
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site(), kii.WithHTTPClient(&http.Client{Transport: srv.Transport()}))
	require.NoError(t, err)
	id := srv.AddAccount(kiitest.Account{LoginName: "alice", Password: "old-pass"})
	ctx := t.Context()
	require.ErrorIs(t, client.User.ResetPassword(ctx, id, kii.NotificationSMSPIN), kii.ErrAddressNotVerified)

	s, err := client.User.Login(ctx, "alice", "old-pass")
	require.NoError(t, err)
	require.NoError(t, s.ChangePhone(ctx, "+819012345678"))
	p, err := s.Profile(ctx)
	require.NoError(t, err)
	assert.Equal(t, "+819012345678", p.PendingPhone)
	assert.False(t, p.PhoneVerified)

	sms, ok := srv.LastMessage(id)
	require.True(t, ok)
	require.ErrorIs(t, s.VerifyPhone(ctx, "not-the-code"), kii.ErrWrongPIN)
	require.NoError(t, s.VerifyPhone(ctx, sms.Code))
	require.ErrorIs(t, s.ResendPhoneVerification(ctx), kii.ErrAlreadyVerified)
	p, err = s.Profile(ctx)
	require.NoError(t, err)
	assert.Equal(t, kii.Profile{
		UserID: id, LoginName: "alice", Phone: "+819012345678", PhoneVerified: true, HasPassword: new(true),
	}, *p)
	require.NoError(t, client.User.ResetPassword(ctx, id, kii.NotificationSMSPIN))
	require.NoError(t, context.Cause(ctx))
}

// FuzzVerificationReply: a verification is proved by 204, or by 200 with an object that is no
// error; else there is an *APIError.
func FuzzVerificationReply(f *testing.F) {
	for _, body := range []string{
		`{"verificationStatus":"VERIFIED"}`, `{}`, ``, `null`, `[]`, `{`, `{"errorCode":"X"}`, `{"errorCode":null}`, `{"a":1}{}`, " {} ", "\xff",
	} {
		f.Add(200, body)
		f.Add(204, body)
		f.Add(403, body)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		err := resumed(t, newClient(t, canned{status, body})).VerifyPhone(t.Context(), "012345")
		if err == nil {
			var object map[string]json.RawMessage
			isObject := json.Unmarshal([]byte(strings.TrimPrefix(body, "\ufeff")), &object) == nil && object != nil && object["errorCode"] == nil
			if !(status == http.StatusNoContent || status == http.StatusOK && isObject) {
				t.Fatalf("%d %q is a success", status, body)
			}
			return
		}
		if over, ok := err.(*kii.SessionError); ok {
			err = over.Err
		}
		if _, ok := err.(*kii.APIError); !ok {
			t.Fatalf("%T", err)
		}
	})
}
