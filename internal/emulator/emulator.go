// Package emulator is package kiitest as a program for an app in any language, with a page that
// shows the mail and SMS that would have been sent, and a JSON API. Command kii-emulator is its
// command line.
package emulator

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

const (
	maxBody    = 1 << 20 // bytes of a request to the page or the JSON API
	maxUsers   = 10_000
	maxFaults  = 100 // that are still to be met
	maxWaiters = 100 // long polls at a time
	maxDelay   = time.Hour
)

// lastYear is how far the clock can be moved: JSON cannot carry a date after the year 9999, and a
// token of Kii Cloud's lives for 68 years.
const lastYear = 2200

// An emulator is the program around a kiitest.Server.
type emulator struct {
	srv      *kiitest.Server
	bound    *binding
	start    seed
	options  Options
	instance string // tells this run from others
	waiters  chan struct{}

	changing    sync.Mutex // one bounded addition at a time, so that no two pass the bound together
	registering int        // calls that may add a user
}

func newEmulator(o Options, p *binding, start seed) *emulator {
	opts := []kiitest.Option{
		kiitest.WithOrigin(p.origin),
		kiitest.WithApp(o.AppID, o.AppKey),
		kiitest.WithAdmin(o.ClientID, o.ClientSecret),
	}
	if o.PIN != "" {
		opts = append(opts, kiitest.WithPIN(o.PIN))
	}
	e := &emulator{
		srv: kiitest.NewServer(opts...), bound: p, start: start, options: o, instance: newInstance(), waiters: make(chan struct{}, maxWaiters),
	}
	e.reset()
	return e
}

// reset makes the emulator what it was when it started, in one change. The clock keeps its time.
func (e *emulator) reset() {
	e.changing.Lock()
	defer e.changing.Unlock()
	if err := e.srv.Restore(e.start.Snapshot); err != nil {
		panic(err) // the seed was read, so it is valid
	}
}

// advance moves the clock forward.
func (e *emulator) advance(d time.Duration) error {
	e.changing.Lock()
	defer e.changing.Unlock()
	if d <= 0 {
		return fieldProblemf("advance", "must be a time above zero, written as 90s, 10m or 24h")
	}
	if e.srv.Now().Add(d).Year() >= lastYear {
		return fieldProblemf("advance", "must leave the clock before the year %d", lastYear)
	}
	e.srv.Advance(d)
	return nil
}

// add adds a new user.
func (e *emulator) add(a kiitest.Account) (kiitest.Account, error) {
	e.changing.Lock()
	defer e.changing.Unlock()
	if e.countUsers()+e.registering >= maxUsers {
		return a, problemf(http.StatusConflict, "there are %d users already, and no more are kept", maxUsers)
	}
	if known, found := e.srv.Account(a.ID); found && known.ID == a.ID { // and not another's login name
		return a, problemf(http.StatusConflict, "the ID is taken")
	}
	return e.put(a)
}

func (e *emulator) countUsers() int { return len(e.srv.Accounts()) }

// register lets a call through that may add a user, unless there are too many. The caller calls
// done when the call is answered.
func (e *emulator) register() (done func(), admitted bool) {
	e.changing.Lock()
	defer e.changing.Unlock()
	if e.countUsers()+e.registering >= maxUsers {
		return nil, false
	}
	e.registering++
	return func() {
		e.changing.Lock()
		defer e.changing.Unlock()
		e.registering--
	}, true
}

// replace changes the user with the account's ID.
func (e *emulator) replace(a kiitest.Account) (kiitest.Account, error) {
	e.changing.Lock()
	defer e.changing.Unlock()
	if known, found := e.srv.Account(a.ID); !found || known.ID != a.ID {
		return a, notFound("user")
	}
	return e.put(a)
}

func (e *emulator) put(a kiitest.Account) (kiitest.Account, error) {
	id, err := e.srv.PutAccount(a)
	if err != nil {
		return a, invalid(err)
	}
	a, _ = e.srv.Account(id)
	return a, nil
}

// send has a message sent to a user, as the app or the user could.
func (e *emulator) send(id, kind string) (m kiitest.Message, err error) {
	switch kind {
	case "reset-email":
		m, err = e.srv.SendReset(id, kii.NotificationEmail)
	case "reset-sms":
		m, err = e.srv.SendReset(id, kii.NotificationSMS)
	case "reset-pin":
		m, err = e.srv.SendReset(id, kii.NotificationSMSPIN)
	case "verify-email":
		m, err = e.srv.SendVerification(id, kiitest.Email)
	case "verify-phone":
		m, err = e.srv.SendVerification(id, kiitest.SMS)
	default:
		return m, fieldProblemf("kind", "must be one of %s", joinWords(sendingKinds()))
	}
	if err != nil {
		if _, known := e.srv.Account(id); !known {
			return m, notFound("user")
		}
		return m, invalid(err)
	}
	return m, nil
}

// checkFault reports what is wrong with a fault, or nil.
func (e *emulator) checkFault(f kiitest.Fault) error {
	if err := f.Validate(); err != nil {
		return invalid(err)
	}
	if f.Delay > maxDelay {
		return fieldProblemf("delay", "must be at most %v", duration(maxDelay))
	}
	if f.RetryIn > maxDelay {
		return fieldProblemf("retryIn", "must be at most %v", duration(maxDelay))
	}
	return nil
}

// inject makes a call go wrong, and returns the fault with its ID.
func (e *emulator) inject(f kiitest.Fault) (kiitest.Fault, error) {
	e.changing.Lock()
	defer e.changing.Unlock()
	if err := e.checkFault(f); err != nil {
		return f, err
	}
	if len(e.srv.Faults()) >= maxFaults {
		return f, problemf(http.StatusConflict, "there are %d faults already that no call has met; clear them first", maxFaults)
	}
	e.srv.Inject(f)
	for _, waiting := range slices.Backward(e.srv.Faults()) {
		f.ID = waiting.ID
		break // it is the newest, unless a call has met it by now
	}
	return f, nil
}

// expireMessage ends what a message holds.
func (e *emulator) expireMessage(id int) error {
	if e.srv.ExpireMessage(id) {
		return nil
	}
	if len(e.srv.FindMessages(kiitest.Filter{ID: id})) == 0 {
		return notFound("message")
	}
	return problemf(http.StatusConflict, "message %d holds nothing that is still to be used", id)
}

// change changes the portal's settings, or nothing.
func (e *emulator) change(apply func(*kiitest.Settings) error) error {
	var err error
	e.srv.SetSettings(func(s *kiitest.Settings) {
		changed := *s
		if err = apply(&changed); err != nil {
			return
		}
		if err = validateSettings(changed); err == nil {
			*s = changed
		}
	})
	return err
}

// account returns a user by ID or address.
func (e *emulator) account(id string) (kiitest.Account, error) {
	a, found := e.srv.Account(id)
	if !found {
		return a, notFound("user")
	}
	return a, nil
}
