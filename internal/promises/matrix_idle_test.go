package promises_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/internal/peer"
)

// Each operation is answered, meets the row's fault on the connection that was kept, and is called
// again. The time is synctest's, so that each fault is over before the second call.
func TestFaultMatrixOfKeptConnections(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name  string
		kind  peer.Kind
		fault func(*peer.Conn) // after the first answer
		wait  time.Duration    // between the calls
		right bool             // the second call is answered; else its outcome is unknown
		reads bool             // if it only reads, net/http repeats it, and it is answered
		took  time.Duration    // by the second call
	}{
		{name: "closed while idle", kind: peer.Kind{}, fault: (*peer.Conn).Close, wait: 1, right: true},
		{name: "closed while idle, TLS", kind: peer.Kind{TLS: true}, fault: (*peer.Conn).Close, wait: 1, right: true},
		{name: "closed while idle, HTTP/2", kind: peer.Kind{HTTP2: true, TLS: true}, fault: (*peer.Conn).Close, wait: 1, right: true},
		{name: "GOAWAY while idle", kind: peer.Kind{HTTP2: true, TLS: true}, fault: func(c *peer.Conn) { c.GoAway(1, 0, ""); c.Hang() }, wait: 1, right: true},
		{name: "takes no more, which shows when written to", kind: peer.Kind{}, fault: (*peer.Conn).Refuse, wait: 1, right: true},
		{name: "idle for too long", kind: peer.Kind{}, fault: (*peer.Conn).Hang, wait: 91 * time.Second, right: true},
		{name: "deaf while idle, HTTP/2", kind: peer.Kind{HTTP2: true, TLS: true}, fault: deaf, wait: time.Minute, right: true},
		{name: "deaf when called, HTTP/2", kind: peer.Kind{HTTP2: true, TLS: true}, fault: deaf, took: 20 * time.Second},
		{name: "closed when called", kind: peer.Kind{}, fault: func(c *peer.Conn) { c.Next(); c.Close() }, wait: 1, reads: true},
	}
	var figures tally
	figures.log(t, "%d faults of a kept connection x %d operations", len(rows), len(matrixOps))
	for _, row := range rows {
		for _, op := range matrixOps {
			synctest.Test(t, func(t *testing.T) {
				s := peer.New(row.kind, func(c *peer.Conn) {
					for c.Next() {
						c.Answer(404, []byte(kiiError("USER_NOT_FOUND")))
						if c.Number == 1 {
							row.fault(c)
							return
						}
					}
				})
				tr := bubbleTransport(s.Dial)
				u := bubbleUser(t, s, tr)
				answer := want{code: kii.ErrUserNotFound, status: 404}
				answer.check(t, op, op.call(t.Context(), u))
				time.Sleep(row.wait)
				synctest.Wait()
				start := time.Now()
				err := op.call(t.Context(), u)
				assert.Equal(t, row.took, time.Since(start), row.name)
				again := row.reads && op.repeats
				if row.right || again {
					answer.check(t, op, err)
					assert.Equal(t, 2, s.Connections(), row.name)
				} else {
					lost.check(t, op, err)
				}
				requests := 2
				if again {
					requests++
				}
				assert.Equal(t, requests, s.Requests(), "%s, %s", row.name, op.name)
				figures.calls.Add(2)
				figures.forms.Add(requireErrorKeepsSecrets(t, op, err))
				tr.CloseIdleConnections()
				s.Close()
			})
		}
	}
}

func deaf(c *peer.Conn) { c.Deaf = true; c.Hang() }
