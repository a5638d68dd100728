package promises_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
)

func TestATokenIsRenewedAMinuteBeforeItEnds(t *testing.T) {
	t.Parallel()
	for expiresIn, want := range map[string]time.Duration{
		"3600": 59 * time.Minute, `"3600"`: 59 * time.Minute, "null": 59 * time.Minute, "600": 9 * time.Minute, "61": 30500 * time.Millisecond,
		"2": time.Second, "0": 0, "-5": 0,
	} {
		t.Run(expiresIn, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := &tokenCloud{expiresIn: expiresIn}
				a := c.admin(t)
				require.NoError(t, disable(t.Context(), a))
				if want > 0 {
					time.Sleep(want - time.Millisecond)
					require.NoError(t, disable(t.Context(), a))
					assert.Equal(t, 1, c.fetches())
					time.Sleep(time.Millisecond)
				}
				require.NoError(t, disable(t.Context(), a))
				assert.Equal(t, 2, c.fetches())
			})
		})
	}
	c := &tokenCloud{expiresIn: "9223372036854775807"}
	a := c.admin(t)
	require.NoError(t, disable(t.Context(), a))
	require.NoError(t, disable(t.Context(), a))
	assert.Equal(t, 1, c.fetches())
}

// A machine whose clock is hours slow asks for a token that has ended to Kii Cloud, which the
// answer's own time tells.
func TestATokenIsAskedForByKiiCloudsClockIfThisMachinesIsWrong(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		ahead   time.Duration // Kii Cloud's clock
		status  int
		code    kii.ErrorCode
		fetches int
	}{
		"slow":                       {3 * time.Hour, 400, kii.ErrInvalidInput, 2},
		"fast":                       {-3 * time.Hour, 400, kii.ErrInvalidInput, 2},
		"right":                      {time.Second, 400, kii.ErrInvalidInput, 1},
		"slow, and a wrong secret":   {3 * time.Hour, 400, kii.ErrWrongCredentials, 1},
		"slow, and another refusal":  {3 * time.Hour, 403, "APP_DISABLED", 1},
		"slow, and an unknown cause": {3 * time.Hour, 503, "UNDEFINED_ERROR", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := &tokenCloud{}
				c.issue = func(_ *http.Request, n int) *http.Response {
					now := time.Now().Add(tt.ahead)
					var body struct{ ExpiresAt int64 }
					assert.NoError(t, json.Unmarshal([]byte(c.bodies[n-1]), &body))
					if end := time.UnixMilli(body.ExpiresAt).Sub(now); end > 0 && end <= time.Hour && n == 2 {
						return c.token(n)
					}
					r := refusal(tt.status, tt.code)
					r.Header.Set("Date", now.UTC().Format(http.TimeFormat))
					return r
				}
				err := disable(t.Context(), c.admin(t))
				assert.Equal(t, tt.fetches, c.fetches())
				assert.Equal(t, tt.fetches == 2, err == nil, "%v", err)
				assert.False(t, kii.OutcomeUnknown(err))
			})
		})
	}
}
