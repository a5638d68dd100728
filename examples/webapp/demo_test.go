package main

import (
	"bufio"
	"context"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// demoSite is the site as it starts without flags, but in a test's hand.
func demoSite(t *testing.T) (*extra, config, *kii.Client) {
	t.Helper()
	cfg := defaults()
	cfg.url, _ = siteURL(origin, true, false)
	ex := inMemory(cfg)
	t.Cleanup(ex.close)
	client, err := kii.New(ex.appID, ex.appKey, kii.Site(ex.site))
	require.NoError(t, err)
	return ex, cfg, client
}

func TestDemoTellsTheOwnerAndBindsTheCodeToTheSite(t *testing.T) {
	t.Parallel()
	ex, cfg, client := demoSite(t)
	require.NoError(t, client.User.ResetPassword(t.Context(), "alice@example.com", kii.NotificationSMSPIN))
	sms := ex.panel().(demoPanel).Newest
	lines := strings.Split(sms.Text, "\n")
	assert.Equal(t, "@www.example.com #"+sms.PIN, lines[len(lines)-1], "as phones want it, to offer the code on this site only")
	pasted, ok := parsePIN(strings.ReplaceAll(sms.Text, "\n", "")) // as a browser pastes it into a line
	assert.True(t, ok)
	assert.Equal(t, sms.PIN, pasted)

	require.NoError(t, client.User.CompleteResetPassword(t.Context(), "alice@example.com", sms.PIN, new(newPassword)))
	told := ex.panel().(demoPanel).Newest
	assert.Contains(t, told.Text, "If that was not you, ask for a new password at https://www.example.com/forgot")
	assert.Contains(t, told.Text, cfg.support)
	assert.NotContains(t, told.Text, newPassword)
}

func TestDemoWantsTheSitesLeastLength(t *testing.T) {
	t.Parallel()
	ex, cfg, client := demoSite(t)
	require.NoError(t, client.User.ResetPassword(t.Context(), "alice@example.com", kii.NotificationSMSPIN))
	err := client.User.CompleteResetPassword(t.Context(), "alice@example.com", ex.panel().(demoPanel).Newest.PIN, new("seven77"))
	require.ErrorIs(t, err, kii.ErrPasswordTooShort)
	var portalSettings kiitest.Settings
	portal(&portalSettings, cfg)
	assert.Equal(t, cfg.minPassword, portalSettings.MinPasswordLength)
}

func TestDemoShowsTheNewestMessageBelowEachPage(t *testing.T) {
	t.Parallel()
	url := serve(t, nil)
	fetch := func(path string) string {
		resp, err := http.Get(url + path)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, resp.StatusCode)
		assert.Contains(t, resp.Header.Get("Content-Security-Policy"), "connect-src 'self'")
		return string(body)
	}
	resp, err := http.PostForm(url+"/forgot", map[string][]string{"account": {"alice@example.com"}, "method": {"EMAIL"}})
	require.NoError(t, err)
	resp.Body.Close()
	assert.Eventually(t, func() bool { return strings.Contains(fetch("/demo/newest"), "Open the link") }, 10*time.Second, time.Millisecond)
	assert.Contains(t, fetch("/login"), "Open the link")
	assert.Contains(t, fetch("/demo"), "alice@example.com")
}

// TestDemoIsLeftOutByDeletingItsFiles builds and vets the site, tests included, without them.
func TestDemoIsLeftOutByDeletingItsFiles(t *testing.T) {
	t.Parallel()
	library, err := filepath.Abs("../..")
	require.NoError(t, err)
	site := t.TempDir()
	require.NoError(t, os.CopyFS(site, os.DirFS(".")))
	deleted := 0
	require.NoError(t, filepath.WalkDir(site, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasPrefix(entry.Name(), "demo") {
			deleted++
			return os.Remove(path)
		}
		return err
	}))
	require.Equal(t, 5, deleted)
	for _, args := range [][]string{
		{"mod", "edit", "-replace", "github.com/go-kii/kii=" + library},
		{"vet", "."},
		{"test", "-run", "TestEachSentenceIsSaid|Test01|TestPasswordManagers|TestRunRefuses", "."},
	} {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = site
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "go %v: %s", args, out)
	}
}

func TestTheSiteRunsOnTheEmulatorByOneCommand(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "kii-emulator")
	out, err := exec.CommandContext(t.Context(), "go", "-C", "../..", "build", "-o", program, "./cmd/kii-emulator").CombinedOutput()
	require.NoError(t, err, "%s", out)
	cmd := exec.CommandContext(t.Context(), program, "-addr", "127.0.0.1:0", "-app-id", "app", "-app-key", "key")
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	first, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	origin := strings.TrimRight(first[strings.Index(first, "http://"):], "/\n")

	for range 2 { // a second start finds the account of the first
		url := serve(t, nil, "-emulator", origin+"/")
		resp, err := http.Get(url + "/login")
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Contains(t, string(body), `<a href="`+origin+`" target="_blank"`, "the messages are one click away")

		client, err := kii.New("app", "key", kii.Site(origin+"/api"))
		require.NoError(t, err)
		f := newFlow(client.User, defaults(), newMemory, quiet())
		t.Cleanup(func() { _ = f.close(context.Background()) })
		require.NoError(t, client.User.ResetPassword(t.Context(), "alice@example.com", kii.NotificationSMSPIN))
		var sms struct{ PIN, Text string }
		require.NoError(t, emulatorCall(http.MethodGet, origin+"/emulator/v1/messages/latest?to=alice@example.com", nil, &sms, http.StatusOK))
		assert.Contains(t, sms.Text, "@127.0.0.1 #"+sms.PIN)
		did := f.complete(t.Context(), account{ID: "alice@example.com"}, sms.PIN, newPassword+time.Now().Format(".000000000"))
		assert.Equal(t, succeeded, did, "its flow lets people choose a password")
	}
}

// An emulator in a container, or on another machine, is not on loopback and has no TLS.
func TestTheSiteRunsOnAnEmulatorOfAnotherMachine(t *testing.T) {
	t.Parallel()
	emulator := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := `{}`
		switch r.URL.Path {
		case "/emulator/v1/app":
			answer = `{"appID": "emulator", "site": "http://emulator:8484/api"}`
		case "/emulator/v1/users":
			answer = `{"users": [{"id": "1"}]}`
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(emulator.Close)
	resp, err := http.Get(serve(t, nil, "-emulator", emulator.URL) + "/login")
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, http.StatusOK, resp.StatusCode)
}

func TestTheSiteSaysWhatIsWrongWithAnEmulator(t *testing.T) {
	t.Parallel()
	_, err := onEmulator("http://127.0.0.1:1", defaults())
	assert.ErrorContains(t, err, "is kii-emulator running?")
	_, err = onEmulator("nonsense:", defaults())
	assert.ErrorContains(t, err, "-emulator")
	err = run(t.Context(), []string{"-emulator", "http://127.0.0.1:1"}, func(name string) string { return realKii[name] }, io.Discard, io.Discard)
	assert.ErrorContains(t, err, "unset KII_APP_ID")
}
