package kiitest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

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
