package promises_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
)

// misbehave does to a request what the user name in its path says.
func misbehave(w http.ResponseWriter, r *http.Request) {
	hijack := func(reply string) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = conn.Write([]byte(reply))
		_ = conn.Close()
	}
	switch strings.Split(r.URL.Path, "/")[4] {
	case "busy":
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"errorCode":"RESOURCE_TEMPORARILY_UNAVAILABLE"}`))
	case "nobody":
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"errorCode":"USER_NOT_FOUND"}`))
	case "cut":
		hijack("HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\n{\"errorCode\":\"USER_NOT_FOUND\"}")
	case "cutheader":
		hijack("HTTP/1.1 204 No Con")
	case "hangup":
		hijack("")
	case "garbage":
		hijack("SSH-2.0-OpenSSH\r\n\r\n")
	case "broken":
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write([]byte("this is no gzip"))
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// Promise 2.
func TestThreeOutcomesAreNeverConfused(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(misbehave))
	t.Cleanup(server.Close)
	client, err := kii.New("appId", "appKey", kii.Site(server.URL), kii.WithMaxRetries(0))
	require.NoError(t, err)
	closed, err := kii.New("appId", "appKey", kii.Site("http://"+closedAddress(t)), kii.WithMaxRetries(0))
	require.NoError(t, err)
	const (
		nothing = "nothing happened"
		unknown = "unknown"
		done    = "done"
	)
	for name, tt := range map[string]struct {
		client *kii.Client
		id     string
		want   string
		kind   error
	}{
		"accepted":           {client, "alice", done, nil},
		"refused argument":   {client, "me", nothing, &kii.ArgumentError{}},
		"nobody listens":     {closed, "alice", nothing, &kii.TransportError{}},
		"refused":            {client, "nobody", nothing, &kii.APIError{}},
		"5xx":                {client, "busy", unknown, &kii.APIError{}},
		"cut body of a 404":  {client, "cut", unknown, &kii.TransportError{}},
		"cut header":         {client, "cutheader", unknown, &kii.TransportError{}},
		"no reply":           {client, "hangup", unknown, &kii.TransportError{}},
		"no HTTP":            {client, "garbage", unknown, &kii.TransportError{}},
		"broken compression": {client, "broken", unknown, &kii.APIError{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tt.client.User.ResetPassword(t.Context(), tt.id, kii.NotificationEmail)
			got := done
			if kii.OutcomeUnknown(err) {
				got = unknown
			} else if err != nil {
				got = nothing
			}
			assert.Equal(t, tt.want, got)
			assert.IsType(t, tt.kind, err)
			if e, ok := errors.AsType[*kii.TransportError](err); ok {
				assert.Equal(t, "ResetPassword", e.Op)
				assert.Equal(t, tt.want == nothing, e.NotSent)
			}
		})
	}
}

var errShutdown = errors.New("shutting down")

// Promise 2.
func TestCancelledContextIsFoundWithItsCause(t *testing.T) {
	t.Parallel()
	client := newClient(t, unreachable(t))
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errShutdown)
	for name, call := range operations(ctx, client, resume(t, client)) {
		err := call()
		require.ErrorIs(t, err, context.Canceled, name)
		require.ErrorIs(t, err, errShutdown, name)
		assert.False(t, kii.OutcomeUnknown(err), name)
		assert.Equal(t, "kii: "+name+": not sent: context canceled; shutting down", err.Error())
	}
}

// Promise 4: a cause is the caller's, and may still name an account.
func TestCauseThatHoldsAURLIsFoundAndNotShown(t *testing.T) {
	t.Parallel()
	cause := &url.Error{Op: "Get", URL: "https://example.com/EMAIL:alice@example.com", Err: io.EOF}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	err := newClient(t, unreachable(t)).User.ResetPassword(ctx, "alice@example.com", kii.NotificationEmail)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, cause)
	require.ErrorIs(t, err, io.EOF)
	_, isURL := errors.AsType[*url.Error](err)
	assert.False(t, isURL)
	assert.Equal(t, `kii: ResetPassword: not sent: context canceled; Get "…"`, err.Error())
}

// likeCanceled reads like the error of a cancelled context.
type likeCanceled struct{ error }

// Promise 2.
func TestACauseThatReadsLikeTheContextsErrorIsFound(t *testing.T) {
	t.Parallel()
	cause := likeCanceled{context.Canceled}
	client := newClient(t, unreachable(t))
	session, err := client.User.Resume(kii.Token{AccessToken: "access-1", RefreshToken: "refresh-1"})
	require.NoError(t, err)
	for name, call := range map[string]func(context.Context) error{
		"ResetPassword": func(ctx context.Context) error { return client.User.ResetPassword(ctx, "alice", kii.NotificationEmail) },
		"Refresh":       session.Refresh,
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		err := call(ctx)
		require.ErrorIs(t, err, context.Canceled, name)
		_, found := errors.AsType[likeCanceled](err)
		assert.True(t, found, name)
	}
}

// Promise 2.
func TestContextThatEndsBeforeTheAnswerLeavesTheOutcomeUnknown(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel(errShutdown) // the caller's: the request has arrived
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	client, err := kii.New("appId", "appKey", kii.Site(server.URL))
	require.NoError(t, err)
	err = client.User.ResetPassword(ctx, "alice", kii.NotificationEmail)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, errShutdown)
	assert.True(t, kii.OutcomeUnknown(err))
}

// Promise 2.
func TestContextThatEndsInBackoffIsFoundBesideTheFailure(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]time.Duration{"in the attempt": 0, "during the wait": time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				refused := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
				client := newClient(t, tripper(func(*http.Request) (*http.Response, error) {
					if after == 0 {
						cancel(errShutdown)
					}
					time.AfterFunc(after, func() { cancel(errShutdown) })
					return nil, refused
				}))
				err := client.User.ResetPassword(ctx, "alice", kii.NotificationEmail)
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorIs(t, err, errShutdown)
				assert.False(t, kii.OutcomeUnknown(err))
				if after == 0 {
					return // the call may end before its attempt can tell of the failure
				}
				require.ErrorIs(t, err, refused)
				op, ok := errors.AsType[*net.OpError](err)
				require.True(t, ok)
				assert.Same(t, refused, op)
			})
		})
	}
}
