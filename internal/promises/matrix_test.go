package promises_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/internal/peer"
)

// proxy is what the environment names.
var proxy *peer.Proxy

// The library's own transport takes roots, name server and proxy from the system.
func init() {
	var err error
	proxy, err = peer.NewProxy()
	if err == nil {
		net.DefaultResolver, err = peer.Resolver()
	}
	if err := errors.Join(err, peer.TrustBySystem(), proxy.UseBySystem(".dns.test")); err != nil {
		panic(err)
	}
}

// The fault matrix: each operation meets each row's fault on each lane.

// A lane is a transport and the protocol that the server speaks to it.
type lane struct {
	name  string
	kind  peer.Kind
	opts  func() []kii.Option
	muted bool // the RoundTripper fires no httptrace hooks
}

var lanes = []lane{
	{name: "library HTTP/1", kind: peer.Kind{}, opts: noOptions},
	{name: "library HTTP/1 TLS", kind: peer.Kind{TLS: true}, opts: noOptions},
	{name: "library HTTP/2 TLS", kind: peer.Kind{HTTP2: true, TLS: true}, opts: noOptions},
	{name: "caller HTTP/1", kind: peer.Kind{}, opts: through(callers)},
	{name: "caller HTTP/1 TLS", kind: peer.Kind{TLS: true}, opts: through(callers)},
	{name: "caller HTTP/2 TLS", kind: peer.Kind{HTTP2: true, TLS: true}, opts: through(callers)},
	{name: "caller HTTP/2 plain", kind: peer.Kind{HTTP2: true}, opts: through(h2c)},
	{name: "signing caller HTTP/1 TLS", kind: peer.Kind{TLS: true}, opts: through(signing)},
	{name: "signing caller HTTP/2 TLS", kind: peer.Kind{HTTP2: true, TLS: true}, opts: through(signing)},
	{name: "dumping caller HTTP/1", kind: peer.Kind{}, opts: through(dumping)},
	{name: "dumping caller HTTP/2 TLS", kind: peer.Kind{HTTP2: true, TLS: true}, opts: through(dumping)},
	{name: "keyed caller HTTP/1 TLS", kind: peer.Kind{TLS: true}, opts: through(keyed)},
	{name: "keyed caller HTTP/2 TLS", kind: peer.Kind{HTTP2: true, TLS: true}, opts: through(keyed)},
	{name: "caller without hooks HTTP/1", kind: peer.Kind{}, opts: through(muted), muted: true},
	{name: "caller without hooks HTTP/2 TLS", kind: peer.Kind{HTTP2: true, TLS: true}, opts: through(muted), muted: true},
}

func noOptions() []kii.Option { return nil }

func through(rt func() http.RoundTripper) func() []kii.Option {
	return func() []kii.Option { return []kii.Option{kii.WithHTTPClient(&http.Client{Transport: rt()})} }
}

func callers() http.RoundTripper {
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 4 * time.Second}).DialContext,
		TLSClientConfig: &tls.Config{RootCAs: peer.Roots()}, ForceAttemptHTTP2: true,
	}
}

func h2c() http.RoundTripper {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Transport{Protocols: protocols}
}

func muted() http.RoundTripper { return mute{callers()} }

// signing reads a copy of the body, as what signs, digests or logs does.
func signing() http.RoundTripper {
	next := callers()
	return tripper(func(req *http.Request) (*http.Response, error) {
		if req.GetBody != nil {
			body, err := req.GetBody()
			if err != nil {
				return nil, err
			}
			if _, err := io.Copy(io.Discard, body); err != nil {
				return nil, err
			}
		}
		return next.RoundTrip(req)
	})
}

// dumping plays the request through net/http first, hooks included, as a debugging aid does.
func dumping() http.RoundTripper {
	next := callers()
	return tripper(func(req *http.Request) (*http.Response, error) {
		if _, err := httputil.DumpRequestOut(req, false); err != nil {
			return nil, err
		}
		return next.RoundTrip(req)
	})
}

// keyed adds what makes net/http take a request for one that may be repeated, as a gateway's client
// does.
func keyed() http.RoundTripper {
	next := callers()
	return tripper(func(req *http.Request) (*http.Response, error) {
		req = req.Clone(req.Context())
		req.Header["Idempotency-Key"] = nil
		return next.RoundTrip(req)
	})
}

// mute hides the httptrace hooks from a RoundTripper, and counts its attempts itself.
type mute struct{ next http.RoundTripper }

type noValues struct{ context.Context }

func (noValues) Value(any) any { return nil }

func (m mute) RoundTrip(req *http.Request) (*http.Response, error) {
	if attempts, ok := req.Context().Value(attemptsKey{}).(*atomic.Int64); ok {
		attempts.Add(1)
	}
	return m.next.RoundTrip(req.WithContext(noValues{req.Context()}))
}

