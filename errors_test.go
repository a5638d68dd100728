package kii_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
)

// meanings tells what each documented reply means; empty: success.
var meanings = map[string]kii.ErrorCode{
	"ResetPassword_done":                         "",
	"ResetPassword_user_not_found":               kii.ErrUserNotFound,
	"ResetPassword_no_password":                  kii.ErrNoPassword,
	"ResetPassword_address_not_verified":         kii.ErrAddressNotVerified,
	"ResetPassword_user_disabled":                kii.ErrUserDisabled,
	"ResetPassword_invalid_input":                kii.ErrInvalidInput,
	"ResetPassword_invalid_json":                 "INVALID_JSON",
	"ResetPassword_app_not_found":                kii.ErrAppNotFound,
	"ResetPassword_rate_limited":                 kii.ErrRateLimited,
	"ResetPassword_unavailable":                  "RESOURCE_TEMPORARILY_UNAVAILABLE",
	"CompleteResetPassword_done":                 "",
	"CompleteResetPassword_pin_missing":          kii.ErrInvalidInput,
	"CompleteResetPassword_password_unchanged":   kii.ErrInvalidInput,
	"CompleteResetPassword_password_too_short":   kii.ErrPasswordTooShort,
	"CompleteResetPassword_wrong_pin":            kii.ErrWrongPIN,
	"CompleteResetPassword_pin_expired":          kii.ErrPINExpired,
	"CompleteResetPassword_address_not_verified": kii.ErrAddressNotVerified,
	"CompleteResetPassword_user_not_found":       kii.ErrUserNotFound,
	"CompleteResetPassword_user_disabled":        kii.ErrUserDisabled,
	"CompleteResetPassword_unauthorized":         kii.ErrUnauthorized,
	"CompleteResetPassword_rate_limited":         kii.ErrRateLimited,
	"Login_done":                                 "",
	"Login_with_refresh_token":                   "",
	"Login_wrong_credentials":                    kii.ErrWrongCredentials,
	"Login_authentication_failed":                kii.ErrAuthenticationFailed,
	"Login_user_disabled":                        kii.ErrUserDisabled,
	"Login_app_not_found":                        kii.ErrAppNotFound,
	"Login_rate_limited":                         kii.ErrRateLimited,
	"Profile_done":                               "",
	"Profile_wrong_token":                        kii.ErrWrongToken,
	"Profile_unauthorized":                       kii.ErrUnauthorized,
	"Profile_authentication_failed":              kii.ErrAuthenticationFailed,
	"Profile_user_disabled":                      kii.ErrUserDisabled,
	"Profile_user_not_found":                     kii.ErrUserNotFound,
	"Profile_rate_limited":                       kii.ErrRateLimited,
	"ChangePassword_done":                        "",
	"ChangePassword_wrong_password":              kii.ErrWrongPassword,
	"ChangePassword_password_too_short":          kii.ErrPasswordTooShort,
	"ChangePassword_no_password":                 kii.ErrNoPassword,
	"ChangePassword_wrong_token":                 kii.ErrWrongToken,
	"ChangePassword_unauthorized":                kii.ErrUnauthorized,
	"ChangePassword_user_not_found":              kii.ErrUserNotFound,
	"ChangePassword_rate_limited":                kii.ErrRateLimited,
	"Refresh_done":                               "",
	"Refresh_wrong_refresh_token":                kii.ErrWrongRefreshToken,
	"Refresh_invalid_grant":                      kii.ErrWrongCredentials,
	"ResendEmailVerification_already_verified":   kii.ErrAlreadyVerified,
	"ResendEmailVerification_done":               "",
	"ResendEmailVerification_rate_limited":       kii.ErrRateLimited,
	"ResendEmailVerification_user_not_found":     kii.ErrUserNotFound,
	"ResendEmailVerification_wrong_token":        kii.ErrWrongToken,
	"ResendPhoneVerification_already_verified":   kii.ErrAlreadyVerified,
	"ResendPhoneVerification_done":               "",
	"ResendPhoneVerification_rate_limited":       kii.ErrRateLimited,
	"ResendPhoneVerification_user_not_found":     kii.ErrUserNotFound,
	"ResendPhoneVerification_wrong_token":        kii.ErrWrongToken,
	"VerifyEmail_already_verified":               kii.ErrAlreadyVerified,
	"VerifyEmail_done":                           "",
	"VerifyEmail_done_without_body":              "",
	"VerifyEmail_no_code_pending":                kii.ErrNoCodePending,
	"VerifyEmail_rate_limited":                   kii.ErrRateLimited,
	"VerifyEmail_user_not_found":                 kii.ErrUserNotFound,
	"VerifyEmail_wrong_code":                     kii.ErrWrongPIN,
	"VerifyEmail_wrong_token":                    kii.ErrWrongToken,
	"VerifyPhone_already_verified":               kii.ErrAlreadyVerified,
	"VerifyPhone_code_expired":                   kii.ErrCodeExpired,
	"VerifyPhone_done":                           "",
	"VerifyPhone_done_without_body":              "",
	"VerifyPhone_no_code_pending":                kii.ErrNoCodePending,
	"VerifyPhone_rate_limited":                   kii.ErrRateLimited,
	"VerifyPhone_user_not_found":                 kii.ErrUserNotFound,
	"VerifyPhone_wrong_code":                     kii.ErrWrongPIN,
	"VerifyPhone_wrong_token":                    kii.ErrWrongToken,
	"ChangeEmail_address_taken":                  kii.ErrAddressTaken,
	"ChangeEmail_done":                           "",
	"ChangeEmail_invalid_input":                  kii.ErrInvalidInput,
	"ChangeEmail_rate_limited":                   kii.ErrRateLimited,
	"ChangeEmail_wrong_token":                    kii.ErrWrongToken,
	"ChangePhone_address_taken":                  kii.ErrAddressTaken,
	"ChangePhone_done":                           "",
	"ChangePhone_invalid_input":                  kii.ErrInvalidInput,
	"ChangePhone_rate_limited":                   kii.ErrRateLimited,
	"ChangePhone_wrong_token":                    kii.ErrWrongToken,
	"User_done":                                  "",
	"User_rate_limited":                          kii.ErrRateLimited,
	"User_unauthorized":                          kii.ErrUnauthorized,
	"User_user_not_found":                        kii.ErrUserNotFound,
	"SetPassword_done":                           "",
	"SetPassword_no_password":                    kii.ErrNoPassword,
	"SetPassword_password_too_short":             kii.ErrPasswordTooShort,
	"SetPassword_rate_limited":                   kii.ErrRateLimited,
	"SetPassword_unauthorized":                   kii.ErrUnauthorized,
	"SetPassword_user_not_found":                 kii.ErrUserNotFound,
	"SetEmail_address_taken":                     kii.ErrAddressTaken,
	"SetEmail_done":                              "",
	"SetEmail_rate_limited":                      kii.ErrRateLimited,
	"SetEmail_unauthorized":                      kii.ErrUnauthorized,
	"SetEmail_user_not_found":                    kii.ErrUserNotFound,
	"SetPhone_address_taken":                     kii.ErrAddressTaken,
	"SetPhone_done":                              "",
	"SetPhone_rate_limited":                      kii.ErrRateLimited,
	"SetPhone_unauthorized":                      kii.ErrUnauthorized,
	"SetPhone_user_not_found":                    kii.ErrUserNotFound,
	"SetDisabled_done":                           "",
	"SetDisabled_rate_limited":                   kii.ErrRateLimited,
	"SetDisabled_unauthorized":                   kii.ErrUnauthorized,
	"SetDisabled_user_not_found":                 kii.ErrUserNotFound,
	"Admin_done":                                 "",
	"Admin_wrong_credentials":                    kii.ErrWrongCredentials,
	"Admin_client_credentials_not_found":         "CLIENT_CREDENTIALS_NOT_FOUND",
	"Admin_authentication_failed":                kii.ErrAuthenticationFailed,
	"Admin_app_not_found":                        kii.ErrAppNotFound,
	"Admin_rate_limited":                         kii.ErrRateLimited,
}

