package kii_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
)

// Promise 4, for what the server repeats of a request.
func TestMessageIsKeptUnlessItShowsASecretOfThisRequest(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		id, pin, password, message string
		kept                       bool
	}{
		{id: "alice", message: "nothing of note", kept: true},
		{id: "alice", message: "PIN 12345 is too short", kept: true},
		{id: "alice", message: "PIN 012345 is not right"},
		{id: "alice", message: "012345012345"},
		{id: "alice", message: "N3W-PASS"},
		{id: "alice", message: "Alice"},
		{id: "alice", message: "no app with APPKEY"},
		{id: "alice", pin: "12", message: "no 1234 or 12"},
		{id: "alice", pin: "1", message: "PIN 1 of 1", kept: true},    // most texts hold any one character
		{id: "alice", pin: "1511", message: "in context", kept: true}, // in another case base64 is another text
		{id: "alice", pin: "1501", message: "INVALID_SYNTAX", kept: true},
		{id: "alice", pin: "1511", message: "MTUxMQ=="},
		{id: "alice", pin: "a-b", message: "a+b", kept: true},
		{id: "alice", pin: "é1", message: "PIN É1"},
		{id: "alice", pin: "é1", message: "%C3%A91"},
		{id: "alice", pin: "é1", message: `\u00e91`},
		{id: "alice", pin: "ſecret", message: "SECRET"},
		{id: "alice", pin: "1+2", message: "1%2b2"},
		{id: "alice", pin: "1+2 3", message: "1+2%203"},
		{id: "alice", pin: ".*(", message: "abcd", kept: true},
		{id: "alice", pin: ".*(", message: "(?i:.*()"},
		{id: "alice", password: `a "b" c`, message: `a%20%22b%22%20c`},
		{id: "alice", password: `a "b" c`, message: `a+%22b%22+c`},
		{id: "alice", password: `a "b" c`, message: `a \"b\" c`},
		{id: "alice", password: `a "b" c`, message: `a "b" c`},
		{id: "alice", pin: `é<"1`, message: `{"pinCode":"é<\"1"}`},
		{id: "alice", password: `a<b>c&d-1`, message: `{"newPassword":"a<b>c&d-1"}`},
		{id: "alice", password: `a<b>c&d-1`, message: `{"newPassword":"a\u003cb\u003ec\u0026d-1"}`},
		{id: "alice", password: `a<b>c&d-1`, message: `<p>a&lt;b&gt;c&amp;d-1</p>`},
		{id: "alice", password: `a\b\c`, message: `{"newPassword":"a\\b\\c"}`},
		{id: "alice", password: "p%xass-word", message: `p\%\xass-word`},
		{id: "alice", password: "a-long-password", message: "b3Jk", kept: true}, // base64 of its end, which is too short to go by
		{id: "a@example.com", message: "A@Example.COM"},
		{id: "a@example.com", message: "EMAIL:a@example.com"},
		{id: "a@example.com", message: "EMAIL:a%40example.com"},
		{id: "EMAIL:a@example.com", message: "a@example.com"},
		{id: "PHONE:JP-09012345678", message: "JP-09012345678"},
		{id: "PHONE:JP-09012345678", message: "+819012345678"},
		{id: "+819012345678", message: "+819012345678"},
		{id: "+819087654321", message: "09087654321"},
		{id: "+819087654321", message: "number 7654321"},
		{id: "+1234567", message: "no 234567", kept: true}, // too few to go by
		{id: "PHONE:JP-0000012", message: "PHONE:JP-0000012"},
		{id: "PHONE:JP-0000001", message: "number 1", kept: true},
		{id: "+819012345678", message: "%2B819012345678"},
		{id: "+819012345678", message: "819012345678"},
		{id: "LOGIN_NAME:alice", message: "user alice"},
	} {
		t.Run(tt.id+" "+tt.message, func(t *testing.T) {
			t.Parallel()
			body, err := json.Marshal(map[string]any{"errorCode": "INVALID_VERIFICATION_CODE", "message": tt.message})
			require.NoError(t, err)
			c := newCloud(t, replyOf(403, string(body)))
			err = c.User.CompleteResetPassword(t.Context(), tt.id, cmp.Or(tt.pin, "012345"), new(cmp.Or(tt.password, "n3w-pass")))
			require.ErrorIs(t, err, kii.ErrWrongPIN)
			want := tt.message
			if !tt.kept {
				want = "[redacted]"
			}
			assert.Equal(t, want, err.(*kii.APIError).Message)
			assert.Equal(t, "kii: CompleteResetPassword: 403 INVALID_VERIFICATION_CODE", err.Error())
		})
	}
}

