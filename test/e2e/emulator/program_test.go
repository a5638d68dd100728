package emulator_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/internal/emulator"
)

// folder holds the emulator, built once, and the browser's profile.
var folder string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	fmt.Fprintf(io.Discard, "%p", emulator.Serve) // the program does it, so the tests are to run again when it changes
	var err error
	if folder, err = os.MkdirTemp("", "kii-emulator-*"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	build := exec.Command("go", "build", "-o", filepath.Join(folder, "kii-emulator"), "github.com/go-kii/kii/cmd/kii-emulator")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	defer closeBrowser()
	return m.Run()
}

// start runs the program and returns its origin.
func start(t *testing.T, flags ...string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(folder, "kii-emulator"), append([]string{"-addr", "127.0.0.1:0"}, flags...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the emulator ended with %v", err)
		}
	})
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal("the emulator printed no address")
		}
		if _, origin, found := strings.Cut(strings.TrimSpace(line), "would have been is at "); found {
			go func() { _, _ = io.Copy(io.Discard, lines) }()
			return strings.TrimSuffix(origin, "/")
		}
	}
}

// seedFile writes a seed with users of each kind.
func seedFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "seed.json")
	seed := `{
  "settings": {"resetFlow": "INPUT", "templates": [
    {"purpose": "RESET_LINK", "channel": "EMAIL", "locale": "ja", "subject": "パスワードの再設定", "text": "こんにちは ${name} さん\n\n次のリンクを開いてください。\n${link}\n\nこのメールに心当たりがない場合は、破棄してください。"}
  ]},
  "users": [
    {"id": "alice", "loginName": "alice", "email": "alice@example.com", "emailVerified": true, "phone": "+819012341234", "phoneVerified": true, "password": "old-pass"},
    {"id": "bob", "loginName": "bob", "displayName": "Bob", "email": "bob@example.com", "phone": "+14085550100", "phoneVerified": true, "password": "bobs-pass", "country": "US", "locale": "en"},
    {"id": "carol", "displayName": "Carol <b>with tags</b>", "email": "carol.with.a.rather.long.address@department.example.com", "emailVerified": true},
    {"id": "dave", "loginName": "dave", "email": "dave@example.com", "emailVerified": true, "password": "daves-pass", "disabled": true},
    {"id": "hanako", "displayName": "花子", "locale": "ja", "email": "hanako@example.com", "emailVerified": true, "password": "hanakos-pass"}
  ]
}`
	if err := os.WriteFile(name, []byte(seed), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// client is the program whose users reset their passwords.
func client(t *testing.T, origin string) *kii.Client {
	t.Helper()
	c, err := kii.New("emulator", "emulator-key", kii.Site(origin+"/api"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// send has alice sent messages, a PIN the last.
func send(t *testing.T, origin string, n int) {
	t.Helper()
	user := client(t, origin).User
	methods := []kii.NotificationMethod{kii.NotificationEmail, kii.NotificationSMS, kii.NotificationSMSPIN}
	for i := range n {
		if err := user.ResetPassword(t.Context(), "LOGIN_NAME:alice", methods[(i+3-n%3)%3]); err != nil {
			t.Fatal(err)
		}
	}
}

// api calls the JSON API and decodes its answer.
func api[T any](t *testing.T, method, url, body string) T {
	t.Helper()
	var answer T
	request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode >= 300 {
		t.Fatalf("%s %s: %d", method, url, r.StatusCode)
	}
	if err := json.NewDecoder(r.Body).Decode(&answer); err != nil && r.StatusCode != http.StatusNoContent {
		t.Fatal(err)
	}
	return answer
}

// post calls the JSON API for what it does.
func post(t *testing.T, url, body string) {
	t.Helper()
	api[map[string]any](t, http.MethodPost, url, body)
}