func TestDocumentedReplyMeansWhatItSays(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.json")
	require.NoError(t, err)
	require.Len(t, files, len(meanings), "each file has a meaning")
	for name, want := range meanings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			op, _, _ := strings.Cut(name, "_")
			r := documented(t, name)
			operate := operate
			if op == "Admin" {
				op, operate = "User", operateWithToken // the request for the token that User needs
			}
			err := operate(t, op, newCloud(t, r))
			if want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, want)
			code, ok := errors.AsType[kii.ErrorCode](err)
			require.True(t, ok)
			assert.Equal(t, want, code)
			e, ok := errors.AsType[*kii.APIError](err)
			require.True(t, ok)
			assert.Equal(t, op, e.Op)
			assert.Equal(t, r.Status, e.StatusCode)
			assert.Equal(t, len(r.Body) == 0, e.Message == "")
			assert.Equal(t, want == kii.ErrPasswordTooShort, e.MinPasswordLength == 8)
			assert.Equal(t, r.Status >= 500, kii.OutcomeUnknown(err))
		})
	}
}

func TestErrorIsFoundByCodeAndByTypeThroughAnyWrapping(t *testing.T) {
	t.Parallel()
	err := operate(t, "CompleteResetPassword", newCloud(t, documented(t, "CompleteResetPassword_pin_expired")))
	for _, err := range []error{err, fmt.Errorf("handler: %w", err), errors.Join(errors.New("other"), err), &kii.SessionError{Err: err}} {
		require.ErrorIs(t, err, kii.ErrPINExpired)
		require.ErrorIs(t, err, kii.ErrorCode("PIN_CODE_EXPIRED"))
		assert.NotErrorIs(t, err, kii.ErrWrongPIN)
		e, ok := errors.AsType[*kii.APIError](err)
		require.True(t, ok)
		assert.Equal(t, 410, e.StatusCode)
		var code kii.ErrorCode
		require.ErrorAs(t, err, &code)
		assert.Equal(t, kii.ErrPINExpired, code)
	}
	err = operate(t, "Login", newCloud(t, refusal(418, "SOMETHING_NEW")))
	require.ErrorIs(t, err, kii.ErrorCode("SOMETHING_NEW"))
}

