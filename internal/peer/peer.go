// Package peer is a server for tests that breaks HTTP on purpose. It speaks HTTP/1 and HTTP/2 by
// hand, so that a test decides about each byte and each frame, and it counts the requests that
// arrived.
package peer

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
)

// A Server gives each connection to one function.
type Server struct {
	http2 bool
	tls   *tls.Config // nil: plain
	serve func(*Conn)
	addr  string

	listener           net.Listener // nil: in memory
	requests, accepted atomic.Int64

	running sync.WaitGroup
	mu      sync.Mutex
	open    map[net.Conn]bool // nil once closed
}

// A Kind is what a server speaks.
type Kind struct {
	HTTP2, TLS bool
	Config     func(*tls.Config) // changes how TLS is spoken; may be nil
}

// Start listens on loopback until t ends.
func Start(t testing.TB, kind Kind, serve func(*Conn)) *Server {
	t.Helper()
	s := New(kind, serve)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	s.running.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			s.take(conn)
		}
	})
	s.listener = ln
	t.Cleanup(s.Close)
	return s
}

// New returns a server without a socket: [Server.Dial] reaches it, also inside a synctest bubble.
func New(kind Kind, serve func(*Conn)) *Server {
	s := &Server{http2: kind.HTTP2, serve: serve, addr: "127.0.0.1:1", open: map[net.Conn]bool{}}
	if kind.TLS {
		s.tls = serverTLS(kind)
	}
	return s
}

// Close breaks the connections and waits for the functions that serve them.
func (s *Server) Close() {
	if s.listener != nil {
		_ = s.listener.Close()
	}
	s.mu.Lock()
	for conn := range s.open {
		_ = conn.Close()
	}
	s.open = nil
	s.mu.Unlock()
	s.running.Wait()
}

// Finish takes no more connections, and waits until the clients have closed theirs and all that
// they wrote was read.
func (s *Server) Finish() {
	_ = s.listener.Close()
	s.running.Wait()
}

// Dial is an http.Transport's DialContext that connects in memory.
func (s *Server) Dial(context.Context, string, string) (net.Conn, error) {
	client, server := pipe()
	s.take(server)
	return client, nil
}

func (s *Server) take(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		_ = conn.Close()
		return
	}
	s.open[conn] = true
	s.accepted.Add(1)
	number := int(s.accepted.Load())
	s.running.Go(func() {
		defer func() {
			_ = conn.Close()
			s.mu.Lock()
			delete(s.open, conn)
			s.mu.Unlock()
		}()
		c := &Conn{Number: number, server: s, wire: conn, stream: conn, HTTP2: s.http2}
		if s.tls != nil {
			secure := tls.Server(conn, s.tls)
			if secure.Handshake() != nil {
				return
			}
			c.stream = secure
			c.HTTP2 = secure.ConnectionState().NegotiatedProtocol == "h2"
		}
		c.in = bufio.NewReader(c.stream)
		if c.HTTP2 && !c.greet() {
			return
		}
		s.serve(c)
	})
}

// URL returns the base URL.
func (s *Server) URL() string {
	if s.tls != nil {
		return "https://" + s.addr
	}
	return "http://" + s.addr
}

// Requests returns how many requests arrived, counted when their headers were read.
func (s *Server) Requests() int { return int(s.requests.Load()) }

// Connections returns how many connections were made.
func (s *Server) Connections() int { return int(s.accepted.Load()) }

// Open returns how many connections are open.
func (s *Server) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// Offer changes the protocols that TLS negotiates from the next connection on.
func (s *Server) Offer(protocols ...string) {
	fresh := s.tls.Clone()
	fresh.NextProtos = protocols
	fresh.GetConfigForClient = nil
	s.tls.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return fresh, nil }
}

// A Conn is a connection on which the client's preface, if any, has been read.
type Conn struct {
	Number int  // of the server's connections, from 1
	HTTP2  bool // what was negotiated
	Deaf   bool // answer no PING

	server *Server
	wire   net.Conn // below TLS
	stream net.Conn
	in     *bufio.Reader
	id     uint32 // HTTP/2: the stream of the last request
}

// Next reads the next request, body included, and counts it. It returns false when there is none.
func (c *Conn) Next() bool {
	if c.HTTP2 {
		return c.nextHTTP2()
	}
	return c.nextHTTP1()
}

// Head waits for the head of an HTTP/1 request, which the next call of Next reads.
func (c *Conn) Head() {
	for n := 1; ; n++ {
		head, err := c.in.Peek(n)
		if err != nil || bytes.HasSuffix(head, []byte("\r\n\r\n")) {
			return
		}
	}
}

// Answer writes a reply. header holds names and values in turn; HTTP/1 gets a Content-Length unless
// it is among them.
func (c *Conn) Answer(status int, body []byte, header ...string) {
	if c.HTTP2 {
		c.Headers(len(body) == 0, status, header...)
		for len(body) > 0 && c.Data(body[:min(len(body), maxFrame)], len(body) <= maxFrame) {
			body = body[min(len(body), maxFrame):]
		}
		return
	}
	_ = c.Raw(string(Reply(status, body, header...)))
}

// Raw writes bytes.
func (c *Conn) Raw(text string) error { return c.Write([]byte(text)) }

// Write writes bytes.
func (c *Conn) Write(b []byte) error {
	_, err := c.stream.Write(b)
	return err
}

// Cut lets n more bytes be written; what comes then ends the connection, by a reset or a close.
func (c *Conn) Cut(n int, reset bool) {
	end := c.Close
	if reset {
		end = c.Reset
	}
	c.stream = &cutter{Conn: c.stream, left: n, end: end}
}

// Length returns how many bytes [Conn.Answer] writes.
func Length(http2 bool, status int, body []byte) int {
	client, server := pipe()
	defer client.Close()
	const plenty = 32 << 10
	all := &cutter{Conn: server, left: plenty}
	(&Conn{HTTP2: http2, stream: all}).Answer(status, body)
	return plenty - all.left
}

// Hang waits until the client has gone, and reads what it sends meanwhile.
func (c *Conn) Hang() {
	for c.Next() {
	}
	_ = discard(c.in) // and what is no request
}

// Hello reads the first record of a client's TLS handshake, on a plain server.
func (c *Conn) Hello() {
	if head, err := c.in.Peek(5); err == nil {
		_, _ = c.in.Discard(5 + int(head[3])<<8 + int(head[4]))
	}
}

// Refuse lets the client write no more, which it does not know before it tries, and waits until it
// has gone. It takes a connection in memory.
func (c *Conn) Refuse() {
	wire := c.wire.(*end)
	wire.in.close(net.ErrClosed)
	wire.out.gone()
}

// Reset breaks the connection by a TCP reset, below TLS.
func (c *Conn) Reset() {
	if tcp, ok := c.wire.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.wire.Close()
}

// Close ends the connection by FIN, below TLS: without a close_notify.
func (c *Conn) Close() { _ = c.wire.Close() }

func (c *Conn) nextHTTP1() bool {
	req, err := http.ReadRequest(c.in)
	if err != nil {
		return false
	}
	c.server.requests.Add(1)
	return discard(req.Body) == nil
}
