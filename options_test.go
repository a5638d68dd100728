package kii_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
)

func TestOptionsNameTheArgumentTheyRefuse(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		opt  kii.Option
		name string
	}{
		"no client":                     {kii.WithHTTPClient(nil), "hc"},
		"a negative time-out of client": {kii.WithHTTPClient(&http.Client{Timeout: -1}), "hc"},
		"a time-out of zero":            {kii.WithTimeout(0), "d"},
		"a negative time-out":           {kii.WithTimeout(-time.Second), "d"},
		"negative retries":              {kii.WithMaxRetries(-1), "n"},
		"a client of a nil transport":   {kii.WithHTTPClient(&http.Client{Transport: (*http.Transport)(nil)}), "hc"},
		"a client of a nil function":    {kii.WithHTTPClient(&http.Client{Transport: tripper(nil)}), "hc"},
		"no logger":                     {kii.WithLogger(nil), "l"},
		"a logger without a handler":    {kii.WithLogger(&slog.Logger{}), "l"},
		"a logger of a nil handler":     {kii.WithLogger(slog.New((*panicking)(nil))), "l"},
		"an empty product":              {kii.WithUserAgent(""), "product"},
		"a product on two lines":        {kii.WithUserAgent("a/1\r\nX: y"), "product"},
		"a product with a space":        {kii.WithUserAgent("a/1 "), "product"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := kii.New("appId", "appKey", kii.SiteUS, tt.opt, kii.WithTimeout(time.Second))
			assertArgument(t, tt.name, err)
		})
	}
}

func TestOfTwoOptionsOfAKindTheLastWins(t *testing.T) {
	t.Parallel()
	c := newCloud(t, replyOf(204, ""), replyOf(204, ""))
	require.NoError(t, c.User.ResetPassword(t.Context(), "alice", kii.NotificationEmail))
	own := c.last(t).header.Get("User-Agent")
	assert.Regexp(t, `^kii-go/\d+\.\d+\.\d+$`, own)

	client := newClient(t, c.mock, kii.WithUserAgent("a/1"), kii.WithTimeout(time.Nanosecond), kii.WithUserAgent("b/2"), kii.WithTimeout(time.Minute))
	require.NoError(t, client.User.ResetPassword(t.Context(), "alice", kii.NotificationEmail))
	assert.Equal(t, "b/2 "+own, c.last(t).header.Get("User-Agent"))
}

func TestHTTPClientLendsItsTransportAndTimeoutAndNothingElse(t *testing.T) {
	t.Parallel()
	cookie := replyOf(204, "")
	cookie.header = http.Header{"Set-Cookie": {"session=1; Path=/"}}
	redirect := replyOf(307, "")
	redirect.header = http.Header{"Location": {"https://api.kii.com/elsewhere"}}
	c := newCloud(t, cookie, redirect)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	hc := &http.Client{Transport: c.mock, Jar: jar, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error {
		t.Error("CheckRedirect was asked")
		return nil
	}}
	client, err := kii.New("appId", "appKey", kii.SiteUS, kii.WithHTTPClient(hc))
	require.NoError(t, err)
	require.NoError(t, client.User.ResetPassword(t.Context(), "alice", kii.NotificationEmail))
	require.ErrorIs(t, client.User.ResetPassword(t.Context(), "alice", kii.NotificationEmail), kii.ErrUnexpectedReply)
	assert.NotContains(t, c.last(t).header, "Cookie")
	assert.True(t, hc.Transport == http.RoundTripper(c.mock) && hc.Jar == http.CookieJar(jar) && hc.CheckRedirect != nil && hc.Timeout == time.Minute,
		"the caller's client is as it was")
}

func TestDefaultClientAndTransportAreLeftAlone(t *testing.T) {
	t.Parallel()
	before := http.DefaultTransport
	client, err := kii.New("appId", "appKey", "http://127.0.0.1:1", kii.WithHTTPClient(http.DefaultClient), kii.WithMaxRetries(0))
	require.NoError(t, err)
	require.Error(t, client.User.ResetPassword(t.Context(), "alice", kii.NotificationEmail))
	assert.True(t, http.DefaultClient.Transport == nil && http.DefaultClient.CheckRedirect == nil && http.DefaultClient.Timeout == 0)
	assert.Same(t, before, http.DefaultTransport)
	assert.Zero(t, before.(*http.Transport).MaxIdleConnsPerHost)
}

func TestEveryCallHasADeadline(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		opts    []kii.Option
		attempt time.Duration // the http.Client's
		context time.Duration
		want    time.Duration
	}{
		"by default":            {nil, 0, time.Hour, 30 * time.Second},
		"by option":             {[]kii.Option{kii.WithTimeout(3 * time.Second)}, 0, time.Hour, 3 * time.Second},
		"by the context":        {[]kii.Option{kii.WithTimeout(3 * time.Second)}, 0, time.Second, time.Second},
		"by the client's":       {nil, 2 * time.Second, time.Hour, 2 * time.Second},
		"by the client's later": {nil, time.Hour, time.Hour, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t)
				c.mock.RegisterNoResponder(silence)
				client, err := kii.New("appId", "appKey", kii.SiteUS, append(tt.opts, kii.WithHTTPClient(&http.Client{Transport: c.mock, Timeout: tt.attempt}))...)
				require.NoError(t, err)
				ctx, cancel := context.WithTimeout(t.Context(), tt.context)
				defer cancel()
				start := time.Now()
				err = client.User.ResetPassword(ctx, "alice", kii.NotificationEmail)
				assert.Equal(t, tt.want, time.Since(start))
				assert.ErrorIs(t, err, context.DeadlineExceeded)
				assert.True(t, kii.OutcomeUnknown(err))
			})
		})
	}
}

