package company_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
)

// The promises, as the table names them.
const (
	success  = "an accepted call is a success"
	answer   = "a refusal is told by its code"
	once     = "what may have arrived is not sent again, and is reported as unknown"
	unsent   = "what never left is reported as not sent"
	deadline = "a call ends by its deadline"
	session  = "only its own dead token ends a session"
	secrets  = "no error shows a secret or an account"
)

var promises = []string{success, answer, once, unsent, deadline, session, secrets}

const (
	pin      = "PIN-marker-4711"
	password = "marker-pass<&>"
	appKey   = "marker-app-key"
)

// A trial is a companion on a lane, and what was seen of it.
type trial struct {
	cloud    *cloud
	client   *kii.Client
	nowhere  *kii.Client // of a site that nobody listens on
	failures []error     // all that the calls returned
}

func (tr *trial) complete(ctx context.Context, c *kii.Client, id string) error {
	err := c.User.CompleteResetPassword(ctx, id, pin, new(password))
	tr.failures = append(tr.failures, err)
	return err
}

// hold plays a promise and returns what is wrong with it, or nil.
var hold = map[string]func(t *testing.T, tr *trial) error{
	success: func(t *testing.T, tr *trial) error {
		err := tr.complete(t.Context(), tr.client, accepted)
		return errors.Join(err, want(tr.cloud.count(accepted) == 1, "it did not arrive once"))
	},
	answer: func(t *testing.T, tr *trial) error {
		err := tr.complete(t.Context(), tr.client, nobody)
		return errors.Join(
			want(errors.Is(err, kii.ErrUserNotFound) && !kii.OutcomeUnknown(err), "it is reported as %v", err),
			want(tr.cloud.count(nobody) == 1, "it did not arrive once"))
	},
	once: func(t *testing.T, tr *trial) error {
		_ = tr.complete(t.Context(), tr.client, accepted) // leaves a connection that is kept
		err := tr.complete(t.Context(), tr.client, lost)
		refused := tr.complete(t.Context(), tr.client, failed)
		return errors.Join(
			want(kii.OutcomeUnknown(err), "it is reported as %v", err),
			want(kii.OutcomeUnknown(refused), "it is reported as %v", refused),
			want(tr.cloud.count(lost) == 1, "it arrived more than once"),
			want(tr.cloud.count(failed) == 1, "it arrived more than once"))
	},
	unsent: func(t *testing.T, tr *trial) error {
		err := tr.complete(t.Context(), tr.nowhere, accepted)
		failed, ok := errors.AsType[*kii.TransportError](err)
		return want(ok && failed.NotSent, "it is reported as %v", err)
	},
	deadline: func(t *testing.T, tr *trial) error {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		err := tr.complete(ctx, tr.client, silent)
		return errors.Join(
			want(errors.Is(err, context.DeadlineExceeded), "it is reported as %v", err),
			want(kii.OutcomeUnknown(err) || tr.cloud.count(silent) == 0, "it arrived, and is reported as %v", err))
	},
	session: func(t *testing.T, tr *trial) error {
		live := resume(t, tr.client, "live-token")
		dead := resume(t, tr.client, "dead-token")
		_, over := dead.Profile(t.Context())
		tr.failures = append(tr.failures, over)
		_, isOver := errors.AsType[*kii.SessionError](over)

		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(over) // as errgroup does
		_, err := live.Profile(ctx)
		tr.failures = append(tr.failures, err)
		_, again := live.Profile(t.Context())
		return errors.Join(
			want(isOver, "a dead one is reported as %v", over),
			want(err != nil, "a call of a cancelled context went on"),
			want(again == nil && live.Err() == nil, "a live one is reported as %v", again))
	},
}

// want returns what is wrong unless it holds.
func want(holds bool, format string, args ...any) error {
	if holds {
		return nil
	}
	return fmt.Errorf(format, args...)
}

func resume(t *testing.T, c *kii.Client, token string) *kii.Session {
	t.Helper()
	s, err := c.User.Resume(kii.Token{AccessToken: token})
	require.NoError(t, err)
	return s
}

