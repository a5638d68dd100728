package main

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A plan says how much is measured.
type plan struct {
	sequential, sequentialRounds int // calls one after the other, of each contestant in each round
	concurrent, concurrentRounds int // the same from many callers
	callers                      int
	canned, cannedRounds         int
	counted                      int   // calls whose instructions are counted
	growth                       []int // calls made in all, at each look
}

var (
	full  = plan{200, 25, 10_000, 5, 64, 1_000, 9, 4_000, []int{1_000, 10_000, 100_000}}
	smoke = plan{20, 3, 200, 1, 16, 50, 3, 0, []int{100, 1_000}}
)

// A sample is one round of one contestant.
type sample struct {
	perCall     time.Duration // wall time by calls; with many callers it is the inverse of calls a second
	allocs      float64
	bytes       float64
	connections int64
}

// A runner is a contestant that is connected, with its samples.
type runner struct {
	contestant
	ask          ask
	samples      []sample
	instructions float64 // a call; 0: not counted
}

// measure runs every contestant in every round, so that what else the machine does meets all alike.
// Each round begins with another one.
func measure(ctx context.Context, runners []*runner, rounds, calls, callers int, srv *server) error {
	for _, r := range runners {
		if err := r.ask(ctx); err != nil { // also dials
			return fmt.Errorf("%s: %w", r.name, err)
		}
	}
	for round := range rounds {
		for i := range runners {
			r := runners[(round+i)%len(runners)]
			s, err := r.run(ctx, calls, callers, srv)
			if err != nil {
				return fmt.Errorf("%s: %w", r.name, err)
			}
			r.samples = append(r.samples, s)
		}
	}
	return nil
}

// run makes the calls, divided among callers. srv is nil if there is none.
func (r *runner) run(ctx context.Context, calls, callers int, srv *server) (sample, error) {
	if srv != nil {
		if _, err := srv.take(); err != nil {
			return sample{}, err
		}
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	if err := repeat(ctx, r.ask, calls, callers); err != nil {
		return sample{}, err
	}
	elapsed := time.Since(start)
	runtime.ReadMemStats(&after)
	s := sample{
		perCall: elapsed / time.Duration(calls),
		allocs:  float64(after.Mallocs-before.Mallocs) / float64(calls),
		bytes:   float64(after.TotalAlloc-before.TotalAlloc) / float64(calls),
	}
	if srv == nil {
		return s, nil
	}
	c, err := srv.take()
	if err == nil && c.Requests != int64(calls) {
		err = fmt.Errorf("%d requests arrived of %d calls", c.Requests, calls)
	}
	s.connections = c.Connections
	return s, err
}

func repeat(ctx context.Context, ask ask, calls, callers int) error {
	if callers == 1 {
		for range calls {
			if err := ask(ctx); err != nil {
				return err
			}
		}
		return nil
	}
	var left, failed atomic.Int64
	left.Store(int64(calls))
	var first atomic.Value
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if err := ask(ctx); err != nil {
					failed.Add(1)
					first.CompareAndSwap(nil, err.Error())
				}
			}
		})
	}
	wg.Wait()
	if failed.Load() > 0 {
		return fmt.Errorf("%d of %d calls failed, one with: %v", failed.Load(), calls, first.Load())
	}
	return nil
}

// connectAll connects every contestant again, so that none has connections of an earlier table.
func connectAll(list []contestant, base string) ([]*runner, error) {
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	var runners []*runner
	for _, c := range list {
		ask, err := c.connect(base, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		runners = append(runners, &runner{contestant: c, ask: ask})
	}
	return runners, nil
}

// connectCanned connects every contestant to a canned connection.
func connectCanned(list []contestant) ([]*runner, error) {
	var runners []*runner
	for _, c := range list {
		ask, err := c.connect("https://127.0.0.1", cannedTransport(c.dialect))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		runners = append(runners, &runner{contestant: c, ask: ask})
	}
	return runners, nil
}

// median of what f says of the samples.
func (r *runner) median(f func(sample) float64) float64 {
	var values []float64
	for _, s := range r.samples {
		values = append(values, f(s))
	}
	return median(values)
}

func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[n/2] + values[(n-1)/2]) / 2
}

// ratio is the median, over the rounds, of r's time by the floor's in the same round.
func (r *runner) ratio(floor *runner) float64 {
	var values []float64
	for i, s := range r.samples {
		values = append(values, float64(s.perCall)/float64(floor.samples[i].perCall))
	}
	return median(values)
}
