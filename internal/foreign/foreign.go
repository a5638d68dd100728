// Package foreign guards against the caller's contexts and errors: a context that does not end when
// it says, or that serves another request after the call; an error that cannot be printed.
package foreign

import (
	"cmp"
	"context"
	"errors"
	"net/http/httptrace"
	"reflect"
	"sync"
	"time"
)

// A Context is the context of one call of the library. It has the values of the caller's context,
// and ends with it, by time or by Cancel.
type Context struct {
	context.Context
	Cancel   context.CancelFunc
	caller   Lent
	deadline time.Time
}

// WithTimeout is like [context.WithTimeout], but sets a timer even if ctx has an earlier deadline,
// because ctx may not end then: the deadline may be by a fake clock, and long past. The caller must
// call End.
func WithTimeout(ctx context.Context, timeout time.Duration) *Context {
	c := &Context{caller: Lent{ctx: ctx, done: ctx.Done()}}
	c.Context, c.Cancel = context.WithTimeout(&c.caller, timeout)
	c.deadline, _ = c.Context.Deadline()
	if earlier, ok := ctx.Deadline(); ok && earlier.Before(c.deadline) {
		c.deadline = earlier // for code that asks for the deadline, such as a rate limiter
	}
	return c
}

// Deadline returns the earlier of the caller's deadline and the time-out's.
func (c *Context) Deadline() (time.Time, bool) { return c.deadline, true }

// Late returns [context.DeadlineExceeded] if c has ended by time, and nil otherwise. Code that
// keeps the deadline by its own timer may fail a moment before c ends, so if the deadline has
// passed, Late waits up to 100 ms for that end.
func (c *Context) Late() error {
	if time.Now().Before(c.deadline) {
		return nil
	}
	select {
	case <-c.Done():
	case <-time.After(aMoment): // the caller's context does not end when it says
	}
	if err := c.Context.Err(); err == context.DeadlineExceeded {
		return err
	}
	return nil
}

// End cancels the context, and gives the caller's back.
func (c *Context) End() {
	c.Cancel()
	c.caller.GiveBack()
}

// A Lent context has the values of the caller's context until GiveBack, and never ends if Lend made
// it. It is for goroutines that outlive a call, such as net/http's dials. They must not use the
// context of a request that is over: some servers reuse it for another request, and its methods may
// panic.
type Lent struct {
	ctx  context.Context
	done <-chan struct{} // that of ctx; nil if the end of ctx does not matter

	mu     sync.Mutex // guards what follows
	given  bool       // GiveBack was called
	asking int        // number of calls of ask that have not returned
	idle   chan bool  // made by a GiveBack that waits for asking to be 0, and closed then
}

// Lend lends the values of ctx.
func Lend(ctx context.Context) *Lent { return &Lent{ctx: ctx} }

// aMoment is how long a call may wait, at its end, for the caller's code, which should take no
// time. That code may be blocked, perhaps by a lock that the caller holds, and must not keep the
// call from returning.
const aMoment = 100 * time.Millisecond

// GiveBack ends the use of the caller's context. It waits up to 100 ms for calls of ask to return.
func (l *Lent) GiveBack() {
	l.mu.Lock()
	l.given = true
	if l.asking > 0 && l.idle == nil {
		l.idle = make(chan bool)
	}
	idle := l.idle
	l.mu.Unlock()
	if idle == nil {
		return
	}
	select {
	case <-idle:
	case <-time.After(aMoment):
	}
}

// ask calls question with the caller's context, unless that was given back, and recovers if it
// panics.
func (l *Lent) ask(question func(context.Context)) {
	l.mu.Lock()
	if l.given {
		l.mu.Unlock()
		return
	}
	l.asking++
	l.mu.Unlock()
	defer func() {
		_ = recover()
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.asking--; l.asking == 0 && l.idle != nil {
			close(l.idle)
		}
	}()
	question(l.ctx)
}

// Deadline reports that there is none.
func (*Lent) Deadline() (deadline time.Time, ok bool) { return deadline, false }

// Done returns the channel that the caller's context had at the beginning, or nil if Lend made l.
func (l *Lent) Done() <-chan struct{} { return l.done }

// Err returns an error once Done is closed, even if the caller's context returns none.
func (l *Lent) Err() (err error) {
	select {
	case <-l.done:
		l.ask(func(ctx context.Context) { err = ctx.Err() })
		return cmp.Or(err, context.Canceled)
	default:
		return nil
	}
}

// Value returns the caller's value, and nil after GiveBack.
func (l *Lent) Value(key any) (value any) {
	l.ask(func(ctx context.Context) { value = ctx.Value(key) })
	if trace, ok := value.(*httptrace.ClientTrace); ok && trace != nil {
		return l.lend(trace)
	}
	return value
}

// lend returns a trace whose hooks do nothing after GiveBack. net/http keeps hooks for as long as
// the request lasts, and a shared request may outlast its caller. It also calls them from
// goroutines of its own, where a panic would end the process.
func (l *Lent) lend(trace *httptrace.ClientTrace) *httptrace.ClientTrace {
	lent := *trace
	for _, field := range reflect.ValueOf(&lent).Elem().Fields() {
		if field.IsNil() {
			continue
		}
		hook := reflect.ValueOf(field.Interface())
		field.Set(reflect.MakeFunc(hook.Type(), func(args []reflect.Value) (results []reflect.Value) {
			for result := range hook.Type().Outs() {
				results = append(results, reflect.Zero(result))
			}
			l.ask(func(context.Context) { results = hook.Call(args) })
			return results
		}))
	}
	return &lent
}

// Ended returns why ctx ended: its error and, if that differs, the cause that the caller set.
func Ended(ctx context.Context) []error {
	err := cmp.Or(Error(ctx.Err()), context.Canceled)
	if cause := Error(context.Cause(ctx)); cause != nil && !same(cause, err) {
		return []error{err, cause}
	}
	return []error{err}
}

// same reports whether a == b. It reports false if their type is not comparable.
func same(a, b any) (is bool) {
	defer func() { _ = recover() }()
	return a == b
}

// Error returns err, or another error in its place if err cannot be used: if its Error or Unwrap
// method panics, as that of a typed nil does, or if it seems to wrap itself, so that errors.Is
// would not end.
func Error(err error) (safe error) {
	defer func() {
		if recover() != nil {
			safe = errors.New("an error that cannot be printed")
		}
	}()
	if err == nil {
		return nil
	}
	_ = err.Error()
	for seen, tree := 0, []error{err}; seen < len(tree); seen++ {
		switch e := tree[seen].(type) {
		case interface{ Unwrap() error }:
			tree = append(tree, e.Unwrap())
		case interface{ Unwrap() []error }:
			tree = append(tree, e.Unwrap()...)
		}
		if len(tree) > 1000 {
			return errors.New("an error that wraps itself")
		}
	}
	return err
}