func TestMaxRetriesCountsTheAttemptsAfterTheFirst(t *testing.T) {
	t.Parallel()
	for want, opts := range map[int][]kii.Option{
		1: {kii.WithMaxRetries(0)},
		3: nil,
		5: {kii.WithMaxRetries(1), kii.WithMaxRetries(4)},
	} {
		synctest.Test(t, func(t *testing.T) {
			attempts := 0
			c := newCloud(t)
			c.mock.RegisterNoResponder(func(*http.Request) (*http.Response, error) {
				attempts++
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
			})
			err := newClient(t, c.mock, opts...).User.ResetPassword(t.Context(), "alice", kii.NotificationEmail)
			assert.Equal(t, want, attempts)
			failure, ok := errors.AsType[*kii.TransportError](err)
			require.True(t, ok)
			assert.True(t, failure.NotSent)
		})
	}
}

func TestLoggerGetsOneRecordACall(t *testing.T) {
	t.Parallel()
	limited := replyOf(429, `{"error":"slow_down"}`)
	limited.header = http.Header{"Retry-After": {"90"}}
	tests := []struct {
		name  string
		reply reply
		min   slog.Level
		want  string
	}{
		{"success", replyOf(204, ""), slog.LevelDebug, `level=DEBUG msg="kii call" op=ResetPassword status=204 attempts=1 host=api.kii.com`},
		{"success, not asked for", replyOf(204, ""), slog.LevelInfo, ""},
		{
			"refusal", documented(t, "ResetPassword_user_not_found"), slog.LevelInfo, `level=INFO msg="kii call" op=ResetPassword status=404 ` +
				`error="kii: ResetPassword: 404 USER_NOT_FOUND" outcome_unknown=false code=USER_NOT_FOUND attempts=1 host=api.kii.com`,
		},
		{"refusal, not asked for", documented(t, "ResetPassword_user_not_found"), slog.LevelWarn, ""},
		{
			"limited", limited, slog.LevelInfo, `level=INFO msg="kii call" op=ResetPassword status=429 ` +
				`error="kii: ResetPassword: 429 TOO_MANY_REQUESTS" outcome_unknown=false code=TOO_MANY_REQUESTS retry_after=1m30s attempts=1 host=api.kii.com`,
		},
		{
			"unknown", replyOf(200, "<html>"), slog.LevelWarn, `level=WARN msg="kii call" op=ResetPassword status=200 ` +
				`error="kii: ResetPassword: 200 UNEXPECTED_REPLY: a body where none belongs, the outcome is unknown" outcome_unknown=true code=UNEXPECTED_REPLY reason="a body where none belongs" attempts=1 host=api.kii.com`,
		},
		{
			"a 503", documented(t, "ResetPassword_unavailable"), slog.LevelWarn, `level=WARN msg="kii call" op=ResetPassword status=503 ` +
				`error="kii: ResetPassword: 503 RESOURCE_TEMPORARILY_UNAVAILABLE, the outcome is unknown" outcome_unknown=true code=RESOURCE_TEMPORARILY_UNAVAILABLE attempts=1 host=api.kii.com`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			withoutTimes := func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey || a.Key == "duration" {
					return slog.Attr{}
				}
				return a
			}
			logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: tt.min, ReplaceAttr: withoutTimes}))
			c := newCloud(t, tt.reply)
			err := newClient(t, c.mock, kii.WithLogger(logger)).User.ResetPassword(t.Context(), "nobody@kii.com", kii.NotificationEmail)
			assert.Equal(t, tt.reply.Status != 204, err != nil)
			assert.Equal(t, tt.want, strings.TrimSpace(out.String()))
		})
	}
}

func TestLoggerTellsOfACallWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	expired, stop := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer stop()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tt := range map[string]struct {
		ctx     context.Context
		answer  tripper
		level   string
		unknown bool
		rest    string
	}{
		"cancelled before": {ctx: cancelled, level: "INFO", rest: `error="kii: Login: not sent: context canceled" outcome_unknown=false attempts=0 host=api.kii.com`},
		"expired before":   {ctx: expired, level: "WARN", rest: `error="kii: Login: not sent: context deadline exceeded" outcome_unknown=false attempts=0 host=api.kii.com`},
		"not sent": {
			ctx: t.Context(), level: "WARN", answer: func(*http.Request) (*http.Response, error) { return nil, errNotDialled },
			rest: `error="kii: Login: not sent: dial tcp: connection refused" outcome_unknown=false attempts=2 host=api.kii.com`,
		},
		"lost": {
			ctx: t.Context(), level: "WARN", answer: func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF },
			rest: `error="kii: Login: no answer, the outcome is unknown: unexpected EOF" outcome_unknown=true attempts=1 host=api.kii.com`,
		},
		"mistrusted": {
			ctx: t.Context(), level: "WARN", answer: func(*http.Request) (*http.Response, error) { return nil, errors.New("tls: handshake failure") },
			rest: `error="kii: Login: no answer, the outcome is unknown: api.kii.com: tls: handshake failure" outcome_unknown=true attempts=1 host=api.kii.com`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			client := newClient(t, tripper(func(req *http.Request) (*http.Response, error) { return tt.answer(req) }), kii.WithLogger(slog.New(slog.NewTextHandler(&out, nil))), kii.WithMaxRetries(1))
			_, err := client.User.Login(tt.ctx, "alice@example.com", "password")
			require.Error(t, err)
			assert.Contains(t, out.String(), "level="+tt.level+` msg="kii call" op=Login `)
			assert.True(t, strings.HasSuffix(strings.TrimSpace(out.String()), tt.rest), out.String())
			assert.NotContains(t, out.String(), "status=")
		})
	}
}
