package emulator

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"
)

const (
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	stopTimeout   = 2 * time.Second  // how long a stop waits for answers that are on their way
	ownTimeout    = 3 * time.Second  // how long a command has that may know of a Ctrl-C itself
	killTimeout   = 10 * time.Second // how long a command has in all that was asked to stop
	maxHeader     = 16 << 10         // bytes; the call log keeps what it is sent
)

// Serve runs the emulator until the context is done, or until Options.Command has ended, and writes
// the export. It returns the command's *exec.ExitError if that failed.
func Serve(ctx context.Context, o Options, stdin io.Reader, stdout, stderr io.Writer) error {
	if o.Ready {
		return ready(ctx, o.Addr)
	}
	start, err := awaitSeed(ctx, o.Seed)
	if err != nil {
		return err
	}
	p, err := o.listen()
	if err != nil {
		return err
	}
	e := newEmulator(o, p, start)
	calls, endCalls := context.WithCancel(context.Background()) // ends what waits: long polls and delays
	defer endCalls()
	server := &http.Server{
		Handler:           e.handler(stderr),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          log.New(io.Discard, "", 0), // what it says of a panic may hold anything; see recovered
		BaseContext:       func(net.Listener) context.Context { return calls },
	}
	failed := make(chan error, len(p.listeners))
	for _, l := range p.listeners {
		go func() { failed <- server.Serve(l) }()
	}
	if !p.address.IP.IsLoopback() {
		fmt.Fprint(stderr, exposedWarning)
	}
	if p.shared {
		fmt.Fprintf(stderr, sharedWarning, p.address.Port)
	}
	if o.AddrFile != "" {
		address := p.address.String()
		err = writeAddrFile(o.AddrFile, address)
		defer removeAddrFile(o.AddrFile, address)
	}
	switch {
	case err != nil:
	case len(o.Command) > 0:
		fmt.Fprintf(stderr, "kii-emulator: %s/, instance %s\n", p.origin, e.instance)
		err = e.run(ctx, failed, stdin, stdout, stderr)
	default:
		fmt.Fprint(stdout, e.banner())
		select {
		case err = <-failed:
			err = &stoppedError{err}
		case <-ctx.Done():
		}
	}
	return errors.Join(err, e.stop(server, endCalls, stderr))
}

// stop exports before it waits for anybody, and once more when nobody can change anything.
func (e *emulator) stop(server *http.Server, endCalls context.CancelFunc, stderr io.Writer) error {
	err := e.exportTo(e.options.Export)
	endCalls()
	stopping, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := server.Shutdown(stopping); errors.Is(err, context.DeadlineExceeded) {
		server.Close() // an answer without an end, which somebody injected
	}
	e.srv.Close()
	if err != nil {
		return err
	}
	if err := e.exportTo(e.options.Export); err != nil {
		return err
	}
	warnOfReaders(stderr, e.options.Export)
	return nil
}

// run runs the command with the emulator's addresses in its environment, until it ends.
func (e *emulator) run(ctx context.Context, failed <-chan error, stdin io.Reader, stdout, stderr io.Writer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case err := <-failed:
			cancel(&stoppedError{err})
		case <-ctx.Done():
		}
	}()
	cmd := exec.CommandContext(ctx, e.options.Command[0], e.options.Command[1:]...)
	cmd.Env = append(os.Environ(), e.environment()...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stderr
	cmd.Cancel = func() error {
		err := forward(ctx, cmd.Process)
		e.exportEarly() // who asked to stop may kill both before the command has ended
		return err
	}
	cmd.WaitDelay = killTimeout
	err := cmd.Run()
	if stopped, ok := errors.AsType[*stoppedError](context.Cause(ctx)); ok {
		return stopped
	}
	if _, ran := errors.AsType[*exec.ExitError](err); ran || err == nil {
		return err
	}
	if cmd.ProcessState != nil && cmd.ProcessState.Success() {
		return nil // it ended well although it was asked to stop
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok { // of a command that was given with its folder
		err = &exec.Error{Name: e.options.Command[0], Err: path.Err}
	}
	return fmt.Errorf("cannot run the command: %w", err)
}

// A stoppedError is the end of a server that nobody stopped.
type stoppedError struct{ err error }

func (e *stoppedError) Error() string { return "the server stopped: " + e.err.Error() }
func (e *stoppedError) Unwrap() error { return e.err }

// forward tells the command that it should stop. A terminal tells it of a Ctrl-C itself, and a
// second one would cut its own clean-up short; but whoever signals only the emulator tells nobody
// else.
func forward(ctx context.Context, command *os.Process) error {
	if context.Cause(ctx).Error() == os.Interrupt.String()+" signal received" {
		time.AfterFunc(ownTimeout, func() { _ = terminate(command) })
		return nil
	}
	return terminate(command)
}

func terminate(command *os.Process) error {
	if err := command.Signal(syscall.SIGTERM); err == nil || errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return command.Kill() // a system without SIGTERM
}

// environment hands the addresses to a command, by the names that the examples read.
func (e *emulator) environment() []string {
	return []string{
		"KII_SITE=" + string(e.srv.Site()),
		"KII_APP_ID=" + e.srv.AppID(),
		"KII_APP_KEY=" + e.srv.AppKey(),
		"KII_CLIENT_ID=" + e.srv.ClientID(),
		"KII_CLIENT_SECRET=" + e.srv.ClientSecret(),
		"KII_EMULATOR=" + e.bound.origin,
		"KII_EMULATOR_API=" + e.bound.origin + apiRoot,
		"KII_EMULATOR_INSTANCE=" + e.instance,
	}
}

// newInstance is an ID that tells this run from others.
func newInstance() string { return rand.Text()[:12] }
