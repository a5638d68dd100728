package emulator

import (
	"fmt"
	"net/http"
	"testing"
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
