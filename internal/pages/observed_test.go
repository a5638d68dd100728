package pages_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/internal/transport"
)

// What the pages say of a client's behaviour is compared with what a client does.

// tripper is a RoundTripper that is a function.
type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// ask makes one call through rt and returns its error.
func ask(t *testing.T, rt tripper, opts ...kii.Option) error {
	t.Helper()
	client, err := kii.New("app", "key", kii.SiteUS, append(opts, kii.WithHTTPClient(&http.Client{Transport: rt}))...)
	require.NoError(t, err)
	return client.User.ResetPassword(t.Context(), "alice", kii.NotificationEmail)
}

// userAgent returns the User-Agent of a client without options.
func userAgent(t *testing.T) (agent string) {
	t.Helper()
	require.NoError(t, ask(t, func(req *http.Request) (*http.Response, error) {
		agent = req.Header.Get("User-Agent")
		return httpmock.NewStringResponse(http.StatusNoContent, ""), nil
	}))
	return agent
}

// docs/errors.md tells how a page learns that an id is refused before Kii Cloud is asked.
func TestAnIDIsRefusedAlsoWhenTheContextIsCancelled(t *testing.T) {
	t.Parallel()
	client, err := kii.New("app", "key", "http://127.0.0.1:1/api")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for id, refused := range map[string]bool{"alice@example.com": false, "alice@@example.com": true, "": true} {
		err := client.User.ResetPassword(ctx, id, kii.NotificationEmail)
		_, is := errors.AsType[*kii.ArgumentError](err)
		assert.Equal(t, refused, is, id)
		assert.False(t, kii.OutcomeUnknown(err), id)
	}
}

func TestOptionTableHasTheDefaults(t *testing.T) {
	t.Parallel()
	var timeout time.Duration
	attempts := 0
	synctest.Test(t, func(t *testing.T) {
		err := ask(t, func(req *http.Request) (*http.Response, error) {
			if attempts++; attempts == 1 {
				deadline, _ := req.Context().Deadline()
				timeout = time.Until(deadline)
			}
			return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
		})
		require.Error(t, err)
	})
	_, err := kii.New("app", "key", "http://kii.example.com/api")
	require.Error(t, err, "plain http is off")
	want := map[string]string{
		"WithTimeout":      timeout.String(),
		"WithMaxRetries":   strconv.Itoa(attempts - 1),
		"WithHTTPClient":   "the library's own",
		"WithLogger":       "silent",
		"WithUserAgent":    userAgent(t),
		"WithInsecureHTTP": "off",
	}
	var options []string
	for _, name := range exported(t, "github.com/go-kii/kii").Scope().Names() {
		if strings.HasPrefix(name, "With") {
			options = append(options, name)
		}
	}
	documented := make(map[string]string)
	for _, row := range table(t, "docs/options.md", "Option", "Default", "What it does") {
		documented[row[0]] = row[1]
	}
	assert.Equal(t, want, documented)
	assert.Len(t, documented, len(options), "a row each")
}

func TestLimitTableIsTheTransports(t *testing.T) {
	t.Parallel()
	def := transport.DefaultTransport()
	require.Equal(t, def.MaxIdleConns, def.MaxIdleConnsPerHost)
	documented := make(map[string]string)
	for _, row := range table(t, "docs/options.md", "Limit", "Value") {
		documented[row[0]] = row[1]
	}
	assert.Equal(t, map[string]string{
		"dial":                transport.DialTimeout.String(),
		"TLS handshake":       def.TLSHandshakeTimeout.String(),
		"reply, decompressed": fmt.Sprintf("%d KiB", transport.MaxReplyBytes>>10),
		"reply headers":       fmt.Sprintf("%d KiB", def.MaxResponseHeaderBytes>>10),
		"idle connections":    fmt.Sprintf("%d, for %s", def.MaxIdleConns, def.IdleConnTimeout),
		"redirects followed":  "0",

		"an HTTP/2 connection on which nothing comes": fmt.Sprintf("a ping after %s, and %s for its answer", def.HTTP2.SendPingTimeout, def.HTTP2.PingTimeout),
		"an HTTP/2 connection that takes no bytes":    def.HTTP2.WriteByteTimeout.String(),
	}, documented)
}

// Outside the table, too, the time that an idle connection is kept is the transport's.
func TestIdleTimeIsTheTransportsInProse(t *testing.T) {
	t.Parallel()
	kept := fmt.Sprintf("%.0f seconds", transport.DefaultTransport().IdleConnTimeout.Seconds())
	for name, before := range map[string]string{
		"kii.go":          "they close by themselves after ",
		"doc.go":          "idle connections are kept for ",
		"docs/options.md": "closes its connections before their ",
	} {
		assert.Contains(t, read(t, name), before+kept, name)
	}
}

func TestLogTableHasEachAttribute(t *testing.T) {
	t.Parallel()
	written := make(map[string]bool)
	for _, answer := range []tripper{
		func(*http.Request) (*http.Response, error) {
			resp := httpmock.NewStringResponse(http.StatusTooManyRequests, "")
			resp.Header.Set("Retry-After", "7")
			return resp, nil
		},
		func(*http.Request) (*http.Response, error) { return httpmock.NewStringResponse(200, "<html>"), nil },
		func(*http.Request) (*http.Response, error) { return nil, errors.New("lost") },
	} {
		var log bytes.Buffer
		require.Error(t, ask(t, answer, kii.WithLogger(slog.New(slog.NewJSONHandler(&log, nil)))))
		var record map[string]any
		require.NoError(t, json.Unmarshal(log.Bytes(), &record))
		for key := range record {
			written[key] = !slices.Contains([]string{slog.TimeKey, slog.LevelKey, slog.MessageKey}, key)
		}
	}
	documented := make(map[string]bool)
	for _, own := range []string{slog.TimeKey, slog.LevelKey, slog.MessageKey} {
		documented[own] = false
	}
	for _, row := range table(t, "docs/tracing.md", "Attribute", "What it is") {
		documented[row[0]] = true
	}
	assert.Equal(t, written, documented)
}

// The version that every request names has a section in the changelog.
func TestChangelogTellsOfTheUserAgentsVersion(t *testing.T) {
	t.Parallel()
	_, version, _ := strings.Cut(userAgent(t), "/")
	assert.Regexp(t, `(?m)^## \[`+regexp.QuoteMeta(version)+`\] - (Unreleased|\d{4}-\d\d-\d\d)$`, pages(t)["CHANGELOG.md"])
}
