// Proof attacks the library's promises at length and prints the figures as Markdown. It fails if a
// promise does not hold. From the root of the module:
//
//	go run ./internal/proof                         # all of it, in about half an hour
//	go run ./internal/proof -fuzztime 10m           # each fuzz target for ten minutes, in two hours
//	go run ./internal/proof matrix                  # one part: matrix, fuzz or edits
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

var fuzztime = flag.String("fuzztime", "20s", "how long each fuzz target runs, as go test takes it")

type part struct {
	name  string
	prove func() (rows []string, err error)
}

func main() {
	flag.Parse()
	parts := []part{{"matrix", matrix}, {"fuzz", fuzz}, {"edits", edits}}
	for _, arg := range flag.Args() {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.name == arg }) {
			fmt.Fprintf(os.Stderr, "there is no part %q\n", arg)
			os.Exit(2)
		}
	}
	fmt.Print("| Attack | Result |\n|---|---|\n")
	failed := false
	for _, part := range parts {
		if flag.NArg() > 0 && !slices.Contains(flag.Args(), part.name) {
			continue
		}
		rows, err := part.prove()
		for _, row := range rows {
			fmt.Println(row)
		}
		if err != nil {
			failed = true
			fmt.Fprintf(os.Stderr, "%s: %v\n", part.name, err)
		}
	}
	if failed {
		os.Exit(1)
	}
}

var matrixLine = regexp.MustCompile(`matrix_test\.go:\d+: (.+?): (.+)`)

// matrix lets every operation meet every fault on every transport.
func matrix() ([]string, error) {
	out, err := run([]string{"KII_FULL_MATRIX=1"}, "test", "-count=1", "-timeout=1h", "-v", "-run=^TestFaultMatrix", "./internal/promises")
	if err != nil {
		return nil, err
	}
	var rows []string
	for _, figures := range matrixLine.FindAllStringSubmatch(out, -1) {
		rows = append(rows, fmt.Sprintf("| %s | %s |", figures[1], figures[2]))
	}
	if rows == nil {
		return nil, errors.New("the tests printed no figures")
	}
	return rows, nil
}

var (
	fuzzTarget = regexp.MustCompile(`(?m)^(?:(Fuzz\w+)|ok\s+(\S+).*)$`)
	fuzzExecs  = regexp.MustCompile(`execs: (\d+)`)
)

// fuzz gives each fuzz target its time, on one worker.
func fuzz() (rows []string, err error) {
	list, err := run(nil, "test", "-list=^Fuzz", "./...")
	if err != nil {
		return nil, err
	}
	var targets []string // of the package whose line comes next
	for _, line := range fuzzTarget.FindAllStringSubmatch(list, -1) {
		if line[1] != "" {
			targets = append(targets, line[1])
			continue
		}
		for _, target := range targets {
			out, runErr := run(nil, "test", "-run=^$", "-fuzz=^"+target+"$", "-fuzztime="+*fuzztime, "-fuzzminimizetime=10x", "-parallel=1", line[2])
			execs := fuzzExecs.FindAllStringSubmatch(out, -1)
			switch {
			case len(execs) == 0:
				err = errors.Join(err, fmt.Errorf("%s ran no input: %w", target, runErr))
			case runErr != nil && !endOfTime(out):
				err = errors.Join(err, fmt.Errorf("%s: %w", target, runErr))
			default:
				rows = append(rows, fmt.Sprintf("| `%s`, %s | %s inputs, 0 failures |", target, *fuzztime, execs[len(execs)-1][1]))
			}
		}
		targets = nil
	}
	return rows, err
}

var timeIsUp = regexp.MustCompile(`(?m)^\s+context deadline exceeded$`)

// endOfTime reports whether go test failed because its time ran out in the middle of an input.
func endOfTime(out string) bool {
	return timeIsUp.MatchString(out) && !strings.Contains(out, "Failing input") && !strings.Contains(out, "seed corpus entry")
}

var editsLine = regexp.MustCompile(`\d+ of \d+ edits caught`)

// edits breaks the code on purpose.
func edits() ([]string, error) {
	out, err := run(nil, "run", "./internal/mutate")
	if err != nil {
		return nil, err
	}
	figures := editsLine.FindString(out)
	if figures == "" {
		return nil, errors.New("no figures were printed")
	}
	return []string{"| promises broken in the code on purpose | " + figures + " |"}, nil
}

// run runs the go command and returns what it printed, which is shown as well if it fails.
func run(env []string, args ...string) (string, error) {
	fmt.Fprintln(os.Stderr, "go", strings.Join(args, " "))
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil && !endOfTime(string(out)) {
		_, _ = os.Stderr.Write(out)
	}
	return string(out), err
}