// A matrixOp is an operation as the matrix calls it. Each secret and each account holds "marker" or
// 99887766.
type matrixOp struct {
	name    string
	reads   bool // success needs a body
	bearer  bool
	empty   bool // has no body, but changes something
	repeats bool // changes nothing, so that a RoundTripper without hooks may repeat it
	object  bool // success is 204, or 200 with an object
	finds   bool // any user's record is success
	admin   bool // needs an administrator's token
	secrets []string
	call    func(ctx context.Context, u *kii.User) error
}

const (
	markerKey = "marker-app-key"
	markerPIN = "PIN4711MARKER"
	markerOld = "old-marker-pass"
	markerNew = "new-marker-pass"
)

var markerToken = kii.Token{UserID: "user-marker-id", AccessToken: "marker_access_token", RefreshToken: "marker_refresh_token"}

var matrixOps = []matrixOp{
	{
		name: "ResetPassword EMAIL", secrets: []string{"EMAIL:marker@example.com", "marker@example.com"},
		call: func(ctx context.Context, u *kii.User) error {
			return u.ResetPassword(ctx, "marker@example.com", kii.NotificationEmail)
		},
	},
	{
		name: "ResetPassword SMS", secrets: []string{"PHONE:+819099887766", "+819099887766", "819099887766"},
		call: func(ctx context.Context, u *kii.User) error {
			return u.ResetPassword(ctx, "+819099887766", kii.NotificationSMS)
		},
	},
	{
		name: "ResetPassword SMS_PIN", secrets: []string{"LOGIN_NAME:marker-login", "marker-login"},
		call: func(ctx context.Context, u *kii.User) error {
			return u.ResetPassword(ctx, "LOGIN_NAME:marker-login", kii.NotificationSMSPIN)
		},
	},
	{
		name: "CompleteResetPassword chosen", secrets: []string{"user-marker-id", markerPIN, markerNew},
		call: func(ctx context.Context, u *kii.User) error {
			return u.CompleteResetPassword(ctx, "user-marker-id", markerPIN, new(markerNew))
		},
	},
	{
		name: "CompleteResetPassword generated", secrets: []string{"PHONE:JP-09099887766", "+819099887766", "JP-09099887766", markerPIN},
		call: func(ctx context.Context, u *kii.User) error {
			return u.CompleteResetPassword(ctx, "PHONE:JP-09099887766", markerPIN, nil)
		},
	},
	{
		name: "Login", reads: true, secrets: []string{"EMAIL:marker@example.com", "marker@example.com", markerOld},
		call: func(ctx context.Context, u *kii.User) error {
			_, err := u.Login(ctx, "marker@example.com", markerOld)
			return err
		},
	},
	{
		name: "Profile", reads: true, bearer: true, repeats: true, secrets: []string{markerToken.UserID, markerToken.AccessToken},
		call: func(ctx context.Context, u *kii.User) error {
			_, err := resumed(u).Profile(ctx)
			return err
		},
	},
	{
		name: "ChangePassword", bearer: true, secrets: []string{markerToken.UserID, markerToken.AccessToken, markerOld, markerNew},
		call: func(ctx context.Context, u *kii.User) error {
			return resumed(u).ChangePassword(ctx, markerOld, markerNew)
		},
	},
	{
		name: "ResendPhoneVerification", empty: true, bearer: true, secrets: []string{markerToken.UserID, markerToken.AccessToken},
		call: func(ctx context.Context, u *kii.User) error { return resumed(u).ResendPhoneVerification(ctx) },
	},
	{
		name: "VerifyEmail", bearer: true, object: true, secrets: []string{markerToken.UserID, markerToken.AccessToken, markerPIN},
		call: func(ctx context.Context, u *kii.User) error { return resumed(u).VerifyEmail(ctx, markerPIN) },
	},
	{
		name: "ChangeEmail", bearer: true, secrets: []string{markerToken.UserID, markerToken.AccessToken, "marker@example.com"},
		call: func(ctx context.Context, u *kii.User) error {
			return resumed(u).ChangeEmail(ctx, "marker@example.com")
		},
	},
	{
		name: "ChangePhone", bearer: true, secrets: []string{markerToken.UserID, markerToken.AccessToken, "+819099887766", "819099887766"},
		call: func(ctx context.Context, u *kii.User) error { return resumed(u).ChangePhone(ctx, "+819099887766") },
	},
	{
		name: "Refresh", reads: true, secrets: []string{markerToken.UserID, markerToken.RefreshToken},
		call: func(ctx context.Context, u *kii.User) error { return resumed(u).Refresh(ctx) },
	},
}

func resumed(u *kii.User) *kii.Session {
	s, err := u.Resume(markerToken)
	if err != nil {
		panic(err)
	}
	return s
}

// A tally counts what a test's figures tell.
type tally struct{ calls, forms atomic.Int64 }

// fullMatrix reports whether everything is tried, or only a sample.
var fullMatrix = os.Getenv("KII_FULL_MATRIX") != ""

