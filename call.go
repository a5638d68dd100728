package kii

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/go-kii/kii/internal/transport"
)

// api sends the calls of one app.
type api struct {
	http       *transport.Client
	site, app  string // base URLs: of the site, and of the app below it
	appKey     string
	appHeaders map[string]http.Header // of calls in the app's name, by content type
	agent      []string
	logger     *slog.Logger
}

// The content types of calls in the app's name. The headers of these calls never change, so New
// builds them once, which saves each call four allocations. Calls share them: they are read only.
const (
	resetPasswordType = "application/vnd.kii.ResetPasswordRequest+json"
	completeResetType = "application/vnd.kii.CompletePasswordResetRequest+json"
	tokenType         = "application/vnd.kii.OauthTokenRequest+json"
)

func appHeaders(appID, appKey string, agent []string) map[string]http.Header {
	headers := make(map[string]http.Header)
	for _, contentType := range []string{resetPasswordType, completeResetType, tokenType} {
		headers[contentType] = http.Header{
			"User-Agent":   agent,
			"Accept":       anyType,
			"Content-Type": {contentType},
			"X-Kii-Appid":  {appID},
			"X-Kii-Appkey": {appKey},
		}
	}
	return headers
}

// A call is one operation on Kii Cloud.
type call struct {
	op          string // the Go method's name, for errors and the log
	method, url string
	contentType string  // of body
	body        []byte  // JSON; nil: none
	token       *Token  // what the call is made with; nil: it is made in the app's name
	secrets     secrets // this call's own; the app key and the token are added
}

// A success reports whether a reply that arrived whole is one.
type success func(transport.Reply) bool

// empty is the success of a call that is answered without a body.
func empty(reply transport.Reply) bool { return reply.Status/100 == 2 && len(reply.Body) == 0 }

// do makes a call and writes its log record. The error is nil, an [*APIError] or a [*TransportError].
func (a *api) do(ctx context.Context, c *call, success success) error {
	start := time.Now()
	reply, failure := a.http.Do(ctx, &transport.Request{Method: c.method, URL: c.url, Header: a.header(c), Body: c.body})
	var err error
	if failure != nil || reply.Broken != "" || !success(reply) {
		err = a.failure(c, &reply, failure)
	}
	a.log(ctx, c, start, reply.Status, err)
	return err
}

// failure returns the error of a call that had no whole answer, if failure is set, or one that is no success.
func (a *api) failure(c *call, reply *transport.Reply, failure error) error {
	c.secrets = append(c.secrets, a.appKey)
	if c.token != nil {
		c.secrets = append(c.secrets, c.token.AccessToken, c.token.RefreshToken, c.token.UserID)
	}
	if failure != nil {
		return transportError(c, failure)
	}
	return apiError(c, reply)
}

// fetch makes a call by do, which is an api's, or a session's if it needs a login, and returns the
// answer. Success is a 200 with the JSON of a T that complete accepts.
func fetch[T any](ctx context.Context, do func(context.Context, *call, success) error, c *call, complete func(*T) bool) (*T, error) {
	answer := new(T)
	err := do(ctx, c, func(reply transport.Reply) bool {
		return reply.Status == http.StatusOK && json.Unmarshal(reply.Body, answer) == nil && complete(answer)
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// marshal returns the JSON of a request's body.
func marshal(body any) []byte {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // the bodies are structs of strings
	}
	return b
}

var anyType = []string{"*/*"}

// header names the app, or carries the token, which names it too.
// https://documentation.kii.com/en/guides/cloudsdk/rest/guidelines/appid_key/
func (a *api) header(c *call) http.Header {
	if c.token == nil {
		return a.appHeaders[c.contentType]
	}
	h := http.Header{"User-Agent": a.agent, "Accept": anyType, "Authorization": {"Bearer " + c.token.AccessToken}}
	if c.body != nil {
		h["Content-Type"] = []string{c.contentType}
	}
	return h
}

// log writes one record a call. It holds no secret and no account: neither do the library's errors.
func (a *api) log(ctx context.Context, c *call, start time.Time, status int, err error) {
	level := slog.LevelDebug
	if err != nil {
		level = slog.LevelWarn
	}
	if a.logger == nil || !a.logger.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{slog.String("op", c.op), slog.Duration("duration", time.Since(start))}
	if status != 0 {
		attrs = append(attrs, slog.Int("status", status))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()), slog.Bool("outcome_unknown", OutcomeUnknown(err)))
	}
	a.logger.LogAttrs(ctx, level, "kii call", attrs...)
}

// transportError takes over a failure of the transport, which is always a [*transport.Failure].
func transportError(c *call, err error) *TransportError {
	failure := err.(*transport.Failure)
	return &TransportError{Op: c.op, NotSent: failure.NotSent, Err: c.secrets.hide(failure.Err)}
}

// knownCodes are told apart from an echo of something secret without looking at it.
var knownCodes = []ErrorCode{
	ErrUserNotFound, ErrAddressNotVerified, ErrNoPassword, ErrUserDisabled, ErrWrongPIN, ErrPINExpired,
	ErrPasswordTooShort, ErrInvalidInput, ErrWrongPassword, ErrWrongCredentials, ErrWrongToken,
	ErrWrongRefreshToken, ErrUnauthorized, ErrAuthenticationFailed, ErrAppNotFound,
	ErrAlreadyVerified, ErrCodeExpired, ErrNoCodePending, ErrAddressTaken,
}

var errorCodeForm = regexp.MustCompile(`^([A-Z][A-Z0-9_]{0,63}|[a-z][a-z0-9_]{0,63})$`)

// apiError reads an answer that is not success. Fields of another type than documented are passed
// over; OAuth calls the code error and the message error_description.
func apiError(c *call, reply *transport.Reply) *APIError {
	e := &APIError{Op: c.op, StatusCode: reply.Status, Code: ErrUnexpectedReply, RetryAfter: retryAfter(reply.Header)}
	if reply.Broken != "" || reply.Status < 400 || reply.Status > 599 {
		return e
	}
	var body struct {
		ErrorCode        ErrorCode `json:"errorCode"`
		OAuthError       ErrorCode `json:"error"`
		Message          string    `json:"message"`
		OAuthDescription string    `json:"error_description"`
		MinimumLength    int       `json:"minimumLength"`
	}
	_ = json.Unmarshal(reply.Body, &body) // what cannot be read stays empty, and then there is no code
	code := cmp.Or(body.ErrorCode, body.OAuthError)
	switch {
	case slices.Contains(knownCodes, code),
		errorCodeForm.MatchString(string(code)) && !c.secrets.in(string(code)):
		e.Code = code
	case reply.Status == http.StatusTooManyRequests:
		e.Code = ErrRateLimited
	}
	e.Message = c.secrets.blank(cmp.Or(body.Message, body.OAuthDescription))
	e.MinPasswordLength = max(0, body.MinimumLength)
	return e
}

// retryAfter reads a Retry-After header, in seconds or as a date; 0 where there is none.
func retryAfter(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 63); err == nil || errors.Is(err, strconv.ErrRange) {
		return saturate(int64(seconds))
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(date))
	}
	return 0
}

// saturate returns a number of seconds as a Duration, the longest one where it overflows.
func saturate(seconds int64) time.Duration {
	const most = int64(math.MaxInt64 / time.Second)
	return time.Duration(min(max(seconds, 0), most)) * time.Second
}
