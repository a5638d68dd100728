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

// errReplay is the failure of a request that was stopped when it would have been sent again, by
// net/http after the connection broke, or by a RoundTripper whose sending looks like that.
var errReplay = errors.New("the request may have arrived, so it was not sent again")

// A witness is what is known of an attempt: from httptrace's hooks, and from what was read of the
// request's body, as what was never read was never sent. Other round trips fire the same hooks if a
// RoundTripper, a dialer or a look-up makes them with the request's context, so hooks prove little
// on their own. net/http calls them from several goroutines, also after the round trip.
type witness struct {
	direct     bool // the RoundTripper is net/http's
	plainHTTP1 bool // and speaks no HTTP/2 without TLS

	got       bool // a connection was handed out: from here on something may have been written
	handshake bool // TLS has begun and not succeeded
	open      int  // how many requests have a connection and no response
	wrote     bool // headers of one of them were written
	interim   int  // how many 1xx responses came
	http1     bool // an open request is proved to speak HTTP/1
	http2     bool // and one HTTP/2
	keyed     bool // a request has an Idempotency-Key

	// Whose hooks these are is told by hosts.
	asked   []string // hosts that a connection was asked for, with their ports
	writing []string // hosts that the headers name which are being written: several, if round trips overlap
	heads   int      // how many headers have begun and not ended
	another bool     // they are of another request: they name another path
	wroteTo []string // to which of asked this request was written, as far as that can be told
	again   bool     // the connection that was asked for last would be another one for it, without a response in between

	watched bool  // the body, which may be empty, tells when it is read
	read    bool  // something was read of the body, or of a copy
	handed  bool  // it may be sent without a hook: see shake and witnessed.Read
	stopped error // why the attempt was ended from here, such as a replay
}

// trace returns the attempt's hooks, for a request with ctx. Each of those that only a RoundTripper
// of the caller's needs costs an allocation, and WroteHeaderField one more for each header.
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
	if !a.own || httptrace.ContextClientTrace(ctx) != nil { // a hook of the caller's ends net/http's own bound
		a.hooks.Got1xxResponse = a.got1xxResponse
	}
	return &a.hooks
}

// shake notes that a handshake is open, or that it succeeded: perhaps that of a proxy, which can
// still refuse to connect. If it negotiated a protocol that is not net/http's own, the request goes
// to a RoundTripper for that, which may fire no hooks.
func (a *attempt) shake(open bool, protocol string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.handshake = open
	a.handed = a.handed || !slices.Contains([]string{"", "http/1.1", "h2"}, protocol)
}

// guard makes the attempt a witness of req, which next is about to send. It returns an error if
// there is no time left for that.
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
		req.Body = http.NoBody // else net/http sends it in chunks, which some servers refuse
		return nil
	case !a.own: // which needs no such witness: net/http writes headers and body at once only if it knows the body's type
		// Without a body only hooks could show a replay, so an empty one stands in for it.
		a.sent.attempt, a.watched = a, true
		req.Body = &a.sent
	}
	req.GetBody = a.copyBody
	return nil
}

// harmless reports whether net/http repeats a request only if it wrote nothing of it: that is so
// for HTTP/1, if it is proved, and a request without an Idempotency-Key. There a repetition rescues
// a call whose kept connection was closed before. On HTTP/2 net/http also repeats what a peer
// has refused, as often as the peer refuses it, although it was fully written: without this, one
// call arrived thousands of times. (A GET is repeated on HTTP/1 as well, and changes nothing.)
func (a *attempt) harmless() bool { return a.http1 && !a.http2 && !a.keyed }

// copyBody is the request's GetBody. It refuses a RoundTripper of the caller's a copy that would be
// written although the request may have been.
func (a *attempt) copyBody() (io.ReadCloser, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	replay := a.handed // if there are no hooks
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

// gotConn stops a replay that copyBody does not: one of the library's own transport, that of a GET,
// which needs no copy, or of a RoundTripper that made its own. Cancelling here is before the second
// writing. HTTP/1 writes without a look at the context, so there the connection, which no other
// call uses, is closed. It is closed, too, if the attempt has ended without it.
func (a *attempt) gotConn(info httptrace.GotConnInfo) {
	var unwanted net.Conn
	defer func() {
		if unwanted != nil {
			_ = unwanted.Close() // which may take its time, so not with the lock
		}
	}()
	a.mu.Lock()
	defer a.mu.Unlock()
	http1 := a.plainHTTP1 || a.http1 && !a.http2 // a replay speaks what was proved of the first
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
	a.got = true
	a.open++
	if a.own {
		a.http1, a.http2 = http1, !http1
	}
}

// wroteHeaderField proves the version of HTTP, which TLS need not have negotiated, tells of a
// header that some RoundTripper has added, also without a value, and knows this request by the end
// of its path and by headers that few others have. (A gateway may need another prefix, or a query.)
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
		own, _ := url.Parse(a.request.URL) // http.Client has read it, too
		its, err := url.Parse(strings.Join(values, ""))
		a.another = len(a.writing) == 1 && err == nil && path.Base(its.Path) != path.Base(own.Path)
	case "Idempotency-Key", "X-Idempotency-Key":
		a.keyed = true
	case "Accept", "Content-Type": // anybody's
	default:
		if own := a.request.Header[name]; a.another || len(own) == 0 || !slices.Equal(own, values) {
			return
		}
		unnamed := func(host string) bool {
			return !slices.ContainsFunc(a.writing, func(named string) bool { return strings.HasPrefix(host+":", named+":") })
		}
		a.wroteTo = slices.DeleteFunc(slices.Clone(a.asked), unnamed)
		if len(a.wroteTo) == 0 { // there is a proxy
			a.wroteTo = a.asked
		}
	}
}

// beginHeaders notes the host of headers that begin. Those that have not ended may be of another
// round trip, in a goroutine of its own: then nobody can tell whose a field is.
func (a *attempt) beginHeaders(host []string) {
	if a.heads == 0 {
		a.writing = nil
	}
	a.heads++
	a.writing = append(a.writing, strings.Join(host, ""))
	a.another = false
}

func (a *attempt) wroteHeaders() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.wrote = true
	a.heads = max(0, a.heads-1)
}

// gotFirstResponseByte ends what could be replayed: a digest's second request is none, nor is what
// follows a dump, a token fetch, an audit or a look-up.
func (a *attempt) gotFirstResponseByte() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.open = max(0, a.open-1)
}

// got1xxResponse takes that back: an HTTP/2 peer can send a 103 and then refuse the request. With
// this hook net/http bounds the number of such responses no longer, so it does.
func (a *attempt) got1xxResponse(int, textproto.MIMEHeader) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.open++
	a.interim++
	if a.interim > 32 {
		a.stopped = errors.New("too many 1xx responses")
		a.abort() // a hook of the caller's hides what this one returns
	}
	return a.stopped
}

// A witnessed body notes that it is read, and cannot be once the attempt has ended.
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
	w.handed = w.handed || !w.got && !belowRoundTrip()
	return w.data.Read(p)
}

func (w *witnessed) Close() error { return nil }

// roundTripName is the whole name of [roundTripper.RoundTrip], as this build has it.
var roundTripName = runtime.FuncForPC(reflect.ValueOf((*roundTripper).RoundTrip).Pointer()).Name()

// belowRoundTrip reports whether [roundTripper.RoundTrip] is among the callers: then a RoundTripper
// signs, dumps or copies. Transports read what they write in goroutines of their own.
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
