package transport_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/internal/peer"
	"github.com/go-kii/kii/internal/transport"
)

// An uncomparable error panics when it is compared.
type uncomparable struct{ all []error }

func (u uncomparable) Error() string   { return "uncomparable" }
func (u uncomparable) Unwrap() []error { return u.all }

// A sly one looks comparable.
type sly struct{ inner error }

func (s sly) Error() string { return "sly" }

type pointed struct{ text string }

func (p *pointed) Error() string { return p.text }

func TestWhateverACallersCodeReturnsIsAnError(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"uncomparable":               uncomparable{[]error{errRefused, nil}},
		"uncomparable in comparable": sly{uncomparable{}},
		"nil children":               uncomparable{[]error{nil, nil}},
		"a typed nil":                (*pointed)(nil),
		"a typed nil OpError":        (*net.OpError)(nil),
		"a typed nil DNSError":       (*net.DNSError)(nil),
		"an empty OpError":           &net.OpError{},
		"an empty url.Error":         fmt.Errorf("gateway: %w", &url.Error{}),
		"a typed nil url.Error":      fmt.Errorf("gateway: %w", (*url.Error)(nil)),
		"wrapped":                    fmt.Errorf("%w and %w", (*pointed)(nil), sly{uncomparable{}}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, alone := newClient(t, tripper(func(*http.Request) (*http.Response, error) { return nil, err })).Do(t.Context(), get("http://kii.test"))
			require.Error(t, alone)
			assert.NotEmpty(t, alone.Error())
			for _, read := range []bool{false, true} {
				ctx, cancel := context.WithCancelCause(t.Context())
				_, got := newClient(t, tripper(func(req *http.Request) (*http.Response, error) {
					if read {
						taken(req)
					}
					cancel(err)
					return nil, err
				})).Do(ctx, post("http://kii.test"))
				require.Error(t, got)
				assert.NotEmpty(t, got.Error())
				assert.Equal(t, !read, got.(*transport.Failure).NotSent)
				require.ErrorIs(t, got, context.Canceled)
			}
		})
	}
	_, err := newClient(t, tripper(func(*http.Request) (*http.Response, error) { return nil, nil })).Do(t.Context(), post("http://kii.test"))
	require.Error(t, err)
	assert.NotEmpty(t, err.Error())
}

func TestAResponseIsLeftAsTheRoundTripperMadeIt(t *testing.T) {
	t.Parallel()
	made := &http.Response{StatusCode: 307, Header: http.Header{"Location": {"/elsewhere"}}, Body: http.NoBody}
	client := newClient(t, tripper(func(*http.Request) (*http.Response, error) { return made, nil }))
	for range 2 { // it may be another caller's as well
		reply, err := client.Do(t.Context(), post("http://kii.test"))
		require.NoError(t, err)
		assert.Equal(t, 307, reply.Status)
	}
	assert.Equal(t, "/elsewhere", made.Header.Get("Location"))
}

// A connection may be a struct that cannot be compared.
type wrappedConn struct {
	net.Conn
	tags []string
}

func TestAConnectionWrappedByValueServes(t *testing.T) {
	t.Parallel()
	for _, kind := range []peer.Kind{{}, {TLS: true}, {HTTP2: true, TLS: true}} {
		s := peer.Start(t, kind, answers(204))
		tr := trusting()
		tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, addr)
			return wrappedConn{conn, nil}, err
		}
		reply, err := newClient(t, tr).Do(t.Context(), post(s.URL()))
		require.NoError(t, err)
		assert.Equal(t, 204, reply.Status)
	}
}
