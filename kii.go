package kii

import (
	"cmp"
	"net"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/go-kii/kii/internal/transport"
)

const userAgent = "kii-go/0.1.0"

// Site is the base URL of a Kii Cloud site. For a base URL that is not listed here write
// Site("https://…/api"). One slash at its end is ignored.
type Site string

// The sites of Kii Cloud. An app is at the one that was chosen for it on the developer portal.
const (
	SiteUS  Site = "https://api.kii.com/api"
	SiteJP  Site = "https://api-jp.kii.com/api"
	SiteSG  Site = "https://api-sg.kii.com/api"
	SiteEU  Site = "https://api-eu.kii.com/api"
	SiteCN3 Site = "https://api-cn3.kii.com/api"
)

// A Client makes calls to Kii Cloud for one app. Create one with [New] and share it: it is safe for
// concurrent use and keeps connections open between calls.
type Client struct {
	User *User // the user API, not one user
}

// New returns a client for the app with this ID and key at site, as the developer portal shows
// them. It checks every argument and sends nothing, so a wrong app ID or site shows only at the
// first call, as [ErrAppNotFound].
func New(appID, appKey string, site Site, opts ...Option) (*Client, error) {
	dots := refuseIf(appID == "." || appID == "..", "appID", "must not be a dot segment")
	if err := cmp.Or(checkText("appID", appID), dots, checkText("appKey", appKey)); err != nil {
		return nil, err
	}
	appID, appKey, site = strings.Clone(appID), strings.Clone(appKey), Site(strings.Clone(string(site)))
	cfg := config{timeout: 30 * time.Second, maxRetries: 2, userAgent: userAgent}
	for _, opt := range opts {
		if opt == nil {
			return nil, &ArgumentError{"opts", "holds a nil Option"}
		}
		if err := opt(&cfg); err != nil {
			return nil, err
		}
	}
	base, host, err := site.parse(cfg.insecureHTTP)
	if err != nil {
		return nil, err
	}
	agent := []string{cfg.userAgent}
	return &Client{User: &User{&api{
		http:       seal(transport.New(&cfg.httpClient, cfg.timeout, cfg.maxRetries)),
		site:       base,
		app:        base + "/apps/" + escapeSegment(appID),
		host:       host,
		appKey:     seal(appKey),
		appHeaders: seal(appHeaders(appID, appKey, agent)),
		agent:      agent,
		logger:     cfg.logger,
		timeout:    cfg.timeout,
	}}}, nil
}

// CloseIdleConnections closes the connections that the library's own transport keeps between calls.
// A program need not call it: they close by themselves after 30 seconds. It is for a test that
// counts goroutines, and for a client that is replaced. A Transport given by [WithHTTPClient] is
// the caller's to close.
func (c *Client) CloseIdleConnections() {
	if c != nil && c.User != nil && c.User.api != nil {
		c.User.api.http.open().CloseIdleConnections()
	}
}

// parse checks s, and returns it without a trailing slash, with its host.
func (s Site) parse(insecureHTTP bool) (base, host string, err error) {
	for name, known := range map[string]Site{"US": SiteUS, "JP": SiteJP, "SG": SiteSG, "EU": SiteEU, "CN3": SiteCN3} {
		if strings.EqualFold(string(s), name) {
			return "", "", &ArgumentError{"site", "is a base URL, not a name: use kii.Site" + name + ", which is " + string(known)}
		}
	}
	u, err := url.Parse(string(s))
	if err != nil || u.Hostname() == "" || unsendable(string(s)) != "" || strings.Contains(string(s), " ") {
		return "", "", &ArgumentError{"site", `must be a base URL such as "https://api.kii.com/api"`}
	}
	port, err := strconv.ParseUint(cmp.Or(u.Port(), "443"), 10, 16)
	switch {
	case err != nil || port == 0:
		return "", "", &ArgumentError{"site", "must have a port of 1 to 65535, or none"}
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(string(s), "#"):
		return "", "", &ArgumentError{"site", "must not hold user information, a query or a fragment"}
	case u.Path != "" && strings.TrimSuffix(u.Path, "/") != strings.TrimSuffix(path.Clean(u.Path), "/"):
		return "", "", &ArgumentError{"site", "must not have an empty segment or a dot segment in its path"}
	case u.Scheme != "https" && (u.Scheme != "http" || !insecureHTTP && !isLoopback(u.Hostname())):
		return "", "", &ArgumentError{"site", "must be https, or http if it is loopback or WithInsecureHTTP is given"}
	}
	return strings.TrimSuffix(string(s), "/"), u.Hostname(), nil
}

func isLoopback(host string) bool {
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}
