package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A container runs its program as process 1, to which the kernel passes no signal that it does not
// handle, and in an empty file system nothing can be loaded.
func TestImageStartsAsProcess1AndStopsOnSIGTERM(t *testing.T) {
	t.Parallel()
	img, _ := written(t)
	config, err := img.ConfigFile()
	require.NoError(t, err)
	for name, c := range map[string]struct {
		args  []string
		flags uintptr
		ready func(t *testing.T, line string) (address string)
	}{
		"as the image says, in a network of its own": {config.Config.Cmd, syscall.CLONE_NEWNET, func(*testing.T, string) string { return "" }},
		"with an address": {[]string{"-addr", "127.0.0.1:0"}, 0, answers},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			unpack(t, img, root)
			cmd := exec.Command(config.Config.Entrypoint[0], c.args...)
			cmd.Env = []string{}
			cmd.Dir = "/"
			cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Cloneflags: syscall.CLONE_NEWPID | c.flags}
			if os.Getuid() == 0 {
				cmd.SysProcAttr.Credential = credential(t, config.Config.User)
			} else {
				cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
				cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
			}
			stdout, err := cmd.StdoutPipe()
			require.NoError(t, err)
			err = cmd.Start()
			if os.Getuid() != 0 && errors.Is(err, syscall.EPERM) {
				t.Skip("this system lets only root make the namespaces of a container")
			}
			require.NoError(t, err)
			t.Cleanup(func() { _ = cmd.Process.Kill() })
			lines := bufio.NewReader(stdout)
			line, err := lines.ReadString('\n')
			require.NoError(t, err)
			if address := c.ready(t, line); address != "" {
				check := config.Config.Healthcheck.Test
				assert.Equal(t, "CMD", check[0], "there is no shell")
				healthy := exec.Command(check[1], append(check[2:], "-addr", address)...)
				healthy.Env, healthy.Dir = []string{}, "/"
				healthy.SysProcAttr = cmd.SysProcAttr
				text, err := healthy.CombinedOutput()
				assert.NoError(t, err, "%s", text)
			}
			require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
			_, err = io.Copy(io.Discard, lines)
			require.NoError(t, err)
			assert.NoError(t, cmd.Wait(), "the exit status")
		})
	}
}

// credential reads the user of an image's configuration.
func credential(t *testing.T, user string) *syscall.Credential {
	t.Helper()
	var c syscall.Credential
	_, err := fmt.Sscanf(user, "%d:%d", &c.Uid, &c.Gid)
	require.NoError(t, err)
	return &c
}

// answers fails the test unless the emulator that printed line is ready, and returns its address.
func answers(t *testing.T, line string) string {
	t.Helper()
	address := regexp.MustCompile(`http://([^/\s]+)`).FindStringSubmatch(line)
	require.NotEmpty(t, address, line)
	reply, err := http.Get("http://" + address[1] + "/emulator/v1/ready")
	require.NoError(t, err)
	defer reply.Body.Close()
	assert.True(t, strings.HasPrefix(reply.Status, "2"), reply.Status)
	return address[1]
}
