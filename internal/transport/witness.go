package transport

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"path"
	"reflect"
	"runtime"
	"slices"
	"strings"
)

// errReplay is the failure of a request that was about to be sent again: by net/http after its
// connection broke, or by a RoundTripper that seems to do the same.
var errReplay = errors.New("the request may have arrived, so it was not sent again")

// A witness holds what is known of an attempt. It learns that from httptrace's hooks, and from
// reads of the request's body: what was not read was not sent. Hooks alone prove little: a
// RoundTripper, a dialer or a look-up that makes another request with the same context fires them,
// too. net/http calls them from several goroutines, and also after the round trip.
type witness struct {
	direct     bool // the RoundTripper is net/http's
	plainHTTP1 bool // and never speaks HTTP/2 without TLS

	connected bool // a connection was obtained, so something may have been written
	handshake bool // a TLS handshake has begun and has not succeeded
	open      int  // number of requests with a connection and without a response
	wrote     bool // the headers of an open request were written
	interim   int  // number of 1xx responses
	http1     bool // an open request is known to use HTTP/1
	http2     bool // an open request is known to use HTTP/2
	keyed     bool // a request has an Idempotency-Key header

	// Hosts tell this request from others that fire the same hooks.
	asked      []string // host:port of each connection asked for
	writing    []string // hosts named by the headers now being written: several if round trips overlap
	unfinished int      // number of requests whose headers are being written
	another    bool     // the headers name another path, so they are another request's
	wroteTo    []string // those of asked that this request may have been written to
	again      bool     // the connection asked for last would be a second one for this request, before any response

	watched  bool  // the body is a witnessed one, which notes when it is read
	read     bool  // the body, or a copy of it, was read
	hookless bool  // the request may be sent without any hook: see shake and witnessed.Read
	stopped  error // why the witness ended the attempt, such as a replay
}

// trace returns the attempt's hooks. The library's own transport gets only those that it needs:
// each costs an allocation, and WroteHeaderField one more for each header.
func (a *attempt) trace(ctx context.Context) *httptrace.ClientTrace {
	a.hooks = httptrace.ClientTrace{
		GotConn:           a.gotConn,
		WroteHeaders:      a.wroteHeaders,
		TLSHandshakeStart: func() { a.shake(true, "") },
		TLSHandshakeDone:  func(state tls.ConnectionState, err error) { a.shake(err != nil, state.NegotiatedProtocol) },
	}
	if !a.own {
		a.hooks.GetConn = a.getConn
		a.hooks.WroteHeaderField = a.wroteHeaderField
		a.hooks.GotFirstResponseByte = a.gotFirstResponseByte
	}
	if !a.own || httptrace.ContextClientTrace(ctx) != nil { // if the caller's trace has this hook, net/http does not bound the number
		a.hooks.Got1xxResponse = a.got1xxResponse
	}
	return &a.hooks
}

// shake notes whether a TLS handshake is open. One that succeeded may be a proxy's, which can still
// refuse to connect. If it negotiated a protocol other than net/http's own two, a RoundTripper
// registered for that protocol sends the request, and may fire no hooks.
func (a *attempt) shake(open bool, protocol string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.handshake = open
	a.hookless = a.hookless || !slices.Contains([]string{"", "http/1.1", "h2"}, protocol)
}

// guard prepares req, which next is about to send, so that the attempt witnesses it. It returns an
// error if the context is done.
func (a *attempt) guard(req *http.Request, next http.RoundTripper) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := req.Context().Err(); err != nil {
		return err
	}
	a.began = true
	if t, ok := next.(*http.Transport); ok {
		a.direct, a.plainHTTP1 = true, t.Protocols == nil || !t.Protocols.UnencryptedHTTP2()
	}
	switch {
	case len(a.request.Body) == 0 && (a.direct || a.request.Method == http.MethodGet):
		req.Body = http.NoBody // otherwise net/http would send an empty body in chunks, which some servers refuse
		return nil
	case !a.own: // the library's own transport keeps the plain body: net/http writes it together with the headers only if it knows its type
		// A request without a body gets an empty one, since otherwise only hooks could show a
		// replay.
		a.reqBody.attempt, a.watched = a, true
		req.Body = &a.reqBody
	}
	req.GetBody = a.copyBody
	return nil
}

// harmless reports whether net/http would repeat the request only if nothing of it was written.
// That holds if it is known to use HTTP/1 and has no Idempotency-Key: there a repetition saves a
// call whose idle connection the server had closed. On HTTP/2 net/http also repeats a fully written
// request that the peer refused, as often as it is refused: without this check one call arrived
// thousands of times. (On HTTP/1 it repeats a written GET, too, but that changes nothing.)
func (a *attempt) harmless() bool { return a.http1 && !a.http2 && !a.keyed }

// copyBody is the request's GetBody. It refuses the caller's RoundTripper a copy if the request may
// already have been written.
func (a *attempt) copyBody() (io.ReadCloser, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	replay := a.hookless // all that is known without hooks
	if len(a.asked) > 0 {
		replay = a.read && a.wrote && a.open > 0 && !a.harmless()
	}
	if replay {
		return nil, errReplay
	}
	body := &witnessed{attempt: a}
	body.data.Reset(a.request.Body)
	return body, nil
}

