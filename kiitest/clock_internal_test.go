package kiitest

import (
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// Go does not promise the first line of a stack trace: this fails when a new Go changes it.
func TestBubbleIsRecognised(t *testing.T) {
	t.Parallel()
	require.Empty(t, bubble())
	var names []string
	for range 2 {
		synctest.Test(t, func(t *testing.T) {
			runtime.LockOSThread() // which the head line tells too
			defer runtime.UnlockOSThread()
			names = append(names, bubble())
			done := make(chan struct{})
			go func() {
				defer close(done)
				names = append(names, bubble())
			}()
			<-done
		})
	}
	require.NotEmpty(t, names[0])
	require.Equal(t, names[0], names[1], "all goroutines of a bubble")
	require.NotEqual(t, names[0], names[2])
}
