package main

import (
	"context"
	"net/http"
	"runtime"
	"time"

	"github.com/go-kii/kii"
)

// A look is what one client, used from several callers, has come to after calls.
type look struct {
	calls       int
	allocs      float64 // a call, since the look before
	heap        uint64  // bytes in use after a collection
	goroutines  int
	connections int64 // since the look before
}

func grow(ctx context.Context, srv *server, at []int) ([]look, error) {
	ask, err := useKii("https://"+srv.HTTP1, nil)
	if err != nil {
		return nil, err
	}
	r := &runner{ask: ask}
	var looks []look
	done := 0
	for _, calls := range at {
		s, err := r.run(ctx, calls-done, 8, srv)
		if err != nil {
			return nil, err
		}
		done = calls
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		looks = append(looks, look{done, s.allocs, m.HeapAlloc, runtime.NumGoroutine(), s.connections})
	}
	return looks, nil
}

// Two figures that need no server.
type local struct {
	construct  time.Duration // kii.New
	goroutines int           // after 1,000 of them, less those before
	dead       time.Duration // a call on a session that is over
	deadAllocs float64
}

func measureLocal(ctx context.Context) (local, error) {
	const news, calls = 1_000, 100_000
	before := runtime.NumGoroutine()
	start := time.Now()
	for range news {
		if _, err := kii.New("app", "key", kii.SiteJP); err != nil {
			return local{}, err
		}
	}
	l := local{construct: time.Since(start) / news, goroutines: runtime.NumGoroutine() - before}

	session, err := endedSession(ctx)
	if err != nil {
		return local{}, err
	}
	var m0, m1 runtime.MemStats
	runtime.ReadMemStats(&m0)
	start = time.Now()
	for range calls {
		_, _ = session.Profile(ctx)
	}
	l.dead = time.Since(start) / calls
	runtime.ReadMemStats(&m1)
	l.deadAllocs = float64(m1.Mallocs-m0.Mallocs) / calls
	return l, nil
}

// endedSession returns a session that has ended itself: its password was changed.
func endedSession(ctx context.Context) (*kii.Session, error) {
	hc := &http.Client{Transport: cannedTransport(kiiDialect)}
	client, err := kii.New("app", "key", kii.SiteJP, kii.WithHTTPClient(hc))
	if err != nil {
		return nil, err
	}
	session, err := client.User.Resume(kii.Token{AccessToken: "access"})
	if err != nil {
		return nil, err
	}
	return session, session.ChangePassword(ctx, "old-pass", "new-pass")
}
