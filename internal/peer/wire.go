package peer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Reply returns a reply of HTTP/1 as it goes over the wire.
func Reply(status int, body []byte, header ...string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %03d %s\r\n", status, http.StatusText(status))
	sized := slices.Contains(header, "Content-Length") || slices.Contains(header, "Transfer-Encoding")
	if !sized && status != http.StatusNoContent && status != http.StatusNotModified {
		header = append(slices.Clone(header), "Content-Length", strconv.Itoa(len(body)))
	}
	for pair := range slices.Chunk(header, 2) {
		fmt.Fprintf(&b, "%s: %s\r\n", pair[0], pair[1])
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}

func discard(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// Frames of HTTP/2, RFC 9113.
const (
	frameData     = 0x0
	frameHeaders  = 0x1
	frameRST      = 0x3
	frameSettings = 0x4
	framePing     = 0x6
	frameGoAway   = 0x7
	frameContinue = 0x9

	flagEnd = 0x1 // END_STREAM, or ACK
	flagAll = 0x4 // END_HEADERS

	maxFrame = 16 << 10
)

// greet exchanges the prefaces.
func (c *Conn) greet() bool {
	preface := make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
	if _, err := io.ReadFull(c.in, preface); err != nil {
		return false
	}
	return c.Frame(frameSettings, 0, 0, nil)
}

func (c *Conn) nextHTTP2() bool {
	for {
		var head [9]byte
		if _, err := io.ReadFull(c.in, head[:]); err != nil {
			return false
		}
		kind, flags := head[3], head[4]
		payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
		if _, err := io.ReadFull(c.in, payload); err != nil {
			return false
		}
		switch {
		case kind == frameSettings && flags&flagEnd == 0:
			c.Frame(frameSettings, flagEnd, 0, nil)
		case kind == framePing && flags&flagEnd == 0 && !c.Deaf:
			c.Frame(framePing, flagEnd, 0, payload)
		case kind == frameHeaders:
			c.server.requests.Add(1)
			c.id = binary.BigEndian.Uint32(head[5:])
		}
		if (kind == frameHeaders || kind == frameData) && flags&flagEnd != 0 {
			return true
		}
	}
}

// Frame writes a frame of HTTP/2.
func (c *Conn) Frame(kind, flags byte, id uint32, payload []byte) bool {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
	head = binary.BigEndian.AppendUint32(append(head, flags), id)
	return c.Write(append(head, payload...)) == nil
}

// RST resets the stream of the last request.
func (c *Conn) RST(code uint32) bool {
	return c.Frame(frameRST, 0, c.id, binary.BigEndian.AppendUint32(nil, code))
}

// GoAway ends the connection, all streams above last unhandled.
func (c *Conn) GoAway(last, code uint32, debug string) bool {
	payload := binary.BigEndian.AppendUint32(nil, last)
	return c.Frame(frameGoAway, 0, 0, append(binary.BigEndian.AppendUint32(payload, code), debug...))
}

// Headers begins a reply of HTTP/2, without compression.
func (c *Conn) Headers(end bool, status int, header ...string) bool {
	block := literal(nil, ":status", fmt.Sprintf("%03d", status))
	for pair := range slices.Chunk(header, 2) {
		block = literal(block, strings.ToLower(pair[0]), pair[1])
	}
	var flags byte
	if end {
		flags = flagEnd
	}
	kind := byte(frameHeaders)
	for len(block) > maxFrame {
		if !c.Frame(kind, flags, c.id, block[:maxFrame]) {
			return false
		}
		kind, flags, block = frameContinue, 0, block[maxFrame:]
	}
	return c.Frame(kind, flags|flagAll, c.id, block)
}

// Data writes a part of a body.
func (c *Conn) Data(body []byte, end bool) bool {
	var flags byte
	if end {
		flags = flagEnd
	}
	return c.Frame(frameData, flags, c.id, body)
}

// literal appends a header field without indexing, RFC 7541, 6.2.2.
func literal(block []byte, name, value string) []byte {
	block = append(block, 0)
	for _, s := range []string{name, value} {
		if len(s) < 127 {
			block = append(block, byte(len(s)))
		} else {
			block = binary.AppendUvarint(append(block, 127), uint64(len(s)-127))
		}
		block = append(block, s...)
	}
	return block
}

// pipe returns the two ends of a connection in memory that buffers, as a socket does.
func pipe() (a, b net.Conn) {
	one, two := newQueue(), newQueue()
	return &end{in: one, out: two}, &end{in: two, out: one}
}

// A cutter writes as many bytes as are left, then it ends the connection.
type cutter struct {
	net.Conn
	left int
	end  func()
}

func (c *cutter) Write(p []byte) (int, error) {
	if len(p) <= c.left {
		c.left -= len(p)
		return c.Conn.Write(p)
	}
	if c.left > 0 {
		_, _ = c.Conn.Write(p[:c.left])
	}
	c.end()
	return 0, io.ErrClosedPipe
}

type end struct{ in, out *queue }

func (e *end) Read(p []byte) (int, error)       { return e.in.read(p) }
func (e *end) Write(p []byte) (int, error)      { return e.out.write(p) }
func (e *end) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (e *end) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (e *end) SetDeadline(time.Time) error      { return nil }
func (e *end) SetReadDeadline(time.Time) error  { return nil }
func (e *end) SetWriteDeadline(time.Time) error { return nil }

func (e *end) Close() error {
	e.in.close(net.ErrClosed)
	e.out.close(io.EOF)
	return nil
}

type queue struct {
	mu   sync.Mutex
	more *sync.Cond
	data []byte
	err  error // of a read beyond data; a write fails once it is set
}

func newQueue() *queue {
	q := &queue{}
	q.more = sync.NewCond(&q.mu)
	return q
}

func (q *queue) read(p []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.data) == 0 && q.err == nil {
		q.more.Wait()
	}
	if errors.Is(q.err, net.ErrClosed) || len(q.data) == 0 {
		return 0, q.err
	}
	n := copy(p, q.data)
	q.data = q.data[n:]
	q.more.Broadcast()
	return n, nil
}

func (q *queue) write(p []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.data) > 64<<10 && q.err == nil {
		q.more.Wait()
	}
	if q.err != nil {
		return 0, io.ErrClosedPipe
	}
	q.data = append(q.data, p...)
	q.more.Broadcast()
	return len(p), nil
}

// gone waits until the queue is closed.
func (q *queue) gone() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.err == nil {
		q.more.Wait()
	}
}

func (q *queue) close(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
	}
	q.more.Broadcast()
}
