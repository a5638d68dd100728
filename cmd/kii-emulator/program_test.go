package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/internal/emulator"
	"github.com/go-kii/kii/kiitest"
)

const aliceSeed = `{"settings": {"resetFlow": "INPUT"}, "users": [{"email": "alice@example.com", "emailVerified": true, "phone": "+819012341234", "phoneVerified": true, "password": "old-pass"}]}`

func TestAWholeResetThroughTheProgram(t *testing.T) {
	t.Parallel()
	export := filepath.Join(t.TempDir(), "export.json")
	p := startProgram(t, "-seed", writeSeed(t, aliceSeed), "-export", export)
	user := p.client().User
	session, err := user.Login(t.Context(), alice, "old-pass")
	require.NoError(t, err)

	waited := make(chan kiitest.Message, 1)
	go func() { // asks before there is a message
		var m kiitest.Message
		p.get("/messages/wait?purpose=reset-pin&timeout=1m", &m)
		waited <- m
	}()
	require.NoError(t, user.ResetPassword(t.Context(), alice, kii.NotificationSMSPIN))
	m := <-waited
	require.Len(t, m.PIN, 6)
	assert.ErrorIs(t, user.CompleteResetPassword(t.Context(), alice, "999999", new("new-pass")), kii.ErrWrongPIN)
	require.NoError(t, user.CompleteResetPassword(t.Context(), alice, m.PIN, new("new-pass")))
	_, err = session.Profile(t.Context())
	ended, ok := errors.AsType[*kii.SessionError](err)
	assert.True(t, ok, "the old session lives on: %v", ended)
	_, err = user.Login(t.Context(), phone, "new-pass")
	require.NoError(t, err)

	require.NoError(t, user.ResetPassword(t.Context(), alice, kii.NotificationSMSPIN))
	p.get("/messages/latest?to="+alice, &m)
	assert.Equal(t, http.StatusOK, p.post("/clock", `{"advance":"10m"}`))
	assert.ErrorIs(t, user.CompleteResetPassword(t.Context(), alice, m.PIN, new("newer-pass")), kii.ErrPINExpired)

	assert.Equal(t, 0, p.stop(syscall.SIGTERM))
	assert.Empty(t, p.stderr.String())
	again := startProgram(t, "-seed", export)
	_, err = again.client().User.Login(t.Context(), alice, "new-pass")
	assert.NoError(t, err, "the export has the password of the end")
}

func TestItStopsCleanlyWhateverIsGoingOn(t *testing.T) {
	t.Parallel()
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		tries := 0
		for !stopsWhileAsked(t, s) {
			tries++
			require.Less(t, tries, 5, "a long poll is answered")
		}
	}
}

// stopsWhileAsked stops a program that has several calls to answer. It reports whether a long poll
// was one of them: a stop drops what it has not begun to read, which nobody can see before.
func stopsWhileAsked(t *testing.T, s os.Signal) bool {
	t.Helper()
	p := startProgram(t, "-seed", writeSeed(t, aliceSeed))
	require.Equal(t, http.StatusCreated, p.post("/faults", `{"kind":"delay","delay":"1h"}`))
	require.Equal(t, http.StatusCreated, p.post("/faults", `{"kind":"endless","nth":2}`))
	ended := make(chan struct{}, 3)
	go func() { p.client().User.ResetPassword(t.Context(), alice, kii.NotificationEmail); ended <- struct{}{} }()
	waiting, err := net.Dial("tcp", strings.TrimPrefix(p.origin, "http://"))
	require.NoError(t, err)
	defer waiting.Close()
	fmt.Fprintf(waiting, "GET %s/messages/wait?timeout=1m HTTP/1.1\r\nHost: %s\r\n\r\n", apiRoot, strings.TrimPrefix(p.origin, "http://"))
	for faults := -1; faults != 1; { // the delayed call has met its fault
		var left struct{ Faults []any }
		p.get("/faults", &left)
		faults = len(left.Faults)
	}
	endless, err := http.Get(p.origin + "/api/oauth2/token")
	require.NoError(t, err)
	defer endless.Body.Close()
	begun := time.Now()
	assert.Equal(t, 0, p.stop(s), s)
	assert.Less(t, time.Since(begun), 4*time.Second)
	<-ended
	assert.Empty(t, p.stderr.String())
	reply, err := http.ReadResponse(bufio.NewReader(waiting), nil)
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.ErrUnexpectedEOF) {
		return false
	}
	require.NoError(t, err)
	assert.Equal(t, http.StatusServiceUnavailable, reply.StatusCode)
	return assert.NoError(t, reply.Body.Close())
}

