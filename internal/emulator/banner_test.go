package emulator

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatIsPastedAllowsPlainHTTPWhereItMust(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for origin, must := range map[string]bool{
		"http://127.0.0.1:8484": false, "http://127.1.2.3:8484": false, "http://[::1]:8484": false, "http://localhost:8484": false,
		"http://10.0.2.2:8484": true, "http://emulator:8484": true, "http://localhost.example.com:8484": true, "http://127.example.com:8484": true,
	} {
		x.bound.origin = origin
		code := x.snippets()[0].Code
		if must {
			assert.Contains(t, code, "), kii.WithInsecureHTTP())", origin)
		} else {
			assert.NotContains(t, code, "WithInsecureHTTP", origin)
		}
	}
}

func TestTheBannerSaysWhatTheEmulatorStartsWith(t *testing.T) {
	t.Parallel()
	for seed, want := range map[string]string{
		"":                    "There are no users yet: add one on the page, or start with -seed FILE. ",
		"{}":                  "From the seed: 0 users; the link or the PIN sends a generated password. ",
		`{"users": [{}, {}]}`: "From the seed: 2 users; the link or the PIN sends a generated password. ",
		`{"users": [{}], "settings": {"resetFlow": "INPUT"}}`: "From the seed: 1 user; users choose their new password. ",
	} {
		file := ""
		if seed != "" {
			file = writeSeed(t, seed)
		}
		start, err := loadSeed(file)
		require.NoError(t, err)
		e := newEmulator(testOptions, &binding{origin: "http://" + testHost}, start)
		assert.Equal(t, want, e.contents())
		e.srv.Close()
	}
}
