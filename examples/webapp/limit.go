package main

import (
	"sync"
	"time"
)

// maxKeys bounds the memory of a limiter. At the bound new keys are refused: a site that is asked
// about so many accounts in one window is under attack.
const maxKeys = 1 << 17

// A limiter lets each key through so many times a window. It is this process's own: several of them
// need a store that they share.
type limiter struct {
	most   int
	window time.Duration

	mu    sync.Mutex
	swept time.Time
	used  map[string]usage
}

type usage struct {
	times int
	until time.Time
}

func newLimiter(most int, window time.Duration) *limiter {
	return &limiter{most: most, window: window, used: map[string]usage{}}
}

// take counts a use of key, or returns how long to wait where there is none left.
func (l *limiter) take(key string) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Sub(l.swept) >= l.window {
		for k, u := range l.used {
			if !now.Before(u.until) {
				delete(l.used, k)
			}
		}
		l.swept = now
	}
	u, known := l.used[key]
	switch {
	case !known && len(l.used) >= maxKeys:
		return l.window
	case !now.Before(u.until):
		u = usage{until: now.Add(l.window)}
	case u.times >= l.most:
		return u.until.Sub(now)
	}
	u.times++
	l.used[key] = u
	return 0
}
