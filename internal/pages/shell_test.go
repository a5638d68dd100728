package pages_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each file and package that a shell line names exists. The examples and the like are run here, the
// rest by .ci/lines.
func TestShellLinesWork(t *testing.T) {
	t.Parallel()
	lines := make(map[string]string) // and the page
	for name, page := range pages(t) {
		for _, block := range blocks(page, "sh") {
			for line := range strings.Lines(block) {
				lines[strings.TrimSpace(line)] = name
			}
		}
	}
	for _, row := range table(t, ".github/CONTRIBUTING.md", "To", "Run") {
		command, _, _ := strings.Cut(row[1], "`")
		lines[command] = ".github/CONTRIBUTING.md"
	}
	require.NotEmpty(t, lines)
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
	toolNames  = regexp.MustCompile(`go tool -modfile=(\S+) ([\w-]+)`)
)

func tryLine(t *testing.T, page, line string) error {
	if slices.Contains([]string{"go run ./examples/pin", "go run ./examples/emaillink", "go run ./examples/smslink", "go doc -all ."}, line) {
		return run(t, line)
	}
	folder := "."
	if m := folderFlag.FindStringSubmatch(line); m != nil {
		folder, line = m[1], "go "+strings.TrimPrefix(line, m[0])
	} else if !strings.Contains(line, "./") && !strings.HasPrefix(page, ".github/") {
		folder = path.Dir(page)
	}
	names, tools := testNames.FindStringSubmatch(line), toolNames.FindStringSubmatch(line)
	switch {
	case strings.HasPrefix(line, "go get "):
		return contains("go.mod", "module "+strings.TrimPrefix(line, "go get ")+"\n", "this is another module")
	case strings.HasPrefix(line, "go run github.com/go-kii/kii/"), strings.HasPrefix(line, "go install github.com/go-kii/kii/"):
		_, program, _ := strings.Cut(line, " github.com/go-kii/kii/")
		_, err := fs.Stat(repository, strings.TrimSuffix(program, "@latest")+"/main.go")
		return err
	case strings.HasPrefix(line, "E="):
		address, _ := strings.CutSuffix(strings.TrimPrefix(line, "E=http://"), "/emulator/v1")
		return contains("internal/emulator/options.go", `"`+address+`"`, "it listens elsewhere")
	case strings.HasPrefix(line, "curl "):
		return tryCurl(t, line)
	case strings.HasPrefix(line, "go run "):
		program, _, _ := strings.Cut(strings.TrimPrefix(line, "go run "), " ")
		_, err := fs.Stat(repository, path.Join(folder, program, "main.go"))
		return err
	case names != nil:
		found := packages.FindAllStringSubmatch(line, -1)
		files, err := fs.Glob(repository, path.Join(folder, found[len(found)-1][1], "*_test.go"))
		there := slices.ContainsFunc(files, func(file string) bool {
			return strings.Contains(read(t, file), "\nfunc "+names[1]+"(")
		})
		return cmp.Or(err, expect(there, "there is no such test"))
	case tools != nil:
		return contains(tools[1], "/"+tools[2]+"\n", "there is no such tool")
	case strings.HasPrefix(line, "go test "), strings.HasPrefix(line, "go vet "):
		found := packages.FindStringSubmatch(line)
		sources, err := fs.Glob(repository, path.Join(folder, strings.TrimSuffix(found[1], "..."), "*.go"))
		return cmp.Or(err, expect(len(sources) > 0, "there is no such package"))
	case strings.HasPrefix(line, "."):
		info, err := fs.Stat(repository, line)
		return cmp.Or(err, expect(err == nil && info.Mode()&0o111 != 0, "it cannot be run"))
	}
	return errors.New("this test does not know how to try it")
}

// tryCurl looks a call up in the description of the emulator's API.
func tryCurl(t *testing.T, line string) error {
	m := emulated.FindStringSubmatch(line)
	if m == nil {
		return errors.New("this is no call of the emulator's API")
	}
	var api struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(read(t, "internal/emulator/assets/openapi.json")), &api); err != nil {
		return err
	}
	_, there := api.Paths[m[2]][strings.ToLower(cmp.Or(m[1], "GET"))]
	return expect(there, "the API has no such call")
}

// contains returns an error unless a file holds a text.
func contains(name, text, otherwise string) error {
	file, err := fs.ReadFile(repository, name)
	return cmp.Or(err, expect(strings.Contains(string(file), text), otherwise))
}

func expect(holds bool, otherwise string) error {
	if holds {
		return nil
	}
	return errors.New(otherwise)
}

func run(t *testing.T, line string) error {
	t.Helper()
	words := strings.Fields(line)
	cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}
