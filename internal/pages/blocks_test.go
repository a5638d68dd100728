package pages_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/doc"
	"go/doc/comment"
	goformat "go/format"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pages returns the text of every Markdown file of the repository, by path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	if _, err := os.Stat("tools/go.mod"); err != nil {
		t.Skip("a module's zip holds no nested modules, which the pages speak of")
	}
	found := make(map[string]string)
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git") {
			return fs.SkipDir
		}
		if filepath.Ext(path) == ".md" {
			text, err := os.ReadFile(path)
			found[path] = string(text)
			return err
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

// example returns the program of the package's example, as pkg.go.dev shows it, and its output.
func example(t *testing.T) (program, output string) {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "example_test.go", nil, parser.ParseComments)
	require.NoError(t, err)
	examples := doc.Examples(file)
	require.Len(t, examples, 1)
	require.NotNil(t, examples[0].Play)
	var b bytes.Buffer
	require.NoError(t, goformat.Node(&b, fset, examples[0].Play))
	return b.String(), examples[0].Output
}

func TestREADMEsProgramIsTheExample(t *testing.T) {
	t.Parallel()
	program, output := example(t)
	page := pages(t)["README.md"]
	assert.Equal(t, program, blocks(page, "go")[0])
	assert.Equal(t, output, blocks(page, "text")[0])
}

// exports finds compiled packages for the type checker, the standard library's included.
var exports = sync.OnceValues(func() (map[string]string, error) {
	list := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", "./kiitest", "testing/synctest", "log")
	out, err := list.Output()
	found := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		found[path] = file
	}
	return found, err
})

// compile checks a file. What a fragment leaves unused is passed over.
func compile(t *testing.T, source string, fragment bool) error {
	t.Helper()
	files, err := exports()
	require.NoError(t, err)
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "block.go", source, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	var failed error
	config := types.Config{
		Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(files[path]) }),
		Error: func(err error) {
			if e := err.(types.Error); failed == nil && (!e.Soft || !fragment) {
				failed = err
			}
		},
	}
	_, _ = config.Check("main", fset, []*ast.File{file}, nil)
	return failed
}

// inFragment makes a file of a block: its declarations, or its statements with the names they may use.
func inFragment(block, program string) string {
	if strings.HasPrefix(block, "package ") {
		return block
	}
	_, declarations, _ := strings.Cut(program, "\n)\n")
	file := "package main\n" +
		`import ("context"; "errors"; "fmt"; "log"; "net/http"; "testing"; "testing/synctest"; "time"
		"github.com/go-kii/kii"; "github.com/go-kii/kii/kiitest")` + declarations
	if strings.HasPrefix(block, "func ") {
		return file + block
	}
	return file + `
	func fragment(t *testing.T, ctx context.Context, appID, appKey, id, pin, password, oldPassword, newPassword string) {
		var (client *kii.Client; session *kii.Session; srv *kiitest.Server; err error)
		{` + block + `}
	}`
}

func TestGoBlocksCompile(t *testing.T) {
	t.Parallel()
	program, _ := example(t)
	count := 0
	for path, page := range pages(t) {
		for _, block := range blocks(page, "go") {
			count++
			file := inFragment(block, program)
			assert.NoError(t, compile(t, file, file != block), "%s:\n%s", path, block)
		}
	}
	assert.Greater(t, count, 5)
}

func TestGoBlocksOfDocCommentsCompile(t *testing.T) {
	t.Parallel()
	program, _ := example(t)
	fset := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	count := 0
	for _, name := range names {
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, group := range file.Comments {
			for _, content := range new(comment.Parser).Parse(group.Text()).Content {
				code, ok := content.(*comment.Code)
				if !ok || !strings.Contains(code.Text, "kii.") {
					continue
				}
				count++
				block := code.Text
				if strings.HasPrefix(block, "errors.") { // expressions, one a line
					block = regexp.MustCompile(`(?m)^errors\.AsType`).ReplaceAllString(block, "_, _ = errors.AsType")
					block = regexp.MustCompile(`(?m)^errors\.Is`).ReplaceAllString(block, "_ = errors.Is")
				}
				assert.NoError(t, compile(t, inFragment(block, program), true), "%s:\n%s", name, code.Text)
			}
		}
	}
	assert.Greater(t, count, 3)
}

// A diagram's text is in the package comment too, as pkg.go.dev draws none.
func TestDiagramsHaveATextFormInThePackageComment(t *testing.T) {
	t.Parallel()
	comment, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	page := pages(t)["README.md"]
	diagrams, texts := len(blocks(page, "mermaid")), 0
	for _, text := range blocks(page, "text")[1:] {
		texts++
		text = "//\t" + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n//\t")
		assert.Contains(t, string(comment), text)
	}
	assert.Equal(t, 4, diagrams)
	assert.Equal(t, diagrams, texts)
}

