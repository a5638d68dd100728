package kiitest

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
	"testing/synctest"

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
	seed := uint64(12167) // throws 012345 first
	g := newGenerator(config{seed: &seed})
	require.NotEqual(t, "012345", g.nextPIN(""))
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

// Started by the test below, which cannot set GODEBUG for itself.
func TestAServerInABubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(WithTest(t), WithoutSocket())
		require.NotEmpty(t, s.AddAccount(Account{LoginName: "alice", Password: "password"}))
	})
}

func TestAServerStartsInABubbleInFIPSMode(t *testing.T) {
	t.Parallel()
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("no FIPS mode here")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAServerInABubble$")
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=on")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}
