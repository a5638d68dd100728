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

	again                             limiter
	asksPerAccount, asksPerClient     limiter
	triesPerAccount, triesPerClient   limiter
	loginsPerAccount, loginsPerClient limiter
	resends, changes, verifications   limiter // per user

	underWay sync.Map // calls that are not repeated meanwhile, by their forms

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
	accepted          // the code was; whether the new password works could not be found out
	mismatch          // the code was accepted, and the new password does not work
	refused           // for every reason alike
	limited           // too many tries on the account, whether it exists or not
	busy              // nothing happened, and it is no fault of the visitor's
	again             // nothing happened: it is the second of a double click
	unknown           // it may have happened
	ended             // the session is over
)

// newFlow starts the workers; close ends them.
func newFlow(user *kii.User, cfg config, open stores, log *slog.Logger) *flow {
	limit := func(kind string, most int, window time.Duration) limiter { return limiter{open(kind), most, window} }
	f := &flow{
		user: user, log: log, step: cfg.step,
		again:            limit("again", 1, cfg.again),
		asksPerAccount:   limit("asks-account", cfg.asksPerAccount, cfg.window),
		asksPerClient:    limit("asks-client", cfg.asksPerClient, cfg.window),
		triesPerAccount:  limit("tries-account", cfg.triesPerAccount, cfg.window),
		triesPerClient:   limit("tries-client", cfg.triesPerClient, cfg.window),
		loginsPerAccount: limit("logins-account", cfg.loginsPerAccount, cfg.window),
		loginsPerClient:  limit("logins-client", cfg.loginsPerClient, cfg.window),
		resends:          limit("resends", cfg.asksPerAccount, cfg.window),
		changes:          limit("changes", cfg.asksPerAccount, cfg.window),
		verifications:    limit("verifications", cfg.triesPerAccount, cfg.window),
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

// takes reports whether the library sends a call for id at all. If it refuses
// id, the visitor has to learn so at once: a message would be promised, and never asked for.
func (f *flow) takes(id string) bool {
	done, cancel := context.WithCancel(context.Background())
	cancel() // so that nothing is sent
	_, refused := errors.AsType[*kii.ArgumentError](f.user.ResetPassword(done, id, kii.NotificationEmail))
	return !refused
}

// ask has a message sent to an account, if there is one. It returns before Kii Cloud is asked, so
// that neither the answer nor its time depends on the account. wait is not 0 if the client asked
// too often; that an account was asked for too often is never told.
func (f *flow) ask(ctx context.Context, client string, acct account, method kii.NotificationMethod) (wait time.Duration, err error) {
	if wait, err = f.asksPerClient.take(ctx, client); wait > 0 || err != nil {
		return wait, err
	}
	soon, err := f.again.take(ctx, acct.by(method))
	if err != nil {
		return 0, err
	}
	if soon == 0 {
		soon, err = f.asksPerAccount.take(ctx, acct.Key)
	}
	if soon > 0 || err != nil {
		f.log.Info("no message: asked for too often")
		return 0, err
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.closed {
		f.log.Warn("no message: shutting down")
		return 0, nil
	}
	select {
	case f.asks <- ask{acct.ID, method}:
	default:
		f.log.Error("no message: the queue is full")
	}
	return 0, nil
}

func (f *flow) work() {
	for a := range f.asks {
		// One request of at most 30 seconds; it is never repeated here, which could send a second
		// message.
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
func (f *flow) complete(ctx context.Context, acct account, pin, password string) outcome {
	start := time.Now()
	ctx = context.WithoutCancel(ctx)
	err := f.user.CompleteResetPassword(ctx, acct.ID, pin, &password)
	if err == nil {
		f.log.Info("password reset")
		f.forgetLogins(ctx, acct) // else who tried the old password too often could not log in
		return f.check(ctx, acct, password)
	}
	if short, ok := errors.AsType[*kii.APIError](err); ok && int64(short.MinPasswordLength) > f.least.Load() {
		// From now on the form says so, to everybody.
		f.least.Store(int64(short.MinPasswordLength))
		f.log.Error("Kii Cloud wants longer passwords: set -min-password", "least", short.MinPasswordLength)
	}
	return f.refusal(start, "password not reset", err)
}

// check finds out by one login whether the new password works: an app whose flow is Generate
// Password accepts the code and ignores the password. The session is for nobody.
func (f *flow) check(ctx context.Context, acct account, password string) outcome {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, err := f.user.Login(ctx, acct.ID, password)
	switch {
	case err == nil:
		return succeeded
	case errors.Is(err, kii.ErrWrongCredentials):
		f.log.Error("a code was accepted, and the new password does not log in: "+
			"set Password Reset Flow to Input Password in Kii's developer portal; with Generate Password, the one typed here is ignored", "error", err)
		return mismatch
	}
	f.log.Warn("a code was accepted, and whether the new password logs in is not known", "error", err)
	return accepted
}

// login logs in, once for the two of a double click. A wrong password, an unknown account and a
// disabled one look the same.
func (f *flow) login(ctx context.Context, client string, acct account, password string) (*kii.Session, outcome, time.Duration, error) {
	got := f.once([...]string{client, acct.ID, password}, func() result {
		start := time.Now()
		if wait, err := f.loginsPerClient.take(ctx, client); wait > 0 || err != nil {
			return result{did: busy, wait: wait, err: err}
		}
		if wait, err := f.loginsPerAccount.take(ctx, acct.Key); wait > 0 || err != nil {
			return result{did: limited, wait: wait, err: err}
		}
		session, err := f.user.Login(context.WithoutCancel(ctx), acct.ID, password)
		if err == nil {
			f.forgetLogins(ctx, acct)
			return result{session: session, did: succeeded}
		}
		return result{did: f.refusal(start, "not logged in", err)}
	})
	return got.session, got.did, got.wait, got.err
}

// forgetLogins lets those count no more that were tried before the owner came.
func (f *flow) forgetLogins(ctx context.Context, acct account) {
	if err := f.loginsPerAccount.forget(ctx, acct.Key); err != nil {
		f.log.Error("logins that were tried before still count", "error", err)
	}
}

// A result is how a call went.
type result struct {
	session *kii.Session // of a login
	did     outcome
	wait    time.Duration
	err     error
}

// once makes a call for a form. The second of a double click gets the result of the first.
func (f *flow) once(form [3]string, call func() result) result {
	type shared struct {
		result

		ended chan struct{}
	}
	mine := &shared{result{did: unknown}, make(chan struct{})}
	if first, underWay := f.underWay.LoadOrStore(form, mine); underWay {
		mine = first.(*shared)
		<-mine.ended
		return mine.result
	}
	defer close(mine.ended)
	defer f.underWay.Delete(form)
	mine.result = call()
	return mine.result
}

// refusal returns what a visitor learns of an error, at a whole step after start, since Kii Cloud
// may take longer over an account that exists.
func (f *flow) refusal(start time.Time, what string, err error) outcome {
	f.settle(start)
	_, noAnswer := errors.AsType[*kii.TransportError](err)
	switch {
	case kii.OutcomeUnknown(err):
		f.log.Warn(what+" as far as we know", "error", err)
		return unknown
	case errors.Is(err, kii.ErrRateLimited) || errors.Is(err, kii.ErrAppNotFound) || noAnswer: // no fault of the visitor's
		f.log.Error(what, "error", err)
		return busy
	}
	f.log.Info(what, "error", err)
	return refused
}

// settle waits for a whole step after start.
func (f *flow) settle(start time.Time) { time.Sleep(f.step - time.Since(start)%f.step) }