func TestAPortInUseIsToldWithTheWayOut(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	status, stderr := fail(t, "-addr", l.Addr().String())
	assert.Equal(t, 1, status)
	assert.Contains(t, stderr, "cannot serve at -addr: ")
	assert.Contains(t, stderr, l.Addr().String())
	assert.Contains(t, stderr, "-addr 127.0.0.1:0")
}

func TestACommandLineThatMakesNoSenseIsRefused(t *testing.T) {
	t.Parallel()
	bad := writeSeed(t, "{\n\"users\": [{\"email\": 1}]}")
	folder := t.TempDir()
	missing := filepath.Join(folder, "no", "file.json")
	for _, c := range []struct {
		status int
		says   string
		flags  []string
	}{
		{2, "-pin must be 4 to 10 digits", []string{"-pin", "12secret"}},
		{2, "-app-id must be", []string{"-app-id", "a/secret"}},
		{2, "-app-key must be", []string{"-app-key", "a secret"}},
		{2, "belongs to no flag", []string{"secret"}},
		{2, "-help lists the flags", []string{"-unknown"}},
		{2, "-export " + missing + ": its folder does not exist", []string{"-export", missing}},
		{2, "-export " + folder + ": it is a folder", []string{"-export", folder}},
		{2, "there is no command after --", []string{"--"}},
		{2, "there is no command after --", []string{"--", ""}},
		{2, "-ready runs no command", []string{"-ready", "--", "true"}},
		{2, "must be 1 to 256", []string{"-client-secret", "a word"}},
		{2, "-client-id must be 1 to 256", []string{"-client-id", "a secret"}},
		{2, "-client-id must differ", []string{"-client-id", "secret", "-app-id", "secret"}},
		{2, "-export " + os.DevNull + ": it is no plain file", []string{"-export", os.DevNull}},
		{2, "-addr-file " + os.DevNull + ": it is no plain file", []string{"-addr-file", os.DevNull}},
		{2, "-addr-file " + missing + ": its folder does not exist", []string{"-addr-file", missing}},
		{2, "-addr-file " + folder + ": it is a folder", []string{"-addr-file", folder}},
		{2, "-addr-file " + bad + ": it is the seed or the export too", []string{"-addr-file", bad, "-seed", bad}},
		{2, "-addr-file " + bad + ": it is the seed or the export too", []string{"-addr-file", bad, "-export", bad}},
		{2, "-export is empty", []string{"-export", ""}},
		{2, "-seed is empty", []string{"-seed="}},
		{2, "-pin is empty", []string{"-pin", ""}},
		{2, "-addr-file is empty", []string{"-addr-file", ""}},
		{2, ": the path cannot be followed", []string{"-export", circle(t)}},
		{2, ": the path cannot be followed", []string{"-seed", circle(t)}},
		{2, "-seed " + missing + ": the file does not exist", []string{"-seed", missing}},
		{2, "-seed " + missing + ": the file does not exist", []string{"-seed", missing, "-export", filepath.Join(folder, "other.json")}},
		{2, "-seed " + folder + ": it is a folder", []string{"-seed", folder}},
		{1, bad + ":2: the field email must be a string", []string{"-seed", bad}},
		{2, "add -expose", []string{"-addr", "0.0.0.0:0"}},
		{2, "add -expose", []string{"-addr", ":0"}},
		{2, "-expose must be a host", []string{"-addr", "0.0.0.0:0", "-expose", "http://x/"}},
		{2, "-addr must be a host and a port", []string{"-addr", "nowhere"}},
		{2, "-addr must be a host and a port", []string{"-addr", ""}},
		{2, "-expose must be a host", []string{"-expose", ""}},
		{2, "-expose must be a host", []string{"-expose", "good", "-expose", "b*d"}},
		{2, "-expose must be a host", []string{"-expose", "[::]:8484"}},
		{2, "-expose must be a host", []string{"-expose", "host:65536"}},
		{2, "-expose must be a host", []string{"-expose", "host:18446744073709551617"}},
		{2, "-expose must be a host", []string{"-expose", "host:-1"}},
		{2, "-expose must be a host", []string{"-expose", "host:"}},
		{2, "-expose must be a host", []string{"-expose", "224.0.0.1"}},
	} {
		status, stderr := fail(t, c.flags...)
		assert.Equal(t, c.status, status, c.flags)
		assert.Contains(t, stderr, c.says, c.flags)
		assert.Equal(t, 1, strings.Count(stderr, "\n"), "one line: %s", stderr)
		if c.status == 2 {
			assert.NotContains(t, strings.ReplaceAll(stderr, "-client-secret", ""), "secret", c.flags)
		}
	}
}

