package kiitest

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/go-kii/kii"
)

const (
	// apiPath is where a site's API starts, below its host.
	apiPath = "/api"

	// nowhere is the origin of a server without a socket. RFC 2606 reserves the name, so that a
	// client which forgot [Server.Transport] reaches no real host.
	nowhere = "https://kiitest.invalid"

	// nowhereInBubble is the same in a bubble, where a name must not be looked up: package net
	// would keep a channel of the bubble's, and the next look-up outside would end the program.
	// Nothing listens at port 1.
	nowhereInBubble = "https://127.0.0.1:1"

	// headerTimeout bounds the time a socket waits for a request's header. A limit for the whole
	// request would end a delay that is longer.
	headerTimeout = 30 * time.Second
)

// A Server is one app on a Kii Cloud of its own, held in memory: its accounts, its tokens, the
// mails and SMS it sent, the portal's settings. Two servers share nothing.
//
// Make one with [NewServer]. All methods are safe for concurrent use, and the values they return
// are copies.
type Server struct {
	cfg    config
	appID  string
	appKey string

	clientID     string
	clientSecret string

	origin string // scheme and host of the site and of the links, without a trailing slash
	bubble string // the testing/synctest bubble that the server was made in; empty: none
	routes []route

	listener *http.Server // nil without a socket
	served   chan struct{}
	inflight sync.WaitGroup // calls that came in over the socket
	strict   strict

	mu     sync.Mutex
	random generator
	offset time.Duration // what Advance added
	closed bool
	resets int // and restores, each of which begins the message IDs again
	state
}

// state is what Reset and Restore replace.
type state struct {
	settings Settings
	assumed  map[Assumption]bool
	accounts map[string]*account    // by user ID
	byName   map[address][]*account // as they got the address; at most one has it verified
	tokens   map[string]*token
	issued   []*token         // oldest first, dead ones included
	links    map[string]*link // by what their URL ends in
	messages []*message       // oldest first
	sent     int              // the number of the newest message
	waiters  map[chan struct{}]struct{}
	faults   []*pendingFault
	injected int    // the ID of the newest fault
	calls    []Call // oldest first
	called   int    // the number of the newest call
	order    int    // the number of the newest account
}

// NewServer starts a Kii Cloud with one app and no accounts. It panics on an invalid option.
//
// By default it listens on a free port of 127.0.0.1, or of ::1 if there is no IPv4, as
// [net/http/httptest.NewServer] does, and Close must be called. [WithTest] does that after the
// test's parallel subtests, whereas a deferred Close runs before them. Inside a [testing/synctest]
// bubble it opens no socket, because a bubble cannot wait for the network: there a client needs
// [Server.Transport], and time is the bubble's. [WithoutSocket] asks for the same anywhere else.
func NewServer(opts ...Option) *Server {
	cfg := newConfig(opts)
	s := &Server{
		cfg:    cfg,
		bubble: bubble(),
		routes: routes(),
		random: newGenerator(cfg),
	}
	s.appID = cmp.Or(cfg.appID, s.random.hex(8))
	s.appKey = cmp.Or(cfg.appKey, s.random.hex(32))
	s.clientID = cmp.Or(cfg.clientID, s.random.hex(32))
	s.clientSecret = cmp.Or(cfg.clientSecret, s.random.hex(64))
	s.state = cfg.state()
	switch {
	case cfg.origin != "":
		s.origin = cfg.origin
	case s.bubble != "":
		s.origin = nowhereInBubble
	case cfg.withoutSocket:
		s.origin = nowhere
	default:
		s.listen()
	}
	s.strict.attach(s)
	return s
}

func (s *Server) listen() {
	l, err := listenOnFirst("127.0.0.1:0", "[::1]:0")
	if err != nil {
		panic(fmt.Sprintf("kiitest: cannot listen on loopback: %v", err))
	}
	s.origin = "http://" + l.Addr().String()
	s.listener = &http.Server{Handler: http.HandlerFunc(s.serveSocket), ReadHeaderTimeout: headerTimeout}
	s.served = make(chan struct{})
	go func() {
		defer close(s.served)
		_ = s.listener.Serve(l) // returns when Close closes l
	}()
}

// listenOnFirst listens on the first address that this machine has: some have no IPv4.
func listenOnFirst(addresses ...string) (net.Listener, error) {
	var failed error
	for _, address := range addresses {
		l, err := net.Listen("tcp", address)
		if err == nil {
			return l, nil
		}
		failed = errors.Join(failed, err)
	}
	return nil, failed
}

// serveSocket lets Close wait for the calls that it interrupts.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
	s.inflight.Add(1)
	s.mu.Unlock()
	defer s.inflight.Done()
	s.ServeHTTP(w, r)
}

// Close ends the server: its socket, if any, its open connections, and each [Server.WaitMessage].
// Calls that come later get no answer. Under [WithTest] it reports the faults that no call has met.
// A second Close does nothing.
func (s *Server) Close() {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	s.wake()
	unmet := s.unmetFaults()
	s.mu.Unlock()
	if !first {
		return
	}
	if s.listener != nil {
		s.listener.Close()
		<-s.served
		s.inflight.Wait()
	}
	for _, f := range unmet {
		s.strict.report("the server closed before a call met this fault: %v", f)
	}
}

// AppID returns the ID of the app, as kii.New wants it.
func (s *Server) AppID() string {
	s.checkClock("AppID")
	return s.appID
}

// AppKey returns the key of the app, as kii.New wants it.
func (s *Server) AppKey() string {
	s.checkClock("AppKey")
	return s.appKey
}

// ClientID returns the ID of the app's administrator, as kii's Client.Admin wants it.
func (s *Server) ClientID() string {
	s.checkClock("ClientID")
	return s.clientID
}

// ClientSecret returns the secret of the app's administrator, as kii's Client.Admin wants it.
func (s *Server) ClientSecret() string {
	s.checkClock("ClientSecret")
	return s.clientSecret
}

// Site returns the server's base URL, as kii.New wants it. Without a socket it is an https URL of
// kiitest.invalid or, in a bubble, of 127.0.0.1:1, which works only through [Server.Transport].
func (s *Server) Site() kii.Site {
	s.checkClock("Site")
	return kii.Site(s.origin + apiPath)
}

// Format prints the site, whatever the verb. A mock prints its arguments, also while calls run.
func (s *Server) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "Server{%s}", s.origin+apiPath) }

// Transport returns a RoundTripper that reaches the server without a socket. Each RoundTrip is
// handled in the goroutine that called it, so that it works inside a [testing/synctest] bubble, and
// takes microseconds. It serves the host of [Server.Site] and knows no other. Give it to
// kii.WithHTTPClient as an http.Client's Transport. A context that is done, or ends during a delay,
// is answered with its error.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

type transport struct{ server *Server }

// Format prints the server, as an http.Client that is printed prints its Transport.
func (t transport) Format(f fmt.State, verb rune) { t.server.Format(f, verb) }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if origin := r.URL.Scheme + "://" + r.URL.Host; origin != t.server.origin {
		t.server.strict.report("a call went to another host than the server's own; was a redirect followed?")
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: r.URL.Hostname(), IsNotFound: true}}
	}
	return t.server.answer(r).response(r)
}

// ServeHTTP serves the API and the link pages below /api, for a program that mounts the server on
// a listener of its own; see [WithOrigin].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.answer(r).write(w, r)
}
