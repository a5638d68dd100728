package kiitest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPINsThatATestWouldMakeUpAreNeverSent(t *testing.T) {
	t.Parallel()
	for _, pin := range []string{"000000", "777777", "123456", "012345", "987654", "543210"} {
		require.True(t, looksMadeUp(pin), pin)
	}
	for _, pin := range []string{"123457", "135791", "890272", "000001", "111112", "908172"} {
		require.False(t, looksMadeUp(pin), pin)
	}
}

func TestGeneratorNeverRepeatsWhatItReplaces(t *testing.T) {
	t.Parallel()
	seed := uint64(1)
	first := func() *generator { g := newGenerator(config{seed: &seed}); return &g }
	pin := first().nextPIN("")
	require.NotEqual(t, pin, first().nextPIN(pin), "the same dice, another PIN")
	password := first().password(minPassword, "")
	require.NotEqual(t, password, first().password(minPassword, password))
}
