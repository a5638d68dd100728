package transport_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/internal/peer"
)

func TestARepliesBodyIsWholeOrSaysWhyNot(t *testing.T) {
	t.Parallel()
	zip := func(text string) string {
		var zipped bytes.Buffer
		w := gzip.NewWriter(&zipped)
		_, _ = io.WriteString(w, text)
		require.NoError(t, w.Close())
		return zipped.String()
	}
	zipped := zip("body")
	var member bytes.Buffer
	require.NoError(t, gzip.NewWriter(&member).Close())
	for name, row := range map[string]struct {
		wire   string
		status int
		body   string
		broken string
		lost   bool
	}{
		"gzip of nothing, chunked":         {wire: "HTTP/1.1 429 No\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", status: 429},
		"gzip of nothing, a success":       {wire: "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", status: 200},
		"gzip of nothing, of no length":    {wire: "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", status: 200, broken: "cut short"},
		"gzip of nothing, chunked, cut":    {wire: "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", lost: true},
		"gzip of nothing, whole":           {wire: "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + member.String(), status: 200},
		"no length":                        {wire: "HTTP/1.1 200 OK\r\n\r\n", status: 200, broken: "cut short"},
		"no length, said to be of HTTP/2":  {wire: "HTTP/2.0 200 OK\r\n\r\n", status: 200, broken: "cut short"},
		"no length, said to be of HTTP/3":  {wire: "HTTP/3.0 200 OK\r\n\r\n", status: 200, broken: "cut short"},
		"no length, but a body":            {wire: "HTTP/1.1 200 OK\r\n\r\nbody", status: 200, body: "body"},
		"a length of nothing, and a close": {wire: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", status: 200},
		"chunks of nothing, and a close":   {wire: "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", status: 200},
		"too long":                         {wire: "HTTP/1.1 404 No\r\n\r\n" + strings.Repeat("x", 256<<10+1), status: 404, broken: "too long"},
		"as long as can be":                {wire: "HTTP/1.1 404 No\r\n\r\n" + strings.Repeat("x", 256<<10), status: 404, body: strings.Repeat("x", 256<<10)},
		"gzip by its old name":             {wire: "HTTP/1.1 404 No\r\nContent-Encoding: X-Gzip\r\n\r\n" + zipped, status: 404, body: "body"},
		"gzip of nothing, over and over":   {wire: "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 99999999\r\n\r\n" + strings.Repeat(member.String(), 256<<10/member.Len()+1), status: 200, broken: "too long"},
		"no gzip":                          {wire: "HTTP/1.1 404 No\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\ntwenty bytes of text", status: 404, broken: "cannot be decompressed"},
		"gzip of too much":                 {wire: "HTTP/1.1 404 No\r\nContent-Encoding: gzip\r\n\r\n" + zip(strings.Repeat("x", 256<<10+1)), status: 404, broken: "too long"},
		"gzip with a wrong checksum":       {wire: "HTTP/1.1 404 No\r\nContent-Encoding: gzip\r\n\r\n" + zipped[:len(zipped)-8] + "checksum", status: 404, broken: "cannot be decompressed"},
		"no success, of no length":         {wire: "HTTP/1.1 404 No\r\n\r\n", status: 404},
		"a 429, cut":                       {wire: "HTTP/1.1 429 No\r\nContent-Length: 20\r\nRetry-After: 5\r\n\r\nx", status: 429, broken: "cut short"},
		"a 429 of a few bytes, no gzip":    {wire: "HTTP/1.1 429 No\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nno", status: 429, broken: "cut short"},
		"cut":                              {wire: "HTTP/1.1 404 No\r\nContent-Length: 20\r\n\r\nx", lost: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := peer.Start(t, peer.Kind{}, func(c *peer.Conn) { c.Next(); _ = c.Raw(row.wire) })
			reply, err := newClient(t, trusting()).Do(t.Context(), post(s.URL()))
			if row.lost {
				unknown(t, err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, row.status, reply.Status)
			assert.Equal(t, row.broken, reply.Broken)
			assert.True(t, row.body == string(reply.Body))
		})
	}
}

// net/http compares the length with what came; quic-go did not for years.
func TestABodyThatWasAnnouncedAndNeverCameIsCut(t *testing.T) {
	t.Parallel()
	for status, broken := range map[int]string{200: "cut short", 202: "cut short", 204: "", 404: ""} {
		reply, err := newClient(t, tripper(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, ContentLength: 57, Body: io.NopCloser(strings.NewReader(""))}, nil
		})).Do(t.Context(), post("http://kii.test"))
		require.NoError(t, err)
		assert.Equal(t, broken, reply.Broken, status)
	}
}

func TestARecordedReplyIsWhole(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { _, _ = io.Copy(io.Discard, req.Body) })
	reply, err := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, req)
		return w.Result(), nil
	})).Do(t.Context(), post("http://kii.test"))
	require.NoError(t, err)
	assert.Equal(t, 200, reply.Status)
	assert.Empty(t, reply.Broken)
}

// A RoundTripper of the caller's may leave the length of what can have no body open.
func TestA204IsWholeWhateverItsLength(t *testing.T) {
	t.Parallel()
	reply, err := newClient(t, tripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 204, ContentLength: -1, Close: true, Body: io.NopCloser(strings.NewReader(""))}, nil
	})).Do(t.Context(), post("http://kii.test"))
	require.NoError(t, err)
	assert.Empty(t, reply.Broken)
}
