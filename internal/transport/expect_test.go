package transport_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/internal/peer"
)

// A RoundTripper that adds Expect: 100-continue keeps the body back until the server asks for it.
func TestABodyThatWasNotAskedForIsProvedNotSent(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		answer string
		status int // 0: none
	}{
		"refused at once":   {answer: "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", status: 403},
		"reset at once":     {},
		"an answer cut off": {answer: "HTTP/1.1 403 Forb"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := peer.Start(t, peer.Kind{}, func(c *peer.Conn) {
				c.Head() // and no body
				_ = c.Raw(row.answer)
				if row.status == 0 {
					c.Reset()
				} else {
					c.Hang()
				}
			})
			base := trusting()
			base.ExpectContinueTimeout = time.Minute
			t.Cleanup(base.CloseIdleConnections)
			reply, err := newClient(t, expecting(base)).Do(t.Context(), post(s.URL()))
			if row.status == 0 {
				notSent(t, err)
			} else {
				require.NoError(t, err)
				assert.Equal(t, row.status, reply.Status)
			}
		})
	}
}

func expecting(base http.RoundTripper) http.RoundTripper {
	return tripper(func(req *http.Request) (*http.Response, error) {
		req = req.Clone(req.Context())
		req.Header.Set("Expect", "100-continue")
		return base.RoundTrip(req)
	})
}

// Callers that come at once on a new connection, each with a body that is kept back or sent twice
// in parts.
func TestBodiesArriveWholeWhenManyCallsBeginAtOnce(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		for name, wrap := range map[string]func(http.RoundTripper) http.RoundTripper{
			"expecting": expecting,
			"plain":     func(rt http.RoundTripper) http.RoundTripper { return tripper(rt.RoundTrip) },
		} {
			t.Run(fmt.Sprintf("%s HTTP/2 %v", name, http2), func(t *testing.T) {
				t.Parallel()
				s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
					body, err := io.ReadAll(req.Body)
					assert.NoError(t, err)
					assert.Equal(t, `{"pinCode":"1234"}`, string(body))
					w.WriteHeader(http.StatusNoContent)
				}))
				s.EnableHTTP2 = http2
				s.StartTLS()
				t.Cleanup(s.Close)
				client := newClient(t, wrap(s.Client().Transport))
				var calls sync.WaitGroup
				for range 32 {
					calls.Go(func() {
						reply, err := client.Do(t.Context(), post(s.URL))
						if assert.NoError(t, err) {
							assert.Equal(t, 204, reply.Status)
						}
					})
				}
				calls.Wait()
			})
		}
	}
}
