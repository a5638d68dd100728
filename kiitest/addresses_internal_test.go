package kiitest

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What stands in the table is what its head says, each country once and in order.
func TestCountriesAreWellFormed(t *testing.T) {
	t.Parallel()
	var names []string
	for line := range strings.Lines(countriesText) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		require.Regexp(t, `^[A-Z]{2} [1-9][0-9]{0,2}( (0|1|06|8\?|keep))?\n$`, line)
		names = append(names, line[:2])
	}
	require.True(t, slices.IsSorted(names))
	require.Len(t, slices.Compact(names), len(countries()))
	require.Greater(t, len(names), 180)
}

// Whatever a local number begins with, the international one ends with all of its digits, or with
// those after the trunk prefix.
func TestNoDigitOfALocalNumberIsLost(t *testing.T) {
	t.Parallel()
	for name, c := range countries() {
		for _, local := range []string{"212345678", "0212345678", "8123456789", "1612345678", "0612345678", "0161234567"} {
			number, ok := international(name + "-" + local)
			if !ok {
				continue
			}
			rest := strings.TrimPrefix(number, "+"+c.code)
			require.True(t, rest == local || c.trunk != "" && c.trunk+rest == local, "%s %s", name, local)
		}
	}
}
