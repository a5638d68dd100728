package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
)

// countEnv makes this program one whose instructions are counted: "the contestant's number, the
// calls".
const countEnv = "KII_BENCHMARKS_COUNT"

// countInstructions counts each contestant's instructions a call, by Valgrind's callgrind. Where
// there is no Valgrind, they stay unknown.
func countInstructions(ctx context.Context, runners []*runner, calls int) error {
	valgrind, err := exec.LookPath("valgrind")
	if err != nil || calls == 0 {
		return nil
	}
	for i, r := range runners {
		few, err := instructions(ctx, valgrind, i, calls)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		many, err := instructions(ctx, valgrind, i, 2*calls)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		r.instructions = float64(many-few) / float64(calls)
	}
	return nil
}

var collected = regexp.MustCompile(`Collected : (\d+)`)

// instructions returns those of a whole process that makes so many calls.
func instructions(ctx context.Context, valgrind string, contestant, calls int) (int64, error) {
	dir, err := os.MkdirTemp("", "kii-benchmarks")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, valgrind, "--tool=callgrind", "--callgrind-out-file="+filepath.Join(dir, "out"), self)
	// One thread without preemption, so that the count depends on chance as little as it can.
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d,%d", countEnv, contestant, calls), "GOMAXPROCS=1", "GODEBUG=asyncpreemptoff=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%w: %s", err, out)
	}
	found := collected.FindSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("callgrind printed no count: %s", out)
	}
	return strconv.ParseInt(string(found[1]), 10, 64)
}

// makeCounted is main of the process whose instructions are counted. Nothing is collected there,
// since when that happens is chance.
func makeCounted(order string) error {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(math.MaxInt64)
	number, calls, _ := strings.Cut(order, ",")
	i, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(calls)
	if err != nil {
		return err
	}
	runners, err := connectCanned(contestants[i : i+1])
	if err != nil {
		return err
	}
	return repeat(context.Background(), runners[0].ask, n, 1)
}
