package shared_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/internal/shared"
)

func TestAnAnswerThatIsThereIsReturnedToACallerWhoseContextHasEnded(t *testing.T) {
	t.Parallel()
	request := shared.Begin(t.Context(), nil, func(context.Context) (string, error) { return "answer", nil })
	_, err, gone := request.Wait(t.Context(), 1<<62)
	require.NoError(t, err)
	require.NoError(t, gone)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		answer, err, gone := request.Wait(ended, 1<<62)
		require.NoError(t, err)
		require.NoError(t, gone)
		require.Equal(t, "answer", answer)
	}
}