// log prints the figures of a test that held.
func (y *tally) log(t *testing.T, format string, args ...any) {
	t.Cleanup(func() {
		if !t.Failed() {
			t.Logf("%s: %d calls, none that changes anything delivered twice, none misjudged; %d printed forms, none leaked",
				fmt.Sprintf(format, args...), y.calls.Load(), y.forms.Load())
		}
	})
}

// Each row meets one operation on each lane, another one on the next; with KII_FULL_MATRIX set it
// meets all.
func TestFaultMatrix(t *testing.T) {
	t.Parallel()
	rows := faultRows()
	share := len(matrixOps)
	if fullMatrix {
		share = 1
	}
	var figures tally
	figures.log(t, "%d faults x %d operations x %d transports", len(rows), len(matrixOps), len(lanes))
	for l, lane := range lanes {
		t.Run(lane.name, func(t *testing.T) {
			t.Parallel()
			for r, row := range rows {
				if row.only != nil && !row.only(lane.kind) || row.loud && os.Getenv("KII_QUIET_ROWS") != "" {
					continue
				}
				t.Run(row.name, func(t *testing.T) {
					t.Parallel()
					for o, op := range matrixOps {
						if (o+r+l)%share == 0 {
							figures.meet(t, lane, row, op)
						}
					}
				})
			}
		})
	}
}

// meet lets the operation meet the row's fault.
func (y *tally) meet(t *testing.T, lane lane, row faultRow, op matrixOp) {
	t.Helper()
	serve, before := row.serve, 0 // requests before the one that meets the fault
	if op.admin {
		serve, before = afterToken(row.serve), 1
	}
	s := peer.Start(t, lane.kind, serve)
	var log strings.Builder
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug - 100}))
	opts := append(lane.opts(), kii.WithLogger(logger))
	client, err := kii.New("app", markerKey, kii.Site(s.URL()), opts...)
	require.NoError(t, err)

	err = op.call(t.Context(), client.User)
	s.Close()
	y.calls.Add(1)
	row.want.check(t, op, err)
	if !(lane.muted && op.repeats) { // else net/http may repeat it until the deadline
		assert.NotErrorIs(t, err, context.DeadlineExceeded, "%s did not end by itself", op.name)
		assert.LessOrEqual(t, s.Requests()-before, op.requests(row.want), "%s arrived more than once", op.name)
	}
	if err == nil || errorIs[*kii.APIError](err) || errorIs[*kii.SessionError](err) {
		assert.Equal(t, op.requests(row.want), s.Requests()-before, op.name)
	}
	assert.NotEmpty(t, log.String())
	requireNoLeak(t, op.name+" log", log.String())
	y.forms.Add(requireErrorKeepsSecrets(t, op, err))
}

func errorIs[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// A want is what an operation must return for a fault.
type want struct {
	code   kii.ErrorCode // an *APIError with this code
	status int
	done   bool // success, if a reply without a body is success; else ErrUnexpectedReply
	dead   bool // a *SessionError around the code, for calls with a bearer token
	ended  bool // the same for Refresh
	oauth  bool // the code is in OAuth's field, so only a token call's or a bearer's; else ErrUnexpectedReply
	object bool // success, if an object is
	record bool // success, if the record of any user is
}

// lost is a *TransportError whose outcome is unknown.
var lost = want{}

func unexpected(status int) want { return want{code: kii.ErrUnexpectedReply, status: status} }

func (w want) check(t *testing.T, op matrixOp, err error) {
	t.Helper()
	switch {
	case w.done && op.object && w.status != http.StatusNoContent:
		w.code = kii.ErrUnexpectedReply
	case w.done && !op.reads, w.object && op.object, w.record && op.finds:
		assert.NoError(t, err, op.name)
		return
	case w.done, w.oauth && !op.reads && !op.bearer:
		w.code = kii.ErrUnexpectedReply
	case w == lost:
		failure, ok := err.(*kii.TransportError)
		if assert.True(t, ok, "%s: %T %v", op.name, err, err) {
			assert.False(t, failure.NotSent, "%s: %v", op.name, err)
			assert.True(t, kii.OutcomeUnknown(err), "%s: %v", op.name, err)
			assert.Equal(t, strings.Fields(op.name)[0], failure.Op)
		}
		return
	}
	if w.dead && op.bearer && !op.admin || w.ended && op.name == "Refresh" {
		dead, ok := err.(*kii.SessionError)
		if !assert.True(t, ok, "%s: %T %v", op.name, err, err) {
			return
		}
		err = dead.Err
	}
	answer, ok := err.(*kii.APIError)
	if !assert.True(t, ok, "%s: %T %v", op.name, err, err) {
		return
	}
	assert.Equal(t, w.code, answer.Code, op.name)
	assert.Equal(t, w.status, answer.StatusCode, op.name)
	assert.Equal(t, strings.Fields(op.name)[0], answer.Op)
	unknown := w.code == kii.ErrUnexpectedReply || w.status >= 500
	assert.Equal(t, unknown, kii.OutcomeUnknown(err), op.name)
}