// Promise 4: Gson, PHP, JavaScript and the makers of XML escape more, or otherwise, than Go does.
func TestMessageThatShowsASecretOnlyWhenItIsDecodedIsBlanked(t *testing.T) {
	t.Parallel()
	password := `a/b='c"<&>d+1`
	for _, message := range []string{
		`{"newPassword":"a/b\u003d\u0027c\"\u003c\u0026\u003ed+1"}`,
		`{"newPassword":"a\/b='c\"<&>d+1"}`,
		`"{\"newPassword\":\"a/b='c\\\"<&>d+1\"}"`,
		`a\x2fb\x3d\x27c\x22\x3c\x26\x3ed\x2b1`,
		`<p>a/b=&apos;c&quot;&lt;&amp;&gt;d+1</p>`,
		`<p>a&#x2F;b&#x3D;&#039;c&quot;&lt;&amp;&gt;d&#43;1</p>`,
		`/?p=a/b='c%22%3C&%3Ed+1`,
		`/?p=a%252Fb%253D%2527c%2522%253C%2526%253Ed%252B1`,
		`?auth=eDphL2I9J2MiPCY%2BZCsx`,
		`%25252525252525252525`,
	} {
		body, err := json.Marshal(map[string]any{"errorCode": "INVALID_INPUT_DATA", "message": message})
		require.NoError(t, err)
		c := newCloud(t, replyOf(400, string(body)))
		err = c.User.CompleteResetPassword(t.Context(), "alice", "012345", &password)
		require.ErrorIs(t, err, kii.ErrInvalidInput)
		assert.Equal(t, "[redacted]", err.(*kii.APIError).Message, message)
	}
	const harmless = `50 % of <p>&nbsp;\ %2G \u00e \ud83d &amp; 50%25`
	body, err := json.Marshal(map[string]any{"errorCode": "INVALID_INPUT_DATA", "message": harmless})
	require.NoError(t, err)
	err = newCloud(t, replyOf(400, string(body))).User.CompleteResetPassword(t.Context(), "alice", "012345", &password)
	assert.Equal(t, harmless, err.(*kii.APIError).Message)
}

// Promise 4: JSON and JavaScript write a character beyond 16 bits as two.
func TestMessageThatShowsASecretAsSurrogatesIsBlanked(t *testing.T) {
	t.Parallel()
	c := newCloud(t, replyOf(400, `{"errorCode":"INVALID_INPUT_DATA","message":"no user \\ud842\\udfb7x"}`))
	err := c.User.ResetPassword(t.Context(), "𠮷x", kii.NotificationEmail)
	require.ErrorIs(t, err, kii.ErrInvalidInput)
	assert.Equal(t, "[redacted]", err.(*kii.APIError).Message)
}

