package emulator

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

// BenchmarkPage is a page over the socket with no and with the most messages.
func BenchmarkPage(b *testing.B) {
	for _, messages := range []int{0, 500, 10_000} {
		for _, path := range []string{"/", "/?q=is:pending", "/calls"} {
			b.Run(fmt.Sprintf("%d messages %s", messages, path), func(b *testing.B) {
				x := newTester(b)
				for range messages {
					x.askPIN()
				}
				for b.Loop() {
					if w := x.do(http.MethodGet, path, ""); w.Code != http.StatusOK {
						b.Fatalf("the page answers %d", w.Code)
					}
				}
			})
		}
	}
}

// BenchmarkSeed is reading a seed of as many users as are kept.
func BenchmarkSeed(b *testing.B) {
	x := newTester(b)
	for i := range maxUsers - 1 {
		_, err := x.put(kiitest.Account{ID: fmt.Sprintf("user-%d", i), LoginName: fmt.Sprintf("user-%d", i), Password: "pass"})
		require.NoError(b, err)
	}
	var data bytes.Buffer
	require.NoError(b, x.export().write(&data))
	for b.Loop() {
		_, err := readSeed("seed.json", data.Bytes())
		require.NoError(b, err)
	}
}
