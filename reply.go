package kii

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-kii/kii/internal/transport"
)

// knownCodes are constants of this library, so they are safe to print even if a secret has the same
// text.
var knownCodes = []ErrorCode{
	ErrUserNotFound, ErrAddressNotVerified, ErrNoPassword, ErrUserDisabled, ErrWrongPIN, ErrPINExpired,
	ErrPasswordTooShort, ErrInvalidInput, ErrWrongPassword, ErrWrongCredentials, ErrWrongToken,
	ErrWrongRefreshToken, ErrUnauthorized, ErrAuthenticationFailed, ErrAppNotFound,
	ErrAlreadyVerified, ErrCodeExpired, ErrNoCodePending, ErrAddressTaken,
	"invalid_token", "invalid_client", "unauthorized_client", "OAUTH2_ERROR", "CLIENT_CREDENTIALS_NOT_FOUND",
}

var errorCodeForm = regexp.MustCompile(`^([A-Z][A-Z0-9_]{0,63}|[a-z][a-z0-9_]{0,63})$`)

// apiError reads an answer that is not a success. wrong is what success found wrong with it.
func (a *api) apiError(c *call, reply *transport.Reply, wrong string) *APIError {
	e := &APIError{Op: c.op, StatusCode: reply.Status, Code: ErrUnexpectedReply, RetryAfter: retryAfter(reply.Header)}
	if reply.Status < 400 || reply.Status > 599 {
		e.Reason = reason(reply, wrong)
		return e
	}
	fields := parseObject(reply.Body)
	var code ErrorCode
	// Kii Cloud uses OAuth's field "error" for the code at the token endpoint and in answers to a
	// bearer token.
	if c.token.AccessToken != "" || strings.HasSuffix(c.url, "/oauth2/token") {
		fields.get("error", &code)
	}
	fields.get("errorCode", &code)
	fields.get("error_description", &e.Message)
	fields.get("message", &e.Message)
	fields.get("minimumLength", &e.MinPasswordLength)
	secrets := a.secrets(c)
	e.Message = secrets.blank(e.Message)
	e.MinPasswordLength = max(0, e.MinPasswordLength)
	switch {
	case slices.Contains(knownCodes, code),
		errorCodeForm.MatchString(string(code)) && !secrets.shownIn(string(code)) && !isOfGateway(reply):
		e.Code = code
		if isDeadToken(e) {
			e.Reason = c.reasons[code]
		}
	case reply.Status == http.StatusTooManyRequests: // which means, even without a body, that nothing was done
		e.Code = ErrRateLimited
	case fields == nil:
		e.Reason = reason(reply, "not a JSON object")
	case code == "":
		e.Reason = reason(reply, "no errorCode")
	default:
		e.Reason = reason(reply, "an unusable errorCode")
	}
	return e
}

// isOfGateway reports whether an error whose code is not among knownCodes may be a gateway's, which
// does not know whether the request was carried out. It is Kii Cloud's if it has one of Kii's media
// types, or a registered status that refuses a request. A gateway's status may be an unregistered
// one, such as 460 or 499, or one that a request may get although it was carried out.
func isOfGateway(reply *transport.Reply) bool {
	ofKii := strings.HasPrefix(strings.ToLower(reply.Header.Get("Content-Type")), "application/vnd.kii.")
	mayBeDone := []int{http.StatusRequestTimeout, http.StatusConflict, http.StatusFailedDependency}
	return !ofKii && (slices.Contains(mayBeDone, reply.Status) || http.StatusText(reply.Status) == "")
}

// reason returns why a reply is unexpected: what its status, type or length shows, or else wrong.
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

// An object is a JSON object, whose names are matched exactly. encoding/json would match them in
// any case and let the last one win, but a user's record also holds fields that the app has named.
type object map[string]json.RawMessage

// parseObject parses body. It returns nil if body is not a JSON object. A byte order mark is
// ignored (RFC 8259, section 8.1).
func parseObject(body []byte) object {
	var o object
	if json.Unmarshal(bytes.TrimPrefix(body, []byte("\ufeff")), &o) != nil {
		return nil
	}
	return o
}

// get reads a field. If it is missing or of another type, into stays as it is.
func (o object) get(name string, into any) {
	if value, found := o[name]; found {
		_ = json.Unmarshal(value, into)
	}
}

// retryAfter reads the Retry-After header, in seconds or as a date. It returns 0 if there is none.
// A date is compared with the reply's Date, since this machine's clock may differ from the
// server's.
func retryAfter(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 63); err == nil || errors.Is(err, strconv.ErrRange) {
		return saturate(float64(seconds))
	}
	now := cmp.Or(parseDate(h.Get("Date")), time.Now())
	return max(0, parseDate(value).Sub(now))
}

// parseDate parses an HTTP date. It returns the zero time if value is not one. HTTP dates are in
// GMT, though the oldest form names no zone (RFC 9110, section 5.6.7). Any other zone is refused,
// because its meaning would depend on this machine's settings.
func parseDate(value string) time.Time {
	date, err := http.ParseTime(value)
	if err == nil && (strings.HasSuffix(value, " GMT") || strings.HasSuffix(value, date.Format(" 2006"))) {
		return date
	}
	return time.Time{}
}

// saturate converts seconds to a Duration: to 0 if they are negative, and to the longest one if
// they overflow it.
func saturate(seconds float64) time.Duration {
	const most = math.MaxInt64 / time.Second // which a float64 holds exactly
	return time.Duration(min(max(seconds, 0), float64(most))) * time.Second
}
