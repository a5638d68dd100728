package kii_test

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

var expired = time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)

func TestExpiryIsSaturatedSoThatItMarshals(t *testing.T) {
	t.Parallel()
	const longest = 9223372036 * time.Second // that a Duration holds, and 292 years
	for expiresIn, want := range map[string]time.Duration{
		`,"expires_in":3600`:                time.Hour,
		`,"expires_in":"3600"`:              time.Hour,
		`,"expires_in":3.6e3`:               time.Hour,
		`,"expires_in":0`:                   0,
		`,"expires_in":-5`:                  0,
		`,"expires_in":2147483647`:          2147483647 * time.Second,
		`,"expires_in":9223372036`:          longest,
		`,"expires_in":9223372037`:          longest,
		`,"expires_in":9223372036854775`:    longest, // documented
		`,"expires_in":148478248144076800`:  longest, // documented
		`,"expires_in":9223372036854775807`: longest,
		`,"expires_in":9223372036854775808`: longest,
		`,"expires_in":1e300`:               longest,
		`,"expires_in":1e999`:               longest,
		`,"expires_in":-1e999`:              0,
		`,"expires_in":null`:                -1, // never, as far as is known
		`,"expires_in":""`:                  -1,
		`,"expires_in":"soon"`:              -1,
		`,"expires_in":true`:                -1,
		`,"expires_in":[3600]`:              -1,
		`,"expires_in":{"seconds":3600}`:    -1,
		``:                                  -1,
	} {
		t.Run(expiresIn, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, replyOf(200, `{"id":"u","access_token":"t"`+expiresIn+`}`))
				s, err := c.User.Login(t.Context(), "alice", "password")
				require.NoError(t, err)
				token := s.Token()
				if want < 0 {
					assert.True(t, token.Expiry.IsZero())
				} else {
					assert.Equal(t, want, time.Until(token.Expiry))
				}
				data, err := json.Marshal(token)
				require.NoError(t, err)
				var again kii.Token
				require.NoError(t, json.Unmarshal(data, &again))
				assert.True(t, again == token, "the clock that is kept is the wall's")
			})
		})
	}
}

func TestTokenIsKeptAsJSON(t *testing.T) {
	t.Parallel()
	for want, token := range map[string]kii.Token{
		`{"access_token":"a"}`: {AccessToken: "a"},
		`{"user_id":"u","access_token":"a","refresh_token":"r","expiry":"2020-01-02T03:04:05Z"}`: {
			UserID: "u", AccessToken: "a", RefreshToken: "r", Expiry: expired,
		},
	} {
		data, err := json.Marshal(token)
		require.NoError(t, err)
		assert.Equal(t, want, string(data))
		var again kii.Token
		require.NoError(t, json.Unmarshal(data, &again))
		assert.True(t, again == token)
	}
}

// A monotonic clock stands still while a machine is suspended, and would differ from what was kept.
func TestTokenIsTheSameAfterJSON(t *testing.T) {
	t.Parallel()
	c := newCloud(t, documented(t, "Login_with_refresh_token"))
	s, err := c.User.Login(t.Context(), "alice", "password")
	require.NoError(t, err)
	data, err := json.Marshal(s.Token())
	require.NoError(t, err)
	var again kii.Token
	require.NoError(t, json.Unmarshal(data, &again))
	assert.True(t, again == s.Token())
}

// FuzzTokenReply: a Login is a session with a token that can be sent, or an *kii.APIError.
func FuzzTokenReply(f *testing.F) {
	for _, body := range []string{
		`{"id":"u","access_token":"t","expires_in":3600}`, `{"id":"u","access_token":"t","expires_in":2147483646000}`,
		`{"id":"u","access_token":"t","expires_in":1e400}`, `{"id":"u","access_token":"t","expires_in":-5}`,
		`{"id":"u","access_token":"a\nb"}`, `{"id":"","access_token":"t"}`, `null`, `{`, `{"id":1}`,
	} {
		f.Add(200, body)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		client, err := kii.New("app", "key", kii.SiteUS, kii.WithHTTPClient(&http.Client{Transport: canned{status, body}}))
		if err != nil {
			t.Fatal(err)
		}
		s, err := client.User.Login(t.Context(), "alice", "pass")
		if err != nil {
			if _, ok := err.(*kii.APIError); !ok || s != nil {
				t.Fatalf("%T", err)
			}
			return
		}
		token := s.Token()
		if status != 200 || token.UserID == "" || token.AccessToken == "" {
			t.Fatal("a session without a usable token")
		}
		if _, err := client.User.Resume(token); err != nil {
			t.Fatal("a token that cannot be resumed")
		}
		if _, err := token.Expiry.MarshalJSON(); err != nil {
			t.Fatal(err)
		}
	})
}