// Promise 4: the usual echo is that of a Basic authorization.
func TestMessageThatShowsASecretInHexadecimalOrBase64IsBlanked(t *testing.T) {
	t.Parallel()
	password := `a/b='c"<&>d+1`
	for _, message := range []string{
		`in bytes: 612f623d2763223c263e642b31`,
		`IN BYTES: 00612F623D2763223C263E642B31FF`,
		`Basic YS9iPSdjIjwmPmQrMQ==`,
		`Basic YS9iPSdjIjwmPmQrMQ`,
		`Basic Ym9iOmEvYj0nYyI8Jj5kKzE=`,
		`Basic eDphL2I9J2MiPCY+ZCsx`,
		`Basic eDphL2I9J2MiPCY-ZCsx`,
		`Basic YWxpY2U6cGFzcw==`, // alice:pass
	} {
		body, err := json.Marshal(map[string]any{"errorCode": "INVALID_INPUT_DATA", "message": message})
		require.NoError(t, err)
		c := newCloud(t, replyOf(400, string(body)))
		err = c.User.CompleteResetPassword(t.Context(), "alice", "012345", &password)
		require.ErrorIs(t, err, kii.ErrInvalidInput)
		assert.Equal(t, "[redacted]", err.(*kii.APIError).Message, message)
	}
}

// Promise 4.
func TestMessageOfASessionsCallHoldsNoTokenAndNoUserID(t *testing.T) {
	t.Parallel()
	for op, secrets := range map[string][]string{
		"Profile":        {"access-1", "refresh-1", userID, "appKey"},
		"Refresh":        {"access-1", "refresh-1", userID, "appKey"},
		"ChangePassword": {"access-1", "refresh-1", userID, "appKey", "old-pass", "new-pass"},
	} {
		for _, secret := range append(secrets, "of note") {
			err := operate(t, op, newCloud(t, replyOf(400, `{"error":"some_error","error_description":"nothing but `+secret+`"}`)))
			require.ErrorIs(t, err, kii.ErrorCode("some_error"), op)
			want := "[redacted]"
			if secret == "of note" {
				want = "nothing but of note"
			}
			assert.Equal(t, want, err.(*kii.APIError).Message, op)
		}
	}
}

// Promise 4.
func TestErrorCodeThatHoldsASecretIsUnexpected(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pin       string
		code, say kii.ErrorCode
	}{
		{"AB12", "AB12", kii.ErrUnexpectedReply},
		{"AB12", "ab12", kii.ErrUnexpectedReply},
		{"AB12", "WRONG_AB12_CODE", kii.ErrUnexpectedReply},
		{"A", "A", "A"}, // one letter tells nothing
		{"PIN", "PIN_CODE_EXPIRED", kii.ErrPINExpired},
		{"XY", "SOMETHING_NEW", "SOMETHING_NEW"},
	} {
		c := newCloud(t, refusal(403, tt.code))
		err := c.User.CompleteResetPassword(t.Context(), "alice", tt.pin, nil)
		require.ErrorIs(t, err, tt.say)
	}
}

// Promise 4: blanking every such letter would reveal it.
func TestOneLetterSecretsStay(t *testing.T) {
	t.Parallel()
	c := newCloud(t, replyOf(400, `{"errorCode":"K","message":"a k"}`))
	client, err := kii.New("appId", "k", kii.SiteUS, kii.WithHTTPClient(&http.Client{Transport: c.mock}))
	require.NoError(t, err)
	err = client.User.ResetPassword(t.Context(), "a", kii.NotificationEmail)
	require.ErrorIs(t, err, kii.ErrorCode("K"))
	assert.Equal(t, "a k", err.(*kii.APIError).Message)
}

