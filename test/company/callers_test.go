package company_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/avast/retry-go/v4"
	"github.com/gregjones/httpcache"
	"github.com/h2non/gock"
	"github.com/jarcoal/httpmock"
	"github.com/sony/gobreaker/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/oauth2"
	"golang.org/x/sync/errgroup"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
	"github.com/go-kii/kii/test/company/transport"
)

// serve starts a cloud over HTTP/1 and returns a client of it.
func serve(t *testing.T, opts ...kii.Option) (*cloud, *kii.Client) {
	t.Helper()
	c := &cloud{arrived: make(map[string]int)}
	srv := httptest.NewServer(c)
	t.Cleanup(srv.Close)
	client, err := kii.New("app", appKey, kii.Site(srv.URL), opts...)
	require.NoError(t, err)
	return c, client
}

func TestADeadSessionEndsNoOtherOfItsErrgroup(t *testing.T) {
	t.Parallel()
	_, client := serve(t)
	dead := resume(t, client, "dead-token")
	live := make([]*kii.Session, 10)
	group, ctx := errgroup.WithContext(t.Context())
	over := make(chan struct{})
	for i := range live {
		live[i] = resume(t, client, "live-token")
		group.Go(func() error {
			<-over // by now the group's context has the dead one's error as its cause
			_, err := live[i].Profile(ctx)
			return err
		})
	}
	group.Go(func() error {
		_, err := dead.Profile(ctx)
		context.AfterFunc(ctx, func() { close(over) })
		return err
	})
	err := group.Wait()
	_, ok := errors.AsType[*kii.SessionError](err)
	require.True(t, ok)
	for _, s := range live {
		require.NoError(t, s.Err())
		_, err := s.Profile(t.Context())
		require.NoError(t, err)
	}
}

// docs/options.md says what a circuit breaker around the calls is to count.
func TestABreakerIsOpenedByKiiCloudAndNotByAUser(t *testing.T) {
	t.Parallel()
	counted := func(err error) bool {
		_, lost := errors.AsType[*kii.TransportError](err)
		return (lost || kii.OutcomeUnknown(err)) && !errors.Is(err, context.Canceled)
	}
	for name, tt := range map[string]struct {
		user         string
		isSuccessful func(error) bool // nil: gobreaker's own, which counts every error
		want         gobreaker.State
	}{
		"a user, by default":   {nobody, nil, gobreaker.StateOpen},
		"a user":               {nobody, func(err error) bool { return !counted(err) }, gobreaker.StateClosed},
		"Kii Cloud":            {failed, func(err error) bool { return !counted(err) }, gobreaker.StateOpen},
		"the network":          {lost, func(err error) bool { return !counted(err) }, gobreaker.StateOpen},
		"a visitor who leaves": {silent, func(err error) bool { return !counted(err) }, gobreaker.StateClosed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, client := serve(t)
			breaker := gobreaker.NewCircuitBreaker[any](gobreaker.Settings{IsSuccessful: tt.isSuccessful})
			for range 6 {
				ctx, leave := context.WithCancel(t.Context())
				if tt.user == silent {
					time.AfterFunc(20*time.Millisecond, leave)
				}
				_, err := breaker.Execute(func() (any, error) { return nil, client.User.ResetPassword(ctx, tt.user, kii.NotificationSMS) })
				leave()
				require.Error(t, err)
			}
			assert.Equal(t, tt.want, breaker.State())
		})
	}
}

func TestAnErrgroupLosesTheUnknownOutcomeOfALaterCall(t *testing.T) {
	t.Parallel()
	_, client := serve(t)
	group, ctx := errgroup.WithContext(t.Context())
	group.Go(func() error { return client.User.ResetPassword(ctx, nobody, kii.NotificationSMS) })
	var later error
	group.Go(func() error {
		<-ctx.Done()
		later = client.User.ResetPassword(t.Context(), lost, kii.NotificationSMS)
		return later
	})
	assert.False(t, kii.OutcomeUnknown(group.Wait()))
	assert.True(t, kii.OutcomeUnknown(later), "so it must be asked in the function")
}

