package main

import (
	"context"
	"sync"
	"time"
)

// A store keeps what outlives a request: sessions, and how often something was done. A memory
// is this process's own; redis.go has one that several processes share.
type store interface {
	// take counts a use of key, or returns how long to wait if most of them were counted in the
	// window that began with the first.
	take(ctx context.Context, key string, most int, window time.Duration) (wait time.Duration, err error)

	// update replaces the value of key by what change makes of it; nil stands for no value, on
	// both sides, and removes a count as well. The value is kept for life from now on, or for as
	// long as it was to be kept if life is 0. change may be called more than once.
	update(ctx context.Context, key string, life time.Duration, change func(old []byte) []byte) error
}

// stores opens a store for one kind of thing.
type stores func(kind string) store

// Bounds of a memory. At the first, new keys are refused: a site that is asked about so many
// accounts in one window is under attack. At the second, the oldest value goes.
const (
	maxCounts = 1 << 17
	maxValues = 10_000
)

type memory struct {
	mu     sync.Mutex
	swept  time.Time
	counts map[string]count
	values map[string]value
}

type count struct {
	times int
	until time.Time
}

type value struct {
	data  []byte
	until time.Time
}

func newMemory(string) store {
	return &memory{counts: map[string]count{}, values: map[string]value{}}
}

func (m *memory) take(_ context.Context, key string, most int, window time.Duration) (time.Duration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.sweep()
	c, known := m.counts[key]
	switch {
	case !known && len(m.counts) >= maxCounts:
		return window, nil
	case !now.Before(c.until):
		c = count{until: now.Add(window)}
	case c.times >= most:
		return c.until.Sub(now), nil
	}
	c.times++
	m.counts[key] = c
	return 0, nil
}

func (m *memory) update(_ context.Context, key string, life time.Duration, change func([]byte) []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.sweep()
	v := m.values[key]
	if !now.Before(v.until) {
		v = value{}
	}
	if life > 0 {
		v.until = now.Add(life)
	}
	if v.data = change(v.data); v.data == nil || !now.Before(v.until) {
		delete(m.values, key)
		delete(m.counts, key)
		return nil
	}
	m.values[key] = v
	if len(m.values) > maxValues {
		delete(m.values, m.oldest())
	}
	return nil
}

// sweep forgets, once a minute, what is over.
func (m *memory) sweep() (now time.Time) {
	now = time.Now()
	if now.Sub(m.swept) < time.Minute {
		return now
	}
	m.swept = now
	for key, c := range m.counts {
		if !now.Before(c.until) {
			delete(m.counts, key)
		}
	}
	for key, v := range m.values {
		if !now.Before(v.until) {
			delete(m.values, key)
		}
	}
	return now
}

func (m *memory) oldest() (key string) {
	for k, v := range m.values {
		if key == "" || v.until.Before(m.values[key].until) {
			key = k
		}
	}
	return key
}

// A limiter lets each key through so many times a window.
type limiter struct {
	store  store
	most   int
	window time.Duration
}

// take counts also for a browser that went away: what is counted is carried out.
func (l limiter) take(ctx context.Context, key string) (wait time.Duration, err error) {
	return l.store.take(context.WithoutCancel(ctx), key, l.most, l.window)
}

// forget starts a new window for a key.
func (l limiter) forget(ctx context.Context, key string) error {
	return l.store.update(context.WithoutCancel(ctx), key, 0, func([]byte) []byte { return nil })
}
