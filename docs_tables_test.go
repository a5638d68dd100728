package kii

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/doc"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/internal/transport"
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
		failed := &APIError{StatusCode: fromHTTP, Code: ErrorCode(code)}
		assert.Equal(t, map[bool]string{true: "unknown", false: "no"}[OutcomeUnknown(failed)], row[4], "%s: happened?", name)
		assert.Equal(t, RevealsAccount(failed), row[5] == "as on success", "%s: show", name)
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

// The status of a code is told at its constant and in the table.
func TestErrorTablesStatusIsTheConstants(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("errors.go")
	require.NoError(t, err)
	told := regexp.MustCompile(`// (\d{3}): .*\n\t(Err\w+) ErrorCode = `).FindAllStringSubmatch(string(source), -1)
	require.Len(t, told, len(knownCodes))
	for _, row := range table(pages(t)["README.md"], "Errors", 7)[1:] {
		for _, m := range told {
			assert.True(t, !strings.HasPrefix(row[0], m[2]+"`") || m[1] == row[1], "%s: %s or %s", row[0], m[1], row[1])
		}
	}
}

func TestOptionTableHasTheDefaults(t *testing.T) {
	t.Parallel()
	cfg := defaultConfig()
	want := map[string]string{
		"WithTimeout":      cfg.timeout.String(),
		"WithMaxRetries":   strconv.Itoa(cfg.maxRetries),
		"WithHTTPClient":   map[bool]string{true: "the library's own"}[cfg.httpClient.Transport == nil],
		"WithLogger":       map[bool]string{true: "silent"}[cfg.logger == nil],
		"WithUserAgent":    cfg.userAgent,
		"WithInsecureHTTP": map[bool]string{false: "off"}[cfg.insecureHTTP],
	}
	var options []string
	for _, name := range exported(t).Scope().Names() {
		if strings.HasPrefix(name, "With") {
			options = append(options, name)
		}
	}
	assert.ElementsMatch(t, options, slices.Collect(maps.Keys(want)))
	documented := make(map[string]string)
	for _, row := range table(pages(t)["README.md"], "Options and defaults", 3)[1:] {
		documented[row[0]] = row[1]
	}
	assert.Equal(t, want, documented)
}

func TestLimitTableIsTheTransports(t *testing.T) {
	t.Parallel()
	def := transport.DefaultTransport()
	source, err := os.ReadFile("internal/transport/roundtripper.go")
	require.NoError(t, err)
	dial := regexp.MustCompile(`net\.Dialer{Timeout: (\d+) \* time\.Second}`).FindStringSubmatch(string(source))
	require.NotNil(t, dial)
	require.Equal(t, def.MaxIdleConns, def.MaxIdleConnsPerHost)
	documented := make(map[string]string)
	for _, row := range table(pages(t)["README.md"], "Options and defaults", 2)[1:] {
		documented[row[0]] = row[1]
	}
	assert.Equal(t, map[string]string{
		"dial":                dial[1] + "s",
		"TLS handshake":       def.TLSHandshakeTimeout.String(),
		"reply, decompressed": fmt.Sprintf("%d KiB", transport.MaxReplyBytes>>10),
		"reply headers":       fmt.Sprintf("%d KiB", def.MaxResponseHeaderBytes>>10),
		"idle connections":    fmt.Sprintf("%d, for %s", def.MaxIdleConns, def.IdleConnTimeout),
		"redirects followed":  "0",
	}, documented)

	comment, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	cfg, told := defaultConfig(), strings.ReplaceAll(string(comment), "\n// ", " ")
	for _, number := range []string{
		fmt.Sprintf("up to %s times (see [WithMaxRetries])", map[int]string{2: "two"}[cfg.maxRetries]),
		fmt.Sprintf("a call ends within %.0f seconds", cfg.timeout.Seconds()),
		fmt.Sprintf("a dial within %s, a TLS handshake within %.0f.", dial[1], def.TLSHandshakeTimeout.Seconds()),
		fmt.Sprintf("up to %d KiB after decompression, its headers up to %d KiB", transport.MaxReplyBytes>>10, def.MaxResponseHeaderBytes>>10),
		fmt.Sprintf("%d idle connections are kept for %.0f seconds", def.MaxIdleConns, def.IdleConnTimeout.Seconds()),
	} {
		assert.Contains(t, told, number, "the package comment")
	}
}

