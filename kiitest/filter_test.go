package kiitest_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

// What can match nothing is told apart from what matched nothing.
func TestFilterThatCanMatchNothingSaysSo(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]kiitest.Filter{
		"Filter.ID cannot be negative":    {ID: -1},
		"Filter.After cannot be negative": {After: -1},
		"Filter.Before cannot be":         {Before: -1},
		"Filter.To can name nobody":       {To: " 819012341234"}, // ?to=+819012341234
		"in a URL: %2B":                   {To: "PHONE: 819012341234"},
		"Filter.To can":                   {To: "PHONE:09012341234"},
		"Filter.To":                       {To: "a b@example.com"},
		"Filter.Channel must be EMAIL":    {Channel: "email"},
		"Filter.Purpose must be one of":   {Purpose: "RESET"},
		"Filter.State must be one of":     {State: "pending"},
	} {
		require.ErrorContains(t, f.Validate(), want)
		seen := new(fakeTest)
		srv := kiitest.NewServer(kiitest.WithTest(seen), kiitest.WithoutSocket())
		_, err := srv.WaitMessage(t.Context(), f)
		require.ErrorContains(t, err, want, "it does not wait for what cannot come")
		require.Empty(t, srv.FindMessages(f))
		srv.LatestMessages(f, 0, 9)
		srv.DeleteMessages(f)
		srv.VisitLinks(f)
		require.Len(t, seen.failures, 4)
		require.NotContains(t, seen.failures[0], "8190123", "no account is named")
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	srv, _ := start(t)
	for _, to := range []string{"alice", "x", "alice@example.com", "EMAIL:alice@example.com", "+819012341234", "PHONE:JP-09012341234", "LOGIN_NAME:alice", "86f3cdcf-950d-4f5a-8b3c-5a3d7b0c0f6e"} {
		_, err := srv.WaitMessage(done, kiitest.Filter{To: to, Channel: kiitest.SMS, Purpose: kiitest.ResetPIN, State: kiitest.Expired})
		require.Equal(t, context.Canceled, err)
	}
	require.ErrorContains(t, kiitest.Fault{Kind: kiitest.FaultHTML, User: " 819012341234"}.Validate(), "Fault.User can name nobody")
	seen := new(fakeTest)
	strict := kiitest.NewServer(kiitest.WithTest(seen), kiitest.WithoutSocket())
	strict.Calls("compleet-reset")
	strict.LatestCalls(1, "compleet-reset")
	require.Len(t, seen.failures, 2)
	require.Contains(t, seen.failures[0], `Calls: there is no operation "compleet-reset"; there are request-reset, complete-reset`)
}
