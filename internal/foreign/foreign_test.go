package foreign_test

import (
	"context"
	"errors"
	"io"
	"net/http/httptrace"
	"net/textproto"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/internal/foreign"
)

// A detached context hides the end of the one in it, and forgets to hide its deadline.
type detached struct{ context.Context }

func (detached) Done() <-chan struct{} { return nil }
func (detached) Err() error            { return nil }

// A timed context has a deadline of another clock.
type timed struct {
	context.Context
	deadline time.Time
}

func (t timed) Deadline() (time.Time, bool) { return t.deadline, true }

func TestATimeoutHoldsWhateverAContextSaysOfItsDeadline(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]func(context.Context) context.Context{
		"none":                  func(ctx context.Context) context.Context { return ctx },
		"one that is hidden":    func(ctx context.Context) context.Context { return detached{ctx} },
		"one of the past":       func(ctx context.Context) context.Context { return timed{ctx, time.Unix(1, 0)} },
		"one of the far future": func(ctx context.Context) context.Context { return timed{ctx, time.Unix(1<<40, 0)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				parent, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if name != "one that is hidden" {
					parent = t.Context()
				}
				ctx := foreign.WithTimeout(at(parent), time.Minute)
				defer ctx.End()
				start := time.Now()
				told, _ := ctx.Deadline()
				assert.LessOrEqual(t, told.Sub(start), time.Minute)
				require.NoError(t, ctx.Late(), "it has not ended, whatever is said")
				<-ctx.Done()
				assert.Equal(t, time.Minute, time.Since(start))
				assert.Equal(t, context.DeadlineExceeded, ctx.Late())
				require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
			})
		})
	}
}

func TestAnEarlierDeadlineIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithTimeoutCause(t.Context(), time.Second, io.EOF)
		defer cancel()
		ctx := foreign.WithTimeout(parent, time.Minute)
		defer ctx.End()
		told, _ := ctx.Deadline()
		start := time.Now()
		assert.Equal(t, time.Second, told.Sub(start))
		<-ctx.Done()
		assert.Equal(t, time.Second, time.Since(start))
		assert.Equal(t, io.EOF, context.Cause(ctx))

		ctx = foreign.WithTimeout(parent, time.Millisecond)
		defer ctx.End()
		told, _ = ctx.Deadline()
		assert.True(t, told.Equal(start.Add(time.Second)), "it is over")
	})
}

// A reused context is a request's, whose server has put it to another use. It may end without an
// error.
type reused struct {
	context.Context
	done chan struct{}
	err  error
	over atomic.Bool

	asked, release chan struct{} // if they are not nil, a value is told between them
	told           atomic.Bool
}

func (r *reused) Done() <-chan struct{} { return r.done }

func (r *reused) Err() error {
	if r.over.Load() {
		panic("the error of another request")
	}
	return r.err
}

func (r *reused) Value(any) any {
	if r.over.Load() {
		panic("a value of another request")
	}
	if r.release != nil {
		close(r.asked)
		<-r.release
		for range 100 { // the end of the call comes meanwhile
			runtime.Gosched()
		}
	}
	r.told.Store(true)
	return "value"
}

func TestACallersContextIsAskedOnlyUntilTheCallEnds(t *testing.T) {
	t.Parallel()
	caller := &reused{Context: t.Context(), done: make(chan struct{})}
	ctx := foreign.WithTimeout(caller, time.Minute)
	assert.Equal(t, "value", ctx.Value("key"))
	ctx.End()
	assert.Nil(t, ctx.Value("key"))
	require.ErrorIs(t, ctx.Err(), context.Canceled)

	lent := foreign.Lend(caller)
	assert.Equal(t, "value", lent.Value("key"))
	caller.over.Store(true)
	assert.Nil(t, lent.Value("key"), "a panic ends no goroutine of net/http's")
	assert.Nil(t, lent.Done())
	require.NoError(t, lent.Err(), "the end is not lent")
}

type key string

func TestHooksOfACallersTraceAreCalledOnlyUntilTheCallEnds(t *testing.T) {
	t.Parallel()
	got := 0
	caller := context.WithValue(t.Context(), key("no trace"), (*httptrace.ClientTrace)(nil))
	ctx := foreign.WithTimeout(httptrace.WithClientTrace(caller, &httptrace.ClientTrace{
		GotFirstResponseByte: func() { got++ },
		Got1xxResponse:       func(int, textproto.MIMEHeader) error { return io.EOF },
		WroteHeaders:         func() { panic("in a goroutine of net/http's") },
	}), time.Minute)
	assert.Nil(t, ctx.Value(key("no trace")))
	trace := httptrace.ContextClientTrace(ctx)
	assert.Nil(t, trace.GotConn)
	trace.WroteHeaders()
	trace.GotFirstResponseByte()
	assert.Equal(t, io.EOF, trace.Got1xxResponse(103, nil))
	ctx.End()
	trace.GotFirstResponseByte()
	require.NoError(t, trace.Got1xxResponse(103, nil))
	assert.Equal(t, 1, got)
}

