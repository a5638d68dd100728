package pages_test

import (
	"bytes"
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
	"os"
	"os/exec"
	"path"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	_ "github.com/go-kii/kii/kiitest" // the blocks use it, so the tests are to run again when it changes
)

// example returns the program of the package's example, as pkg.go.dev shows it, and its output.
func example(t *testing.T) (program, output string) {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", read(t, "example_test.go"), parser.ParseComments)
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
	assert.Contains(t, blocks(page, "go"), program)
	assert.Contains(t, blocks(page, "text"), output)
}

// exports finds compiled packages for the type checker, the standard library's included.
var exports = sync.OnceValues(func() (map[string]string, error) {
	list := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", "./kiitest",
		"github.com/jarcoal/httpmock", "log", "testing/synctest")
	list.Dir = "../.."
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

// inFragment makes a file of a block: its declarations, or its statements with the names that they
// may use.
func inFragment(block, program string) string {
	if strings.HasPrefix(block, "package ") {
		return block
	}
	_, declarations, _ := strings.Cut(program, "\n)\n")
	file := "package main\n" +
		`import ("context"; "errors"; "fmt"; "io"; "log"; "log/slog"; "net/http"; "strconv"; "testing"; "testing/synctest"; "time"
		"github.com/go-kii/kii"; "github.com/go-kii/kii/kiitest"; "github.com/jarcoal/httpmock")` + declarations
	if strings.HasPrefix(block, "func ") || strings.HasPrefix(block, "type ") {
		return file + block
	}
	return file + `
	func fragment(t *testing.T, ctx context.Context, appID, appKey, clientID, clientSecret, id, pin, password, oldPassword, newPassword string) {
		var (client *kii.Client; session *kii.Session; srv *kiitest.Server; err error)
		{` + block + `}
	}`
}

func TestGoBlocksCompile(t *testing.T) {
	t.Parallel()
	program, _ := example(t)
	count := 0
	for name, page := range pages(t) {
		for _, block := range blocks(page, "go") {
			count++
			file := inFragment(block, program)
			assert.NoError(t, compile(t, file, file != block), "%s:\n%s", name, block)
		}
	}
	assert.NotZero(t, count)
}

func TestGoBlocksOfDocCommentsCompile(t *testing.T) {
	t.Parallel()
	program, _ := example(t)
	fset := token.NewFileSet()
	names, err := fs.Glob(repository, "*.go")
	require.NoError(t, err)
	doubles, err := fs.Glob(repository, "kiitest/*.go")
	require.NoError(t, err)
	count := make(map[string]int) // by folder
	for _, name := range append(names, doubles...) {
		file, err := parser.ParseFile(fset, name, read(t, name), parser.ParseComments)
		require.NoError(t, err)
		for _, group := range file.Comments {
			for _, content := range new(comment.Parser).Parse(group.Text()).Content {
				code, ok := content.(*comment.Code)
				if !ok || !strings.Contains(code.Text, "kii.") && !strings.Contains(code.Text, "kiitest.") {
					continue
				}
				count[path.Dir(name)]++
				block := regexp.MustCompile(`(?m)^kiitest\.Fault\{`).ReplaceAllString(code.Text, "_ = $0")
				if strings.HasPrefix(block, "errors.") { // expressions, one a line
					block = regexp.MustCompile(`(?m)^errors\.AsType`).ReplaceAllString(block, "_, _ = errors.AsType")
					block = regexp.MustCompile(`(?m)^errors\.Is`).ReplaceAllString(block, "_ = errors.Is")
				}
				assert.NoError(t, compile(t, inFragment(block, program), true), "%s:\n%s", name, code.Text)
			}
		}
	}
	assert.NotZero(t, count["."])
	assert.NotZero(t, count["kiitest"])
}

// A diagram's text is in the package comment too, as pkg.go.dev draws none.
func TestDiagramsHaveATextFormInThePackageComment(t *testing.T) {
	t.Parallel()
	comment, page := read(t, "doc.go"), pages(t)["docs/flows.md"]
	diagrams, texts := blocks(page, "mermaid"), blocks(page, "text")
	require.NotEmpty(t, diagrams)
	assert.Len(t, texts, len(diagrams))
	for _, text := range texts {
		assert.Contains(t, comment, "//\t"+strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n//\t"))
	}
}