func (a *attempt) getConn(host string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, host)
	a.again = a.open > 0 && slices.Contains(a.wroteTo, host)
}

// gotConn stops the replays that copyBody does not: those by the library's own transport, those of
// a GET, which needs no copy, and those by a RoundTripper that copied the body itself. It runs
// before the second writing, so cancelling the call stops that on HTTP/2. HTTP/1 writes without
// checking the context, so there the connection, which no other call uses, is closed. It is also
// closed if the attempt has already ended.
func (a *attempt) gotConn(info httptrace.GotConnInfo) {
	var unwanted net.Conn
	defer func() {
		if unwanted != nil {
			_ = unwanted.Close() // without the lock, since it may block
		}
	}()
	a.mu.Lock()
	defer a.mu.Unlock()
	http1 := a.plainHTTP1 || a.http1 && !a.http2 // a replay uses the same version as the first writing
	if secure, ok := info.Conn.(interface{ ConnectionState() tls.ConnectionState }); ok {
		http1 = secure.ConnectionState().NegotiatedProtocol != "h2"
	}
	replay := (a.again || a.own && a.wrote) && !a.harmless()
	if replay {
		a.stopped = errReplay
		a.abort()
	}
	if replay || a.ended {
		if http1 {
			unwanted = info.Conn
		}
		return
	}
	if a.open == 0 {
		a.wrote, a.wroteTo, a.http1, a.http2 = false, nil, false, false
	}
	a.connected = true
	a.open++
	if a.own {
		a.http1, a.http2 = http1, !http1
	}
}

// wroteHeaderField notes three things: the version of HTTP, even without TLS; an Idempotency-Key,
// which a RoundTripper may have added, even without a value; and whether the headers are this
// request's. It knows them by headers that few other requests have and, on HTTP/2, by the last
// element of the path, since a gateway may need another prefix or a query.
func (a *attempt) wroteHeaderField(name string, values []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch name = textproto.CanonicalMIMEHeaderKey(name); name {
	case "Host":
		a.http1 = true
		a.beginHeaders(values)
	case ":authority":
		a.http2 = true
		a.beginHeaders(values)
	case ":path":
		own, _ := url.Parse(a.request.URL) // http.Client has already parsed it
		its, err := url.Parse(strings.Join(values, ""))
		a.another = len(a.writing) == 1 && err == nil && path.Base(its.Path) != path.Base(own.Path)
	case "Idempotency-Key", "X-Idempotency-Key":
		a.keyed = true
	case "Accept", "Content-Type": // other requests have these, too
	default:
		if own := a.request.Header[name]; a.another || len(own) == 0 || !slices.Equal(own, values) {
			return
		}
		unnamed := func(host string) bool {
			return !slices.ContainsFunc(a.writing, func(named string) bool { return strings.HasPrefix(host+":", named+":") })
		}
		a.wroteTo = slices.DeleteFunc(slices.Clone(a.asked), unnamed)
		if len(a.wroteTo) == 0 { // the connection is to a proxy
			a.wroteTo = a.asked
		}
	}
}

// beginHeaders notes the host of a request whose headers begin. If others have not ended, another
// round trip is under way in its own goroutine, and a field may be of either.
func (a *attempt) beginHeaders(host []string) {
	if a.unfinished == 0 {
		a.writing = nil
	}
	a.unfinished++
	a.writing = append(a.writing, strings.Join(host, ""))
	a.another = false
}

func (a *attempt) wroteHeaders() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.wrote = true
	a.unfinished = max(0, a.unfinished-1)
}

// gotFirstResponseByte notes that a request is answered. What is sent after that is no replay, but
// the second request of a digest login, say, or the call itself after a token fetch, an audit or a
// look-up.
func (a *attempt) gotFirstResponseByte() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.open = max(0, a.open-1)
}

// got1xxResponse undoes that, since an HTTP/2 peer can send a 103 and then refuse the request. It
// also bounds the number of 1xx responses, because net/http does not if there is such a hook.
func (a *attempt) got1xxResponse(int, textproto.MIMEHeader) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.open++
	a.interim++
	if a.interim > 32 {
		a.stopped = errors.New("too many 1xx responses")
		a.abort() // a hook of the caller hides what this one returns
	}
	return a.stopped
}

// A witnessed body notes that it is read. After the end of the attempt it cannot be read.
type witnessed struct {
	*attempt
	data bytes.Reader
}

func (w *witnessed) Read(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return 0, errReplay
	}
	w.read = true
	w.hookless = w.hookless || !w.connected && !belowRoundTrip()
	return w.data.Read(p)
}

func (w *witnessed) Close() error { return nil }

// roundTripName is the full name of [roundTripper.RoundTrip] in this build, which may be
// obfuscated.
var roundTripName = runtime.FuncForPC(reflect.ValueOf((*roundTripper).RoundTrip).Pointer()).Name()

// belowRoundTrip reports whether [roundTripper.RoundTrip] is among the callers: then a RoundTripper
// reads the body to sign, dump or copy it. A transport that sends it reads it in another goroutine.
func belowRoundTrip() bool {
	var callers [128]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers[:])])
	for frame, more := frames.Next(); more; frame, more = frames.Next() {
		if frame.Function == roundTripName {
			return true
		}
	}
	return false
}
