package promises_test

import (
	"testing"

	"github.com/go-kii/kii/internal/peer"
)

// Each lane has replies cut after each byte, by a close and by a reset; without KII_FULL_MATRIX a
// sample of them is.
func TestFaultMatrixOfRepliesCutAtEachByte(t *testing.T) {
	t.Parallel()
	whole := []struct {
		status int
		body   string
	}{{404, kiiError("USER_NOT_FOUND")}, {204, ""}}
	var figures tally
	cuts := 0
	for _, lane := range lanes {
		for _, reply := range whole {
			cuts += 2 * peer.Length(lane.kind.HTTP2, reply.status, []byte(reply.body))
		}
	}
	figures.log(t, "%d cuts in %d replies, at each byte x %d operations", cuts, len(whole)*len(lanes), len(matrixOps))
	for l, lane := range lanes {
		t.Run(lane.name, func(t *testing.T) {
			t.Parallel()
			for _, reply := range whole {
				for n := range peer.Length(lane.kind.HTTP2, reply.status, []byte(reply.body)) {
					for _, reset := range []bool{false, true} {
						row := faultRow{want: lost, serve: func(c *peer.Conn) {
							c.Next()
							c.Cut(n, reset)
							c.Answer(reply.status, []byte(reply.body))
						}}
						for o, op := range matrixOps {
							if fullMatrix || (n+l)%10 == 0 && (n/10+o)%len(matrixOps) == 0 {
								figures.meet(t, lane, row, op)
							}
						}
					}
				}
			}
		})
	}
}
