package emulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

const (
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	stopTimeout   = 2 * time.Second // how long a stop waits for answers that are on their way
	maxHeader     = 16 << 10        // bytes; the call log keeps what it is sent
)

// Serve runs the emulator until the context is done, and then exports.
func Serve(ctx context.Context, o Options, stdout, stderr io.Writer) error {
	start, err := loadSeed(o.Seed)
	if err != nil {
		return err
	}
	p, err := o.listen()
	if err != nil {
		return err
	}
	e, err := newEmulator(o, p, start)
	if err != nil {
		p.listener.Close()
		return err
	}
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
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(p.listener) }()
	if o.Expose != "" {
		fmt.Fprint(stderr, exposedWarning)
	}
	fmt.Fprint(stdout, e.banner(o.Seed))

	select {
	case err := <-failed:
		return fmt.Errorf("the server stopped: %w", err)
	case <-ctx.Done():
	}
	endCalls()
	stopping, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := server.Shutdown(stopping); errors.Is(err, context.DeadlineExceeded) {
		server.Close() // an answer without an end, which somebody injected
	}
	e.srv.Close()
	return e.exportTo(o.Export)
}
