// Command benchmarks compares kii with what its users would pick instead. Everything is asked of a
// server on loopback, in a process of its own; nothing leaves the machine, and it ends by itself.
//
//	go run .             prints the tables in Markdown
//	go run . -write      writes them into README.md, with machine and date
//	go run . -smoke      the same on so few calls that the figures mean nothing, in seconds
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"time"
)

func main() {
	if os.Getenv(roleEnv) != "" {
		serve()
		return
	}
	if order := os.Getenv(countEnv); order != "" {
		if err := makeCounted(order); err != nil {
			log.Fatal(err)
		}
		return
	}
	write := flag.Bool("write", false, "write the tables into README.md")
	short := flag.Bool("smoke", false, "make few calls")
	flag.Parse()
	log.SetFlags(0)
	p, names := full, []string{"nethttp", "resty", "kii", "gotrue", "cognito", "firebase"}
	if *short {
		p, names = smoke, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
	defer cancel()
	r, err := compare(ctx, p, names)
	if err != nil {
		log.Fatal(err)
	}
	if !*write {
		fmt.Print(r.markdown())
		return
	}
	if err := r.writeInto("README.md"); err != nil {
		log.Fatal(err)
	}
}

// compare measures all that p says.
func compare(ctx context.Context, p plan, weights []string) (*report, error) {
	srv, err := startServer(ctx)
	if err != nil {
		return nil, err
	}
	r := &report{plan: p, began: time.Now(), load: loadAverage()}
	// First, while no connection of another client is idle.
	if r.growth, err = grow(ctx, srv, p.growth); err != nil {
		return nil, err
	}
	type table struct {
		list                   []contestant
		into                   *[]*runner
		host                   string
		rounds, calls, callers int
	}
	for _, t := range []table{
		{contestants, &r.sequential, srv.HTTP1, p.sequentialRounds, p.sequential, 1},
		{contestants, &r.sequential2, srv.HTTP2, p.sequentialRounds, p.sequential, 1},
		{contestants, &r.concurrent, srv.HTTP1, p.concurrentRounds, p.concurrent, p.callers},
		{contestants, &r.concurrent2, srv.HTTP2, p.concurrentRounds, p.concurrent, p.callers},
		{steps, &r.steps, srv.HTTP1, p.sequentialRounds, p.sequential, 1},
		{steps, &r.steps2, srv.HTTP2, p.sequentialRounds, p.sequential, 1},
		{steps, &r.busySteps, srv.HTTP1, p.concurrentRounds, p.concurrent, p.callers},
		{steps, &r.busySteps2, srv.HTTP2, p.concurrentRounds, p.concurrent, p.callers},
	} {
		if *t.into, err = connectAll(t.list, "https://"+t.host); err != nil {
			return nil, err
		}
		if err := measure(ctx, *t.into, t.rounds, t.calls, t.callers, srv); err != nil {
			return nil, err
		}
	}
	for into, list := range map[*[]*runner][]contestant{&r.canned: contestants, &r.cannedSteps: steps} {
		if *into, err = connectCanned(list); err != nil {
			return nil, err
		}
		if err := measure(ctx, *into, p.cannedRounds, p.canned, 1, nil); err != nil {
			return nil, err
		}
	}
	if err := countInstructions(ctx, r.canned, p.counted); err != nil {
		return nil, err
	}
	if r.local, err = measureLocal(ctx); err != nil {
		return nil, err
	}
	if r.weights, err = weigh(ctx, weights); err != nil {
		return nil, err
	}
	r.took, r.loadAfter = time.Since(r.began), loadAverage()
	return r, nil
}
