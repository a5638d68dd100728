// Package emulator is package kiitest as a program for an app in any language, with a page that shows
// the mail and SMS that would have been sent, and a JSON API. Command kii-emulator is its command line.
package emulator

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

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
	srv     *kiitest.Server
	bound   *binding
	start   seed
	appKey  string // empty where the user chose it: then it is shown nowhere
	waiters chan struct{}

	changing sync.Mutex // one bounded addition at a time, so that no two pass the bound together
}

func newEmulator(o Options, p *binding, start seed) (*emulator, error) {
	opts := []kiitest.Option{
		kiitest.WithOrigin(p.origin),
		kiitest.WithApp(o.AppID, o.AppKey),
		kiitest.WithSettings(func(s *kiitest.Settings) { *s = start.settings }),
	}
	if o.PIN != "" {
		opts = append(opts, kiitest.WithPIN(o.PIN))
	}
	for a, holds := range start.assumptions {
		opts = append(opts, kiitest.WithAssumption(a, holds))
	}
	e := &emulator{srv: kiitest.NewServer(opts...), bound: p, start: start, waiters: make(chan struct{}, maxWaiters)}
	if o.AppKey == DefaultAppKey {
		e.appKey = o.AppKey
	}
	return e, e.addSeed()
}

// addSeed adds the accounts that the emulator starts with.
func (e *emulator) addSeed() error {
	for _, a := range e.start.accounts {
		if _, err := e.srv.PutAccount(a.Account); err != nil {
			return a.wrong(err)
		}
	}
	return nil
}

// reset makes the emulator what it was when it started; the clock keeps its time.
func (e *emulator) reset() {
	e.changing.Lock()
	defer e.changing.Unlock()
	e.srv.Reset()
	if err := e.addSeed(); err != nil {
		panic(err) // the same accounts were added at the start
	}
}

// A problem is a request that cannot be done, with the status that says so.
type problem struct {
	status int
	text   string
}

func (p *problem) Error() string { return p.text }

func problemf(status int, format string, args ...any) error {
	return &problem{status, fmt.Sprintf(format, args...)}
}

func invalid(err error) error { return problemf(http.StatusUnprocessableEntity, "%s", userText(err)) }

// advance moves the clock forward.
func (e *emulator) advance(d time.Duration) error {
	e.changing.Lock()
	defer e.changing.Unlock()
	if d <= 0 {
		return problemf(http.StatusUnprocessableEntity, "the clock only goes forward, by a time such as 10m or 24h")
	}
	if e.srv.Now().Add(d).Year() >= lastYear {
		return problemf(http.StatusUnprocessableEntity, "the clock ends before the year %d", lastYear)
	}
	e.srv.Advance(d)
	return nil
}

// add adds a new user.
func (e *emulator) add(a kiitest.Account) (kiitest.Account, error) {
	e.changing.Lock()
	defer e.changing.Unlock()
	if len(e.srv.Accounts()) >= maxUsers {
		return a, problemf(http.StatusConflict, "there are %d users already, and no more are kept", maxUsers)
	}
	if _, taken := e.srv.Account(a.ID); taken && a.ID != "" {
		return a, problemf(http.StatusConflict, "the ID is taken")
	}
	return e.put(a)
}

// full tells whether a call registers one user more than are kept.
func (e *emulator) full(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/users") && len(e.srv.Accounts()) >= maxUsers
}

// replace changes the user with the account's ID.
func (e *emulator) replace(a kiitest.Account) (kiitest.Account, error) {
	e.changing.Lock()
	defer e.changing.Unlock()
	if known, found := e.srv.Account(a.ID); !found || known.ID != a.ID {
		return a, problemf(http.StatusNotFound, "there is no such user")
	}
	return e.put(a)
}

func (e *emulator) put(a kiitest.Account) (kiitest.Account, error) {
	if a.Email == "" && a.Phone == "" && a.LoginName == "" {
		return a, problemf(http.StatusUnprocessableEntity, "a user needs an e-mail address, a phone number or a login name")
	}
	id, err := e.srv.PutAccount(a)
	if err != nil {
		return a, invalid(err)
	}
	a, _ = e.srv.Account(id)
	return a, nil
}

// inject makes a call go wrong.
func (e *emulator) inject(f kiitest.Fault) error {
	e.changing.Lock()
	defer e.changing.Unlock()
	if err := f.Validate(); err != nil {
		return invalid(err)
	}
	switch {
	case f.Delay > maxDelay || f.RetryIn > maxDelay:
		return problemf(http.StatusUnprocessableEntity, "a delay is at most %v", maxDelay)
	case len(e.srv.Faults()) >= maxFaults:
		return problemf(http.StatusConflict, "there are %d faults already that no call has met; clear them first", maxFaults)
	}
	e.srv.Inject(f)
	return nil
}

// change changes the portal's settings, or nothing.
func (e *emulator) change(apply func(*kiitest.Settings) error) error {
	var err error
	e.srv.SetSettings(func(s *kiitest.Settings) {
		changed := *s
		if err = apply(&changed); err != nil {
			return
		}
		if bad := changed.Validate(); bad != nil {
			err = invalid(bad)
			return
		}
		*s = changed
	})
	return err
}

// account returns a user by ID or address.
func (e *emulator) account(id string) (kiitest.Account, error) {
	a, found := e.srv.Account(id)
	if !found {
		return a, problemf(http.StatusNotFound, "there is no such user")
	}
	return a, nil
}

// statusOf tells the status of what went wrong.
func statusOf(err error) int {
	if p, ok := errors.AsType[*problem](err); ok {
		return p.status
	}
	return http.StatusInternalServerError
}
