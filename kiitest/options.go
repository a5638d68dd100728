package kiitest

import (
	"net/url"
	"regexp"
	"slices"
)

// An Option sets a [Server] up before it starts. Their order does not matter; the last of a kind
// wins.
type Option func(*config)

type config struct {
	t             TB
	appID         string
	appKey        string
	clientID      string
	clientSecret  string
	origin        string
	withoutSocket bool
	seed          *uint64
	pin           string
	settings      Settings
	assumed       map[Assumption]bool
}

func newConfig(opts []Option) config {
	cfg := config{settings: defaultSettings(), assumed: make(map[Assumption]bool)}
	for _, o := range opts {
		o(&cfg)
	}
	cfg.settings = cfg.settings.clone() // Reset starts from it again
	if err := cfg.settings.Validate(); err != nil {
		panic(err.Error())
	}
	if cfg.clientID != "" && cfg.clientID == cfg.appID {
		panic("kiitest: WithAdmin: clientID is the app's ID, which names no administrator")
	}
	return cfg
}

// state is what a server starts with. The configuration was validated.
func (c config) state() state {
	fresh, err := newState(Snapshot{Settings: c.settings, Assumptions: c.assumed}, nil)
	if err != nil {
		panic(err.Error())
	}
	return fresh
}

// WithTest makes the server strict, and closes it when the test ends. A strict server fails the
// test, from any goroutine and without stopping it, on what Kii Cloud may accept but a program
// should not do:
//
//   - a path or a method that is no call of the user API
//   - a call after Close, unless it went to the closed socket, which the server cannot see
//   - a JSON field or a content type that the documentation does not name for the call
//   - a Bearer token on a call that resets a password, which no official SDK sends
//   - an Authorization header that is neither Bearer nor Basic
//   - a fault of [Server.Inject] that no call has met by the time the server closes
//   - a [Filter] or an [Operation] that nothing can match, given to a method that looks for it
//   - use of the server across the edge of a testing/synctest bubble
//
// The failure names the call, and no secret or account. A server made with a [*testing.F] reports
// what the fuzz target did only when the test ends, and not at all under go test -fuzz. There make
// the server in the target, with the target's [*testing.T].
func WithTest(t TB) Option {
	return func(c *config) { c.t = t }
}

// WithApp sets the app's ID, of 1 to 64 letters, digits, _ or -, and its key. Default: made at
// random.
func WithApp(appID, appKey string) Option {
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`).MatchString(appID) {
		panic("kiitest: WithApp: appID must be 1 to 64 letters, digits, _ or -")
	}
	if appKey == "" {
		panic("kiitest: WithApp: appKey is empty")
	}
	return func(c *config) { c.appID, c.appKey = appID, appKey }
}

// WithAdmin sets the ID and the secret of the app's administrator. Default: made at random.
func WithAdmin(clientID, clientSecret string) Option {
	if clientID == "" || !headerValue(clientID) {
		panic("kiitest: WithAdmin: clientID is empty or holds a control character")
	}
	if clientSecret == "" || !headerValue(clientSecret) {
		panic("kiitest: WithAdmin: clientSecret is empty or holds a control character")
	}
	return func(c *config) { c.clientID, c.clientSecret = clientID, clientSecret }
}

// WithoutSocket starts the server without a socket: it is reached through [Server.Transport].
func WithoutSocket() Option {
	return func(c *config) { c.withoutSocket = true }
}

// WithOrigin is for a program that mounts the Server, which is an [net/http.Handler], on its own
// listener: it opens no socket, and origin, such as "http://127.0.0.1:8080", is how
// [Server.Site] and the links in messages begin.
func WithOrigin(origin string) Option {
	u, err := url.Parse(origin)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Scheme+"://"+u.Host != origin {
		panic("kiitest: WithOrigin: origin must be a scheme and a host, such as http://127.0.0.1:8080")
	}
	return func(c *config) { c.origin = origin }
}

// WithSeed makes IDs, tokens, PINs, links and generated passwords the same in every run that makes
// the same calls in the same order. Default: they are random.
func WithSeed(seed uint64) Option {
	return func(c *config) { c.seed = &seed }
}

// WithPIN makes every PIN and every verification code this one, of 4 to 10 digits. A newer PIN is
// then the same as the one that it replaces.
func WithPIN(pin string) Option {
	if !regexp.MustCompile(`^[0-9]{4,10}$`).MatchString(pin) {
		panic("kiitest: WithPIN: pin must be 4 to 10 digits")
	}
	return func(c *config) { c.pin = pin }
}

// WithSettings changes the portal's settings that the server starts with, and returns to on
// [Server.Reset].
func WithSettings(change func(*Settings)) Option {
	return func(c *config) { change(&c.settings) }
}

// WithAssumption sets whether one of the [Assumption] constants holds. Default: all of them do.
func WithAssumption(a Assumption, holds bool) Option {
	return func(c *config) {
		if !slices.Contains(Assumptions(), a) {
			panic("kiitest: WithAssumption: no such assumption")
		}
		c.assumed[a] = holds
	}
}
