package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheExportSurvivesEverySignalThatCanBeCaught(t *testing.T) {
	t.Parallel()
	for _, signals := range [][]os.Signal{
		{os.Interrupt},
		{syscall.SIGTERM},
		{syscall.SIGHUP},
		{syscall.SIGTERM, syscall.SIGTERM, os.Interrupt},
		{os.Interrupt, os.Interrupt, os.Interrupt},
	} {
		export := filepath.Join(t.TempDir(), "export.json")
		p := startProgram(t, "-export", export)
		require.Equal(t, http.StatusCreated, p.post("/users", `{"loginName":"bob"}`))
		waiting, err := net.Dial("tcp", strings.TrimPrefix(p.origin, "http://")) // a stop waits for it
		require.NoError(t, err)
		defer waiting.Close()
		_, err = waiting.Write([]byte("POST /api/oauth2/token HTTP/1.1\r\nHost: " + strings.TrimPrefix(p.origin, "http://") + "\r\nContent-Length: 9\r\n\r\n"))
		require.NoError(t, err)
		for _, s := range signals[:len(signals)-1] {
			require.NoError(t, p.cmd.Process.Signal(s))
		}
		assert.Equal(t, 0, p.stop(signals[len(signals)-1]), signals)
		written, err := os.ReadFile(export)
		require.NoError(t, err, signals)
		assert.Contains(t, string(written), `"bob"`, signals)
	}
}

func TestUnderNohupTheProgramOutlivesItsTerminal(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there is no nohup")
	}
	name, err := binary()
	require.NoError(t, err)
	address := filepath.Join(t.TempDir(), "addr")
	cmd := exec.Command("nohup", name, "-addr", "127.0.0.1:0", "-addr-file", address)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill() })
	banner := bufio.NewReader(stdout)
	_, err = banner.ReadString('\n')
	require.NoError(t, err)
	at, err := os.ReadFile(address)
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Signal(syscall.SIGHUP))
	reply, err := http.Get("http://" + strings.TrimSpace(string(at)) + apiRoot + "/messages/wait?timeout=300ms")
	require.NoError(t, err)
	reply.Body.Close()
	assert.Equal(t, http.StatusNoContent, reply.StatusCode, "a stop would cut it short")
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	_, err = io.Copy(io.Discard, banner)
	require.NoError(t, err)
	require.NoError(t, cmd.Wait())
}

func TestTheAddressFileNamesTheEmulatorThatAnswers(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "addr")
	p := startProgram(t, "-addr-file", name)
	address, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, strings.TrimPrefix(p.origin, "http://")+"\n", string(address))
	var ready struct{ Instance string }
	require.Equal(t, http.StatusOK, p.get("/ready", &ready))
	assert.Contains(t, p.stdout.String(), "Instance")
	assert.Contains(t, p.stdout.String(), ready.Instance)
	p.stop(os.Interrupt)
	_, err = os.Stat(name)
	require.ErrorIs(t, err, os.ErrNotExist, "nobody takes the next one at that port for this one")

	first, second := startProgram(t, "-addr-file", name), startProgram(t, "-addr-file", name)
	first.stop(os.Interrupt)
	address, err = os.ReadFile(name)
	require.NoError(t, err, "the second one's file stays")
	assert.Equal(t, strings.TrimPrefix(second.origin, "http://")+"\n", string(address))
}

func TestTheProgramReportsWhetherAnEmulatorIsReady(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"404 page not found", `{"status":"up"}`, `{"ready":"yes"}`} {
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, answer) }))
		defer other.Close()
		status, _, stderr := runProgram(t, "", "-ready", "-addr", other.Listener.Addr().String())
		assert.Equal(t, 1, status)
		assert.Contains(t, stderr, "not ready: what serves at "+other.Listener.Addr().String()+" is no kii-emulator")
	}
	mute := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer mute.Close()
	status, _, stderr := runProgram(t, "", "-ready", "-addr", mute.Listener.Addr().String())
	assert.Equal(t, 1, status)
	assert.Contains(t, stderr, "not ready: EOF")
	p := startProgram(t)
	address := strings.TrimPrefix(p.origin, "http://")
	status, stdout, stderr := runProgram(t, "", "-ready", "-addr", address)
	assert.Zero(t, status)
	assert.Empty(t, stdout+stderr)
}

func TestTheFirstRunStartsFromAnExportThatIsNotThereYet(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "state.json")
	p := startProgram(t, "-seed", name, "-export", name)
	assert.Contains(t, p.stdout.String(), "There are no users yet")
	assert.Zero(t, p.stop(os.Interrupt))
	again := startProgram(t, "-seed", name, "-export", name)
	assert.Contains(t, again.stdout.String(), "From the seed: 0 users")
}

// runProgram runs the program to its end.
func runProgram(t *testing.T, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	name, err := binary()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var out, complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &complaints
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), out.String(), complaints.String()
	}
	require.NoError(t, err)
	return 0, out.String(), complaints.String()
}

