package pages_test

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
)

// This test stands in docs/testing.md, and its beginning in the README.
func TestResetIsAccepted(t *testing.T) {
	const path = "/apps/app-id/users/EMAIL:alice%40example.com/password/request-reset"
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("POST", string(kii.SiteJP)+path,
		httpmock.NewStringResponder(http.StatusNoContent, ""))
	hc := &http.Client{Transport: mock}
	client, err := kii.New("app-id", "app-key", kii.SiteJP, kii.WithHTTPClient(hc))
	if err != nil {
		t.Fatal(err)
	}
	err = client.User.ResetPassword(t.Context(), "alice@example.com", kii.NotificationEmail)
	if err != nil {
		t.Error(err)
	}
}

func TestHTTPMockIsUsedAsThePagesShowIt(t *testing.T) {
	t.Parallel()
	self, err := os.ReadFile("httpmock_test.go")
	require.NoError(t, err)
	for _, page := range []string{"README.md", "docs/testing.md"} {
		found := 0
		for _, block := range blocks(pages(t)[page], "go") {
			if strings.Contains(block, "httpmock.") {
				found++
				assert.Contains(t, unindented(string(self)), unindented(block), page)
			}
		}
		assert.NotZero(t, found, page)
	}
}

func TestALoginIsMockedAsThePageSays(t *testing.T) {
	t.Parallel()
	m := regexp.MustCompile("login is a `(\\w+)` to `(\\S+)`, answered `(.+?)`").FindStringSubmatch(pages(t)["docs/testing.md"])
	require.NotNil(t, m)
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder(m[1], string(kii.SiteJP)+m[2], httpmock.NewStringResponder(http.StatusOK, m[3]))
	client, err := kii.New("app-id", "app-key", kii.SiteJP, kii.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(t, err)
	_, err = client.User.Login(t.Context(), "alice", "password")
	require.NoError(t, err)
}

func unindented(code string) string { return strings.ReplaceAll(code, "\t", "") }

// The pages warn of Activate: a client without a transport of its own asks what httpmock cannot
// see.
func TestHTTPMocksActivateInterceptsNothing(t *testing.T) {
	httpmock.Activate(t)
	httpmock.RegisterNoResponder(httpmock.NewStringResponder(http.StatusNoContent, ""))
	client, err := kii.New("app", "key", "http://127.0.0.1:1/api", kii.WithMaxRetries(0))
	require.NoError(t, err)
	require.Error(t, client.User.ResetPassword(t.Context(), "alice", kii.NotificationEmail))
	assert.Zero(t, httpmock.GetTotalCallCount())
}
