package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

type report struct {
	plan            plan
	began           time.Time
	took            time.Duration
	load, loadAfter string

	sequential, sequential2 []*runner // over TLS on HTTP/1.1 and on HTTP/2
	concurrent, concurrent2 []*runner
	canned                  []*runner
	steps, steps2           []*runner // as sequential
	busySteps, busySteps2   []*runner // as concurrent
	cannedSteps             []*runner
	growth                  []look
	local                   local
	weights                 []weight
}

func (r *report) markdown() string {
	var b strings.Builder
	p := r.plan
	fmt.Fprintf(&b, "%s, %s/%s, %d processors (%s), %s. It took %s; the load average was %s before and %s after.\n",
		r.began.UTC().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), processor(), runtime.Version(),
		r.took.Round(time.Second), r.load, r.loadAfter)

	fmt.Fprintf(&b, "\n### One call after the other, loopback, TLS\n\nMedians of %d rounds of %d calls. Ratios are to the floor in the same round.\n\n", p.sequentialRounds, p.sequential)
	row(&b, "client", "HTTP/1.1 µs", "ratio", "allocs", "bytes", "HTTP/2 µs", "ratio", "allocs")
	rule(&b, 7)
	for i, one := range r.sequential {
		two := r.sequential2[i]
		row(&b, one.name, micros(one), ratio(one, r.sequential[0]), allocs(one), size(one), micros(two), ratio(two, r.sequential2[0]), allocs(two))
	}

	fmt.Fprintf(&b, "\n### %d callers at once, loopback, TLS\n\nMedians of %d rounds of %d calls. Rates are of the floor's in the same round; connections are the new ones, at most of any round; a first call, not counted, opens one.\n\n", p.callers, p.concurrentRounds, p.concurrent)
	row(&b, "client", "HTTP/1.1 calls/s", "rate", "connections", "HTTP/2 calls/s", "rate", "connections")
	rule(&b, 6)
	for i, one := range r.concurrent {
		two := r.concurrent2[i]
		row(&b, one.name, perSecond(one), rate(one, r.concurrent[0]), connections(one), perSecond(two), rate(two, r.concurrent2[0]), connections(two))
	}

	fmt.Fprintf(&b, "\n### Without a socket\n\nHTTP/1.1 over a canned connection, %d rounds of %d calls: all of it is the client's own work. Allocations are exact; instructions, counted by Valgrind with the garbage collector off, vary by about a hundredth.\n\n", p.cannedRounds, p.canned)
	row(&b, "client", "allocs", "bytes", "instructions", "ratio", "µs", "ratio")
	rule(&b, 6)
	for _, c := range r.canned {
		counted, byFloor := "", ""
		if c.instructions > 0 {
			counted, byFloor = fmt.Sprintf("%.0f", c.instructions), fmt.Sprintf("%.2f", c.instructions/r.canned[0].instructions)
		}
		row(&b, c.name, allocs(c), size(c), counted, byFloor, micros(c), ratio(c, r.canned[0]))
	}

	fmt.Fprintf(&b, "\n### What each feature costs\n\nFrom the floor to kii, each step with all before it. Times are ratios of one call after the other, rates are of %d callers at once. They are rounds of their own, so they differ a little from the tables above.\n\n", p.callers)
	row(&b, "step", "allocs", "more", "HTTP/1.1 time", "rate", "HTTP/2 time", "rate", "time without a socket")
	rule(&b, 7)
	before := r.cannedSteps[0]
	for i, s := range r.cannedSteps {
		more := s.median(byAllocs) - before.median(byAllocs)
		row(&b, s.name, allocs(s), fmt.Sprintf("%+.0f", more),
			ratio(r.steps[i], r.steps[0]), rate(r.busySteps[i], r.busySteps[0]),
			ratio(r.steps2[i], r.steps2[0]), rate(r.busySteps2[i], r.busySteps2[0]), ratio(s, r.cannedSteps[0]))
		before = s
	}

	fmt.Fprint(&b, "\n### Growth\n\nOne kii client, 8 callers, over TLS on HTTP/1.1.\n\n")
	row(&b, "calls so far", "allocs a call", "heap, KiB", "goroutines", "new connections")
	rule(&b, 4)
	for _, l := range r.growth {
		row(&b, fmt.Sprint(l.calls), fmt.Sprintf("%.1f", l.allocs), fmt.Sprint(l.heap>>10), fmt.Sprint(l.goroutines), fmt.Sprint(l.connections))
	}
	fmt.Fprintf(&b, "\n`kii.New` takes %.1f µs and starts %d goroutines. A call on a session that is over takes %d ns and %.0f allocations.\n",
		float64(r.local.construct)/1e3, r.local.goroutines, r.local.dead.Nanoseconds(), r.local.deadAllocs)

	if len(r.weights) == 0 {
		return b.String()
	}
	fmt.Fprint(&b, "\n### Weight\n\nA program that asks for one reset, built by `go build`: the modules linked into it, and its size.\n\n")
	row(&b, "program", "modules", "MB", "more than net/http alone")
	rule(&b, 3)
	for _, w := range r.weights {
		row(&b, w.name, fmt.Sprint(w.modules), fmt.Sprintf("%.2f", float64(w.size)/1e6), fmt.Sprintf("%+.2f MB", float64(w.size-r.weights[0].size)/1e6))
	}
	return b.String()
}

func row(b *strings.Builder, cells ...string) {
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

func rule(b *strings.Builder, numbers int) {
	fmt.Fprintf(b, "|---%s|\n", strings.Repeat("|---:", numbers))
}

func byAllocs(s sample) float64 { return s.allocs }

func allocs(r *runner) string { return fmt.Sprintf("%.0f", r.median(byAllocs)) }

func size(r *runner) string {
	return fmt.Sprintf("%.0f", r.median(func(s sample) float64 { return s.bytes }))
}

func micros(r *runner) string {
	return fmt.Sprintf("%.1f", r.median(func(s sample) float64 { return float64(s.perCall) / 1e3 }))
}

func perSecond(r *runner) string {
	return fmt.Sprintf("%.0f", r.median(func(s sample) float64 { return 1e9 / float64(s.perCall) }))
}

func ratio(r, floor *runner) string { return fmt.Sprintf("%.2f", r.ratio(floor)) }

func rate(r, floor *runner) string { return fmt.Sprintf("%.2f", 1/r.ratio(floor)) }

func connections(r *runner) string {
	most := int64(0)
	for _, s := range r.samples {
		most = max(most, s.connections)
	}
	return fmt.Sprint(most)
}

const (
	beginMark = "<!-- measured: written by go run . -write -->\n"
	endMark   = "<!-- end of measured -->\n"
)

// writeInto replaces what stands between the marks in the file.
func (r *report) writeInto(file string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	head, rest, begun := bytes.Cut(old, []byte(beginMark))
	_, tail, ended := bytes.Cut(rest, []byte(endMark))
	if !begun || !ended {
		return fmt.Errorf("%s lacks the marks between which to write", file)
	}
	text := fmt.Sprintf("%s%s\n%s%s%s", head, strings.TrimSpace(beginMark), r.markdown(), endMark, tail)
	return os.WriteFile(file, []byte(text), 0o644)
}

// processor returns the model name of the processor, which only Linux reports this way.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func loadAverage() string {
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(load), " ")
	return first
}
