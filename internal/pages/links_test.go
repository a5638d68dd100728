package pages_test

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	link     = regexp.MustCompile(`\[([^\]]+)\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"\s]+)"`)
	testName = regexp.MustCompile(`^(Test|Fuzz|Example)[A-Z]\w*$`)
	heading  = regexp.MustCompile(`(?m)^#+ (.+)$`)
	noAnchor = regexp.MustCompile(`[^\w -]`)
)

// A link that is named like a test leads to the file that holds it.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	all := pages(t)
	for name, page := range all {
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
			text, target := m[1], m[2]+m[3]
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			file, anchor, _ := strings.Cut(target, "#")
			to := name
			if file != "" {
				to = path.Join(path.Dir(name), file)
			}
			if _, err := fs.Stat(repository, to); !assert.NoError(t, err, "%s links to %s", name, target) {
				continue
			}
			if anchor != "" {
				assert.Contains(t, anchors(all[to]), anchor, "%s links to %s", name, target)
			}
			if testName.MatchString(text) {
				assert.Regexp(t, `(?m)^func `+text+`\(`, read(t, to), "%s says that %s is in %s", name, text, to)
			}
		}
	}
}

// anchors returns what GitHub makes of the headings.
func anchors(page string) (found []string) {
	for _, m := range heading.FindAllStringSubmatch(page, -1) {
		anchor := noAnchor.ReplaceAllString(strings.ToLower(m[1]), "")
		found = append(found, strings.ReplaceAll(anchor, " ", "-"))
	}
	return found
}

func TestEachPromiseIsLinkedToATest(t *testing.T) {
	t.Parallel()
	for _, row := range table(t, "docs/promises.md", "No.", "Promise", "Proved by") {
		assert.Regexp(t, `\[Test\w+\]\([\w./]+_test\.go\)`, row[2], "promise %s", row[0])
	}
}

func TestArchitecturePageNamesWhatIsThere(t *testing.T) {
	t.Parallel()
	const page = "docs/architecture.md"
	for _, row := range slices.Concat(table(t, page, "Folder", "What it is"), table(t, page, "File", "Subject")) {
		for name := range strings.SplitSeq(row[0], ", ") {
			_, err := fs.Stat(repository, strings.Trim(name, "`"))
			assert.NoError(t, err)
		}
	}
}

func TestREADMEsGoVersionIsGoMods(t *testing.T) {
	t.Parallel()
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "go.mod"))[1]
	named := regexp.MustCompile(`\bGo (\d+\.\d+)`).FindAllStringSubmatch(pages(t)["README.md"], -1)
	require.NotEmpty(t, named)
	for _, m := range named {
		assert.Equal(t, version, m[1])
	}
}

// The platforms that the README claims are those for which .ci/run vets or builds.
func TestREADMEsPlatformsAreThoseOfCI(t *testing.T) {
	t.Parallel()
	platform := regexp.MustCompile(`\b[a-z0-9]+/(?:386|amd64|arm64)\b`)
	named := platform.FindAllString(pages(t)["README.md"], -1)
	checked := platform.FindAllString(read(t, ".ci/run"), -1)
	checked = append(checked, "plan9/amd64") // by its two variables
	assert.Contains(t, read(t, ".ci/run"), "GOOS=plan9 GOARCH=amd64")
	assert.ElementsMatch(t, checked, named)
}
