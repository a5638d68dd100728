package kiitest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"strconv"
)

// An answer is what a call gets, before it is known whether it goes to a socket or to a RoundTrip.
type answer struct {
	status int
	header http.Header
	body   []byte
	stream io.Reader // in place of body: goes on and on
	code   string    // the errorCode, for the call log
	cut    bool      // the connection breaks in the middle of the body
	lost   error     // the client gets this, or a broken connection, and no answer
}

func (a *answer) set(name, value string) {
	if a.header == nil {
		a.header = make(http.Header)
	}
	a.header.Set(name, value)
}

func textAnswer(status int, text string) answer {
	a := answer{status: status, body: []byte(text + "\n")}
	a.set("Content-Type", "text/plain; charset=utf-8")
	return a
}

// jsonAnswer is a reply with a body. The values are the server's own, so they always encode.
func jsonAnswer(status int, contentType string, body map[string]any) answer {
	encoded, err := json.Marshal(body)
	if err != nil {
		panic("kiitest: " + err.Error())
	}
	a := answer{status: status, body: encoded}
	a.set("Content-Type", contentType)
	return a
}

// dropCode takes the errorCode out of an error's body, as some of Kii Cloud's have none: then the
// content type is all that names the exception.
func (a *answer) dropCode() {
	var body map[string]any
	if json.Unmarshal(a.body, &body) != nil {
		return
	}
	delete(body, "errorCode")
	without := jsonAnswer(a.status, a.header.Get("Content-Type"), body)
	a.body, a.code = without.body, ""
}

func noContent() answer { return answer{status: http.StatusNoContent} }

// write answers over a socket.
func (a answer) write(w http.ResponseWriter, r *http.Request) {
	if a.lost != nil {
		// net/http sends these again if a kept connection ends without a byte: the fault would be
		// met, and nobody would see it. "100 Continue" keeps it from that, and answers no client.
		again := r.Method == http.MethodGet || r.Method == http.MethodHead || r.Header["Idempotency-Key"] != nil || r.Header["X-Idempotency-Key"] != nil
		if again && r.ProtoAtLeast(1, 1) {
			w.WriteHeader(http.StatusContinue)
		}
		panic(http.ErrAbortHandler) // net/http closes the connection, and says nothing
	}
	maps.Copy(w.Header(), a.header)
	body := a.body
	switch {
	case a.stream != nil:
		w.WriteHeader(a.status)
		_, _ = io.Copy(w, a.stream) // until the client has had enough
		return
	case a.cut:
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		body = body[:len(body)/2]
	}
	w.WriteHeader(a.status)
	w.Write(body)
	if a.cut {
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// response answers a RoundTrip as [http.Transport] would, unpacking gzip that it asked for itself
// included.
func (a answer) response(r *http.Request) (*http.Response, error) {
	if a.lost != nil {
		return nil, a.lost
	}
	response := &http.Response{
		Status:     strconv.Itoa(a.status) + " " + http.StatusText(a.status),
		StatusCode: a.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        a.header.Clone(), // each answer has some
		ContentLength: int64(len(a.body)),
		Request:       r,
	}
	var body io.Reader = bytes.NewReader(a.body)
	switch {
	case r.Method == http.MethodHead:
		body = http.NoBody
	case a.stream != nil:
		response.ContentLength = -1
		body = a.stream
	case a.cut:
		body = io.MultiReader(bytes.NewReader(a.body[:len(a.body)/2]), failing{io.ErrUnexpectedEOF})
	}
	if response.Header.Get("Content-Encoding") == "gzip" && r.Header.Get("Accept-Encoding") == "" {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			return nil, err
		}
		response.Header.Del("Content-Encoding")
		response.Header.Del("Content-Length")
		response.ContentLength = -1
		response.Uncompressed = true
		body = unpacked
	}
	response.Body = &replyBody{request: r, reader: body}
	return response, nil
}

// replyBody is a reply's body as long as the request's context lasts.
type replyBody struct {
	request *http.Request
	reader  io.Reader
	closed  bool
}

func (b *replyBody) Read(p []byte) (int, error) {
	if err := b.request.Context().Err(); err != nil {
		return 0, err
	}
	if b.closed {
		return 0, http.ErrBodyReadAfterClose
	}
	return b.reader.Read(p)
}

func (b *replyBody) Close() error {
	b.closed = true
	return nil
}

// failing is what a reader finds at the point where a connection broke.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// refusedDial is the error of a server that does not listen: nothing was sent.
func refusedDial() error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", errRefused)}
}

// brokenConnection is the error of a connection that ends before the answer: the outcome is
// unknown.
func brokenConnection() error {
	return &net.OpError{Op: "read", Net: "tcp", Err: errors.Join(io.ErrUnexpectedEOF, os.NewSyscallError("read", errReset))}
}
