package emulator

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPort0OfAnExposedHostIsAnyPort(t *testing.T) {
	t.Parallel()
	p, err := Options{Addr: "127.0.0.1:0", Expose: []string{"localhost:0", "Kii-Emulator:0", "[fd00::5]:0", "other"}}.listen()
	require.NoError(t, err)
	for _, l := range p.listeners {
		l.Close()
	}
	for host, want := range map[string]bool{
		"localhost:9000": true, "LOCALHOST:49153": true, "localhost": true, "kii-emulator:8484": true, "[fd00::5]:1": true,
		"localhost:0": false, "localhost:": false, "localhost:65536": false, "localhost:<b>": false, "other:9000": false,
		"localhost.evil.example:9000": false, "127.0.0.1:9000": false,
	} {
		assert.Equal(t, want, p.answersTo(host), host)
	}
	assert.Equal(t, "http://localhost:"+strconv.Itoa(p.address.Port), p.origin)
}

func TestAnAddressThatIsRefusedIsNotListenedAt(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "nowhere", ":0", "0.0.0.0:0", "[::]:0"} {
		_, err := Options{Addr: address}.listen()
		require.ErrorContains(t, err, "-addr", address)
	}
}

func TestAReaderByAnyPortGetsLinksWithThatPort(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.bound.anyPort = map[string]bool{"localhost": true}
	sent := x.do(http.MethodPost, apiRoot+"/users/alice-id/send", `{"kind":"reset-email"}`, "Host", "localhost:49153")
	require.Equal(t, http.StatusCreated, sent.Code)
	assert.Contains(t, sent.Body.String(), "http://localhost:49153/api/apps/emulator/password-reset/")
	for _, target := range []string{
		apiRoot + "/app", apiRoot + "/messages", apiRoot + "/messages/1", apiRoot + "/messages/latest?to=alice-id", apiRoot + "/messages/wait?to=alice-id",
		"/", "/messages/1", "/calls", "/settings",
	} {
		text := x.do(http.MethodGet, target, "", "Host", "localhost:49153").Body.String()
		assert.Contains(t, text, "http://localhost:49153/api", target)
		assert.NotContains(t, text, testHost, target)
		assert.Contains(t, x.do(http.MethodGet, target, "").Body.String(), "http://"+testHost+"/api", target)
	}
}
