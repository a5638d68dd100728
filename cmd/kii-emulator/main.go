// Command kii-emulator is a Kii Cloud on one's own machine, for an app in any language: package
// kiitest as a program, with a page that shows the mails and SMS that would have been sent.
//
//	go run github.com/go-kii/kii/cmd/kii-emulator@latest
//
// It prints the lines that point an app to it. Nothing is ever sent, and no server of Kii's is
// called. The README in its folder describes the page, the flags, the seed file and the JSON API.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-kii/kii/internal/emulator"
)

func main() {
	time.Local = time.UTC // no answer depends on the zone of the machine
	stops := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup has it ignored
		stops = append(stops, syscall.SIGHUP)
	}
	// Who reads what it prints may leave, as head does. Then a write fails, and ends nothing.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	// A stop takes at most two seconds and writes the export; further signals do not cut it short.
	ctx, _ := signal.NotifyContext(context.Background(), stops...)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run serves until the context is done or the command has ended, and returns the exit status: that
// of the command (127 if there is none, 126 if it cannot be run), or 0, or 1 if something failed,
// or 2 if the command line makes no sense. No secret and no account goes to stderr.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	o, err := parseFlags(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		complain(stderr, err)
		return 2
	}
	err = emulator.Serve(ctx, o, stdin, stdout, stderr)
	command, ran := errors.AsType[*exec.ExitError](err)
	if err != nil && (!ran || err.Error() != command.Error()) {
		complain(stderr, err)
	}
	switch {
	case err == nil:
		return 0
	case ran:
		return exitStatus(command)
	}
	if command, ok := errors.AsType[*exec.Error](err); ok {
		return missingStatus(command)
	}
	return 1
}

// missingStatus is the status by which a shell says that it could not run a command.
func missingStatus(command *exec.Error) int {
	if errors.Is(command, exec.ErrNotFound) || errors.Is(command, fs.ErrNotExist) {
		return 127
	}
	return 126
}

// exitStatus is the status by which a shell knows how a command ended.
func exitStatus(command *exec.ExitError) int {
	if status, ok := command.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return command.ExitCode()
}

func complain(stderr io.Writer, err error) { fmt.Fprintln(stderr, "kii-emulator:", err) }