// Every line that a reader may type is run, or where that takes too long or needs a network, what
// it names is looked for.
func TestShellLinesWork(t *testing.T) {
	t.Parallel()
	lines := make(map[string]string) // and the page
	for path, page := range pages(t) {
		for _, block := range blocks(page, "sh") {
			for line := range strings.Lines(block) {
				lines[strings.TrimSpace(line)] = path
			}
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\|[^|]*\\| `([^`]+)`[^|]*\\|$").FindAllStringSubmatch(pages(t)["CONTRIBUTING.md"], -1) {
		lines[m[1]] = "CONTRIBUTING.md"
	}
	require.Greater(t, len(lines), 10)
	for _, line := range slices.Sorted(maps.Keys(lines)) {
		if err := tryLine(t, lines[line], line); err != nil {
			t.Errorf("%s: %s: %v", lines[line], line, err)
		}
	}
}

var (
	packages   = regexp.MustCompile(`(?:^| )(\.(?:/[\w./-]*)?)(?: |$)`)
	testNames  = regexp.MustCompile(`(?:-run|-fuzz) ((?:Test|Fuzz)\w+)`)
	folderFlag = regexp.MustCompile(`^go -C (\S+) `)
	emulated   = regexp.MustCompile(`^curl (?:-X (\w+) )?"?\$E(/[\w/-]+)`)
	toolNames  = regexp.MustCompile(`go tool -modfile=(\S+) (\w+)`)
)

func tryLine(t *testing.T, page, line string) error {
	if slices.Contains([]string{"go run ./examples/pin", "go run ./examples/emaillink", "go run ./examples/smslink", "go doc -all ."}, line) {
		return run(t, line)
	}
	folder := "."
	if m := folderFlag.FindStringSubmatch(line); m != nil {
		folder, line = m[1], "go "+strings.TrimPrefix(line, m[0])
	} else if !strings.Contains(line, "./") {
		folder = filepath.Dir(page)
	}
	names, tools := testNames.FindStringSubmatch(line), toolNames.FindStringSubmatch(line)
	switch {
	case strings.HasPrefix(line, "go get "):
		mod, err := os.ReadFile("go.mod")
		return cmp.Or(err, expect(strings.HasPrefix(string(mod), "module "+strings.TrimPrefix(line, "go get ")+"\n"), "this is another module"))
	case strings.HasPrefix(line, "go run github.com/go-kii/kii/"):
		_, err := os.Stat(strings.TrimSuffix(strings.TrimPrefix(line, "go run github.com/go-kii/kii/"), "@latest") + "/main.go")
		return err
	case strings.HasPrefix(line, "E="):
		flags, err := os.ReadFile("internal/emulator/options.go")
		address, _ := strings.CutSuffix(strings.TrimPrefix(line, "E=http://"), "/emulator/v1")
		return cmp.Or(err, expect(strings.Contains(string(flags), `"`+address+`"`), "it listens elsewhere"))
	case strings.HasPrefix(line, "curl "):
		return tryCurl(line)
	case strings.HasPrefix(line, "go run "):
		path, _, _ := strings.Cut(strings.TrimPrefix(line, "go run "), " ")
		sources, err := filepath.Glob(filepath.Join(folder, path, "main.go"))
		return cmp.Or(err, expect(len(sources) == 1, "there is no such program"))
	case names != nil:
		path := packages.FindAllStringSubmatch(line, -1)
		files, err := filepath.Glob(filepath.Join(folder, path[len(path)-1][1], "*_test.go"))
		found := slices.ContainsFunc(files, func(file string) bool {
			source, _ := os.ReadFile(file)
			return strings.Contains(string(source), "\nfunc "+names[1]+"(")
		})
		return cmp.Or(err, expect(found, "there is no such test"))
	case tools != nil:
		mod, err := os.ReadFile(tools[1])
		return cmp.Or(err, expect(strings.Contains(string(mod), "/"+tools[2]+"\n"), "there is no such tool"))
	case strings.HasPrefix(line, "go test "), strings.HasPrefix(line, "go vet "):
		path := packages.FindStringSubmatch(line)
		sources, err := filepath.Glob(filepath.Join(folder, strings.TrimSuffix(path[1], "..."), "*.go"))
		return cmp.Or(err, expect(len(sources) > 0, "there is no such package"))
	case strings.HasPrefix(line, "."):
		info, err := os.Stat(line)
		return cmp.Or(err, expect(err == nil && info.Mode()&0o111 != 0, "it cannot be run"))
	}
	return errors.New("this test does not know how to try it")
}

// tryCurl looks a call up in the description of the emulator's API.
func tryCurl(line string) error {
	m := emulated.FindStringSubmatch(line)
	if m == nil {
		return errors.New("this is no call of the emulator's API")
	}
	file, err := os.ReadFile("internal/emulator/assets/openapi.json")
	if err != nil {
		return err
	}
	var api struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(file, &api); err != nil {
		return err
	}
	_, there := api.Paths[m[2]][strings.ToLower(cmp.Or(m[1], "GET"))]
	return expect(there, "the API has no such call")
}

func expect(holds bool, otherwise string) error {
	if holds {
		return nil
	}
	return errors.New(otherwise)
}

func run(t *testing.T, line string) error {
	words := strings.Fields(line)
	out, err := exec.CommandContext(t.Context(), words[0], words[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}
