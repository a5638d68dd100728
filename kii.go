package kii

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-kii/kii/internal/transport"
)

const userAgent = "kii-go/0.1.0"

// Site is the base URL of a Kii Cloud site. Any other base URL than those listed here is
// written Site("https://…/api"); one slash at its end is ignored.
type Site string

// The sites of Kii Cloud. An app lives at one of them: the one chosen on the developer portal.
const (
	SiteUS  Site = "https://api.kii.com/api"
	SiteJP  Site = "https://api-jp.kii.com/api"
	SiteSG  Site = "https://api-sg.kii.com/api"
	SiteEU  Site = "https://api-eu.kii.com/api"
	SiteCN3 Site = "https://api-cn3.kii.com/api"
)

// A Client talks to Kii Cloud in the name of one app. Make one with [New] and share it: it is safe
// for concurrent use and keeps its connections open between calls.
type Client struct {
	User *User // the user API, not one user
}

// New returns a client for the app with this ID and key at site, as the developer portal shows them. It checks
// every argument and sends nothing, so a wrong app ID or site shows only at the first call, as [ErrAppNotFound].
func New(appID, appKey string, site Site, opts ...Option) (*Client, error) {
	if err := checkAppValue("appID", appID); err != nil {
		return nil, err
	}
	if appID == "." || appID == ".." {
		return nil, &ArgumentError{"appID", "must not be a dot segment"}
	}
	if err := checkAppValue("appKey", appKey); err != nil {
		return nil, err
	}
	cfg := defaultConfig()
	for _, opt := range opts {
		if opt == nil {
			return nil, &ArgumentError{"opts", "holds a nil Option"}
		}
		if err := opt(&cfg); err != nil {
			return nil, err
		}
	}
	base, err := site.base(cfg.insecureHTTP)
	if err != nil {
		return nil, err
	}
	api := &api{
		http:       transport.New(&cfg.httpClient, cfg.timeout, cfg.maxRetries),
		site:       base,
		app:        base + "/apps/" + escapeSegment(appID),
		appKey:     appKey,
		appHeaders: make(map[string]http.Header),
		agent:      []string{cfg.userAgent},
		logger:     cfg.logger,
	}
	for _, contentType := range []string{resetPasswordType, completeResetType, tokenType} {
		api.appHeaders[contentType] = http.Header{
			"User-Agent":   api.agent,
			"Accept":       accept,
			"Content-Type": {contentType},
			"X-Kii-Appid":  {appID},
			"X-Kii-Appkey": {appKey},
		}
	}
	return &Client{User: &User{api}}, nil
}

func checkAppValue(name, value string) error {
	switch {
	case value == "":
		return &ArgumentError{name, "must not be empty"}
	case hasControl(value):
		return &ArgumentError{name, "must not hold control characters"}
	case strings.TrimSpace(value) != value:
		return &ArgumentError{name, "must not begin or end with a space"}
	}
	return nil
}

// base checks s and returns it without a trailing slash.
func (s Site) base(insecureHTTP bool) (string, error) {
	for name, known := range map[string]Site{"US": SiteUS, "JP": SiteJP, "SG": SiteSG, "EU": SiteEU, "CN3": SiteCN3} {
		if strings.EqualFold(string(s), name) {
			return "", &ArgumentError{"site", "is a base URL, not a name: use kii.Site" + name + ", which is " + string(known)}
		}
	}
	u, err := url.Parse(string(s))
	switch {
	case err != nil || u.Hostname() == "" || strings.Contains(string(s), " "):
		return "", &ArgumentError{"site", `must be a base URL such as "https://api.kii.com/api"`}
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(string(s), "#"):
		return "", &ArgumentError{"site", "must not hold user information, a query or a fragment"}
	case u.Scheme == "http" && !insecureHTTP && !isLoopback(u.Hostname()):
		return "", &ArgumentError{"site", "must be https, unless it is loopback or WithInsecureHTTP is given"}
	case u.Scheme != "https" && u.Scheme != "http":
		return "", &ArgumentError{"site", "must be an https URL"}
	}
	return strings.TrimSuffix(string(s), "/"), nil
}

func isLoopback(host string) bool {
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}

// api sends the calls of one app.
type api struct {
	http       *transport.Client
	site, app  string // base URLs: of the site, and of the app below it
	appKey     string
	appHeaders map[string]http.Header // of calls in the app's name, by content type; shared, so read only
	agent      []string
	logger     *slog.Logger
}

var accept = []string{"*/*"}

// The content types of the calls in the app's name.
const (
	resetPasswordType = "application/vnd.kii.ResetPasswordRequest+json"
	completeResetType = "application/vnd.kii.CompletePasswordResetRequest+json"
	tokenType         = "application/vnd.kii.OauthTokenRequest+json"
)

// A call is one operation on Kii Cloud.
type call struct {
	op          string // the Go method's name, for errors and the log
	method, url string
	contentType string  // of body
	body        []byte  // JSON; nil: none
	token       string  // an access token; empty: the call is made in the app's name
	secrets     secrets // what this call must never show
}

// marshal returns the JSON of a request's body.
func marshal(body any) []byte {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // the bodies are structs of strings
	}
	return b
}

// send makes the call and returns the reply, whatever its status, or a *TransportError.
func (a *api) send(ctx context.Context, c *call) (transport.Reply, error) {
	reply, err := a.http.Do(ctx, &transport.Request{Method: c.method, URL: c.url, Header: a.header(c), Body: c.body})
	if err != nil {
		return reply, transportError(c, err)
	}
	return reply, nil
}

// done makes a call whose success is an answer without a body.
func (a *api) done(ctx context.Context, c *call) error {
	start := time.Now()
	reply, err := a.send(ctx, c)
	if err == nil && (reply.Status/100 != 2 || len(reply.Body) > 0 || reply.Broken != "") {
		err = apiError(c, &reply)
	}
	a.log(ctx, c, start, reply.Status, err)
	return err
}

// decode makes a call whose success is a 200 with a JSON body that complete accepts.
func (a *api) decode(ctx context.Context, c *call, into any, complete func() bool) error {
	start := time.Now()
	reply, err := a.send(ctx, c)
	if err == nil && (reply.Status != http.StatusOK || json.Unmarshal(reply.Body, into) != nil || !complete()) {
		err = apiError(c, &reply)
	}
	a.log(ctx, c, start, reply.Status, err)
	return err
}

// header names the app, or carries the token, which names it too.
// https://documentation.kii.com/en/guides/cloudsdk/rest/guidelines/appid_key/
func (a *api) header(c *call) http.Header {
	if c.token == "" {
		return a.appHeaders[c.contentType]
	}
	h := http.Header{"User-Agent": a.agent, "Accept": accept, "Authorization": {"Bearer " + c.token}}
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