func TestOutcomeUnknownIsTrueWhereTheCallMayHaveBeenCarriedOut(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err  error
		want bool
	}{
		"success":             {nil, false},
		"another error":       {errors.New("x"), false},
		"argument":            {&kii.ArgumentError{Name: "id"}, false},
		"not sent":            {&kii.TransportError{NotSent: true, Err: context.Canceled}, false},
		"no answer":           {&kii.TransportError{Err: context.Canceled}, true},
		"no answer, wrapped":  {fmt.Errorf("x: %w", &kii.TransportError{Err: context.Canceled}), true},
		"a 400":               {&kii.APIError{StatusCode: 400, Code: kii.ErrInvalidInput}, false},
		"a 429":               {&kii.APIError{StatusCode: 429, Code: kii.ErrRateLimited}, false},
		"a 499":               {&kii.APIError{StatusCode: 499, Code: "X"}, false},
		"a 500":               {&kii.APIError{StatusCode: 500, Code: "UNDEFINED_ERROR"}, true},
		"a 599":               {&kii.APIError{StatusCode: 599, Code: kii.ErrUserNotFound}, true},
		"unexpected 200":      {&kii.APIError{StatusCode: 200, Code: kii.ErrUnexpectedReply}, true},
		"unexpected 302":      {&kii.APIError{StatusCode: 302, Code: kii.ErrUnexpectedReply}, true},
		"unexpected 403":      {&kii.APIError{StatusCode: 403, Code: kii.ErrUnexpectedReply}, true},
		"the code":            {kii.ErrUnexpectedReply, true},
		"another code":        {kii.ErrRateLimited, false},
		"a dead session":      {&kii.SessionError{Err: &kii.APIError{StatusCode: 403, Code: kii.ErrWrongToken}}, false},
		"after the change":    {&kii.SessionError{}, false},
		"a bare time-out":     {context.DeadlineExceeded, false},
		"not sent and joined": {errors.Join(errors.New("x"), &kii.TransportError{NotSent: true, Err: errors.New("y")}), false},
		"unsent, then lost":   {errors.Join(unsent, lost), true},
		"lost, then unsent":   {errors.Join(lost, unsent), true},
		"unsent, then a 500":  {fmt.Errorf("%w, then %w", unsent, &kii.APIError{StatusCode: 500, Code: "X"}), true},
		"unsent twice":        {errors.Join(unsent, unsent), false},
		"attempts":            {attempts{unsent, lost, unsent}, true},
		"attempts, wrapped":   {fmt.Errorf("x: %w", attempts{unsent, attempts{lost}, unsent}), true},
		"because of another":  {&kii.TransportError{NotSent: true, Err: errors.Join(context.Canceled, lost)}, false},
		"because of a 500":    {&kii.TransportError{NotSent: true, Err: &kii.APIError{StatusCode: 500}}, false},
	} {
		assert.Equal(t, tt.want, kii.OutcomeUnknown(tt.err), name)
	}
}

