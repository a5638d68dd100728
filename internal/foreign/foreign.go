// Package foreign guards against what the caller's code hands over: a context that does not end
// when it says, or is another request's once the call is over; an error that cannot be printed.
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

// A Context is that of one call of the library. It has the caller's values, and ends by time, by
// Cancel, or with the caller's.
type Context struct {
	context.Context
	Cancel   context.CancelFunc
	caller   Lent
	deadline time.Time
}

// WithTimeout is [context.WithTimeout], and ends in time also if the deadline of ctx does not: one
// of a fake clock, or of a context that hides the end of another, may lie in the past. What is made
// with it must be ended.
func WithTimeout(ctx context.Context, timeout time.Duration) *Context {
	c := &Context{caller: Lent{ctx: ctx, done: ctx.Done()}}
	c.Context, c.Cancel = context.WithTimeout(&c.caller, timeout)
	c.deadline, _ = c.Context.Deadline()
	if earlier, ok := ctx.Deadline(); ok && earlier.Before(c.deadline) {
		c.deadline = earlier // for who asks for it, as a rate limiter does
	}
	return c
}

// Deadline returns the earlier of the two.
func (c *Context) Deadline() (time.Time, bool) { return c.deadline, true }

// Late returns [context.DeadlineExceeded] if c has ended by time, and nil if it has not. What keeps
// the deadline by a timer of its own may fail a moment before c ends, so Late waits for that.
func (c *Context) Late() error {
	if time.Now().Before(c.deadline) {
		return nil
	}
	select {
	case <-c.Done():
	case <-time.After(aMoment): // its end is not when the caller's context says
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

// A Lent context has the values of the caller's until that is given back, and never ends by itself.
// A goroutine that outlives a call, as net/http's dials and a RoundTripper may, would else ask a
// context whose request is over: some servers have then put it to another use, and its methods
// panic.
type Lent struct {
	ctx  context.Context
	done <-chan struct{} // that of ctx; nil: its end is not lent

	mu     sync.Mutex // guards what follows
	given  bool       // back
	asking int        // how many ask ctx
	idle   chan bool  // closed when nobody does any more; nil: GiveBack does not wait for that
}

// Lend lends the values of ctx.
func Lend(ctx context.Context) *Lent { return &Lent{ctx: ctx} }

// aMoment is how long a call may wait at its end for what takes no time, such as an answer to a
// question that is open. One that waits, for a lock perhaps that the caller holds, must not keep
// the call from returning.
const aMoment = 100 * time.Millisecond

// GiveBack ends all asking, and waits a moment for what is being asked.
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

// ask asks the caller's context, which may panic, if it is not given back.
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

// Deadline returns none.
func (*Lent) Deadline() (deadline time.Time, ok bool) { return deadline, false }

// Done returns the channel that the caller's context had at the beginning.
func (l *Lent) Done() <-chan struct{} { return l.done }

// Err returns an error as soon as Done is closed, whatever the caller's context says.
func (l *Lent) Err() (err error) {
	select {
	case <-l.done:
		l.ask(func(ctx context.Context) { err = ctx.Err() })
		return cmp.Or(err, context.Canceled)
	default:
		return nil
	}
}

// Value returns the caller's value; nil after GiveBack.
func (l *Lent) Value(key any) (value any) {
	l.ask(func(ctx context.Context) { value = ctx.Value(key) })
	if trace, ok := value.(*httptrace.ClientTrace); ok && trace != nil {
		return l.lend(trace)
	}
	return value
}

// lend returns trace with hooks that do nothing after GiveBack. net/http keeps them for as long as
// the request lasts, which a shared one does without the caller, and calls them from goroutines of
// its own, where a panic would end the process.
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

// Ended returns why ctx ended: its error and, if it is another, the cause that the caller set.
func Ended(ctx context.Context) []error {
	err := cmp.Or(Error(ctx.Err()), context.Canceled)
	if cause := Error(context.Cause(ctx)); cause != nil && !same(cause, err) {
		return []error{err, cause}
	}
	return []error{err}
}

// same reports whether a and b are one error; false if their type cannot be compared.
func same(a, b any) (is bool) {
	defer func() { _ = recover() }()
	return a == b
}

// Error returns err, or what to print in its place if printing it panics, as with a typed nil, or
// if it wraps so many that it seems to wrap itself: then errors.Is would not end.
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