// Promise 4, for the network's own errors.
func TestTransportErrorShowsNoSecretAndIsStillFound(t *testing.T) {
	t.Parallel()
	custom := &net.OpError{Op: "proxy", Err: errors.New("login as alice refused, EMAIL:alice@example.com")}
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"plain":   {io.ErrUnexpectedEOF, "unexpected EOF"},
		"named":   {custom, "[redacted]"},
		"cause":   {fmt.Errorf("as alice@example.com: %w", &net.OpError{Op: "read", Err: io.EOF}), "read: EOF"},
		"quoted":  {fmt.Errorf("bad reply %q: %w", "alice", io.EOF), `bad reply "…"`},
		"header":  {textproto.ProtocolError("malformed MIME header line: alice"), "malformed reply header"},
		"joined":  {errors.Join(errors.New("one"), errors.New("two alice@example.com")), "one; [redacted]"},
		"several": {errors.Join(fmt.Errorf("bad reply %q", "alice"), io.EOF), `bad reply "…"; EOF`},
		"url":     {&url.Error{Op: "Get", URL: "https://x/EMAIL:alice@example.com", Err: io.EOF}, "EOF"},
		"urlurl":  {&url.Error{Op: "Get", URL: "https://x/a", Err: &url.Error{Op: "Get", URL: "https://x/b", Err: io.EOF}}, "EOF"},
		"wrapped": {fmt.Errorf("mine: %w", &url.Error{Op: "Get", URL: "https://x/alice", Err: io.EOF}), "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, tripper(func(*http.Request) (*http.Response, error) { return nil, tt.err }))
			err := client.User.ResetPassword(t.Context(), "alice@example.com", kii.NotificationEmail)
			require.Equal(t, "kii: ResetPassword: no answer, the outcome is unknown: "+tt.want, err.Error())
			assert.Equal(t, tt.want, errors.Unwrap(err).Error())
			assert.Equal(t, err.Error(), fmt.Sprintf("%+v", err))
			assert.Equal(t, tt.want, fmt.Sprintf("%#v", errors.Unwrap(err)))
			_, isURL := errors.AsType[*url.Error](err)
			assert.False(t, isURL)
			if e, ok := errors.AsType[*net.OpError](tt.err); ok {
				found, ok := errors.AsType[*net.OpError](err)
				require.True(t, ok)
				assert.Same(t, e, found)
			}
		})
	}
}

// Promise 4: one text under every verb and in every log.
func TestPrintedValuesTellWhatTheyAreAndNoMore(t *testing.T) {
	t.Parallel()
	api := &kii.APIError{Op: "Login", StatusCode: 400, Code: kii.ErrWrongCredentials, Message: "secret"}
	for want, values := range map[string][]any{
		"kii.Token[redacted]":                                                   {kii.Token{UserID: "secret", AccessToken: "secret", RefreshToken: "secret"}, &kii.Token{AccessToken: "secret"}},
		"kii.Token[redacted] until 2020-01-02T03:04:05Z":                        {kii.Token{AccessToken: "secret", Expiry: expired}},
		"kii.Profile[redacted]":                                                 {kii.Profile{UserID: "secret", Email: "secret"}, &kii.Profile{Phone: "secret"}},
		"kii: Login: 400 invalid_grant":                                         {api, *api},
		"kii: the session is over, log in again: kii: Login: 400 invalid_grant": {&kii.SessionError{UserID: "secret", Err: api}, kii.SessionError{UserID: "secret", Err: api}},
		"kii: the session is over, log in again: the password was changed":      {&kii.SessionError{UserID: "secret"}},
		"kii: Login: not sent: context canceled":                                {&kii.TransportError{Op: "Login", NotSent: true, Err: context.Canceled}, kii.TransportError{Op: "Login", NotSent: true, Err: context.Canceled}},
		"kii: Login: no answer, the outcome is unknown: context canceled":       {&kii.TransportError{Op: "Login", Err: context.Canceled}},
		"kii: pin must not be empty":                                            {&kii.ArgumentError{Name: "pin", Reason: "must not be empty"}, kii.ArgumentError{Name: "pin", Reason: "must not be empty"}},
	} {
		for _, v := range values {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%+q"} {
				text := want
				if verb == "%+q" {
					text = fmt.Sprintf("%q", want)
				}
				assert.Equal(t, text, fmt.Sprintf(verb, v), "%T", v)
			}
			_, plain := v.(kii.ArgumentError) // by value it is no error, and holds nothing to hide
			var text, data bytes.Buffer
			slog.New(slog.NewTextHandler(&text, nil)).Info("x", "v", v)
			slog.New(slog.NewJSONHandler(&data, nil)).Info("x", "v", v)
			for _, out := range []string{text.String(), data.String()} {
				assert.True(t, plain || bytes.Contains([]byte(out), []byte(want)), "%T", v)
				assert.NotContains(t, out, "secret")
			}
		}
	}
}

