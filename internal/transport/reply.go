package transport

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
)

// read reads a reply up to [MaxReplyBytes]. An error means that the body was cut short, or that ctx
// was done first. A 429 needs no body: its status says all.
func read(ctx context.Context, resp *http.Response) (Reply, error) {
	reply := Reply{Status: resp.StatusCode, Header: resp.Header}
	raw := &io.LimitedReader{R: resp.Body, N: MaxReplyBytes + 1}
	var body []byte
	var err error
	// What follows a 101 is in another protocol, and may never end.
	if resp.Body != http.NoBody && resp.StatusCode != http.StatusSwitchingProtocols {
		body, err = readBody(raw, resp.Header)
	}
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	switch {
	case errors.Is(err, errTooLong):
		reply.Broken = "too long"
	case corrupt || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum):
		reply.Broken = "cannot be decompressed"
	case err != nil && (resp.StatusCode != http.StatusTooManyRequests || ctx.Err() != nil):
		return Reply{}, err
	case err != nil || raw.N > MaxReplyBytes && mayBeCut(resp):
		reply.Broken = "cut short"
	default:
		reply.Body = body
	}
	return reply, nil
}

var errTooLong = errors.New("the body is too long")

// readBody reads at most one byte more than a body may have, both before and after decompression: a
// compressed stream can go on for ever and decompress to nothing.
func readBody(raw *io.LimitedReader, header http.Header) ([]byte, error) {
	body := io.Reader(raw)
	switch strings.ToLower(header.Get("Content-Encoding")) {
	case "gzip", "x-gzip": // the same: RFC 9110, section 8.4.1.3
		unzipped, err := gzip.NewReader(body)
		if errors.Is(err, io.EOF) {
			return nil, nil // an empty body needs no compression, whatever the header says
		}
		if err != nil {
			return nil, err
		}
		body = io.LimitReader(unzipped, MaxReplyBytes+1)
	}
	text, err := io.ReadAll(body)
	if raw.N == 0 || len(text) > MaxReplyBytes {
		return nil, errTooLong
	}
	return text, err
}

// mayBeCut reports whether resp, of whose body nothing came, looks like a success without one only
// because the connection ended, or although it announced one: then the body may have been cut off.
// It does not look at the version, which the server chooses.
func mayBeCut(resp *http.Response) bool {
	ended := resp.Close && resp.ContentLength < 0 && len(resp.TransferEncoding) == 0
	return (ended || resp.ContentLength > 0) && resp.StatusCode/100 == 2 && resp.StatusCode != http.StatusNoContent
}
