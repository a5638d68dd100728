package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"time"

	"github.com/go-kii/kii"
)

// A visit is what is remembered of a browser. It gives no right to anything.
type visit struct {
	Typed string           // the address that was typed last
	Asked map[string]asked // by account.Key
	After string           // what the login page tells: how a reset, or the last login, ended
}

// asked is what this browser asked for on one account. The account's own count, to which other
// browsers add, is never shown.
type asked struct {
	Times int
	Until time.Time            // when Times starts at 0 again
	Again map[string]time.Time // when the same message may be asked for again, by account.by
}

// next returns when a message may be asked for again, and whether the number of messages is the
// reason. It is in the past if there is nothing to wait for.
func (a asked) next(message string, most int, now time.Time) (at time.Time, usedUp bool) {
	if a.Times >= most && now.Before(a.Until) {
		return a.Until, true
	}
	return a.Again[message], false
}

// resets are a browser's ways through the pages, one for each time that it began. The accounts are
// here and nowhere in the pages, so that a code can be tried only by the browser that asked for it.
type resets []reset

// maxResets of one browser are kept: more than that are tabs that nobody remembers.
const maxResets = 4

type reset struct {
	Name    string // which one a page belongs to; of no use without the cookie
	Account account
	Method  kii.NotificationMethod
	Busy    time.Time // a code is being tried, at the longest until then
	Trying  string    // which one
	Done    string    // how it ended, once a code was accepted: what the login page tells
	Form    codeForm
}

// A codeForm is what the page with the code shows when it is loaded next, any number of times.
type codeForm struct {
	Code     string // as typed; passwords are not kept
	Problems problems
	Notice   string
	Again    time.Time // when another message was asked for
}

// named returns the reset of a name, or the newest if the name is empty. It is nil if there is
// none.
func (all resets) named(name string) *reset {
	for i := len(all) - 1; i >= 0; i-- {
		if name == "" || all[i].Name == name {
			return &all[i]
		}
	}
	return nil
}

// A login is a session with Kii Cloud, and what its account page tells next.
type login struct {
	Token   kii.Token
	Account account         // by which the user logged in
	Asked   map[string]move // what was asked for last, by the name of a channel
	Notice  string
}

// A move is from one address to another. It is over once the address is not From any more.
type move struct{ From, To string }

// sessions keep a value for each browser. The browser has a cookie with the value's secret name.
type sessions[T any] struct {
	store  store
	life   time.Duration
	cookie cookie
}

// get returns the value of the browser that sent r. found is false if it has none, or had one that
// is over.
func (s sessions[T]) get(r *http.Request) (v T, found bool, err error) {
	return s.change(r, func(*T) {})
}

// change lets f change the value of the browser that sent r, if it has one, and returns it. f may
// be called more than once.
func (s sessions[T]) change(r *http.Request, f func(*T)) (v T, found bool, err error) {
	return s.update(r, 0, f)
}

// renew is change, and gives the value its whole life again.
func (s sessions[T]) renew(w http.ResponseWriter, r *http.Request, f func(*T)) (found bool, err error) {
	_, found, err = s.update(r, s.life, f)
	if found {
		s.cookie.set(w, s.cookie.value(r))
	}
	return found, err
}

func (s sessions[T]) update(r *http.Request, life time.Duration, f func(*T)) (v T, found bool, err error) {
	name := s.cookie.value(r)
	if name == "" {
		return v, false, nil
	}
	err = s.store.update(context.WithoutCancel(r.Context()), name, life, func(old []byte) []byte {
		var fresh T // a second time must not see what the first one left
		if found = old != nil && json.Unmarshal(old, &fresh) == nil; !found {
			return nil
		}
		v = fresh
		f(&v)
		return encode(v)
	})
	return v, found, err
}

// put gives the browser a value under a new name. The one that it had is over.
func (s sessions[T]) put(w http.ResponseWriter, r *http.Request, v T) error {
	if err := s.drop(r); err != nil {
		return err
	}
	name := rand.Text()
	s.cookie.set(w, name)
	return s.store.update(context.WithoutCancel(r.Context()), name, s.life, func([]byte) []byte { return encode(v) })
}

// end takes the value and the cookie away.
func (s sessions[T]) end(w http.ResponseWriter, r *http.Request) error {
	s.cookie.clear(w)
	return s.drop(r)
}

func (s sessions[T]) drop(r *http.Request) error {
	name := s.cookie.value(r)
	if name == "" {
		return nil
	}
	return s.store.update(context.WithoutCancel(r.Context()), name, 0, func([]byte) []byte { return nil })
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // no type that is kept has what JSON cannot hold
	}
	return data
}

// A cookie names a session to its store.
type cookie struct {
	name     string
	sameSite http.SameSite
	life     time.Duration // 0: until the browser is closed
	secure   bool
}

// newCookie gives the name a prefix by which browsers keep other hosts and plain http from setting
// the cookie. On loopback without TLS not every browser takes such a one, so there it has none.
func newCookie(name string, sameSite http.SameSite, life time.Duration, secure bool) cookie {
	if secure {
		name = "__Host-" + name
	}
	return cookie{name, sameSite, life, secure}
}

func (c cookie) value(r *http.Request) string {
	if got, err := r.Cookie(c.name); err == nil {
		return got.Value
	}
	return ""
}

func (c cookie) set(w http.ResponseWriter, value string) {
	c.send(w, value, int(c.life.Seconds()))
}

func (c cookie) clear(w http.ResponseWriter) { c.send(w, "", -1) }

func (c cookie) send(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure, except over plain http, which is served on loopback only
		Name: c.name, Value: value, Path: "/", Secure: c.secure, HttpOnly: true, SameSite: c.sameSite, MaxAge: maxAge,
	})
}