// circle returns a link that leads to itself.
func circle(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "circle.json")
	if err := os.Symlink(name, name); err != nil {
		t.Skip("this system makes no links")
	}
	return name
}

func TestAnotherAddressNeedsTheFlagAndGetsAWarning(t *testing.T) {
	t.Parallel()
	p := startProgram(t, "-addr", "0.0.0.0:0", "-expose", "emulator.test:9999", "-expose", "kii_emulator", "-expose", "[fd00::5]:81")
	assert.Contains(t, p.stdout.String(), `kii.Site("http://emulator.test:9999/api"), kii.WithInsecureHTTP())`)
	_, listens, found := strings.Cut(p.stdout.String(), "Listens at ")
	require.True(t, found)
	listens, _, _ = strings.Cut(strings.TrimSpace(listens), "\n")
	_, port, err := net.SplitHostPort(listens)
	require.NoError(t, err)
	for host, want := range map[string]int{
		"emulator.test:9999": 200, "EMULATOR.test:9999": 200, "emulator.test": 421, "other:9999": 421, "kii_emulator:" + port: 200, "kii_emulator": 421, "[fd00:0::5]:81": 200, "127.0.0.1:" + port: 200,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:"+port+apiRoot+"/app", http.NoBody)
		require.NoError(t, err)
		r.Host = host
		got, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		got.Body.Close()
		assert.Equal(t, want, got.StatusCode, host)
	}
	p.stop(os.Interrupt)
	assert.Contains(t, p.stderr.String(), "WARNING: other machines can reach this emulator")
}

func TestLocalhostIsTheEmulatorAlsoToThoseWhoTryIPv6First(t *testing.T) {
	t.Parallel()
	if l, err := net.Listen("tcp6", "[::1]:0"); err != nil {
		t.Skip("this machine has no IPv6")
	} else {
		l.Close()
	}
	p := startProgram(t)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(p.origin, "http://"))
	require.NoError(t, err)
	reply, err := http.Get("http://[::1]:" + port + apiRoot + "/ready")
	require.NoError(t, err)
	var one, other struct{ Instance string }
	require.NoError(t, json.Unmarshal([]byte(readAll(t, reply.Body)), &one))
	require.Equal(t, http.StatusOK, p.get("/ready", &other))
	assert.Equal(t, other, one)
	assert.Zero(t, p.stop(os.Interrupt))
}

func TestAnotherProgramAtLocalhostGetsAWarning(t *testing.T) {
	t.Parallel()
	port := portOfAnotherProgram(t)
	p := startProgram(t, "-addr", "127.0.0.1:"+port)
	assert.Zero(t, p.stop(os.Interrupt))
	assert.Contains(t, p.stderr.String(), "WARNING: another program serves port "+port+" of ::1")
}

// portOfAnotherProgram returns a port that is taken at ::1 and free at 127.0.0.1. No system gives
// one below 30000 to a program that asks for any.
func portOfAnotherProgram(t *testing.T) (port string) {
	t.Helper()
	for range 100 {
		port = strconv.Itoa(20_000 + rand.N(10_000))
		other, err := net.Listen("tcp6", "[::1]:"+port)
		if err != nil {
			continue
		}
		t.Cleanup(func() { other.Close() })
		if own, err := net.Listen("tcp4", "127.0.0.1:"+port); err == nil {
			own.Close()
			return port
		}
	}
	t.Skip("this machine has no IPv6")
	return ""
}

func TestAHostWithoutAnotherAddressGetsNoWarning(t *testing.T) {
	t.Parallel()
	p := startProgram(t, "-expose", "10.0.2.2") // as the Android emulator calls the loopback of its machine
	p.stop(os.Interrupt)
	assert.NotContains(t, p.stderr.String(), "WARNING")
}

func TestEachTimeIsInUTCWhateverTheZoneOfTheMachine(t *testing.T) {
	t.Parallel()
	p := startProgram(t, "-seed", writeSeed(t, aliceSeed))
	require.NoError(t, p.client().User.ResetPassword(t.Context(), alice, kii.NotificationSMSPIN))
	for _, path := range []string{"/messages", "/messages/1", "/calls", "/calls/1", "/clock"} {
		var answer json.RawMessage
		require.Equal(t, http.StatusOK, p.get(path, &answer))
		times := regexp.MustCompile(`"\d{4}-\d\d-\d\dT[^"]*"`).FindAllString(string(answer), -1)
		assert.NotEmpty(t, times, path)
		for _, at := range times {
			assert.Contains(t, at, "Z", path)
		}
	}
}

