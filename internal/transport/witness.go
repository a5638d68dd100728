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
	"sync/atomic"

	"github.com/go-resty/resty/v2"
)

// errReplay stands in for what stopped net/http from replaying a request.
var errReplay = errors.New("the connection ended without an answer after the request was sent")

// A witness watches a call over all its attempts: it proves that nothing was sent, and keeps
// net/http from sending anything twice. It travels as the call's context. net/http calls it from several goroutines.
type witness struct {
	context.Context
	abort        context.CancelFunc
	plainIsHTTP1 bool

	getConn   atomic.Bool // the RoundTripper fires hooks, and asked for a connection
	gotConn   atomic.Bool // from here on something may have been written
	handshake atomic.Bool // a dial succeeded and TLS began
	http2     atomic.Bool // the connection may speak HTTP/2
	wrote     atomic.Bool // request headers were handed to a connection
	replayed  atomic.Bool // a replay was stopped

	hooks httptrace.ClientTrace
	body  bytes.Reader

	attempts int
	failed   error // of the last attempt that was judged; resty forgets it when cancelled in backoff
}

func (w *witness) trace() *httptrace.ClientTrace {
	w.hooks = httptrace.ClientTrace{
		GetConn:           func(string) { w.getConn.Store(true) },
		GotConn:           w.got,
		TLSHandshakeStart: func() { w.handshake.Store(true) },
		WroteHeaders:      func() { w.wrote.Store(true) },
	}
	return &w.hooks
}

// retry says whether the call is to be tried again after an attempt that ended with resp and err.
func (w *witness) retry(resp *resty.Response, err error) bool {
	w.failed = err
	if err == nil || answered(resp) || !w.notSent(err) || w.handshake.Load() {
		return false // and leave the body alone: it may still be on its way
	}
	_, _ = w.body.Seek(0, io.SeekStart) // the next attempt reads it again; this cannot fail
	return true
}

// got is called before a request is written to a connection. net/http replays a request that
// an HTTP/2 peer has refused, as often as the peer refuses it and although it was fully written;
// cancelling here stops that before the second writing. HTTP/1 writes without a look at the context, so there the
// connection, which is this call's alone, is closed. On HTTP/1 net/http changes the connection only
// where nothing was written, or for a GET; that rescues a stale connection and is let through.
func (w *witness) got(info httptrace.GotConnInfo) {
	if w.http2.Load() && w.wrote.Load() {
		w.replayed.Store(true)
		w.abort()
		if !w.mayBeHTTP2(info.Conn) {
			_ = info.Conn.Close()
		}
		return
	}
	w.gotConn.Store(true)
	w.http2.Store(w.mayBeHTTP2(info.Conn))
}

func (w *witness) mayBeHTTP2(conn net.Conn) bool {
	if secure, ok := conn.(interface{ ConnectionState() tls.ConnectionState }); ok {
		return secure.ConnectionState().NegotiatedProtocol == "h2"
	}
	return !w.plainIsHTTP1
}

type witnessKey struct{}

// Value finds the witness itself.
func (w *witness) Value(key any) any {
	if key == (witnessKey{}) {
		return w
	}
	return w.Context.Value(key)
}

// guard gives an attempt a body that cannot be rewound to be written twice.
func guard(_ *resty.Client, req *http.Request) error {
	w := req.Context().Value(witnessKey{}).(*witness)
	w.attempts++
	rewind := req.GetBody
	if rewind == nil {
		return nil
	}
	req.GetBody = func() (io.ReadCloser, error) {
		// Where no hooks are fired, nothing tells whether the body was written.
		if !w.getConn.Load() || w.http2.Load() && w.wrote.Load() {
			w.replayed.Store(true)
			return nil, errReplay
		}
		return rewind()
	}
	return nil
}

// notSent says whether err, the end of an attempt without an answer, proves that nothing was sent.
// A dial error alone is no proof: net/http can write, dial anew and fail then. It is where the
// RoundTripper fires no hooks, as test doubles do.
func (w *witness) notSent(err error) bool {
	if w.gotConn.Load() {
		return false
	}
	return w.getConn.Load() || isDialError(err)
}

func isDialError(err error) bool {
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return true
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "dial" || op.Op == "proxyconnect")
}

// plainIsHTTP1 says whether rt is known to speak nothing but HTTP/1 where there is no TLS.
func plainIsHTTP1(rt http.RoundTripper) bool {
	t, ok := rt.(*http.Transport)
	return ok && (t.Protocols == nil || !t.Protocols.UnencryptedHTTP2())
}