// Promise 4: what ended the session names its user.
func TestPrintedSessionThatIsOverNamesNobody(t *testing.T) {
	t.Parallel()
	s := newCloud(t, documented(t, "Profile_wrong_token")).session(t)
	_, err := s.Profile(t.Context())
	require.Error(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q", "%!", "%t", "%z"} {
		assert.NotContains(t, fmt.Sprintf(verb, s), userID, verb)
	}
	assert.Equal(t, "kii.Session[redacted]", fmt.Sprint(s))
}

// Promise 4: slog's JSON handler and json.Marshal look into what holds an error; fmt calls no
// method of what is in an unexported field.
func TestErrorsAreTheirTextWhereverTheyStand(t *testing.T) {
	t.Parallel()
	for _, err := range []any{
		&kii.APIError{Op: "Login", StatusCode: 400, Code: kii.ErrWrongCredentials, Message: "secret"},
		kii.APIError{Op: "Login", StatusCode: 400, Code: kii.ErrWrongCredentials, Message: "secret"},
		&kii.SessionError{UserID: "secret"},
		kii.SessionError{UserID: "secret"},
		&kii.TransportError{Op: "Login", Err: errors.New("lost")},
		kii.TransportError{Op: "Login", Err: errors.New("lost")},
		&kii.ArgumentError{Name: "pin", Reason: "must not be empty"},
		kii.ArgumentError{Name: "pin", Reason: "must not be empty"},
	} {
		text := fmt.Sprint(err)
		for _, holder := range []any{err, []any{err}, map[string]any{"e": err}, struct{ E any }{err}, &struct{ E []any }{[]any{err}}} {
			var text, data bytes.Buffer
			slog.New(slog.NewTextHandler(&text, nil)).Info("x", "v", holder)
			slog.New(slog.NewJSONHandler(&data, nil)).Info("x", "v", holder)
			marshalled, failed := json.Marshal(holder)
			require.NoError(t, failed)
			assert.NotContains(t, data.String()+string(marshalled), "secret", "%T in %T", err, holder)
			assert.NotContains(t, fmt.Sprintf("%+v %#v", holder, holder), "secret", "%T in %T", err, holder)
		}
		marshalled, failed := json.Marshal([]any{err})
		require.NoError(t, failed)
		assert.JSONEq(t, `["`+text+`"]`, string(marshalled))
	}
}

// A tenant is an error of the caller's own around another.
type tenant struct{ error }

func (e tenant) Unwrap() error { return e.error }

var errOfCaller = errors.New("the caller's own")

// foreign are errors that a context's cause or a RoundTripper may hand over: answers to other
// calls.
var foreign = map[string]error{
	"an answer":        &kii.APIError{Op: "Profile", StatusCode: 403, Code: kii.ErrWrongToken},
	"a revealing one":  &kii.APIError{Op: "ResetPassword", StatusCode: 404, Code: kii.ErrUserNotFound},
	"a 503":            &kii.APIError{Op: "Login", StatusCode: 503, Code: "UNAVAILABLE"},
	"an ended session": &kii.SessionError{UserID: "other", Err: &kii.APIError{StatusCode: 403, Code: kii.ErrWrongRefreshToken}},
	"a lost call":      &kii.TransportError{Op: "Login", Err: io.ErrUnexpectedEOF},
	"an argument":      &kii.ArgumentError{Name: "id", Reason: "must not be empty"},
	"a code":           kii.ErrUserDisabled,
	"an unknown one":   kii.ErrUnexpectedReply,
}