func TestAnUnknownOutcomeStaysOneThroughRetryGo(t *testing.T) {
	t.Parallel()
	c, client := serve(t)
	err := retry.Do(func() error {
		if c.count(lost) == 0 {
			return client.User.ResetPassword(t.Context(), lost, kii.NotificationSMS)
		}
		return client.User.ResetPassword(t.Context(), nobody, kii.NotificationSMS)
	}, retry.Attempts(2), retry.Delay(0), retry.MaxJitter(1), retry.DelayType(retry.FixedDelay))
	require.Error(t, err)
	assert.True(t, kii.OutcomeUnknown(err), "the first attempt may have sent an SMS")
	assert.ErrorIs(t, err, kii.ErrUserNotFound)
}

// A caller that asks the library retries only what is safe.
func TestRetryGoRetriesWhatIsProvedNotSent(t *testing.T) {
	t.Parallel()
	for name, site := range map[string]struct {
		user     string
		attempts int
	}{"lost": {lost, 1}, "refused": {nobody, 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, client := serve(t)
			err := retry.Do(func() error {
				return client.User.ResetPassword(t.Context(), site.user, kii.NotificationSMS)
			}, retry.Attempts(5), retry.Delay(0), retry.RetryIf(func(err error) bool {
				failed, ok := errors.AsType[*kii.TransportError](err)
				return ok && failed.NotSent
			}))
			require.Error(t, err)
			assert.Equal(t, site.attempts, c.count(site.user))
		})
	}
}

func TestGockAnswersAClientThatIsGivenItsTransport(t *testing.T) {
	// Not in parallel: gock's mocks are global.
	defer gock.Off()
	gock.New("https://api-jp.kii.com").
		Post("/api/apps/app/users/EMAIL:alice@example.com/password/request-reset").
		MatchType("application/vnd.kii.ResetPasswordRequest").
		Reply(http.StatusNotFound).
		JSON(map[string]string{"errorCode": "USER_NOT_FOUND"})
	client, err := kii.New("app", appKey, kii.SiteJP, kii.WithHTTPClient(&http.Client{Transport: gock.NewTransport()}))
	require.NoError(t, err)
	err = client.User.ResetPassword(t.Context(), "alice@example.com", kii.NotificationEmail)
	require.ErrorIs(t, err, kii.ErrUserNotFound)
	assert.True(t, gock.IsDone())
}

// gock expects a body only in a media type of BodyTypes, and JSON only as application/json.
func TestGockComparesABodyOfAMediaTypeThatItKnows(t *testing.T) {
	// Not in parallel: gock's mocks and its types are global.
	before := gock.BodyTypes
	defer func() { gock.BodyTypes = before }()
	defer gock.Off()
	gock.New("https://api-jp.kii.com").
		Post("/password/request-reset").
		BodyString(`{"notificationMethod":"EMAIL"}`).
		Reply(http.StatusNoContent)
	client, err := kii.New("app", appKey, kii.SiteJP, kii.WithHTTPClient(&http.Client{Transport: gock.NewTransport()}))
	require.NoError(t, err)
	require.ErrorIs(t, client.User.ResetPassword(t.Context(), "some-user", kii.NotificationEmail), gock.ErrCannotMatch)
	gock.BodyTypes = append(slices.Clone(before), "json")
	require.NoError(t, client.User.ResetPassword(t.Context(), "some-user", kii.NotificationEmail))
}

// Activate replaces http.DefaultTransport, which this library does not use.
func TestHTTPMockInterceptsOnlyAClientOfItsOwn(t *testing.T) {
	// Not in parallel: Activate is global.
	httpmock.Activate(t)
	httpmock.RegisterNoResponder(httpmock.NewStringResponder(http.StatusTeapot, ""))
	c, client := serve(t)
	require.NoError(t, client.User.ResetPassword(t.Context(), accepted, kii.NotificationEmail))
	assert.Equal(t, 1, c.count(accepted), "the server was asked")

	mock := httpmock.NewMockTransport()
	mock.RegisterResponder(http.MethodPost,
		"https://api.kii.com/api/apps/app/users/EMAIL:alice%40example.com/password/request-reset",
		httpmock.NewStringResponder(http.StatusNoContent, ""))
	client, err := kii.New("app", appKey, kii.SiteUS, kii.WithHTTPClient(&http.Client{Transport: mock}))
	require.NoError(t, err)
	require.NoError(t, client.User.ResetPassword(t.Context(), "alice@example.com", kii.NotificationEmail))
	assert.Equal(t, 1, mock.GetTotalCallCount())
}

