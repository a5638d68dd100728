package main

import (
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// BenchmarkStart is the time from the start of the process to its first answer.
func BenchmarkStart(b *testing.B) {
	_, err := binary()
	require.NoError(b, err)
	var slowest time.Duration
	for b.Loop() {
		begun := time.Now()
		p := startProgram(b)
		require.Equal(b, http.StatusOK, p.get("/ready", nil))
		slowest = max(slowest, time.Since(begun))
		b.StopTimer()
		p.stop(os.Interrupt)
		b.StartTimer()
	}
	b.ReportMetric(float64(slowest.Microseconds())/1000, "slowest-ms")
}

// BenchmarkResetStory is a whole story over the socket: ask for a PIN, read it by the JSON API, set
// the new password, and log in with it. The library's clients run beside the process, on the same
// cores.
func BenchmarkResetStory(b *testing.B) {
	p := startProgram(b, "-seed", writeSeed(b, `{"settings": {"resetFlow": "INPUT"}}`))
	user := p.client().User
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = 64
	ids := make(chan string, 64)
	for i := range cap(ids) {
		id := fmt.Sprintf("user-%d", i)
		require.Equal(b, http.StatusCreated, p.post("/users", fmt.Sprintf(`{"id":%q,"loginName":%q,"phone":"+8190123400%02d","phoneVerified":true,"password":"pass-0"}`, id, id, i)))
		ids <- id
	}
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for n := 0; pb.Next(); n++ {
			id := <-ids
			var m kiitest.Message
			password := fmt.Sprintf("pass-%d-%d", n, time.Now().UnixNano())
			err := user.ResetPassword(b.Context(), id, kii.NotificationSMSPIN)
			if err == nil {
				p.get("/messages/latest?purpose=reset-pin&to="+id, &m)
				err = user.CompleteResetPassword(b.Context(), id, m.PIN, &password)
			}
			if err == nil {
				_, err = user.Login(b.Context(), "LOGIN_NAME:"+id, password)
			}
			if err != nil {
				b.Errorf("a story fails: %v", err)
			}
			ids <- id
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "stories/s")
}
