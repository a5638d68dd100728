package kiitest

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTokensAreBounded(t *testing.T) {
	t.Parallel()
	s := NewServer(WithoutSocket())
	a := &account{}
	for i := range 2*maxTokens + 1 {
		issued := &token{value: strconv.Itoa(i)}
		if i%1000 == 0 { // most are anonymous, so that this takes no time
			issued.account = a
		}
		s.keep(issued)
		require.LessOrEqual(t, len(s.issued), 100_000)
		if i >= 90_000 && s.tokens[strconv.Itoa(i-90_000)] == nil {
			t.Fatalf("token %d is gone after 90,000 newer ones", i-90_000)
		}
	}
	require.LessOrEqual(t, len(s.tokens), maxTokens)
	require.LessOrEqual(t, len(a.tokens), maxTokens/1000)
	require.Contains(t, s.tokens, strconv.Itoa(2*maxTokens), "the newest lives")
	require.NotContains(t, s.tokens, "0", "the oldest is gone")
}
