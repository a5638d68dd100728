package pages_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// After a new measurement the README's sentence is to be changed: the message has its parts.
func TestREADMEsFiguresOfSpeedAreTheBenchmarks(t *testing.T) {
	t.Parallel()
	const page = "test/benchmarks/README.md"
	figures := make(map[string][]string) // by client: ratio, calls a second, connections
	for _, row := range table(t, page, "client", "HTTP/1.1 µs", "ratio", "allocs", "bytes", "HTTP/2 µs", "ratio", "allocs") {
		figures[row[0]] = []string{row[2]}
	}
	for _, row := range table(t, page, "client", "HTTP/1.1 calls/s", "rate", "connections", "HTTP/2 calls/s", "rate", "connections") {
		figures[row[0]] = append(figures[row[0]], row[1], row[3])
	}
	kii, plain := figures["**kii**"], figures["net/http, http.DefaultClient"]
	require.Len(t, kii, 3)
	require.Len(t, plain, 3)
	rate, err := strconv.ParseFloat(kii[1], 64)
	require.NoError(t, err)
	plainRate, err := strconv.ParseFloat(plain[1], 64)
	require.NoError(t, err)
	readme := strings.Join(strings.Fields(pages(t)["README.md"]), " ") // whatever the lines
	for _, part := range []string{
		kii[0] + " times as long as net/http used with care",
		"64 callers share " + kii[2] + " connections",
		fmt.Sprintf("%.0f times the calls per second", rate/plainRate),
	} {
		if !strings.Contains(readme, part) { // which is too long to print
			t.Errorf("README does not say: %s", part)
		}
	}
}
