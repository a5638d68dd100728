// Package pages_test checks what the pages and the package documentation tell their readers: that
// Go blocks compile, shell lines name what is there, links lead somewhere and tables are true.
package pages_test

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// repository is the root of the repository. All files are read through it, and no test changes the
// working directory: go test notes which files a test opens, relative to the test's folder, and
// takes a pass from its cache as long as these are the same.
var repository = os.DirFS("../..")

// read returns a file of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := fs.ReadFile(repository, name)
	require.NoError(t, err)
	return string(text)
}

// pages returns the text of every Markdown file of the repository, by path. Those that go mod
// vendor and npm put there are other people's.
func pages(t *testing.T) map[string]string {
	t.Helper()
	if _, err := fs.Stat(repository, "tools/go.mod"); err != nil {
		t.Skip("a module's zip holds no nested modules, which the pages speak of")
	}
	found := make(map[string]string)
	others := []string{".git", "node_modules", "vendor"}
	require.NoError(t, fs.WalkDir(repository, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains(others, d.Name()):
			return fs.SkipDir
		case path.Ext(name) == ".md":
			found[name] = read(t, name)
		}
		return nil
	}))
	require.Contains(t, found, "README.md")
	return found
}

var fence = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")

// blocks returns the fenced blocks of a language.
func blocks(page, language string) (found []string) {
	for _, m := range fence.FindAllStringSubmatch(page, -1) {
		if m[1] == language {
			found = append(found, m[2])
		}
	}
	return found
}

// table returns the rows of the one table of a page that has these columns, without backquotes
// around a cell.
func table(t *testing.T, name string, columns ...string) (rows [][]string) {
	t.Helper()
	inside, tables := false, 0
	for line := range strings.Lines(pages(t)[name]) {
		row := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		for i := range row {
			row[i] = strings.Trim(strings.TrimSpace(row[i]), "`")
		}
		switch {
		case !strings.HasPrefix(line, "|"):
			inside = false
		case slices.Equal(row, columns):
			inside = true
			tables++
		case inside && !strings.HasPrefix(line, "|-"):
			rows = append(rows, row)
		}
	}
	require.Equal(t, 1, tables, "%s: tables with the columns %v", name, columns)
	require.NotEmpty(t, rows)
	return rows
}