func TestACommandRunsBesideTheEmulatorAndGivesItsStatus(t *testing.T) {
	t.Parallel()
	export := filepath.Join(t.TempDir(), "export.json")
	status, stdout, stderr := runProgram(t, "typed", "-export", export, "-pin", "012345", "-seed", writeSeed(t, aliceSeed), "--",
		"sh", "-c", `cat; echo; env | grep ^KII_ | sort; exit 7`)
	assert.Equal(t, 7, status)
	env := make(map[string]string)
	for line := range strings.SplitSeq(stdout, "\n") {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	assert.Contains(t, env, "typed", "the command has the standard input")
	assert.Equal(t, env["KII_EMULATOR"]+"/api", env["KII_SITE"])
	assert.Equal(t, env["KII_EMULATOR"]+apiRoot, env["KII_EMULATOR_API"])
	assert.Equal(t, []string{"emulator", "emulator-key", "emulator-admin", "emulator-admin-secret"},
		[]string{env["KII_APP_ID"], env["KII_APP_KEY"], env["KII_CLIENT_ID"], env["KII_CLIENT_SECRET"]})
	assert.Equal(t, "kii-emulator: "+env["KII_EMULATOR"]+"/, instance "+env["KII_EMULATOR_INSTANCE"]+"\n", stderr, "the standard output is the command's")
	if reply, err := http.Get(env["KII_EMULATOR_API"] + "/ready"); err == nil { // another test's emulator has the port by now
		assert.NotContains(t, readAll(t, reply.Body), env["KII_EMULATOR_INSTANCE"], "the emulator has stopped")
	}
	assert.FileExists(t, export)
}

func TestACommandGivesItsStatusAlsoIfTheExportFails(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "folder")
	require.NoError(t, os.Mkdir(folder, 0o700))
	status, _, stderr := runProgram(t, "", "-export", filepath.Join(folder, "export.json"), "--", "sh", "-c", `rmdir "$0"; exit 3`, folder)
	assert.Equal(t, 3, status)
	_, says, _ := strings.Cut(stderr, "\n") // after the line with the address
	assert.Contains(t, says, "-export: ")
	_, copied, found := strings.Cut(strings.TrimSpace(says), "The export is in ")
	require.True(t, found, says)
	assert.NoError(t, os.Remove(copied))
}

func TestACommandReachesTheEmulatorByItsEnvironment(t *testing.T) {
	t.Parallel()
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("no curl to be the command")
	}
	status, stdout, _ := runProgram(t, "", "--", "sh", "-c", curl+` -s "$KII_EMULATOR_API/ready"; printf " $KII_EMULATOR_INSTANCE"`)
	require.Equal(t, 0, status)
	answer, instance, _ := strings.Cut(strings.TrimSpace(stdout), "\n ")
	var ready struct{ Instance string }
	require.NoError(t, json.Unmarshal([]byte(answer), &ready))
	assert.Equal(t, instance, ready.Instance)
}

func TestACommandThatDoesNotExistOrIsKilledSaysSoByTheStatus(t *testing.T) {
	t.Parallel()
	status, _, stderr := runProgram(t, "", "--", "no-such-command-anywhere")
	assert.Equal(t, 127, status)
	assert.Contains(t, stderr, "cannot run the command")
	status, _, _ = runProgram(t, "", "--", filepath.Join(t.TempDir(), "no-such-command"))
	assert.Equal(t, 127, status)
	status, _, _ = runProgram(t, "", "--", t.TempDir())
	assert.Equal(t, 126, status, "it is there and cannot be run")
	status, _, _ = runProgram(t, "", "--", "sh", "-c", "kill -9 $$")
	assert.Equal(t, 128+9, status)
	status, _, _ = runProgram(t, "", "--", "true")
	assert.Equal(t, 0, status)
}

func TestAStopIsHandedToTheCommandAndTheExportIsWritten(t *testing.T) {
	t.Parallel()
	name, err := binary()
	require.NoError(t, err)
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} { // only of the emulator, as no terminal does
		export := filepath.Join(t.TempDir(), "export.json")
		cmd := exec.Command(name, "-export", export, "--", "sh", "-c", `trap 'exit 5' TERM; echo started; while :; do sleep 0.05; done`)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		started := make([]byte, len("started"))
		_, err = io.ReadFull(out, started)
		require.NoError(t, err)
		require.NoError(t, cmd.Process.Signal(signal))
		exit, ok := errors.AsType[*exec.ExitError](cmd.Wait())
		require.True(t, ok)
		assert.Equal(t, 5, exit.ExitCode(), signal)
		assert.FileExists(t, export, signal)
	}
}

func TestACommandThatEndsWellWhenItIsStoppedIsNoFailure(t *testing.T) {
	t.Parallel()
	name, err := binary()
	require.NoError(t, err)
	cmd := exec.Command(name, "--", "sh", "-c", `trap 'exit 0' TERM; echo started; while :; do sleep 0.05; done`)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = io.ReadFull(out, make([]byte, len("started")))
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Wait())
	assert.Equal(t, 1, strings.Count(complaints.String(), "\n"), complaints.String())
}

