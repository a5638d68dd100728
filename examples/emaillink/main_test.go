package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStoryRunsByItselfWithoutEnvironment(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), func(string) string { return "" }, strings.NewReader(""), &out))
	rest := out.String()
	for _, step := range []string{
		"Logged in with the old password", "accepted the request", "[EMAIL to", "opens the link",
		"*kii.SessionError", "Logged in with the new password",
	} {
		_, after, found := strings.Cut(rest, step)
		require.True(t, found, "step %q is missing or out of order", step)
		rest = after
	}
}
