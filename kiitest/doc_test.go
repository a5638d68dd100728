package kiitest

import (
	"go/parser"
	gotoken "go/token"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// docTable returns the words of the package comment's table below a heading, a row each.
func docTable(t *testing.T, heading string) (rows [][]string) {
	t.Helper()
	file, err := parser.ParseFile(gotoken.NewFileSet(), "doc.go", nil, parser.ParseComments)
	require.NoError(t, err)
	_, below, found := strings.Cut(file.Doc.Text(), "\n# "+heading+"\n")
	require.True(t, found)
	section, _, _ := strings.Cut(below, "\n# ")
	for line := range strings.Lines(section) {
		if row, isRow := strings.CutPrefix(line, "\t"); isRow {
			rows = append(rows, strings.Fields(row))
		}
	}
	return rows
}

func TestSupportTableIsWhatTheHandlersServe(t *testing.T) {
	t.Parallel()
	var documented, served []string
	operations := make(map[Operation]bool)
	for _, row := range docTable(t, "What is emulated") {
		operations[Operation(row[0])] = true
		documented = append(documented, strings.Join(row[:3], " "))
	}
	for _, r := range routes() {
		served = append(served, string(r.operation)+" "+r.method+" "+r.path)
	}
	served = append(served, "preflight OPTIONS *") // of any path
	login := slices.Index(served, "login POST /oauth2/token")
	served = slices.Insert(served, login, "refresh POST /oauth2/token", "anonymous-login POST /oauth2/token", "admin-login POST /oauth2/token") // told apart by their bodies
	require.ElementsMatch(t, served, documented)
	for _, o := range Operations() {
		require.True(t, operations[o], "%s has no row in doc.go", o)
	}
	require.Len(t, operations, len(Operations()))
}

func TestAssumedTableIsTheListOfAssumptions(t *testing.T) {
	t.Parallel()
	var documented []Assumption
	for _, row := range docTable(t, "ASSUMED") {
		documented = append(documented, Assumption(row[0]))
		require.Contains(t, row, "else", "%s says what is done otherwise", row[0])
	}
	require.Equal(t, Assumptions(), documented, "the list, and the table in doc.go")
}