func TestAStopExportsFirstAndAgainWhatIsAnsweredMeanwhile(t *testing.T) {
	t.Parallel()
	export := filepath.Join(t.TempDir(), "export.json")
	p := startProgram(t, "-export", export)
	host, body := strings.TrimPrefix(p.origin, "http://"), `{"loginName":"bob"}`
	slow, err := net.Dial("tcp", host)
	require.NoError(t, err)
	defer slow.Close()
	_, err = fmt.Fprintf(slow, "POST %s/users HTTP/1.1\r\nHost: %s\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", apiRoot, host, len(body))
	require.NoError(t, err)
	answer := bufio.NewReader(slow)
	for range 2 { // lines, by which it asks for the body
		_, err = answer.ReadString('\n')
		require.NoError(t, err)
	}
	require.NoError(t, p.cmd.Process.Signal(os.Interrupt))
	for tick := time.NewTicker(10 * time.Millisecond); ; <-tick.C {
		if written, err := os.ReadFile(export); err == nil {
			assert.NotContains(t, string(written), "bob")
			break
		}
	}
	_, err = io.WriteString(slow, body)
	require.NoError(t, err)
	reply, err := http.ReadResponse(answer, nil)
	require.NoError(t, err)
	reply.Body.Close()
	assert.Equal(t, http.StatusCreated, reply.StatusCode)
	<-p.read
	require.NoError(t, p.cmd.Wait())
	written, err := os.ReadFile(export)
	require.NoError(t, err)
	assert.Contains(t, string(written), "bob")
}

func TestAStopExportsBeforeItWaitsForTheCommand(t *testing.T) {
	t.Parallel()
	name, err := binary()
	require.NoError(t, err)
	export := filepath.Join(t.TempDir(), "export.json")
	cmd := exec.Command(name, "-export", export, "--",
		"sh", "-c", `trap 'until [ -s "$0" ]; do sleep 0.05; done; exit 6' TERM; echo started; while :; do sleep 0.05; done`, export)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = io.ReadFull(out, make([]byte, len("started")))
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	exit, ok := errors.AsType[*exec.ExitError](cmd.Wait())
	require.True(t, ok)
	assert.Equal(t, 6, exit.ExitCode(), "the command saw the export and was not killed")
}

func TestAStopEndsTheWaitForASeedThatDoesNotCome(t *testing.T) {
	t.Parallel()
	name, err := binary()
	require.NoError(t, err)
	export := filepath.Join(t.TempDir(), "export.json")
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		cmd := exec.Command(name, "-seed", "/dev/stdin", "-export", export, "--", "true")
		var complaints bytes.Buffer
		cmd.Stderr = &complaints
		seed, err := cmd.StdinPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		t.Cleanup(func() { cmd.Process.Kill() })
		_, err = seed.Write(bytes.Repeat([]byte(" "), 1<<20)) // more than a pipe holds, so it is being read
		require.NoError(t, err)
		require.NoError(t, cmd.Process.Signal(signal))
		exit, ok := errors.AsType[*exec.ExitError](cmd.Wait())
		require.True(t, ok)
		assert.Equal(t, 1, exit.ExitCode(), "the command did not run")
		assert.Contains(t, complaints.String(), "-seed: stopped before the file was read")
		assert.NoFileExists(t, export)
	}
}

func TestASeedThatComesByAPipeIsReadOnce(t *testing.T) {
	t.Parallel()
	pipe, export := filepath.Join(t.TempDir(), "pipe"), filepath.Join(t.TempDir(), "export.json")
	if err := exec.Command("mkfifo", pipe).Run(); err != nil {
		t.Skip("this system has no mkfifo")
	}
	written := make(chan error, 1)
	go func() { written <- os.WriteFile(pipe, []byte(`{"users": [{"loginName": "bob"}]}`), 0) }()
	status, _, stderr := runProgram(t, "", "-seed", pipe, "-export", export, "--", "true")
	require.Zero(t, status, stderr)
	require.NoError(t, <-written)
	left, err := os.ReadFile(export)
	require.NoError(t, err)
	assert.Contains(t, string(left), `"bob"`)
}

func TestAReaderThatLeavesEndsNothing(t *testing.T) {
	t.Parallel()
	name, err := binary()
	require.NoError(t, err)
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, reader.Close())
	defer writer.Close()
	export := filepath.Join(t.TempDir(), "export.json")
	cmd := exec.Command(name, "-export", export, "--", "sh", "-c", "exit 7")
	cmd.Stderr = writer // where the emulator says where it serves
	exit, ok := errors.AsType[*exec.ExitError](cmd.Run())
	require.True(t, ok)
	assert.Equal(t, 7, exit.ExitCode())
	assert.FileExists(t, export)
}
