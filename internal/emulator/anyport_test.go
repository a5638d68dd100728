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

func TestAnEmulatorAnswersToTheNamesOfItsAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		o     Options
		hosts map[string]bool // with the port
	}{
		{Options{Addr: "127.0.0.1:0"}, map[string]bool{"127.0.0.1": true, "localhost": true, "LocalHost.": true, "[::1]": true, "127.0.0.2": false}},
		{Options{Addr: "127.0.0.2:0"}, map[string]bool{"127.0.0.1": true, "localhost": true, "127.0.0.2": true, "0.0.0.0": false}},
		{Options{Addr: "0.0.0.0:0", Expose: []string{"kii"}}, map[string]bool{"127.0.0.1": true, "localhost": true, "kii": true, "0.0.0.0": false}},
	} {
		p, err := c.o.listen()
		if err != nil {
			assert.Equal(t, "127.0.0.2:0", c.o.Addr, "no system has all of 127.0.0.0/8 for sure: %v", err)
			continue
		}
		for _, l := range p.listeners {
			l.Close()
		}
		for host, want := range c.hosts {
			assert.Equal(t, want, p.answersTo(host+":"+strconv.Itoa(p.address.Port)), "%s at %s", host, c.o.Addr)
			assert.False(t, p.answersTo(host+":1"), "%s at %s", host, c.o.Addr)
		}
	}
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
