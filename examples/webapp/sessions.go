package main

import (
	"crypto/rand"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-kii/kii"
)

// A reset is one browser's way through the pages. The account is here and nowhere in the pages, so
// that a code can be tried only by the browser that asked for it.
type reset struct {
	account account
	method  kii.NotificationMethod
	turn    chan struct{} // of capacity 1: completions go one at a time
	done    atomic.Bool

	mu   sync.Mutex
	form codeForm
}

// A codeForm is what the page with the code shows when it is loaded next, any number of times.
type codeForm struct {
	pin      string // as typed; passwords are not kept
	show     bool
	problems problems
	notice   string
}

func (r *reset) get() codeForm {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.form
}

func (r *reset) set(form codeForm) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.form = form
}

// maxSessions bounds a store; the oldest session goes first.
const maxSessions = 10_000

// A store keeps sessions in memory for a fixed time. A site of several processes needs one that
// they share.
type store[T any] struct {
	life time.Duration

	mu    sync.Mutex
	swept time.Time
	held  map[string]entry[T]
}

type entry[T any] struct {
	value T
	until time.Time
}

func newStore[T any](life time.Duration) *store[T] {
	return &store[T]{life: life, held: map[string]entry[T]{}}
}

// put returns the secret name of a new session.
func (s *store[T]) put(value T) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if full := len(s.held) >= maxSessions; full || now.Sub(s.swept) > time.Minute {
		oldest := ""
		for id, e := range s.held {
			switch {
			case !now.Before(e.until):
				delete(s.held, id)
			case oldest == "" || e.until.Before(s.held[oldest].until):
				oldest = id
			}
		}
		if len(s.held) >= maxSessions {
			delete(s.held, oldest)
		}
		s.swept = now
	}
	id = rand.Text()
	s.held[id] = entry[T]{value, now.Add(s.life)}
	return id
}

func (s *store[T]) get(id string) (value T, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.held[id]
	if !ok || !time.Now().Before(e.until) {
		return value, false
	}
	return e.value, true
}

func (s *store[T]) drop(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.held, id)
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
	http.SetCookie(w, &http.Cookie{
		Name: c.name, Value: value, Path: "/", Secure: c.secure, HttpOnly: true, SameSite: c.sameSite, MaxAge: int(c.life.Seconds()),
	})
}

func (c cookie) clear(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{Name: c.name, Path: "/", Secure: c.secure, HttpOnly: true, SameSite: c.sameSite, MaxAge: -1})
}
