package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-kii/kii"
)

// A flow is what a visitor may make Kii Cloud do, how often, and what the visitor may learn of it.
type flow struct {
	user *kii.User
	log  *slog.Logger
	step time.Duration
	// least is the length of a password that Kii Cloud was seen to want, if it is above the site's.
	least atomic.Int64

	again                             *limiter
	asksPerAccount, asksPerClient     *limiter
	triesPerAccount, triesPerClient   *limiter
	loginsPerAccount, loginsPerClient *limiter

	mu      sync.RWMutex // held to send on asks, or to close it
	closed  bool
	asks    chan ask
	workers sync.WaitGroup
}

// An ask is a message to request of Kii Cloud.
type ask struct {
	id     string
	method kii.NotificationMethod
}

// An outcome is what a visitor learns of a try.
type outcome int

const (
	succeeded outcome = iota
	refused           // for every reason alike
	limited           // too many tries on the account, whether it exists or not
	busy              // nothing happened, and it is no fault of the visitor's
	unknown           // it may have happened
)

// newFlow starts the workers; close ends them.
func newFlow(user *kii.User, cfg config, log *slog.Logger) *flow {
	f := &flow{
		user: user, log: log, step: cfg.step,
		again:            newLimiter(1, cfg.again),
		asksPerAccount:   newLimiter(cfg.asksPerAccount, cfg.window),
		asksPerClient:    newLimiter(cfg.asksPerClient, cfg.window),
		triesPerAccount:  newLimiter(cfg.triesPerAccount, cfg.window),
		triesPerClient:   newLimiter(cfg.triesPerClient, cfg.window),
		loginsPerAccount: newLimiter(cfg.loginsPerAccount, cfg.window),
		loginsPerClient:  newLimiter(cfg.loginsPerClient, cfg.window),
		asks:             make(chan ask, cfg.queue),
	}
	f.least.Store(int64(cfg.minPassword))
	for range cfg.workers {
		f.workers.Go(f.work)
	}
	return f
}

// close waits until Kii Cloud has been asked for every message that was promised, or ctx ends.
func (f *flow) close(ctx context.Context) error {
	f.mu.Lock()
	if !f.closed {
		f.closed = true
		close(f.asks)
	}
	f.mu.Unlock()
	done := make(chan struct{})
	go func() { f.workers.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errors.New("some reset messages were not asked for in time")
	}
}

// ask has a message sent to an account, if there is one. It returns before Kii Cloud is asked, so that
// neither the answer nor its time depends on the account. wait is not 0 where the client asked too
// often; that an account was asked for too often is never told.
func (f *flow) ask(client string, acct account, method kii.NotificationMethod) (wait time.Duration) {
	if wait := f.asksPerClient.take(client); wait > 0 {
		return wait
	}
	if f.again.take(string(method)+acct.key) > 0 || f.asksPerAccount.take(acct.key) > 0 {
		f.log.Info("no message: asked for too often")
		return 0
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.closed {
		f.log.Warn("no message: shutting down")
		return 0
	}
	select {
	case f.asks <- ask{acct.id, method}:
	default:
		f.log.Error("no message: the queue is full")
	}
	return 0
}

func (f *flow) work() {
	for a := range f.asks {
		// One request of at most 30 seconds; it is never repeated here, which could send a second message.
		switch err := f.user.ResetPassword(context.Background(), a.id, a.method); {
		case err == nil:
			f.log.Info("message accepted")
		case kii.RevealsAccount(err):
			f.log.Info("no message: the account cannot have one", "error", err)
		case kii.OutcomeUnknown(err):
			f.log.Warn("a message may be on its way", "error", err)
		default:
			f.log.Error("no message", "error", err)
		}
	}
}

// complete tries a code. Every refusal is the same, also that the new password is the old one:
// strangers could guess passwords by it. A browser that goes away does not cut the call short.
func (f *flow) complete(ctx context.Context, client string, r *reset, pin, password string) (outcome, time.Duration) {
	start := time.Now()
	if wait := f.triesPerClient.take(client); wait > 0 {
		return busy, wait
	}
	if wait := f.triesPerAccount.take(r.account.key); wait > 0 { // counted before the call, so that parallel tries count too
		return limited, wait
	}
	r.turn <- struct{}{}
	if r.done.Load() { // the second of a double click
		<-r.turn
		return succeeded, 0
	}
	err := f.user.CompleteResetPassword(context.WithoutCancel(ctx), r.account.id, pin, &password)
	if err == nil {
		r.done.Store(true)
	}
	<-r.turn
	if err == nil {
		f.log.Info("password reset")
		return succeeded, 0
	}
	if short, ok := errors.AsType[*kii.APIError](err); ok && int64(short.MinPasswordLength) > f.least.Load() {
		// From now on the form says so, to everybody.
		f.least.Store(int64(short.MinPasswordLength))
		f.log.Error("Kii Cloud wants longer passwords: set -min-password", "least", short.MinPasswordLength)
	}
	return f.refusal(start, "password not reset", err), 0
}

// login logs in. A wrong password, an unknown account and a disabled one look the same.
func (f *flow) login(ctx context.Context, client string, acct account, password string) (*kii.Session, outcome, time.Duration) {
	start := time.Now()
	if wait := f.loginsPerClient.take(client); wait > 0 {
		return nil, busy, wait
	}
	if wait := f.loginsPerAccount.take(acct.key); wait > 0 {
		return nil, limited, wait
	}
	session, err := f.user.Login(context.WithoutCancel(ctx), acct.id, password)
	if err == nil {
		return session, succeeded, 0
	}
	return nil, f.refusal(start, "not logged in", err), 0
}

// refusal says what a visitor learns of an error, at a whole step after start, since Kii Cloud may
// take longer over an account that exists.
func (f *flow) refusal(start time.Time, what string, err error) outcome {
	time.Sleep(f.step - time.Since(start)%f.step)
	_, noAnswer := errors.AsType[*kii.TransportError](err)
	switch {
	case kii.OutcomeUnknown(err):
		f.log.Warn(what+" as far as we know", "error", err)
		return unknown
	case errors.Is(err, kii.ErrRateLimited) || noAnswer:
		f.log.Error(what, "error", err)
		return busy
	}
	f.log.Info(what, "error", err)
	return refused
}
