package kiitest

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strconv"
	"time"
)

// wait delays the call, or returns the error of the context that ended meanwhile.
func (f *Fault) wait(ctx context.Context) error {
	if f == nil || f.Delay == 0 {
		return nil
	}
	return sleep(ctx, f.Delay)
}

// handles tells whether the call takes effect.
func (f *Fault) handles() bool {
	return f == nil || f.Handled || f.Kind == FaultDelay
}

// answer puts the fault's answer in place of the real one, which is empty where the call was not
// handled.
func (f *Fault) answer(a answer) answer {
	if f == nil {
		return a
	}
	const asJSON = "application/json"
	made := answer{status: http.StatusOK}
	made.set("Content-Type", asJSON)
	switch f.Kind {
	case FaultDelay:
		return a
	case FaultStatus:
		made = answer{status: f.Status}
		if f.ErrorCode != "" {
			made = failure(f.Status, "InjectedException", f.ErrorCode, "A fault of kiitest", nil)
		}
	case FaultRateLimit:
		made = answer{status: http.StatusTooManyRequests}
	case FaultHTML:
		made = answer{status: http.StatusOK, body: []byte("<!DOCTYPE html><title>Welcome</title><p>Please accept the terms of this network.</p>\n")}
		made.set("Content-Type", "text/html; charset=utf-8")
	case FaultRedirect:
		made = answer{status: http.StatusTemporaryRedirect}
		if f.Status != 0 {
			made.status = f.Status
		}
		made.set("Location", "https://elsewhere.invalid/")
		if f.Location != "" {
			made.set("Location", f.Location)
		}
	case FaultRefused:
		return answer{lost: refusedDial()}
	case FaultNoAnswer:
		return answer{lost: brokenConnection()}
	case FaultCut:
		if len(a.body) > 1 {
			made = a
		} else {
			made.body = []byte(`{"cut":"in the middle of this"}`)
		}
		made.cut = true
	case FaultEndless:
		made.stream = io.MultiReader(bytes.NewReader([]byte(`{"endless":"`)), repeated{[]byte("and so on, ")})
	case FaultGzipBomb:
		made.body = gzipBomb()
		made.set("Content-Encoding", "gzip")
	case FaultContentType:
		if a.status != 0 {
			made = a
		} else {
			made.body = []byte("{}")
		}
		made.set("Content-Type", "text/plain")
	}
	if f.RetryIn > 0 {
		made.set("Retry-After", strconv.Itoa(int(f.RetryIn/time.Second)))
	}
	return made
}

// repeated reads the same for ever.
type repeated struct{ text []byte }

func (r repeated) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		n += copy(p[n:], r.text)
	}
	return n, nil
}

// gzipBomb packs a gigabyte of blanks. A gzip file may consist of many, so one megabyte is packed
// and repeated.
func gzipBomb() []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write(bytes.Repeat([]byte(" "), 1<<20))
	w.Close()
	return bytes.Repeat(packed.Bytes(), 1<<10)
}