// Promise 9: an errgroup hands one call's error to all others as the cause of their contexts.
func TestAnotherCallsErrorSaysNothingOfThisOne(t *testing.T) {
	t.Parallel()
	for name, other := range foreign {
		cause := fmt.Errorf("group: %w", errors.Join(errOfCaller, tenant{other}))
		for op := range operations {
			for when, begin := range map[string]func(cancel func()) tripper{
				"before the call": func(cancel func()) tripper { cancel(); return silence },
				"in flight": func(cancel func()) tripper {
					return func(r *http.Request) (*http.Response, error) { cancel(); return silence(r) }
				},
				"by RoundTripper": func(func()) tripper { return func(*http.Request) (*http.Response, error) { return nil, cause } },
			} {
				t.Run(name+" "+op+" "+when, func(t *testing.T) {
					t.Parallel()
					ctx, cancel := context.WithCancelCause(t.Context())
					defer cancel(nil)
					client := newClient(t, withAdminToken(t, begin(func() { cancel(cause) })), kii.WithMaxRetries(0))
					var err error
					if call := operations[op]; call.session == nil {
						err = call.call(ctx, t, client)
					} else {
						s := resumed(t, client)
						err = call.session(ctx, s)
						assert.NoError(t, s.Err(), "the session lives")
					}
					failure, ok := err.(*kii.TransportError)
					require.True(t, ok, "%T", err)
					assert.Equal(t, op, failure.Op)
					assert.Equal(t, !failure.NotSent, kii.OutcomeUnknown(err))
					assert.Equal(t, when == "before the call", failure.NotSent)
					assert.False(t, kii.RevealsAccount(err))
					for _, code := range []kii.ErrorCode{kii.ErrWrongToken, kii.ErrUserNotFound, kii.ErrWrongRefreshToken, kii.ErrUserDisabled, kii.ErrUnexpectedReply, "UNAVAILABLE"} {
						assert.NotErrorIs(t, err, code)
					}
					assert.NotErrorIs(t, err, other)
					assert.False(t, isA[*kii.APIError](err) || isA[*kii.SessionError](err) || isA[*kii.ArgumentError](err) || isA[kii.ErrorCode](err))
					assert.False(t, isA[*kii.TransportError](errors.Unwrap(err)))
					assert.False(t, isA[slog.LogValuer](errors.Unwrap(err)), "nor by an interface")
					require.ErrorIs(t, err, errOfCaller)
					assert.True(t, isA[tenant](err), "the caller's own is found")
				})
			}
		}
	}
}

func isA[E any](err error) bool {
	var target E
	return errors.As(err, &target)
}

// Promise 9, for a TransportError that a program makes itself, as its tests do.
func TestNoErrorOfThisPackageShowsThroughATransportError(t *testing.T) {
	t.Parallel()
	for name, other := range foreign {
		err := &kii.TransportError{Op: "Login", NotSent: true, Err: errors.Join(errOfCaller, other)}
		assert.NotErrorIs(t, err, other, name)
		assert.False(t, kii.OutcomeUnknown(err) || kii.RevealsAccount(err), name)
		assert.ErrorIs(t, err, errOfCaller)
	}
	assert.NoError(t, errors.Unwrap(&kii.TransportError{}))
}

// Promise 4: a URL names an account, and net.Error is found in what is around it.
func TestAURLIsNotFoundByAnInterfaceEither(t *testing.T) {
	t.Parallel()
	late := &net.DNSError{Err: "late", IsTimeout: true}
	err := &kii.TransportError{Err: &url.Error{Op: "Get", URL: "https://x/alice", Err: &url.Error{Op: "Get", URL: "https://y/alice", Err: late}}}
	var found net.Error
	require.ErrorAs(t, err, &found)
	assert.Same(t, late, found)
	err = &kii.TransportError{Err: &url.Error{Op: "Get", URL: "https://x/alice"}}
	assert.False(t, isA[net.Error](err))
}

