package foreign_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

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
				ctx, cancel := foreign.WithTimeout(at(parent), time.Minute)
				defer cancel()
				start := time.Now()
				<-ctx.Done()
				assert.Equal(t, time.Minute, time.Since(start))
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
		ctx, cancel := foreign.WithTimeout(parent, time.Minute)
		defer cancel()
		told, _ := ctx.Deadline()
		start := time.Now()
		assert.Equal(t, time.Second, told.Sub(start))
		<-ctx.Done()
		assert.Equal(t, time.Second, time.Since(start))
		assert.Equal(t, io.EOF, context.Cause(ctx))

		ctx, cancel = foreign.WithTimeout(parent, time.Millisecond)
		defer cancel()
		told, _ = ctx.Deadline()
		assert.True(t, told.Equal(start.Add(time.Second)), "it is over")
	})
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
