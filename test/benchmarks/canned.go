package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"time"
)

// cannedTransport is an http.Transport whose connections have no socket and no TLS behind them:
// every request is followed by the same reply. So the client's own work is all that is counted, and
// the count is exact.
func cannedTransport(d dialect) *http.Transport {
	t := tunedTransport()
	t.Proxy = nil
	t.DialContext = func(context.Context, string, string) (net.Conn, error) {
		return &cannedConn{reply: d.raw(), asked: make(chan struct{}, 1), closed: make(chan struct{})}, nil
	}
	t.DialTLSContext = t.DialContext
	return t
}

type cannedConn struct {
	reply  []byte
	asked  chan struct{}
	closed chan struct{}
	unread []byte
	unsent int // bytes of the request's body that are still to be written
}

// Write takes a request's head, with or without its body, or the rest of the body.
func (c *cannedConn) Write(p []byte) (int, error) {
	body := p
	if c.unsent == 0 {
		var head []byte
		head, body, _ = bytes.Cut(p, []byte("\r\n\r\n"))
		_, length, _ := bytes.Cut(head, []byte("\r\nContent-Length: "))
		for _, digit := range length {
			if digit < '0' || digit > '9' {
				break
			}
			c.unsent = c.unsent*10 + int(digit-'0')
		}
	}
	c.unsent -= len(body)
	if c.unsent == 0 {
		c.asked <- struct{}{}
	}
	return len(p), nil
}

func (c *cannedConn) Read(p []byte) (int, error) {
	if len(c.unread) == 0 {
		select {
		case <-c.asked:
			c.unread = c.reply
		case <-c.closed:
			return 0, io.EOF
		}
	}
	n := copy(p, c.unread)
	c.unread = c.unread[n:]
	return n, nil
}

func (c *cannedConn) Close() error {
	select {
	case <-c.closed:
	default:
		close(c.closed)
	}
	return nil
}

func (c *cannedConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *cannedConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *cannedConn) SetDeadline(time.Time) error      { return nil }
func (c *cannedConn) SetReadDeadline(time.Time) error  { return nil }
func (c *cannedConn) SetWriteDeadline(time.Time) error { return nil }
