package kiitest

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// A connection can bring one more call while Close ends it. A strict server sees none.
func TestClosedSocketTakesNoCall(t *testing.T) {
	t.Parallel()
	s := NewServer(WithTest(t))
	s.Close()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, string(s.Site())+"/apps/x/users/me", http.NoBody)
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { s.serveSocket(httptest.NewRecorder(), r) })
	require.Empty(t, s.Calls(), "and the server can still be asked")
}

func TestServerListensOnAnAddressThatTheMachineHas(t *testing.T) {
	t.Parallel()
	const nowhere = "192.0.2.1:0" // RFC 5737: no machine's
	l, err := listenOnFirst(nowhere, "127.0.0.1:0", "[::1]:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	_, err = listenOnFirst(nowhere, "[2001:db8::1]:0")
	require.ErrorContains(t, err, "192.0.2.1")
	require.ErrorContains(t, err, "2001:db8::1")
}
