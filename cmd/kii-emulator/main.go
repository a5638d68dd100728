// Command kii-emulator is a Kii Cloud on one's own machine, for an app in any language: package
// kiitest as a program, with a page that shows the mails and SMS that would have been sent.
//
//	go run github.com/go-kii/kii/cmd/kii-emulator@latest
//
// It prints the lines that point an app to it. Nothing is ever sent, and no server of Kii's is
// called. The README in its folder tells of the page, the flags, the seed file and the JSON API.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-kii/kii/internal/emulator"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run serves until the context is done and returns the exit status: 0, or 1 where something failed,
// or 2 where the command line makes no sense. No secret and no account goes to stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseFlags(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		complain(stderr, err)
		return 2
	}
	if err := emulator.Serve(ctx, o, stdout, stderr); err != nil {
		complain(stderr, err)
		return 1
	}
	return 0
}

func complain(stderr io.Writer, err error) { fmt.Fprintln(stderr, "kii-emulator:", err) }