// closedAddress returns an address that nobody listens on.
func closedAddress(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

func newTrial(t *testing.T, l lane, c companion) *trial {
	t.Helper()
	tr := &trial{cloud: &cloud{arrived: make(map[string]int)}}
	url, rt := l.start(t, tr.cloud)
	open := func(site string) *kii.Client {
		client, err := kii.New("app", appKey, kii.Site(site), kii.WithMaxRetries(0),
			kii.WithHTTPClient(&http.Client{Transport: c.wrap(t, rt)}))
		require.NoError(t, err)
		return client
	}
	scheme, _, _ := strings.Cut(url, ":")
	tr.client, tr.nowhere = open(url), open(scheme+"://"+closedAddress(t))
	return tr
}

// noSecret returns what is wrong with the texts of the failures.
func (tr *trial) noSecret() error {
	for _, err := range tr.failures {
		for _, text := range []string{fmt.Sprint(err), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
			for _, secret := range []string{pin, password, appKey, "live-token", "dead-token", accepted, lost, silent} {
				if strings.Contains(text, secret) {
					return errors.New("an error shows a secret or an account")
				}
			}
		}
	}
	return nil
}

// TestPromisesHoldInCompany plays each promise with each companion over each protocol. What a
// companion breaks by itself must break: then the table is true.
func TestPromisesHoldInCompany(t *testing.T) {
	t.Parallel()
	for _, c := range companions {
		for _, l := range lanes {
			t.Run(c.name+" over "+l.name, func(t *testing.T) {
				t.Parallel()
				var failures []error
				for _, promise := range promises[:len(promises)-1] {
					tr := newTrial(t, l, c)
					wrong := hold[promise](t, tr)
					if c.breaksOn(l, promise) {
						assert.Error(t, wrong, "%s: it no longer breaks", promise)
					} else {
						assert.NoError(t, wrong, promise)
					}
					failures = append(failures, tr.noSecret())
				}
				assert.NoError(t, errors.Join(failures...))
			})
		}
	}
}

// TestPromisesHoldWithOneCompanionAboveAnother plays all but what one of the two breaks by itself,
// and the deadline, which takes its time.
func TestPromisesHoldWithOneCompanionAboveAnother(t *testing.T) {
	t.Parallel()
	for _, upper := range companions[1:] {
		for _, lower := range companions[1:] {
			if strings.Contains(upper.name, "digest") && strings.Contains(lower.name, "oauth2") {
				continue // which replaces the digest: both have it in Authorization
			}
			for _, l := range lanes[1:3] { // TLS, with HTTP/1 and HTTP/2
				t.Run(upper.name+" above "+lower.name+" over "+l.name, func(t *testing.T) {
					t.Parallel()
					both := companion{wrap: func(t *testing.T, next http.RoundTripper) http.RoundTripper {
						return upper.wrap(t, lower.wrap(t, next))
					}}
					for _, promise := range []string{success, answer, once, unsent, session} {
						tr := newTrial(t, l, both)
						wrong := hold[promise](t, tr)
						if !upper.breaksOn(l, promise) && !lower.breaksOn(l, promise) {
							assert.NoError(t, wrong, promise)
						}
						assert.NoError(t, tr.noSecret())
					}
				})
			}
		}
	}
}

const page = "../../docs/company.md"

// TestTableIsThePages prints the table that the page has.
func TestTableIsThePages(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	assert.Contains(t, string(text), table(), "the table of %s is to be replaced by this one", page)
}

// breaksOn reports whether c breaks a promise by itself on a lane.
func (c companion) breaksOn(l lane, promise string) bool {
	return slices.ContainsFunc(c.breaks, func(e exception) bool {
		return e.promise == promise && strings.HasPrefix(l.name, e.lane)
	})
}

// table returns a row for each companion.
func table() string {
	var b strings.Builder
	b.WriteString("| Between the library and the network | The promises |\n|---|---|\n")
	for _, c := range companions {
		var broken []string
		for _, e := range c.breaks {
			over := ""
			if e.lane != "" {
				over = " (over " + e.lane + ")"
			}
			broken = append(broken, "all but *"+e.promise+"*"+over+": "+e.why)
		}
		fmt.Fprintf(&b, "| %s | %s |\n", c.name, cmp.Or(strings.Join(broken, "<br>"), "all hold"))
	}
	return b.String()
}