// Promises 4 and 9: what an error wraps is not found by the method that returns it, as programs ask
// that log each of several joined errors.
func TestNoInterfaceReturnsTheBareErrors(t *testing.T) {
	t.Parallel()
	bare := fmt.Errorf("alice: %w", causer{errors.Join(errOfCaller, kii.ErrUserNotFound)})
	err := &kii.TransportError{Err: bare}
	unwrap := errors.Unwrap(err)
	assert.False(t, isA[interface{ Unwrap() error }](unwrap))
	assert.False(t, isA[interface{ Unwrap() []error }](err))
	assert.False(t, isA[interface{ Cause() error }](err))
	assert.False(t, isA[interface {
		error
		Errors() []error
	}](err))
	assert.False(t, isA[interface{ WrappedErrors() []error }](err))
	require.ErrorIs(t, err, errOfCaller)
	assert.True(t, isA[causer](err))
}

// A causer returns what it wraps, as errors of older libraries do.
type causer struct{ error }

func (c causer) Unwrap() error   { return c.error }
func (c causer) Cause() error    { return c.error }
func (c causer) Errors() []error { return []error{c.error} }

func (c causer) WrappedErrors() []error { return []error{c.error} }

// As errors.As promises.
func TestATargetThatFindsNothingStaysAsItIs(t *testing.T) {
	t.Parallel()
	for name, inner := range map[string]error{
		"of this package": kii.ErrUserNotFound,
		"a URL's":         &url.Error{Op: "Get", URL: "https://x/alice", Err: kii.ErrUserNotFound},
		"none":            io.EOF,
	} {
		err := &kii.TransportError{Err: inner}
		code, u := kii.ErrWrongPIN, &url.Error{Op: "mine"}
		assert.False(t, errors.As(err, &code) || errors.As(err, &u), name)
		assert.Equal(t, kii.ErrWrongPIN, code, name)
		assert.Equal(t, "mine", u.Op, name)
	}
}

// hostile errors have methods that fail, or that no code expects.
type (
	panicky      struct{ what string }
	uncomparable struct{ values []any }
	halfJoined   []error
)

func (p *panicky) Error() string            { return p.what }
func (p *panicky) Unwrap() error            { return errors.New(p.what) }
func (p *panicky) Is(error) bool            { panic("is") }
func (p *panicky) As(any) bool              { panic("as") }
func (u uncomparable) Error() string        { return fmt.Sprint(u.values) }
func (u uncomparable) Is(target error) bool { return any(target) == any(u) }
func (h halfJoined) Error() string          { return "half" }
func (h halfJoined) Unwrap() []error        { return h }

func TestErrorsOfOthersNeverPanicAndPrintOneLine(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"a typed nil":             {(*panicky)(nil), "an error that cannot be printed, of type *kii_test.panicky"},
		"a nil of net's":          {(*net.OpError)(nil), "<nil>"},
		"a nil of net/url's":      {&url.Error{}, ` "…"`},
		"methods that panic":      {&panicky{"mine"}, "mine"},
		"a value of no ==":        {uncomparable{[]any{1}}, "[1]"},
		"children that are nil":   {halfJoined{nil, io.EOF, nil, (*panicky)(nil)}, "EOF; an error that cannot be printed, of type *kii_test.panicky"},
		"no child":                {halfJoined{}, ""},
		"line breaks":             {errors.New("one\r\nlevel=ERROR msg=forged"), "one  level=ERROR msg=forged"},
		"escapes and directions":  {errors.New("\x1b[31mred \u202edesrever\u2028\u200b\x00"), " [31mred  desrever   "},
		"no UTF-8":                {errors.New("a\xffb"), "a\ufffdb"},
		"a cut character":         {errors.New(strings.Repeat("x", 498) + "日本"), strings.Repeat("x", 498) + "…"},
		"a name as long as it is": {errors.New(strings.Repeat("x", 100_000)), strings.Repeat("x", 500) + "…"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, err := range []error{&kii.TransportError{Err: tt.err}, &kii.SessionError{Err: &kii.TransportError{Err: tt.err}}} {
				assert.NotContains(t, err.Error(), "\n")
				assert.True(t, kii.OutcomeUnknown(err))
				assert.NotPanics(t, func() {
					_, _ = errors.Is(err, io.ErrClosedPipe), isA[*net.DNSError](err)
					_, _ = kii.RevealsAccount(err), errors.Is(err, uncomparable{nil})
				})
			}
			assert.Equal(t, tt.want, errors.Unwrap(&kii.TransportError{Err: tt.err}).Error())
			assert.NotContains(t, (&kii.SessionError{Err: tt.err}).Error(), "\n")
		})
	}
}

