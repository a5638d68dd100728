package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// demoSite is the site as it starts without flags, but in a test's hand.
func demoSite(t *testing.T) (*extra, config, *kii.Client) {
	t.Helper()
	cfg := defaults()
	cfg.url, _ = siteURL(origin, true, false)
	ex := inMemory(cfg)
	t.Cleanup(ex.close)
	client, err := kii.New(ex.appID, ex.appKey, kii.Site(ex.site))
	require.NoError(t, err)
	return ex, cfg, client
}

func TestDemoTellsTheOwnerAndBindsTheCodeToTheSite(t *testing.T) {
	t.Parallel()
	ex, cfg, client := demoSite(t)
	require.NoError(t, client.User.ResetPassword(t.Context(), "alice@example.com", kii.NotificationSMSPIN))
	sms := ex.panel().(demoPanel).Newest
	lines := strings.Split(sms.Text, "\n")
	assert.Equal(t, "@www.example.com #"+sms.PIN, lines[len(lines)-1], "as phones want it, to offer the code on this site only")
	pasted, ok := parsePIN(strings.ReplaceAll(sms.Text, "\n", "")) // as a browser pastes it into a line
	assert.True(t, ok)
	assert.Equal(t, sms.PIN, pasted)

	require.NoError(t, client.User.CompleteResetPassword(t.Context(), "alice@example.com", sms.PIN, new(newPassword)))
	told := ex.panel().(demoPanel).Newest
	assert.Contains(t, told.Text, "If that was not you, ask for a new password at https://www.example.com/forgot")
	assert.Contains(t, told.Text, cfg.support)
	assert.NotContains(t, told.Text, newPassword)
}

func TestDemoWantsTheSitesLeastLength(t *testing.T) {
	t.Parallel()
	ex, cfg, client := demoSite(t)
	require.NoError(t, client.User.ResetPassword(t.Context(), "alice@example.com", kii.NotificationSMSPIN))
	err := client.User.CompleteResetPassword(t.Context(), "alice@example.com", ex.panel().(demoPanel).Newest.PIN, new("seven77"))
	require.ErrorIs(t, err, kii.ErrPasswordTooShort)
	var portalSettings kiitest.Settings
	portal(&portalSettings, cfg)
	assert.Equal(t, cfg.minPassword, portalSettings.MinPasswordLength)
}

func TestDemoShowsTheNewestMessageBelowEachPage(t *testing.T) {
	t.Parallel()
	url := serve(t)
	fetch := func(path string) string {
		resp, err := http.Get(url + path)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, resp.StatusCode)
		assert.Contains(t, resp.Header.Get("Content-Security-Policy"), "connect-src 'self'")
		return string(body)
	}
	resp, err := http.PostForm(url+"/forgot", map[string][]string{"account": {"alice@example.com"}, "method": {"EMAIL"}})
	require.NoError(t, err)
	resp.Body.Close()
	assert.Eventually(t, func() bool { return strings.Contains(fetch("/demo/newest"), "Open the link") }, 10*time.Second, time.Millisecond)
	assert.Contains(t, fetch("/login"), "Open the link")
	assert.Contains(t, fetch("/demo"), "alice@example.com")
}