func TestACallEndsWithTheErrorOfItsCallersContextIfItHasOne(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		over      bool
		err, want error
	}{
		"one of its own": {err: context.DeadlineExceeded, want: context.DeadlineExceeded},
		"nil":            {want: context.Canceled},
		"a panic":        {over: true, want: context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				caller := &reused{Context: t.Context(), done: make(chan struct{}), err: row.err}
				ctx := foreign.WithTimeout(caller, time.Minute)
				defer ctx.End()
				caller.over.Store(row.over)
				close(caller.done)
				synctest.Wait() // a panic would be one of the standard library's goroutine
				require.ErrorIs(t, ctx.Err(), row.want)
			})
		})
	}
}

func TestTheEndOfACallWaitsForWhatIsBeingAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		caller := &reused{Context: t.Context(), asked: make(chan struct{}), release: make(chan struct{})}
		ctx := foreign.WithTimeout(caller, time.Minute)
		go ctx.Value("key")
		<-caller.asked
		go close(caller.release)
		start := time.Now()
		ctx.End()
		assert.True(t, caller.told.Load())
		assert.Zero(t, time.Since(start), "no longer than it takes")
	})
}

// A slow context takes its time to tell a value.
type slow struct {
	context.Context
	times chan time.Duration
}

func (s slow) Value(any) any {
	time.Sleep(<-s.times)
	return nil
}

func TestEachEndOfALoanWaitsForAllThatIsBeingAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		caller := slow{t.Context(), make(chan time.Duration)}
		lent := foreign.Lend(caller)
		for _, takes := range []time.Duration{time.Millisecond, 2 * time.Millisecond} {
			go lent.Value("key")
			caller.times <- takes
		}
		start := time.Now()
		var ends sync.WaitGroup
		ends.Go(lent.GiveBack)
		ends.Go(lent.GiveBack)
		ends.Wait()
		assert.Equal(t, 2*time.Millisecond, time.Since(start))
	})
}

func TestAValueThatIsNeverToldKeepsNoCallFromEnding(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		caller := &reused{Context: t.Context(), asked: make(chan struct{}), release: make(chan struct{})}
		ctx := foreign.WithTimeout(caller, time.Minute)
		go ctx.Value("key")
		<-caller.asked
		start := time.Now()
		ctx.End()
		assert.Less(t, time.Since(start), time.Second)
		assert.Nil(t, ctx.Value("key"), "nor anybody else")
		close(caller.release)
	})
}

func TestAnEndedCallLeavesNothingInItsCallersContext(t *testing.T) {
	t.Parallel()
	caller, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, timeout := range []time.Duration{time.Minute, time.Nanosecond} {
		call := func() weak.Pointer[foreign.Context] {
			ctx := foreign.WithTimeout(caller, timeout)
			defer ctx.End()
			if timeout < time.Second {
				<-ctx.Done()
			}
			return weak.Make(ctx)
		}()
		for range 100 { // the timer's goroutine may hold it for a moment
			if runtime.GC(); call.Value() == nil {
				break
			}
		}
		assert.Nil(t, call.Value(), "a context that lives for long would grow with each call")
	}
}

type likeCanceled struct{ error }

// A list cannot be compared.
type list []error

func (list) Error() string { return "a list" }

type ended struct {
	context.Context
	err error
}

func (e ended) Err() error { return e.err }

func TestEndedNamesTheErrorAndACauseThatIsAnother(t *testing.T) {
	t.Parallel()
	cause := likeCanceled{context.Canceled}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	assert.Equal(t, []error{context.Canceled, cause}, foreign.Ended(ctx), "also one that reads the same")

	ctx, stop := context.WithCancel(t.Context())
	stop()
	assert.Equal(t, []error{context.Canceled}, foreign.Ended(ctx))
	assert.Equal(t, []error{context.Canceled}, foreign.Ended(ended{t.Context(), nil}), "never none")
	assert.Contains(t, foreign.Ended(ended{t.Context(), list{}}), list{})
}

type nothing struct{ text string }

func (n *nothing) Error() string { return n.text }

// A ring wraps itself.
type ring struct{ next error }

func (*ring) Error() string   { return "a ring" }
func (r *ring) Unwrap() error { return r.next }

// A tree wraps itself several times.
type tree struct{ next []error }

func (*tree) Error() string     { return "a tree" }
func (r *tree) Unwrap() []error { return r.next }

func TestAnErrorThatDoesHarmIsReplaced(t *testing.T) {
	t.Parallel()
	require.NoError(t, foreign.Error(nil))
	for _, harmless := range []error{io.EOF, errors.Join(io.EOF, nil), &ring{&ring{}}, &tree{[]error{nil, io.EOF}}} {
		assert.Same(t, harmless, foreign.Error(harmless))
	}
	require.EqualError(t, foreign.Error((*nothing)(nil)), "an error that cannot be printed")
	r := &ring{}
	r.next = errors.Join(io.EOF, r)
	many := &tree{}
	many.next = []error{many, many}
	for _, endless := range []error{r, many} {
		require.EqualError(t, foreign.Error(endless), "an error that wraps itself")
	}
}