func TestTheProgramPrintsWhatToPaste(t *testing.T) {
	t.Parallel()
	p := startProgram(t, "-pin", "012345", "-seed", writeSeed(t, aliceSeed))
	site := p.origin + "/api"
	for _, line := range []string{
		fmt.Sprintf("kii.Site(%q)", site),
		fmt.Sprintf(`kii.New("emulator", "emulator-key", kii.Site(%q))`, site),
		fmt.Sprintf(`Kii.initializeWithSite("emulator", "emulator-key", %q);`, site),
		fmt.Sprintf(`Kii.Initialize("emulator", "emulator-key", %q);`, site),
		"curl -i -H 'X-Kii-AppID: emulator'",
	} {
		assert.Contains(t, p.stdout.String(), line)
	}

	_, curl, found := strings.Cut(p.stdout.String(), "REST ")
	require.True(t, found)
	curl, _, _ = strings.Cut(curl, "JSON API")
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl to try the printed command with")
	}
	out, err := exec.Command("sh", "-c", strings.TrimSpace(curl)).Output()
	require.NoError(t, err)
	assert.Contains(t, string(out), " 204 ")
	var m kiitest.Message
	p.get("/messages/latest", &m)
	assert.Equal(t, "012345", m.PIN)
}

func TestTheREADMEShowsWhatIsPrinted(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, block, found := strings.Cut(string(readme), "\n```\nKii.")
	require.True(t, found)
	block, _, _ = strings.Cut("Kii."+block, "```")
	p := startProgram(t)
	printed := strings.ReplaceAll(p.stdout.String(), p.origin, "http://"+emulator.DefaultAddr)
	for line := range strings.Lines(block) {
		code, _, _ := strings.Cut(line, " // ")
		assert.Contains(t, printed, strings.TrimSpace(code))
	}
}

func TestTheUsersOwnAppKeyIsPrintedNowhere(t *testing.T) {
	t.Parallel()
	const key = "a-real-key-of-somebodys"
	p := startProgram(t, "-app-id", "my-app", "-app-key", key, "-client-secret", key+"2")
	for _, path := range []string{"/", "/settings", apiRoot + "/app", apiRoot + "/export"} {
		r, err := http.Get(p.origin + path)
		require.NoError(t, err)
		assert.NotContains(t, readAll(t, r.Body), key, path)
	}
	p.stop(os.Interrupt)
	assert.NotContains(t, p.stdout.String()+p.stderr.String(), key)
	assert.Contains(t, p.stdout.String(), "THE-APP-KEY")
	assert.Contains(t, p.stdout.String(), "THE-CLIENT-SECRET")
}

func TestItPrintsNoSecretAndNoAccount(t *testing.T) {
	t.Parallel()
	p := startProgram(t, "-seed", writeSeed(t, strings.Replace(aliceSeed, "old-pass", "marker-password", 1)))
	user := p.client().User
	require.NoError(t, user.ResetPassword(t.Context(), alice, kii.NotificationSMSPIN))
	var m kiitest.Message
	p.get("/messages/latest", &m)
	user.CompleteResetPassword(t.Context(), alice, "marker-pin", new("marker-new"))
	user.Login(t.Context(), alice, "marker-wrong")
	p.post("/users", `{"email":"marker","password":"marker"}`)
	p.get("/users/marker?x=marker", nil)
	p.stop(os.Interrupt)
	assert.Empty(t, p.stderr.String())
	for _, secret := range []string{"marker", m.PIN, alice} {
		assert.NotContains(t, p.stdout.String(), secret)
	}
}

func TestACommandTakesAFreePortUnlessItIsGivenOne(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args    []string
		addr    string
		command []string
	}{
		{nil, emulator.DefaultAddr, nil},
		{[]string{"--", "true", "--", "x"}, "127.0.0.1:0", []string{"true", "--", "x"}},
		{[]string{"-addr", emulator.DefaultAddr, "--", "true", ""}, emulator.DefaultAddr, []string{"true", ""}},
	} {
		o, err := parseFlags(c.args, io.Discard)
		require.NoError(t, err, c.args)
		assert.Equal(t, c.addr, o.Addr, c.args)
		assert.Equal(t, c.command, o.Command, c.args)
	}
}

func TestHelpListsEveryFlag(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	assert.Equal(t, 0, run(t.Context(), []string{"-help"}, nil, &out, &out))
	for _, name := range []string{"addr", "addr-file", "expose", "seed", "export", "pin", "app-id", "app-key", "client-id", "client-secret"} {
		assert.Contains(t, out.String(), "\n  -"+name+" ", name)
	}
}