func TestLogTableHasEachAttribute(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("kii.go")
	require.NoError(t, err)
	var written, documented []string
	for _, m := range regexp.MustCompile(`slog\.\w+\("(\w+)", `).FindAllStringSubmatch(string(source), -1) {
		written = append(written, m[1])
	}
	require.NotEmpty(t, written)
	for _, row := range table(pages(t)["README.md"], "Logs and traces", 2)[1:] {
		documented = append(documented, row[0])
	}
	assert.ElementsMatch(t, written, documented)
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

var file = regexp.MustCompile("`([\\w./-]+\\.go)`")

func TestArchitecturePageNamesEachFile(t *testing.T) {
	t.Parallel()
	page := pages(t)["ARCHITECTURE.md"]
	for folder, heading := range map[string]string{
		".": "Package kii", "internal/transport": "Package internal/transport", "kiitest": "Package kiitest",
		"cmd/kii-emulator": "Command kii-emulator", "internal/emulator": "Package internal/emulator", "examples/webapp": "Example webapp",
	} {
		var named, there []string
		for _, row := range table(page, heading, 2) {
			for _, m := range file.FindAllStringSubmatch("`"+row[0]+"`", -1) {
				if !strings.HasSuffix(m[1], "_test.go") {
					named = append(named, m[1])
				}
			}
		}
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		require.NoError(t, err)
		for _, f := range files {
			tested, isTest := strings.CutSuffix(filepath.Base(f), "_test.go")
			subject, _, _ := strings.Cut(tested, "_")
			switch {
			case !isTest:
				there = append(there, filepath.Base(f))
			case folder == "." && !slices.Contains(files, tested+".go"):
				named := strings.Contains(page, "`"+f+"`") || strings.Contains(page, "`"+subject+"_*_test.go`")
				assert.True(t, named, "%s is not named", f)
			}
		}
		assert.ElementsMatch(t, there, named, folder)
	}
	for _, file := range []string{"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "LICENSE", "go.mod", "go.sum"} {
		assert.True(t, strings.Contains(page, file), "%s is not named", file)
	}
}

func TestArchitecturePageNamesEachFolder(t *testing.T) {
	t.Parallel()
	var named, there []string
	for _, row := range table(pages(t)["ARCHITECTURE.md"], "Folders", 2)[1:] {
		for _, m := range regexp.MustCompile("`([\\w./-]+)`").FindAllStringSubmatch("`"+row[0]+"`", -1) {
			named = append(named, m[1])
		}
	}
	for _, pattern := range []string{"*", "cmd/*", "examples/*", "internal/*", "examples/internal/*"} {
		folders, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, folder := range folders {
			info, err := os.Stat(folder)
			require.NoError(t, err)
			grouped := slices.Contains([]string{".git", ".idea", ".vscode", "cmd", "examples", "internal", "examples/internal"}, folder)
			if info.IsDir() && !grouped {
				there = append(there, folder)
			}
		}
	}
	assert.ElementsMatch(t, there, named)
}

// A page that says which Go it takes says what go.mod says.
func TestREADMEsGoVersionIsGoMods(t *testing.T) {
	t.Parallel()
	mod, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(mod))[1]
	assert.Equal(t, 2, strings.Count(pages(t)["README.md"], version))
}

// The version that every request names is one that the changelog tells of.
func TestChangelogTellsOfTheUserAgentsVersion(t *testing.T) {
	t.Parallel()
	_, version, _ := strings.Cut(userAgent, "/")
	assert.Regexp(t, `(?m)^## \[`+regexp.QuoteMeta(version)+`\] - (Unreleased|\d{4}-\d\d-\d\d)$`, pages(t)["CHANGELOG.md"])
}