var (
	unsent = &kii.TransportError{NotSent: true, Err: context.Canceled}
	lost   = &kii.TransportError{Err: context.Canceled}
)

// attempts are the errors of several, as packages that retry return them: Unwrap knows only the
// last.
type attempts []error

func (a attempts) Error() string { return fmt.Sprint([]error(a)) }
func (a attempts) Unwrap() error { return a[len(a)-1] }
func (a attempts) Is(target error) bool {
	return slices.ContainsFunc(a, func(e error) bool { return errors.Is(e, target) })
}

func (a attempts) As(target any) bool {
	return slices.ContainsFunc(a, func(e error) bool { return errors.As(e, target) })
}

func TestRevealsAccountIsTrueForTheFourCodesThatTellAStranger(t *testing.T) {
	t.Parallel()
	reveals := map[kii.ErrorCode]bool{
		kii.ErrUserNotFound: true, kii.ErrAddressNotVerified: true, kii.ErrNoPassword: true, kii.ErrUserDisabled: true,
		kii.ErrWrongPIN: false, kii.ErrPINExpired: false, kii.ErrPasswordTooShort: false, kii.ErrInvalidInput: false,
		kii.ErrWrongPassword: false, kii.ErrWrongCredentials: false, kii.ErrWrongToken: false, kii.ErrWrongRefreshToken: false,
		kii.ErrUnauthorized: false, kii.ErrAuthenticationFailed: false, kii.ErrAppNotFound: false,
		kii.ErrAlreadyVerified: false, kii.ErrCodeExpired: false, kii.ErrNoCodePending: false, kii.ErrAddressTaken: false,
		kii.ErrRateLimited: false, kii.ErrUnexpectedReply: false, "SOMETHING_NEW": false,
	}
	for code, want := range reveals {
		assert.Equal(t, want, kii.RevealsAccount(fmt.Errorf("handler: %w", &kii.APIError{Code: code})), code)
	}
	assert.False(t, kii.RevealsAccount(nil))
	assert.False(t, kii.RevealsAccount(&kii.ArgumentError{Name: "id"}))
	assert.False(t, kii.RevealsAccount(&kii.TransportError{Err: context.Canceled}))
}

func TestErrorCodeIsKiiCloudsOrElseUnexpectedReply(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]kii.ErrorCode{
		`{"errorCode":"A"}`:                                "A",
		`{"errorCode":"a_b_2"}`:                            "a_b_2",
		`{"error":"invalid_grant"}`:                        kii.ErrWrongCredentials,
		`{"errorCode":"X","error":"y"}`:                    "X",
		`{"errorCode":7,"error":"y"}`:                      "y",
		`{"errorCode":"","error":"y"}`:                     kii.ErrUnexpectedReply,
		`{"errorCode":"X","message":7,"minimumLength":{}}`: "X",
		`{"errorCode":"` + strings.Repeat("A", 64) + `"}`:  kii.ErrorCode(strings.Repeat("A", 64)),
		`{"errorCode":"` + strings.Repeat("A", 65) + `"}`:  kii.ErrUnexpectedReply,
		`{"errorCode":"Mixed_Case"}`:                       kii.ErrUnexpectedReply,
		`{"errorCode":"_X"}`:                               kii.ErrUnexpectedReply,
		`{"errorCode":"9X"}`:                               kii.ErrUnexpectedReply,
		`{"errorCode":"X Y"}`:                              kii.ErrUnexpectedReply,
		`{"errorCode":"X\n"}`:                              kii.ErrUnexpectedReply,
		`{"errorCode":"X-Y"}`:                              kii.ErrUnexpectedReply,
		`{"errorCode":"É"}`:                                kii.ErrUnexpectedReply,
		`{"errorCode":""}`:                                 kii.ErrUnexpectedReply,
		`{"errorCode":["X"]}`:                              kii.ErrUnexpectedReply,
		`{"errorCode":"X"`:                                 kii.ErrUnexpectedReply,
		"\ufeff" + `{"errorCode":"X"}`:                     "X", // RFC 8259, section 8.1
		`{"errorCode":"X"}` + "\x00":                       kii.ErrUnexpectedReply,
		`{"ERRORCODE":"X"}`:                                kii.ErrUnexpectedReply,
		`{"errorCode":"X","ErrorCode":"Y"}`:                "X",
		`["X"]`:                                            kii.ErrUnexpectedReply,
		`"X"`:                                              kii.ErrUnexpectedReply,
		`null`:                                             kii.ErrUnexpectedReply,
		``:                                                 kii.ErrUnexpectedReply,
		`<html>`:                                           kii.ErrUnexpectedReply,
	} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			for _, status := range []int{400, 403, 500} {
				err := operate(t, "Login", newCloud(t, replyOf(status, body)))
				e, ok := err.(*kii.APIError)
				require.True(t, ok)
				assert.Equal(t, want, e.Code)
				text := fmt.Sprintf("kii: Login: %d %s", status, want)
				if want == kii.ErrUnexpectedReply {
					require.NotEmpty(t, e.Reason)
					text += ": " + e.Reason
				} else {
					assert.Empty(t, e.Reason)
				}
				if want == kii.ErrUnexpectedReply || status == 500 {
					text += ", the outcome is unknown"
				}
				assert.Equal(t, text, e.Error())
			}
		})
	}
}

