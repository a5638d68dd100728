package pages_test

import (
	"encoding/json"
	"go/constant"
	"go/types"
	"io/fs"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
)

// An errorRow is a row of the table of codes.
type errorRow struct{ name, code, status, again, reveals string }

func errorRows(t *testing.T) (rows []errorRow) {
	t.Helper()
	for _, row := range table(t, "docs/errors.md", "Code and status", "When", "Whose fault", "Again?", "Reveals") {
		m := regexp.MustCompile("^(Err\\w+)`<br>`(\\w+)` (\\d{3}|any)$").FindStringSubmatch(row[0])
		require.NotNil(t, m, row[0])
		rows = append(rows, errorRow{m[1], m[2], m[3], row[3], row[4]})
	}
	return rows
}

func TestErrorTableHasARowForEachCode(t *testing.T) {
	t.Parallel()
	documented := make(map[string]string)
	for _, row := range errorRows(t) {
		assert.NotContains(t, documented, row.name, "a row each")
		documented[row.name] = row.code
		status, _ := strconv.Atoi(row.status)
		failed := &kii.APIError{StatusCode: status, Code: kii.ErrorCode(row.code)}
		assert.Equal(t, kii.OutcomeUnknown(failed), row.again == "find out first", "%s: again?", row.name)
		assert.Equal(t, kii.RevealsAccount(failed), row.reveals == "yes", "%s: reveals", row.name)
	}
	constants := make(map[string]string)
	scope := exported(t, "github.com/go-kii/kii").Scope()
	for _, name := range scope.Names() {
		if c, ok := scope.Lookup(name).(*types.Const); ok && strings.HasPrefix(name, "Err") {
			constants[name] = constant.StringVal(c.Val())
		}
	}
	assert.Equal(t, constants, documented, "the constants of errors.go, and the rows of docs/errors.md")
}

// The code of each constant reaches the caller, also where another would be taken for a gateway's,
// or for a secret with the same text.
func TestEachCodeIsKnown(t *testing.T) {
	t.Parallel()
	for _, row := range errorRows(t) {
		status, err := strconv.Atoi(row.status)
		if err != nil {
			continue // an answer of the library's own, to any status
		}
		mock := httpmock.NewMockTransport()
		mock.RegisterNoResponder(httpmock.NewStringResponder(status, `{"errorCode":"`+row.code+`"}`))
		client, err := kii.New("app-id", "app-key", kii.SiteJP, kii.WithHTTPClient(&http.Client{Transport: mock}))
		require.NoError(t, err)
		_, err = client.User.Login(t.Context(), "alice", row.code)
		assert.ErrorIs(t, err, kii.ErrorCode(row.code), "%s is missing in knownCodes, in reply.go", row.name)
	}
}

// The replies in testdata are Kii Cloud's as it documents them.
func TestErrorTablesStatusIsTheDocumentedReplys(t *testing.T) {
	t.Parallel()
	statuses := make(map[string]string)
	for _, row := range errorRows(t) {
		statuses[row.code] = row.status
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
