package kii

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-kii/kii/internal/transport"
)

// api sends the calls of one app.
type api struct {
	http       sealed[*transport.Client] // sealed because its connections hold what was last sent
	site, app  string                    // the base URLs of the site and of the app
	host       string                    // of the site
	appKey     sealed[string]
	appHeaders sealed[map[string]http.Header] // of calls that send the app's ID and key, by content type
	agent      []string
	logger     *slog.Logger
	timeout    time.Duration // of one call, shared by all of its requests
}

// The content types of calls that send the app's ID and key. The headers of these calls never
// change, so New builds them once, which saves each call four allocations. They must not be written
// to, because calls share them.
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
	contentType string               // of body
	body        []byte               // JSON; nil if there is none
	token       Token                // zero if the call sends the app's ID and key
	reasons     map[ErrorCode]string // what to check if the answer is that the token is dead; nil if nothing
	secrets     secrets              // of this call; the app key and the token are added later
	bound       context.Context      // ends the call, if that is another context than the log record gets; else nil
}

// put returns a call that sends body to url.
func put(op, url, contentType string, body any, secrets ...string) *call {
	return &call{op: op, method: http.MethodPut, url: url, contentType: contentType, body: marshal(body), secrets: secrets}
}

// A success returns what is wrong with a whole reply, in a few words for [APIError].Reason. It
// returns "" if the reply proves that the call succeeded.
type success func(transport.Reply) string

// empty is the success of a call whose answer has no body.
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
	reply, err := a.http.open().Do(cmp.Or(c.bound, ctx), &transport.Request{Method: c.method, URL: c.url, Header: a.header(c), Body: c.body})
	attempts := reply.Attempts
	if err != nil {
		failure := err.(*transport.Failure) // always
		attempts = failure.Attempts
		err = a.transportError(c, failure)
	} else if reply.Broken != "" {
		err = a.apiError(c, &reply, reply.Broken)
	} else if wrong := success(reply); wrong != "" {
		err = a.apiError(c, &reply, wrong)
	}
	a.log(ctx, c, start, reply.Status, attempts, err)
	return err
}

// secrets returns what no text about c may show.
func (a *api) secrets(c *call) secrets {
	return append(c.secrets, a.appKey.open(), c.token.AccessToken, c.token.RefreshToken, c.token.UserID)
}

// fetch makes a call with do, which is the method of an api, a session or an administrator, and
// returns the answer. Success is a 200 with a JSON object in which read finds nothing wrong.
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
		panic(err) // cannot happen: bodies hold strings, booleans and numbers
	}
	return b
}

var anyType = []string{"*/*"}

// header returns the headers of c: the app's ID and key, or the token, which implies the app.
// https://documentation.kii.com/en/guides/cloudsdk/rest/guidelines/appid_key/
func (a *api) header(c *call) http.Header {
	if c.token.AccessToken == "" {
		return a.appHeaders.open()[c.contentType]
	}
	h := http.Header{"User-Agent": a.agent, "Accept": anyType, "Authorization": {"Bearer " + c.token.AccessToken}}
	if c.method == http.MethodGet {
		h["Cache-Control"] = []string{"no-store"} // a shared cache would answer one user with another's data
	}
	if c.body != nil {
		h["Content-Type"] = []string{c.contentType}
	}
	return h
}

// log writes one record for each request. It holds no secret and no account, because errors print
// none.
func (a *api) log(ctx context.Context, c *call, start time.Time, status, attempts int, err error) {
	if a.logger == nil {
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
	a.logger.LogAttrs(ctx, logLevel(ctx, err), "kii call", attrs...)
}

// logLevel returns Info for what a user or the program caused, such as a wrong PIN, and Warn for
// what may need attention: an unknown outcome or a failure of the network.
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

// transportError returns the error of a call that got no answer. Its text names what errors of
// net/http may leave out: the host, and who issued a certificate that is not trusted, such as a
// proxy of the company.
func (a *api) transportError(c *call, failure *transport.Failure) *TransportError {
	secrets := a.secrets(c)
	hidden := secrets.hide(failure.Err)
	switch {
	case failure.Connecting:
		hidden.text = "connecting to " + a.host + ": " + hidden.text
		var unknown x509.UnknownAuthorityError
		if hidden.As(&unknown) && unknown.Cert != nil {
			hidden.text += ": " + secrets.describe(errors.New(unknown.Cert.Issuer.String()))
		}
	case strings.Contains(hidden.text, "tls: ") && !strings.Contains(hidden.text, a.host):
		hidden.text = a.host + ": " + hidden.text
	}
	return &TransportError{Op: c.op, NotSent: failure.NotSent, Err: hidden}
}
