package pages_test

import (
	"go/ast"
	"go/constant"
	"go/doc"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
)

// table returns the rows below a heading that have so many cells, without the table's head.
func table(page, heading string, cells int) (rows [][]string) {
	_, section, _ := strings.Cut(page, "\n## "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		row := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || len(row) != cells {
			continue
		}
		for i := range row {
			row[i] = strings.Trim(strings.TrimSpace(row[i]), "`")
		}
		rows = append(rows, row)
	}
	return rows
}

// exported is the package as its users see it.
func exported(t *testing.T) *types.Package {
	t.Helper()
	files, err := exports()
	require.NoError(t, err)
	importer := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) { return os.Open(files[path]) })
	pkg, err := importer.Import("github.com/go-kii/kii")
	require.NoError(t, err)
	return pkg
}

func TestErrorTableHasARowForEachCode(t *testing.T) {
	t.Parallel()
	rows := table(pages(t)["README.md"], "Errors", 7)[1:]
	documented := make(map[string]string)
	for _, row := range rows {
		name, code, _ := strings.Cut(row[0], "`<br>`")
		status := row[1]
		documented[name] = code
		fromHTTP, err := strconv.Atoi(status)
		assert.True(t, err == nil || status == "any", "%s: status %s", name, status)
		failed := &kii.APIError{StatusCode: fromHTTP, Code: kii.ErrorCode(code)}
		assert.Equal(t, map[bool]string{true: "unknown", false: "no"}[kii.OutcomeUnknown(failed)], row[4], "%s: happened?", name)
		assert.Equal(t, kii.RevealsAccount(failed), row[5] == "as on success", "%s: show", name)
	}
	constants := make(map[string]string)
	scope := exported(t).Scope()
	for _, name := range scope.Names() {
		if c, ok := scope.Lookup(name).(*types.Const); ok && strings.HasPrefix(name, "Err") {
			constants[name] = constant.StringVal(c.Val())
		}
	}
	assert.Equal(t, constants, documented)
	assert.Len(t, rows, len(constants), "a row each")
}

var link = regexp.MustCompile(`\[([^\]]+)\]\(([^)\s]+)\)`)

func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	all := pages(t)
	for path, page := range all {
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
			text, target := m[1], m[2]
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			file, anchor, _ := strings.Cut(target, "#")
			to := path
			if file != "" {
				to = filepath.Join(filepath.Dir(path), file)
			}
			found, err := os.ReadFile(to)
			if info, statErr := os.Stat(to); statErr == nil && info.IsDir() {
				err = nil
			}
			if !assert.NoError(t, err, "%s links to %s", path, target) {
				continue
			}
			if anchor != "" {
				assert.Contains(t, anchors(all[to]), anchor, "%s links to %s", path, target)
			}
			if regexp.MustCompile(`^(Test|Fuzz|Example)\w+$`).MatchString(text) {
				assert.Regexp(t, `(?m)^func `+text+`\(`, string(found), "%s says that %s is in %s", path, text, to)
			}
		}
	}
}

// anchors returns what GitHub makes of the headings.
func anchors(page string) (found []string) {
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(page, -1) {
		anchor := regexp.MustCompile(`[^\w -]`).ReplaceAllString(strings.ToLower(m[1]), "")
		found = append(found, strings.ReplaceAll(anchor, " ", "-"))
	}
	return found
}

func TestEachPromiseIsLinkedToATest(t *testing.T) {
	t.Parallel()
	rows := table(pages(t)["README.md"], "Promises", 3)[1:]
	require.Len(t, rows, 8)
	for _, row := range rows {
		assert.Regexp(t, `\[Test\w+\]\([\w/]+_test\.go\)`, row[2], "promise %s", row[0])
	}
}

// Every exported function, type and method has a runnable example, those apart that fmt, errors and
// slog call: the examples of their types show what they print.
func TestEachExportedNameHasAnExample(t *testing.T) {
	t.Parallel()
	shown := make(map[string]bool)
	names, err := filepath.Glob("example*_test.go")
	require.NoError(t, err)
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, e := range doc.Examples(file) {
			assert.True(t, e.Output != "" || e.EmptyOutput, "%s: the output of %s is not checked", name, e.Name)
			shown[e.Name] = true
			parts := strings.Split(e.Name, "_")
			if last := parts[len(parts)-1]; last != "" && !ast.IsExported(last) {
				shown[strings.Join(parts[:len(parts)-1], "_")] = true
			}
		}
	}
	scope := exported(t).Scope()
	for _, name := range scope.Names() {
		if !ast.IsExported(name) {
			continue
		}
		switch o := scope.Lookup(name).(type) {
		case *types.Func:
			assert.True(t, shown[name], "%s has no example", name)
		case *types.TypeName:
			assert.True(t, shown[name], "%s has no example", name)
			for m := range o.Type().(*types.Named).Methods() {
				if !slices.Contains([]string{"Error", "Unwrap", "String", "Format", "LogValue"}, m.Name()) && m.Exported() {
					assert.True(t, shown[name+"_"+m.Name()], "%s.%s has no example", name, m.Name())
				}
			}
		}
	}
}

func TestArchitecturePageNamesFoldersThatAreThere(t *testing.T) {
	t.Parallel()
	rows := table(pages(t)["ARCHITECTURE.md"], "Folders", 2)[1:]
	require.NotEmpty(t, rows)
	for _, row := range rows {
		for _, m := range regexp.MustCompile("`([\\w./-]+)`").FindAllStringSubmatch("`"+row[0]+"`", -1) {
			assert.DirExists(t, m[1])
		}
	}
}

// A page that says which Go it takes says what go.mod says.
func TestREADMEsGoVersionIsGoMods(t *testing.T) {
	t.Parallel()
	mod, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(mod))[1]
	assert.Equal(t, 2, strings.Count(pages(t)["README.md"], version))
}
