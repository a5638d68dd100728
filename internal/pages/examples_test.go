package pages_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/doc"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

// exported is a package as its users see it.
func exported(t *testing.T, path string) *types.Package {
	t.Helper()
	files, err := exports()
	require.NoError(t, err)
	importer := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) { return os.Open(files[path]) })
	pkg, err := importer.Import(path)
	require.NoError(t, err)
	return pkg
}

// Each constant of a type that is listed is in the list. Nothing takes one that is left out.
func TestListsHaveEachConstant(t *testing.T) {
	t.Parallel()
	listed := map[string]string{
		"Assumption": fmt.Sprintf("%q", kiitest.Assumptions()),
		"Operation":  fmt.Sprintf("%q", kiitest.Operations()),
		"FaultKind":  fmt.Sprintf("%q", kiitest.FaultKinds()),
	}
	scope := exported(t, "github.com/go-kii/kii/kiitest").Scope()
	for _, name := range scope.Names() {
		c, ok := scope.Lookup(name).(*types.Const)
		if !ok {
			continue
		}
		if of, ok := c.Type().(*types.Named); ok && listed[of.Obj().Name()] != "" {
			assert.Contains(t, listed[of.Obj().Name()], c.Val().ExactString(), "kiitest.%ss() lacks %s", of.Obj().Name(), name)
		}
	}
}

var named = regexp.MustCompile(`\b(kii|kiitest)\.([A-Z]\w*)|` + "`(Err[A-Z]\\w*)`")

// The pages name nothing in text that the packages do not have. Names in Go blocks are the
// compiler's.
func TestPagesNameWhatThePackagesHave(t *testing.T) {
	t.Parallel()
	packages := map[string]*types.Scope{
		"kii":     exported(t, "github.com/go-kii/kii").Scope(),
		"kiitest": exported(t, "github.com/go-kii/kii/kiitest").Scope(),
	}
	for path, page := range pages(t) {
		for _, m := range named.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
			pkg, name := cmp.Or(m[1], "kii"), m[2]+m[3]
			assert.NotNil(t, packages[pkg].Lookup(name), "%s: %s.%s", path, pkg, name)
		}
	}
}

// Every exported function, type and method has a runnable example, those apart that fmt, errors and
// slog call: the examples of their types show what they print.
func TestEachExportedNameHasAnExample(t *testing.T) {
	t.Parallel()
	shown := make(map[string]bool)
	names, err := fs.Glob(repository, "example*_test.go")
	require.NoError(t, err)
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, read(t, name), parser.ParseComments)
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
	scope := exported(t, "github.com/go-kii/kii").Scope()
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
				if !slices.Contains([]string{"Error", "Is", "MarshalText", "Unwrap", "String", "Format", "LogValue"}, m.Name()) && m.Exported() {
					assert.True(t, shown[name+"_"+m.Name()], "%s.%s has no example", name, m.Name())
				}
			}
		}
	}
}
