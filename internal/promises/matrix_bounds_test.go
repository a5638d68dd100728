package promises_test

import (
	"bytes"
	"compress/gzip"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-kii/kii/internal/peer"
)

// floods are the rows of the fault matrix in which a server sends too much. What they send is made
// beforehand, so that what is allocated is the client's.
func floods() []faultRow {
	bomb := gzipped(64 << 20)
	frame := append([]byte("\x00\x20\x00\x00\x00\x00\x00\x00\x01"), make([]byte, 8<<10)...) // DATA of the first stream
	chunk := []byte("2000\r\n" + strings.Repeat("x", 0x2000) + "\r\n")
	link := strings.Repeat("x", 1000)
	hint := []byte("HTTP/1.1 103 Early Hints\r\nLink: <" + link + ">\r\n\r\n")
	header := []byte("X-Big: " + strings.Repeat("x", 64<<10) + "\r\n")
	return []faultRow{
		{name: "a gzip bomb", serve: replies(200, bomb, "Content-Encoding", "gzip", "Content-Type", "application/json"), want: unexpected(200)},
		{name: "an error that is a gzip bomb", serve: replies(404, bomb, "Content-Encoding", "gzip"), want: unexpected(404)},
		{name: "a body over the limit", serve: replies(404, kiiError("A")+strings.Repeat(" ", 300<<10)), want: unexpected(404)},
		{name: "an endless body", serve: each(func(c *peer.Conn) {
			if c.HTTP2 {
				c.Headers(false, 200)
				for c.Write(frame) == nil {
				}
				return
			}
			_ = c.Raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
			for c.Write(chunk) == nil {
			}
		}), want: unexpected(200)},
		{name: "headers of 16 MB", serve: each(func(c *peer.Conn) {
			_ = c.Raw("HTTP/1.1 204 No Content\r\n")
			for range 256 {
				_ = c.Write(header)
			}
			_ = c.Raw("\r\n")
		}), want: lost, only: http1},
		{name: "endless 1xx", serve: each(func(c *peer.Conn) {
			for c.Write(hint) == nil {
			}
		}), want: lost, only: http1},
		{name: "endless 1xx of HTTP/2", serve: each(func(c *peer.Conn) {
			for c.Headers(false, 103, "link", link) {
			}
		}), want: lost, only: http2},
	}
}

func gzipped(n int) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(make([]byte, n))
	_ = w.Close()
	return b.String()
}

// A call whose reply is too long ends by itself, as in every row, and allocates far less than it
// is sent. It is measured in this test, since nothing else runs beside it. How many headers a
// caller's transport takes is up to the caller.
func TestFaultMatrixOfFloods(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	const bound = 16 << 20
	rows := floods()
	var figures tally
	figures.log(t, "%d floods x %d operations x %d transports, at most %d MB allocated for a body", len(rows), len(matrixOps), len(lanes), bound>>20)
	for l, lane := range lanes {
		t.Run(lane.name, func(t *testing.T) {
			for r, row := range rows {
				if row.only != nil && !row.only(lane.kind) {
					continue
				}
				for o, op := range matrixOps {
					if !fullMatrix && (o+r+l)%len(matrixOps) != 0 {
						continue
					}
					allocated := allocatedBy(func() { figures.meet(t, lane, row, op) })
					if headers := row.want == lost; headers && lane.opts() != nil {
						continue
					}
					// The peer is in this process, and floods on until it notices that the call has
					// ended. What the call allocates itself it allocates each time.
					for range 4 {
						if allocated < bound {
							break
						}
						allocated = min(allocated, allocatedBy(func() { figures.meet(t, lane, row, op) }))
					}
					assert.Less(t, allocated, uint64(bound), "%s, %s, %s", lane.name, row.name, op.name)
				}
			}
		})
	}
}

// allocatedBy returns how many bytes the process allocates while f runs.
func allocatedBy(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