// Promise 4: spew, pp, testify's diff and the like read fields by reflection, of any type and
// however deep.
func TestNoFieldThatReflectionReachesHoldsASecret(t *testing.T) {
	t.Parallel()
	c := newCloud(t, documented(t, "Login_with_refresh_token"), documented(t, "Profile_done"), documented(t, "Refresh_done"), documented(t, "User_done"))
	s, err := c.User.Login(t.Context(), "alice@example.com", "old-pass")
	require.NoError(t, err)
	_, err = s.Profile(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.Refresh(t.Context()))
	a := admin(t, c.Client)
	_, err = a.User(t.Context(), "alice@example.com")
	require.NoError(t, err)
	over := newCloud(t, documented(t, "Profile_wrong_token")).session(t)
	_, err = over.Profile(t.Context())
	require.Error(t, err) // it names the user, and may hold what Kii Cloud says of them
	client := newClient(t, nil)
	for _, v := range []any{client, resumed(t, client), admin(t, client), c.Client, s, a, over} {
		var found []string
		texts(reflect.ValueOf(v), map[uintptr]bool{}, &found)
		assert.Contains(t, found, "api.kii.com", "the walk reaches the fields")
		for _, secret := range []string{"appKey", "admin-id", "admin-secret", "access-", "refresh-", userID, "old-pass", "alice"} {
			assert.NotContains(t, strings.Join(found, "\n"), secret, "in %T", v)
		}
	}
}

// A connection keeps what was last written to it and read from it.
func TestNoFieldHoldsWhatWasSentOverASocket(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"id":"user-1","userID":"user-1","access_token":"access-1"}`)
	}))
	t.Cleanup(server.Close)
	client, err := kii.New("appId", "the-app-key", kii.Site(server.URL))
	require.NoError(t, err)
	t.Cleanup(client.CloseIdleConnections)
	s, err := client.User.Login(t.Context(), "alice@example.com", "old-pass")
	require.NoError(t, err)
	_, err = s.Profile(t.Context())
	require.NoError(t, err)
	for _, v := range []any{client, s} {
		var found []string
		texts(reflect.ValueOf(v), map[uintptr]bool{}, &found)
		for _, secret := range []string{"the-app-key", "access-1", "user-1", "old-pass", "alice"} {
			shown := strings.Contains(strings.Join(found, "\n"), secret) // which may be long
			assert.False(t, shown, "%s in %T", secret, v)
		}
	}
}

// texts appends to found all strings that v holds. It follows no pointer in seen, and none to the
// tests' own RoundTripper.
func texts(v reflect.Value, seen map[uintptr]bool, found *[]string) {
	switch v.Kind() {
	case reflect.String:
		*found = append(*found, v.String())
	case reflect.Interface:
		texts(v.Elem(), seen, found)
	case reflect.Pointer:
		if v.IsNil() || seen[v.Pointer()] || v.Type() == reflect.TypeFor[*httpmock.MockTransport]() {
			return
		}
		seen[v.Pointer()] = true
		texts(v.Elem(), seen, found)
	case reflect.Struct:
		for _, field := range v.Fields() {
			texts(field, seen, found)
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 && v.Kind() == reflect.Slice {
			*found = append(*found, string(v.Bytes()))
			return
		}
		for i := range v.Len() {
			texts(v.Index(i), seen, found)
		}
	case reflect.Map:
		for key, value := range v.Seq2() {
			texts(key, seen, found)
			texts(value, seen, found)
		}
	}
}
