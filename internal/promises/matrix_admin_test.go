package promises_test

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/internal/peer"
)

const (
	markerClientID     = "marker-client-id"
	markerClientSecret = "marker-client-secret"
	markerAdminToken   = "marker_admin_token"
)

var adminSecrets = []string{markerClientID, markerClientSecret, markerAdminToken, "marker@example.com"}

// adminOps are the operations of an administrator. They need a token first, so only the tests here
// have them.
var adminOps = []matrixOp{
	{
		name: "User", reads: true, bearer: true, repeats: true, finds: true, admin: true, secrets: adminSecrets,
		call: func(ctx context.Context, u *kii.User) error {
			_, err := administrator(u).User(ctx, "marker@example.com")
			return err
		},
	},
	{
		name: "SetPassword", bearer: true, admin: true, secrets: append([]string{markerNew}, adminSecrets...),
		call: func(ctx context.Context, u *kii.User) error {
			return administrator(u).SetPassword(ctx, "marker@example.com", markerNew)
		},
	},
	{
		name: "SetEmail", bearer: true, admin: true, secrets: append([]string{"new-marker@example.com"}, adminSecrets...),
		call: func(ctx context.Context, u *kii.User) error {
			return administrator(u).SetEmail(ctx, "marker@example.com", "new-marker@example.com")
		},
	},
	{
		name: "SetPhone", bearer: true, admin: true, secrets: append([]string{"819099887766"}, adminSecrets...),
		call: func(ctx context.Context, u *kii.User) error {
			return administrator(u).SetPhone(ctx, "marker@example.com", "+819099887766")
		},
	},
	{
		name: "SetDisabled", bearer: true, admin: true, secrets: adminSecrets,
		call: func(ctx context.Context, u *kii.User) error {
			return administrator(u).SetDisabled(ctx, "marker@example.com", true)
		},
	},
}

// administrator returns one who has no token yet.
func administrator(u *kii.User) *kii.Admin {
	a, err := (&kii.Client{User: u}).Admin(markerClientID, markerClientSecret)
	if err != nil {
		panic(err)
	}
	return a
}

// requests returns how many requests meet the fault: after an answer that an administrator's token
// is dead, the request for another one meets it too, unless it is a token without rights.
func (op matrixOp) requests(w want) int {
	if op.admin && w.dead && w.code != kii.ErrUnauthorized {
		return 2
	}
	return 1
}

// afterToken answers the first request, that for a token, and leaves the next connection to serve.
func afterToken(serve func(*peer.Conn)) func(*peer.Conn) {
	token := []byte(`{"id":"marker-admin","access_token":"` + markerAdminToken + `","expires_in":3600}`)
	return func(c *peer.Conn) {
		switch {
		case c.Number > 1:
			serve(c)
		case c.Next() && c.HTTP2:
			c.GoAway(1, 0, "")
			c.Answer(200, token)
			c.Hang()
		default:
			c.Answer(200, token, "Connection", "close")
		}
	}
}

// An administrator's call meets each fault as any other call does, once it has a token.
func TestFaultMatrixOfAnAdministrator(t *testing.T) {
	t.Parallel()
	eachOfAnAdministrator(t, "%d faults x %d operations of an administrator x %d transports", (*tally).meet)
}

// Whatever becomes of the request for a token, an administrator's call is not sent, and so its
// outcome is known.
func TestFaultMatrixOfAnAdministratorsToken(t *testing.T) {
	t.Parallel()
	eachOfAnAdministrator(t, "%d faults of the request for a token x %d operations of an administrator x %d transports", (*tally).meetWithoutToken)
}

func eachOfAnAdministrator(t *testing.T, title string, meet func(*tally, *testing.T, lane, faultRow, matrixOp)) {
	t.Helper()
	rows := faultRows()
	share := len(adminOps) * len(lanes) // each row meets one operation on one lane
	if fullMatrix {
		share = 1
	}
	var figures tally
	figures.log(t, title, len(rows), len(adminOps), len(lanes))
	for l, lane := range lanes {
		for r, row := range rows {
			if row.only != nil && !row.only(lane.kind) || row.loud && os.Getenv("KII_QUIET_ROWS") != "" {
				continue
			}
			for o, op := range adminOps {
				if (l*len(adminOps)+o+r)%share == 0 {
					t.Run(lane.name+", "+row.name+", "+op.name, func(t *testing.T) {
						t.Parallel()
						meet(&figures, t, lane, row, op)
					})
				}
			}
		}
	}
}

// meetWithoutToken lets the operation's request for a token meet the row's fault.
func (y *tally) meetWithoutToken(t *testing.T, lane lane, row faultRow, op matrixOp) {
	t.Helper()
	s := peer.Start(t, lane.kind, row.serve)
	var log strings.Builder
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug - 100}))
	client, err := kii.New("app", markerKey, kii.Site(s.URL()), append(lane.opts(), kii.WithLogger(logger))...)
	require.NoError(t, err)

	err = op.call(t.Context(), client.User)
	s.Close()
	y.calls.Add(1)
	require.Error(t, err)
	assert.False(t, kii.OutcomeUnknown(err), "%v", err)
	assert.False(t, kii.RevealsAccount(err), "%v", err)
	assert.NotErrorIs(t, err, context.DeadlineExceeded, "it did not end by itself")
	assert.LessOrEqual(t, s.Requests(), 1)
	if failure, ok := err.(*kii.TransportError); ok {
		assert.True(t, failure.NotSent)
	} else {
		assert.True(t, errorIs[*kii.APIError](err), "%T", err)
	}
	requireNoLeak(t, op.name+" log", log.String())
	y.forms.Add(requireErrorKeepsSecrets(t, op, err))
}