// A 429 is one whatever its body: the status says that nothing was done.
func TestRateLimitIsAny429(t *testing.T) {
	t.Parallel()
	zipped := http.Header{"Content-Encoding": {"gzip"}}
	for name, tt := range map[string]struct {
		body   string
		header http.Header
		code   kii.ErrorCode
	}{
		"bare":                    {"", nil, kii.ErrRateLimited},
		"a page":                  {"<html>slow down</html>", nil, kii.ErrRateLimited},
		"no code":                 {"{}", nil, kii.ErrRateLimited},
		"an unusable code":        {`{"errorCode":"Slow down"}`, nil, kii.ErrRateLimited},
		"another code":            {`{"errorCode":"QUOTA_EXCEEDED"}`, nil, "QUOTA_EXCEEDED"},
		"a code of OAuth's":       {`{"error":"rate_limited"}`, nil, "rate_limited"},
		"too long":                {strings.Repeat("x", 256<<10+1), nil, kii.ErrRateLimited},
		"text that is no gzip":    {"slow down, please", zipped, kii.ErrRateLimited},
		"text of a few bytes":     {"no", zipped, kii.ErrRateLimited},
		"gzip that ends too soon": {"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xab\x56", zipped, kii.ErrRateLimited},
		"gzip with a wrong sum":   {"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x03\x00\x01\x00\x00\x00\x00\x00\x00\x00", zipped, kii.ErrRateLimited},
	} {
		for op := range operations {
			t.Run(name+" "+op, func(t *testing.T) {
				t.Parallel()
				r := replyOf(429, tt.body)
				r.header = http.Header{"Retry-After": {"120"}}
				maps.Copy(r.header, tt.header)
				code := tt.code
				if code == "rate_limited" && (op == "ResetPassword" || op == "CompleteResetPassword") {
					code = kii.ErrRateLimited // OAuth's field is not Kii Cloud's there
				}
				err := operate(t, op, newCloud(t, r))
				require.ErrorIs(t, err, kii.ErrRateLimited)
				require.ErrorIs(t, err, code)
				assert.Equal(t, 2*time.Minute, err.(*kii.APIError).RetryAfter)
				assert.Equal(t, fmt.Sprintf("kii: %s: 429 %s", op, code), err.Error())
				assert.False(t, kii.OutcomeUnknown(err))
			})
		}
	}
}

func TestRateLimitIsFoundThoughItsBodyBreaksOff(t *testing.T) {
	t.Parallel()
	for _, broken := range []error{io.ErrUnexpectedEOF, errors.New("connection reset by peer")} {
		err := newClient(t, tripper(func(*http.Request) (*http.Response, error) {
			r := replyOf(429, "").response()
			r.Header.Set("Retry-After", "120")
			r.Body = io.NopCloser(iotest.ErrReader(broken))
			return r, nil
		})).User.ResetPassword(t.Context(), "alice", kii.NotificationEmail)
		require.ErrorIs(t, err, kii.ErrRateLimited)
		assert.Equal(t, 2*time.Minute, err.(*kii.APIError).RetryAfter)
		assert.False(t, kii.OutcomeUnknown(err))
	}
}

