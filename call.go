package kii

import (
	"bytes"
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
	"strings"
	"time"

	"github.com/go-kii/kii/internal/transport"
)

// api sends the calls of one app.
type api struct {
	http       *transport.Client
	site, app  string // base URLs: of the site, and of the app below it
	host       string // of the site
	appKey     sealed[string]
	appHeaders sealed[map[string]http.Header] // of calls in the app's name, by content type
	agent      []string
	logger     *slog.Logger
	timeout    time.Duration // of one call, to share among its requests
}

// The content types of calls in the app's name. The headers of these calls never change, so New
// builds them once, which saves each call four allocations. Calls share them: they are read only.
const (
	resetPasswordType = "application/vnd.kii.ResetPasswordRequest+json"
	completeResetType = "application/vnd.kii.CompletePasswordResetRequest+json"
	tokenType         = "application/vnd.kii.OauthTokenRequest+json"
	adminTokenType    = "application/json"
)

func appHeaders(appID, appKey string, agent []string) map[string]http.Header {
	headers := make(map[string]http.Header)
	for _, contentType := range []string{resetPasswordType, completeResetType, tokenType, adminTokenType} {
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

// A success returns what is wrong with a reply that arrived whole, in a few words for
// [APIError].Reason; empty if nothing is, and the reply proves that the call succeeded.
type success func(transport.Reply) string

// empty is the success of a call that is answered without a body.
func empty(reply transport.Reply) string {
	switch {
	case reply.Status/100 != 2:
		return "not the status of a success"
	case len(reply.Body) > 0:
		return "a body where none belongs"
	}
	return ""
}

// do makes a call and writes its log record. The error is nil, an [*APIError] or a
// [*TransportError].
func (a *api) do(ctx context.Context, c *call, success success) error {
	start := time.Now()
	reply, err := a.http.Do(ctx, &transport.Request{Method: c.method, URL: c.url, Header: a.header(c), Body: c.body})
	attempts := reply.Attempts
	if err != nil {
		failure := err.(*transport.Failure) // always
		attempts = failure.Attempts
		err = a.transportError(c, failure)
	} else if wrong := cmp.Or(reply.Broken, success(reply)); wrong != "" {
		err = a.apiError(c, &reply, wrong)
	}
	a.log(ctx, c, start, reply.Status, attempts, err)
	return err
}

// secrets returns what no text about c may show.
func (a *api) secrets(c *call) secrets {
	all := append(c.secrets, a.appKey.open())
	if c.token != nil {
		all = append(all, c.token.AccessToken, c.token.RefreshToken, c.token.UserID)
	}
	return all
}

// fetch makes a call by do, which is an api's, or a session's if it needs a login, and returns the
// answer. Success is a 200 with a JSON object in which read finds nothing wrong.
func fetch[T any](ctx context.Context, do func(context.Context, *call, success) error, c *call, read func(object) (*T, string)) (*T, error) {
	var answer *T
	err := do(ctx, c, func(reply transport.Reply) (wrong string) {
		if reply.Status != http.StatusOK {
			return "not the status of a success"
		}
		fields := parseObject(reply.Body)
		if fields == nil {
			return "not a JSON object"
		}
		answer, wrong = read(fields)
		return wrong
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

var (
	anyType = []string{"*/*"}
	noStore = []string{"no-store"} // a shared cache would answer one user with another's data
)

// header names the app, or carries the token, which names it too.
// https://documentation.kii.com/en/guides/cloudsdk/rest/guidelines/appid_key/
func (a *api) header(c *call) http.Header {
	if c.token == nil {
		return a.appHeaders.open()[c.contentType]
	}
	h := http.Header{"User-Agent": a.agent, "Accept": anyType, "Authorization": {"Bearer " + c.token.AccessToken}}
	if c.method == http.MethodGet {
		h["Cache-Control"] = noStore
	}
	if c.body != nil {
		h["Content-Type"] = []string{c.contentType}
	}
	return h
}

// log writes one record a call. It holds no secret and no account: neither do the library's errors.
func (a *api) log(ctx context.Context, c *call, start time.Time, status, attempts int, err error) {
	level := logLevel(ctx, err)
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
	if e, ok := err.(*APIError); ok {
		attrs = append(attrs, slog.String("code", string(e.Code)))
		if e.Reason != "" {
			attrs = append(attrs, slog.String("reason", e.Reason))
		}
		if e.RetryAfter != 0 {
			attrs = append(attrs, slog.Duration("retry_after", e.RetryAfter))
		}
	}
	attrs = append(attrs, slog.Int("attempts", attempts), slog.String("host", a.host))
	a.logger.LogAttrs(ctx, level, "kii call", attrs...)
}

// logLevel is Info for what a user or the program did, such as a wrong PIN, and Warn for what
// somebody may have to look into: an unknown outcome, and a failure of the network.
func logLevel(ctx context.Context, err error) slog.Level {
	_, refused := err.(*APIError)
	switch {
	case err == nil:
		return slog.LevelDebug
	case !OutcomeUnknown(err) && (refused || errors.Is(ctx.Err(), context.Canceled)):
		return slog.LevelInfo
	}
	return slog.LevelWarn
}

// transportError takes over a failure of the transport.
func (a *api) transportError(c *call, failure *transport.Failure) *TransportError {
	hidden := a.secrets(c).hide(failure.Err)
	if strings.Contains(hidden.text, "tls: ") { // unlike that of a dial, it does not name the host
		hidden.text = a.host + ": " + hidden.text
	}
	return &TransportError{Op: c.op, NotSent: failure.NotSent, Err: hidden}
}

// knownCodes are constants of ours, so they are printed even if a secret has the same text.
var knownCodes = []ErrorCode{
	ErrUserNotFound, ErrAddressNotVerified, ErrNoPassword, ErrUserDisabled, ErrWrongPIN, ErrPINExpired,
	ErrPasswordTooShort, ErrInvalidInput, ErrWrongPassword, ErrWrongCredentials, ErrWrongToken,
	ErrWrongRefreshToken, ErrUnauthorized, ErrAuthenticationFailed, ErrAppNotFound,
	ErrAlreadyVerified, ErrCodeExpired, ErrNoCodePending, ErrAddressTaken,
	"invalid_token", "invalid_client", "unauthorized_client", "OAUTH2_ERROR", "CLIENT_CREDENTIALS_NOT_FOUND",
}

var errorCodeForm = regexp.MustCompile(`^([A-Z][A-Z0-9_]{0,63}|[a-z][a-z0-9_]{0,63})$`)

// apiError reads an answer that is not success. wrong is what success found wrong with it.
func (a *api) apiError(c *call, reply *transport.Reply, wrong string) *APIError {
	e := &APIError{Op: c.op, StatusCode: reply.Status, Code: ErrUnexpectedReply, RetryAfter: retryAfter(reply.Header)}
	limited := reply.Status == http.StatusTooManyRequests // which says, without a body, that nothing was done
	if reply.Broken != "" && !limited || reply.Status < 400 || reply.Status > 599 {
		e.Reason = reason(reply, wrong)
		return e
	}
	wrong = "no errorCode"
	fields := parseObject(reply.Body)
	if fields == nil {
		wrong = "not a JSON object"
	}
	var code ErrorCode
	fields.get("errorCode", &code)
	fields.get("message", &e.Message)
	fields.get("minimumLength", &e.MinPasswordLength)
	if code == "" && c.isOAuth() {
		fields.get("error", &code)
	}
	if e.Message == "" {
		fields.get("error_description", &e.Message)
	}
	secrets := a.secrets(c)
	e.Message = secrets.blank(e.Message)
	e.MinPasswordLength = max(0, e.MinPasswordLength)
	switch {
	case slices.Contains(knownCodes, code),
		errorCodeForm.MatchString(string(code)) && secrets.index(string(code)) < 0 && !isOfGateway(reply):
		e.Code = code
	case limited:
		e.Code = ErrRateLimited
	case code != "":
		e.Reason = reason(reply, "an unusable errorCode")
	default:
		e.Reason = reason(reply, wrong)
	}
	return e
}

// isOAuth reports whether the field "error" of a reply is a code of Kii Cloud's. OAuth has it at
// the token endpoint and in answers to a bearer.
func (c *call) isOAuth() bool { return c.token != nil || strings.HasSuffix(c.url, "/oauth2/token") }

// isOfGateway reports whether an error with a code that is not among knownCodes may be a gateway's,
// which does not know what happened behind it. Kii Cloud's own have a media type of Kii's, or a
// status that refuses a request. Others are those of no registry, such as 460 and 499, and those
// that a request may get which is, or was, carried out.
func isOfGateway(reply *transport.Reply) bool {
	switch {
	case reply.Status >= 500, strings.HasPrefix(strings.ToLower(reply.Header.Get("Content-Type")), "application/vnd.kii."):
		return false
	case reply.Status == http.StatusRequestTimeout, reply.Status == http.StatusConflict, reply.Status == http.StatusFailedDependency:
		return true
	}
	return http.StatusText(reply.Status) == ""
}

// reason returns why a reply is unexpected: what can be told from outside, or else wrong.
func reason(reply *transport.Reply, wrong string) string {
	switch {
	case reply.Status/100 == 3:
		return "a redirect"
	case reply.Broken != "":
		return reply.Broken
	case strings.Contains(strings.ToLower(reply.Header.Get("Content-Type")), "text/html"):
		return "a page of text/html"
	case len(reply.Body) == 0:
		return "an empty body"
	}
	return wrong
}

// An object is a JSON object by its exact names. encoding/json takes a name in any case, and the
// last one wins; but a user's record also holds fields that the user's program named.
type object map[string]json.RawMessage

// parseObject returns the JSON object that body is; nil if it is none. A byte order mark harms
// nothing (RFC 8259, section 8.1).
func parseObject(body []byte) object {
	var o object
	if json.Unmarshal(bytes.TrimPrefix(body, []byte("\ufeff")), &o) != nil {
		return nil
	}
	return o
}

// get reads a field. One that is missing or of another type leaves into as it is.
func (o object) get(name string, into any) {
	if value, found := o[name]; found {
		_ = json.Unmarshal(value, into)
	}
}

// retryAfter reads a Retry-After header, in seconds or as a date; 0 if there is none. A date is
// compared with the reply's own, since this machine's clock may differ from the server's.
func retryAfter(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 63); err == nil || errors.Is(err, strconv.ErrRange) {
		return saturate(float64(seconds))
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return max(0, date.Sub(now))
}

// saturate returns a number of seconds as a Duration, the longest one if it overflows.
func saturate(seconds float64) time.Duration {
	const most = math.MaxInt64 / time.Second // which a float64 holds exactly
	return time.Duration(min(max(seconds, 0), float64(most))) * time.Second
}
