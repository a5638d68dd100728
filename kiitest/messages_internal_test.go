package kiitest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWaiterThatGaveUpIsForgotten(t *testing.T) {
	t.Parallel()
	srv := NewServer(WithoutSocket())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := srv.WaitMessage(ctx, Filter{})
	require.Equal(t, context.Canceled, err)
	require.Empty(t, srv.waiters)
}
