package demo_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/examples/internal/demo"
	"github.com/go-kii/kii/kiitest"
)

// A program that is interrupted in the middle of a call says what may have happened, and one that
// waits for an answer ends.
func TestAnInterruptedProgramTellsTheOutcome(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot be interrupted there")
	}
	folder := build(t)
	tests := []struct {
		program, answers, call string // the last part of the call's path, or a question
		want                   string
	}{
		{"pin", demo.Phone + "\n", "request-reset", "it may still have happened: look for a message"},
		{"pin", demo.Phone + "\nnew-password\n042424\n", "complete-reset", "it may still have happened: look for a message, or try to log in"},
		{"pin", demo.Phone + "\n", "New password", "interrupt"},
		{"smslink", demo.Phone + "\n", "request-reset", "it may still have happened: look for a message"},
		{"smslink", "", "Whose password", "interrupt"},
		{"emaillink", demo.Email + "\n", "request-reset", "it may still have happened: look for a message"},
		{"emaillink", "", "Whose password", "interrupt"},
		{"support", demo.Phone + "\n1\nyes\n", "request-reset", "It may have been done, or not."},
		{"support", "", "Which user", "interrupt"},
	}
	for _, tt := range tests {
		t.Run(tt.program+" at "+tt.call, func(t *testing.T) {
			t.Parallel()
			srv := kiitest.NewServer(kiitest.WithTest(t))
			srv.AddAccount(kiitest.Account{Email: demo.Email, EmailVerified: true, Phone: demo.Phone, PhoneVerified: true, Password: demo.OldPassword})
			site, err := url.Parse(string(srv.Site()))
			require.NoError(t, err)
			there := make(chan struct{}, 1)
			kii := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: site.Scheme, Host: site.Host})
			front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, tt.call) {
					_, _ = io.Copy(io.Discard, r.Body) // else the server does not notice that the client left
					there <- struct{}{}
					<-r.Context().Done()
					return
				}
				kii.ServeHTTP(w, r)
			}))
			t.Cleanup(front.Close)

			cmd := exec.CommandContext(t.Context(), filepath.Join(folder, tt.program))
			cmd.Env = append(os.Environ(), "KII_APP_ID="+srv.AppID(), "KII_APP_KEY="+srv.AppKey(), "KII_SITE="+front.URL+site.Path,
				"KII_CLIENT_ID="+srv.ClientID(), "KII_CLIENT_SECRET="+srv.ClientSecret())
			in, err := cmd.StdinPipe() // which stays open, as a terminal does
			require.NoError(t, err)
			out := &output{until: tt.call, there: there}
			cmd.Stdout = out
			cmd.Stderr = out
			require.NoError(t, cmd.Start())
			_, err = io.WriteString(in, tt.answers)
			require.NoError(t, err)
			<-there
			require.NoError(t, cmd.Process.Signal(os.Interrupt))
			assert.Error(t, cmd.Wait())
			assert.Equal(t, 1, cmd.ProcessState.ExitCode(), "it is not killed")
			assert.Contains(t, out.printed.String(), tt.want)
		})
	}
}

// A mistyped -h, or the name of an account, must not run the demo.
func TestAProgramTakesNoArguments(t *testing.T) {
	t.Parallel()
	folder := build(t)
	for _, program := range []string{"pin", "smslink", "emaillink", "support"} {
		for argument, code := range map[string]int{"-h": 0, "-x": 2, "alice@example.com": 2} {
			cmd := exec.CommandContext(t.Context(), filepath.Join(folder, program), argument)
			printed, _ := cmd.CombinedOutput()
			assert.Equal(t, code, cmd.ProcessState.ExitCode(), "%s %s", program, argument)
			assert.Contains(t, string(printed), "takes no arguments. KII_APP_ID, KII_APP_KEY and KII_SITE (a base URL", "%s %s", program, argument)
			assert.NotContains(t, string(printed), "Logged in", "%s %s", program, argument)
		}
	}
}

// build returns the folder of the programs.
func build(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", folder+"/", "./pin", "./smslink", "./emaillink", "./support")
	build.Dir = "../.."
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return folder
}

// An output keeps what is printed, and tells when that is what is waited for.
type output struct {
	printed bytes.Buffer
	until   string
	there   chan<- struct{}
}

func (o *output) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(o.until)) {
		o.there <- struct{}{}
	}
	return o.printed.Write(p)
}