func TestProfileIsNeverAnsweredByASharedCache(t *testing.T) {
	t.Parallel()
	c, client := serve(t, kii.WithHTTPClient(&http.Client{Transport: httpcache.NewMemoryCacheTransport()}))
	for range 3 {
		_, err := resume(t, client, "live-token").Profile(t.Context())
		require.NoError(t, err)
	}
	assert.Equal(t, 3, c.count(me))
	_, err := resume(t, client, "dead-token").Profile(t.Context())
	assert.ErrorIs(t, err, kii.ErrWrongToken, "another user's profile")
}

func TestGoleakFindsNothingOnceIdleConnectionsAreClosed(t *testing.T) {
	// Not in parallel: goleak sees every goroutine.
	known := goleak.IgnoreCurrent()
	c := &cloud{arrived: make(map[string]int)}
	srv := httptest.NewServer(c)
	client, err := kii.New("app", appKey, kii.Site(srv.URL))
	require.NoError(t, err)
	require.NoError(t, client.User.ResetPassword(t.Context(), accepted, kii.NotificationEmail))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.Error(t, client.User.ResetPassword(ctx, silent, kii.NotificationEmail))
	client.CloseIdleConnections()
	srv.Close()
	goleak.VerifyNone(t, known)
}

// docs/testing.md says so. A deferred look would come before the server closes.
func TestGoleakFindsNothingOfKiitestInACleanupThatCameFirst(t *testing.T) {
	// Not in parallel: goleak sees every goroutine.
	known := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, known) })
	srv := kiitest.NewServer(kiitest.WithTest(t))
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site())
	require.NoError(t, err)
	require.ErrorIs(t, client.User.ResetPassword(t.Context(), "nobody", kii.NotificationEmail), kii.ErrUserNotFound)
	client.CloseIdleConnections()
	require.Error(t, goleak.Find(known), "here the server still runs")
}

func TestWhatABreakerOrATokenSourceRefusesIsToldAsNotSent(t *testing.T) {
	t.Parallel()
	breaker := gobreaker.NewCircuitBreaker[*http.Response](gobreaker.Settings{
		ReadyToTrip: func(gobreaker.Counts) bool { return true },
	})
	for name, rt := range map[string]http.RoundTripper{
		"an open breaker": tripper(func(req *http.Request) (*http.Response, error) {
			_, _ = breaker.Execute(func() (*http.Response, error) { return nil, errors.New("trip") })
			return breaker.Execute(func() (*http.Response, error) { return http.DefaultTransport.RoundTrip(req) })
		}),
		"a source without a token": &oauth2.Transport{Source: oauth2.ReuseTokenSource(nil, noToken{})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, client := serve(t, kii.WithHTTPClient(&http.Client{Transport: rt}))
			err := client.User.ResetPassword(t.Context(), accepted, kii.NotificationSMS)
			failed, ok := errors.AsType[*kii.TransportError](err)
			require.True(t, ok)
			assert.True(t, failed.NotSent)
			assert.Zero(t, c.count(accepted))
		})
	}
}

type noToken struct{}

func (noToken) Token() (*oauth2.Token, error) { return nil, errors.New("the gateway gives no token") }

// The library looks who reads a request. A reader that only has its name must not count as its own.
func TestWhatATransportOfTheSameNameHasReadMayBeSent(t *testing.T) {
	t.Parallel()
	_, client := serve(t, kii.WithMaxRetries(0), kii.WithHTTPClient(&http.Client{Transport: tripper(func(req *http.Request) (*http.Response, error) {
		failed := make(chan error)
		go func() {
			_, err := transport.New().RoundTrip(req) //nolint:bodyclose // there is none
			failed <- err
		}()
		return nil, <-failed
	})}))
	err := client.User.ResetPassword(t.Context(), accepted, kii.NotificationSMSPIN)
	assert.True(t, kii.OutcomeUnknown(err), "%v", err)
}
