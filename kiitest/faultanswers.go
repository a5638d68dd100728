package kiitest

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// wait delays the call, or returns the error of the context that ended meanwhile.
func (f *Fault) wait(ctx context.Context) error {
	if f == nil || f.Delay == 0 {
		return nil
	}
	return sleep(ctx, f.Delay)
}

// handles reports whether the call takes effect.
func (f *Fault) handles() bool {
	return f == nil || f.Handled || f.Kind == FaultDelay
}

// answer puts the fault's answer in place of the real one, which is empty if the call was not
// handled.
func (f *Fault) answer(c *call, a answer) answer {
	if f == nil {
		return a
	}
	switch {
	case f.Kind == FaultDelay:
		c.because("a fault delayed it by %v", f.Delay)
	case a.status >= http.StatusBadRequest:
		c.because("a fault of kind %s took the place of the answer, %d", f.Kind, a.status)
	case f.Handled:
		c.because("a fault of kind %s took the place of the answer, %d, although the call took effect", f.Kind, a.status)
	default:
		c.because("a fault of kind %s took the place of the call, which had no effect", f.Kind)
	}
	const asJSON = "application/json"
	faked := answer{status: http.StatusOK}
	faked.set("Content-Type", asJSON)
	switch f.Kind {
	case FaultDelay:
		return a
	case FaultStatus:
		faked = answer{status: f.Status}
		if f.ErrorCode != "" {
			faked = failure(f.Status, "InjectedException", f.ErrorCode, "A fault of kiitest", nil)
		}
	case FaultRateLimit:
		faked = answer{status: http.StatusTooManyRequests}
	case FaultHTML:
		faked = answer{status: http.StatusOK, body: []byte("<!DOCTYPE html><title>Welcome</title><p>Please accept the terms of this network.</p>\n")}
		faked.set("Content-Type", "text/html; charset=utf-8")
	case FaultRedirect:
		faked = answer{status: http.StatusTemporaryRedirect}
		if f.Status != 0 {
			faked.status = f.Status
		}
		faked.set("Location", "https://elsewhere.invalid/")
		if f.Location != "" {
			faked.set("Location", f.Location)
		}
	case FaultRefused:
		return answer{lost: refusedDial()}
	case FaultNoAnswer:
		return answer{lost: brokenConnection()}
	case FaultCut:
		if len(a.body) > 1 {
			faked = a
		} else {
			faked.body = []byte(`{"cut":"in the middle of this"}`)
		}
		faked.cut = true
	case FaultEndless:
		faked.stream = io.LimitReader(io.MultiReader(bytes.NewReader([]byte(`{"endless":"`)), repeated{[]byte("and so on, ")}), endless)
	case FaultGzipBomb:
		faked.body = gzipBomb()
		faked.set("Content-Encoding", "gzip")
	case FaultContentType:
		if a.status != 0 {
			faked = a
		} else {
			faked.body = []byte("{}")
		}
		faked.set("Content-Type", "text/plain")
	}
	if f.RetryIn > 0 {
		faked.set("Retry-After", strconv.Itoa(int(f.RetryIn/time.Second)))
	}
	return faked
}

// endless is where FaultEndless ends nevertheless: what keeps all of it, such as an
// httptest.ResponseRecorder, would have the machine run out of memory.
const endless = 256 << 20

// repeated reads the same for ever.
type repeated struct{ text []byte }

func (r repeated) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		n += copy(p[n:], r.text)
	}
	return n, nil
}

// gzipBomb packs a gigabyte of blanks, once. A gzip file may consist of many, so one megabyte is
// packed and repeated.
var gzipBomb = sync.OnceValue(func() []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(bytes.Repeat([]byte(" "), 1<<20)) // a buffer takes all
	_ = w.Close()
	return bytes.Repeat(packed.Bytes(), 1<<10)
})