// OAuth's field "error" is Kii Cloud's at the token endpoint and in answers to a bearer. Elsewhere
// it is that of a gateway, which does not know what happened behind it. Nor does one that writes an
// errorCode of its own, with a status that Kii Cloud does not use.
func TestErrorOfAGatewayIsNoCode(t *testing.T) {
	t.Parallel()
	gateways := []int{408, 409, 424, 430, 444, 460, 463, 494, 498, 499}
	for op := range operations {
		oauth := op != "ResetPassword" && op != "CompleteResetPassword"
		check := func(status int, body string, isCode bool) {
			err := operate(t, op, newCloud(t, replyOf(status, body)))
			assert.Equal(t, isCode, errors.Is(err, kii.ErrorCode("timeout")) || errors.Is(err, kii.ErrorCode("TIMEOUT")), "%s %d %s", op, status, body)
			assert.Equal(t, !isCode, kii.OutcomeUnknown(err), "%s %d %s", op, status, body)
		}
		for _, status := range append(gateways, 520, 599) {
			check(status, `{"error":"timeout"}`, false)
			check(status, `{"errorCode":"TIMEOUT","message":"late"}`, false)
			check(status, `{"errorCode":"timeout"}`, false)
		}
		for _, status := range []int{400, 401, 403, 404, 410, 422} {
			check(status, `{"error":"timeout"}`, oauth)
			check(status, `{"errorCode":"TIMEOUT"}`, true)
		}
	}
	for _, status := range gateways {
		err := operate(t, "ResetPassword", newCloud(t, refusal(status, kii.ErrAddressNotVerified)))
		require.ErrorIs(t, err, kii.ErrAddressNotVerified, "%d: Kii Cloud's by its name", status)
		assert.False(t, kii.OutcomeUnknown(err))
		r := refusal(status, "SOMETHING_NEW")
		r.ContentType = "Application/vnd.kii.SomethingNewException+json; charset=utf-8"
		err = operate(t, "ChangePassword", newCloud(t, r))
		require.ErrorIs(t, err, kii.ErrorCode("SOMETHING_NEW"), "%d: Kii Cloud's by its type", status)
		assert.False(t, kii.OutcomeUnknown(err))
	}
}

func TestUnexpectedReplyTellsWhatWasNotExpected(t *testing.T) {
	t.Parallel()
	page := replyOf(200, "<title>Log in to the hotel's network</title>")
	page.ContentType = "Text/HTML; charset=utf-8"
	gateway := page
	gateway.Status = 502
	redirect := replyOf(302, "")
	redirect.ContentType = "text/html"
	gzip := replyOf(200, "this is no gzip")
	gzip.header = http.Header{"Content-Encoding": {"gzip"}}
	for _, tt := range []struct {
		op    string
		reply reply
		want  string
	}{
		{"ResetPassword", page, "a page of text/html"},
		{"Login", page, "a page of text/html"},
		{"Profile", gateway, "a page of text/html"},
		{"ResetPassword", redirect, "a redirect"},
		{"ResetPassword", replyOf(302, strings.Repeat("x", 256<<10+1)), "a redirect"},
		{"ResetPassword", replyOf(200, "{}"), "a body where none belongs"},
		{"ResetPassword", replyOf(200, strings.Repeat("x", 256<<10+1)), "too long"},
		{"ResetPassword", gzip, "cannot be decompressed"},
		{"ResetPassword", replyOf(404, ""), "an empty body"},
		{"ResetPassword", replyOf(404, "not here"), "not a JSON object"},
		{"ResetPassword", replyOf(404, "{}"), "no errorCode"},
		{"ResetPassword", replyOf(404, `{"error":"timeout"}`), "no errorCode"},
		{"ResetPassword", refusal(404, "Not Found"), "an unusable errorCode"},
		{"Login", replyOf(200, "hello"), "not a JSON object"},
		{"Login", replyOf(200, "[]"), "not a JSON object"},
		{"Login", replyOf(201, `{"id":"u","access_token":"a"}`), "not the status of a success"},
		{"Login", replyOf(200, "{}"), "no user ID"},
		{"Login", replyOf(200, `{"id":"u"}`), "no access token"},
		{"Refresh", replyOf(200, `{"id":"u","access_token":"a"}`), "another user's"},
		{"Profile", replyOf(200, "{}"), "no user ID"},
		{"Profile", replyOf(200, `{"userID":"u"}`), "another user's"},
	} {
		err := operate(t, tt.op, newCloud(t, tt.reply))
		require.ErrorIs(t, err, kii.ErrUnexpectedReply)
		assert.Equal(t, tt.want, err.(*kii.APIError).Reason, "%s %d %.20s", tt.op, tt.reply.Status, tt.reply.Body)
		assert.Contains(t, err.Error(), "UNEXPECTED_REPLY: "+tt.want+", the outcome is unknown")
	}
}

