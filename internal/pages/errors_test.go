package pages_test

import (
	"encoding/json"
	"go/constant"
	"go/types"
	"io/fs"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
)

func TestErrorTableHasARowForEachCode(t *testing.T) {
	t.Parallel()
	documented := make(map[string]string)
	for _, row := range table(t, "README.md", "Code", "HTTP", "When", "Fault of", "Happened", "Show", "Retry?") {
		name, code, _ := strings.Cut(row[0], "`<br>`")
		status := row[1]
		assert.NotContains(t, documented, name, "a row each")
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
}

// The replies in testdata are Kii Cloud's as it documents them.
func TestErrorTablesStatusIsTheDocumentedReplys(t *testing.T) {
	t.Parallel()
	statuses := make(map[string]string)
	for _, row := range table(t, "README.md", "Code", "HTTP", "When", "Fault of", "Happened", "Show", "Retry?") {
		_, code, _ := strings.Cut(row[0], "`<br>`")
		statuses[code] = row[1]
	}
	files, err := fs.Glob(repository, "testdata/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		var reply struct {
			Status int
			Body   struct{ ErrorCode string }
		}
		require.NoError(t, json.Unmarshal([]byte(read(t, file)), &reply))
		if want, ok := statuses[reply.Body.ErrorCode]; ok {
			assert.Equal(t, want, strconv.Itoa(reply.Status), "%s: %s", file, reply.Body.ErrorCode)
		}
	}
}
