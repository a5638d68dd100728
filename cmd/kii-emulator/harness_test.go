package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/internal/emulator"
)

const (
	apiRoot = "/emulator/v1"
	alice   = "alice@example.com"
	phone   = "+819012341234"
)

// binary is the program, built once if a test asks for it.
var binary = sync.OnceValues(func() (string, error) {
	name := filepath.Join(folder, "kii-emulator")
	out, err := exec.Command("go", "build", "-o", name, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return name, nil
})

var folder string

func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "kii-emulator-*"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// A program is the emulator as a process.
type program struct {
	t      testing.TB
	cmd    *exec.Cmd
	origin string
	stdout bytes.Buffer
	stderr bytes.Buffer
	read   chan struct{} // closed when stdout has ended
}

// startProgram runs the program on a free port until it says that it is ready.
func startProgram(t testing.TB, flags ...string) *program {
	t.Helper()
	name, err := binary()
	require.NoError(t, err)
	p := &program{t: t, cmd: exec.Command(name, append([]string{"-addr", "127.0.0.1:0"}, flags...)...), read: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "TZ=Asia/Tokyo") // which no answer may show
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() { p.cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		p.stdout.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "Ctrl-C stops it") {
			break
		}
		if _, site, found := strings.Cut(lines.Text(), "kii.Site(\""); found && p.origin == "" {
			site, _, _ := strings.Cut(site, "\"")
			p.origin = strings.TrimSuffix(site, "/api")
		}
	}
	require.NotEmpty(t, p.origin, "the program did not start")
	go func() {
		defer close(p.read)
		for lines.Scan() {
			p.stdout.WriteString(lines.Text() + "\n")
		}
	}()
	return p
}

// stop sends the signal and returns the exit status.
func (p *program) stop(s os.Signal) int {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(s))
	<-p.read
	err := p.cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	require.NoError(p.t, err)
	return 0
}

// fail runs the program with a command line that it refuses.
func fail(t *testing.T, flags ...string) (status int, stderr string) {
	t.Helper()
	name, err := binary()
	require.NoError(t, err)
	var out bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, flags...)
	cmd.Stderr = &out
	exit, ok := errors.AsType[*exec.ExitError](cmd.Run())
	require.True(t, ok, "it was not refused: %s", &out)
	return exit.ExitCode(), out.String()
}

func (p *program) get(path string, into any) int {
	p.t.Helper()
	r, err := http.Get(p.origin + apiRoot + path)
	require.NoError(p.t, err)
	text := readAll(p.t, r.Body)
	if into != nil {
		require.NoError(p.t, json.Unmarshal([]byte(text), into), text)
	}
	return r.StatusCode
}

func (p *program) post(path, body string) int {
	p.t.Helper()
	r, err := http.Post(p.origin+apiRoot+path, "application/json", strings.NewReader(body))
	require.NoError(p.t, err)
	readAll(p.t, r.Body)
	return r.StatusCode
}

func (p *program) client() *kii.Client {
	p.t.Helper()
	c, err := kii.New(emulator.DefaultAppID, emulator.DefaultAppKey, kii.Site(p.origin+"/api"))
	require.NoError(p.t, err)
	return c
}

func writeSeed(t testing.TB, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "seed.json")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

func readAll(t testing.TB, r io.ReadCloser) string {
	t.Helper()
	defer r.Close()
	data, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(data)
}