// net/http's own text for a proxy's refusal is "Bad Gateway", and for a mistrusted certificate one
// without its issuer.
func TestErrorNamesTheHostThatCannotBeReached(t *testing.T) {
	t.Parallel()
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	defer refuses.Close()
	proxy, err := url.Parse(refuses.URL)
	require.NoError(t, err)
	mistrusted := httptest.NewUnstartedServer(nil)
	mistrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	mistrusted.StartTLS()
	defer mistrusted.Close()
	for want, hc := range map[string]*http.Client{
		"Bad Gateway": {Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}},
		"tls: failed to verify certificate: x509: certificate signed by unknown authority: O=Acme Co": {},
	} {
		client, err := kii.New("app-id", "app-key", kii.Site(mistrusted.URL), kii.WithHTTPClient(hc), kii.WithMaxRetries(0))
		require.NoError(t, err)
		err = client.User.ResetPassword(t.Context(), "alice@example.com", kii.NotificationEmail)
		assert.EqualError(t, err, "kii: ResetPassword: not sent: connecting to 127.0.0.1: "+want)
		a, err := client.Admin("client-id", "client-secret")
		require.NoError(t, err)
		err = a.SetPassword(t.Context(), "alice@example.com", "new-password")
		assert.EqualError(t, err, "kii: SetPassword: not sent: no token for the administrator: connecting to 127.0.0.1: "+want)
	}
}

func TestMinPasswordLengthIsToldOrZero(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]int{`8`: 8, `0`: 0, `-8`: 0, `"8"`: 0, `8.5`: 0, `null`: 0, `99999999999999999999`: 0} {
		body := `{"errorCode":"PASSWORD_TOO_SHORT","minimumLength":` + value + `}`
		err := operate(t, "CompleteResetPassword", newCloud(t, replyOf(400, body)))
		require.ErrorIs(t, err, kii.ErrPasswordTooShort)
		assert.Equal(t, want, err.(*kii.APIError).MinPasswordLength, value)
	}
}

func TestRetryAfterIsASpanOrADate(t *testing.T) {
	t.Parallel()
	const longest = 9223372036 * time.Second
	for value, want := range map[string]time.Duration{
		"":                                 0,
		"0":                                0,
		"120":                              2 * time.Minute,
		"007":                              7 * time.Second,
		"-1":                               0,
		"+1":                               0,
		"1.5":                              0,
		"1h":                               0,
		"soon":                             0,
		"9223372037":                       longest,
		"9223372036854775807":              longest,
		"99999999999999999999":             longest,
		"Sat, 01 Jan 2000 00:01:30 GMT":    90 * time.Second, // a bubble begins at midnight
		"Saturday, 01-Jan-00 00:01:30 GMT": 90 * time.Second,
		"Saturday, 01-Jan-00 00:01:30 JST": 0, // which a machine in Tokyo would read as another time
		"Sat Jan  1 00:01:30 2000":         90 * time.Second,
		"Saturday, 01-Jul-00 00:00:00 GMT": 182 * 24 * time.Hour, // which is summer time in London
		"Fri, 31 Dec 1999 23:59:59 GMT":    0,
	} {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := documented(t, "ResetPassword_rate_limited")
				r.header = http.Header{"Retry-After": {value}}
				err := operate(t, "ResetPassword", newCloud(t, r))
				require.ErrorIs(t, err, kii.ErrRateLimited)
				assert.Equal(t, want, err.(*kii.APIError).RetryAfter)
			})
		})
	}
}

func TestRetryAfterIsReadByTheServersClock(t *testing.T) {
	t.Parallel()
	r := replyOf(429, "")
	r.header = http.Header{"Date": {"Wed, 21 Oct 2015 07:28:00 GMT"}, "Retry-After": {"Wed, 21 Oct 2015 07:30:00 GMT"}}
	err := operate(t, "ResetPassword", newCloud(t, r))
	require.ErrorIs(t, err, kii.ErrRateLimited)
	assert.Equal(t, 2*time.Minute, err.(*kii.APIError).RetryAfter)
}
