package kiitest_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// clientFor makes a client of package kii for a server without a socket.
func clientFor(t *testing.T, srv *kiitest.Server, opts ...kii.Option) *kii.Client {
	t.Helper()
	opts = append(opts, kii.WithHTTPClient(&http.Client{Transport: srv.Transport()}))
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site(), opts...)
	require.NoError(t, err)
	return client
}

// What package kii makes of each fault: what is unknown to it is what may have happened, and
// nothing arrives twice.
func TestClientNeverTakesAFaultForWhatItIsNot(t *testing.T) {
	t.Parallel()
	for _, kind := range kiitest.FaultKinds() {
		for _, handled := range []bool{false, true} {
			if kind == kiitest.FaultRefused || kind == kiitest.FaultDelay {
				continue // these end well, see below
			}
			t.Run(fmt.Sprint(kind, " handled ", handled), func(t *testing.T) {
				t.Parallel()
				srv := kiitest.NewServer(kiitest.WithTest(t), kiitest.WithoutSocket())
				id := srv.AddAccount(alice())
				srv.Inject(kiitest.Fault{
					Operation: kiitest.OpRequestReset, Kind: kind, Handled: handled, Status: map[kiitest.FaultKind]int{kiitest.FaultStatus: 503}[kind],
				})
				err := clientFor(t, srv).User.ResetPassword(t.Context(), id, kii.NotificationSMSPIN)
				require.Equal(t, handled, len(srv.Messages()) == 1)
				require.Len(t, srv.Calls(), 1, "nothing is sent twice")
				switch {
				case kind == kiitest.FaultContentType && handled:
					require.NoError(t, err, "a 204 has no content, whatever its type")
				case kind == kiitest.FaultRateLimit:
					require.ErrorIs(t, err, kii.ErrRateLimited)
				default:
					require.Error(t, err)
					require.True(t, kii.OutcomeUnknown(err))
				}
			})
		}
	}
}

func TestClientRetriesARefusedConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := kiitest.NewServer(kiitest.WithTest(t))
		id := srv.AddAccount(alice())
		srv.Inject(kiitest.Fault{Kind: kiitest.FaultRefused})
		require.NoError(t, clientFor(t, srv).User.ResetPassword(t.Context(), id, kii.NotificationEmail))
		require.Len(t, srv.Messages(), 1)
		srv.Inject(kiitest.Fault{Kind: kiitest.FaultRefused, Times: 3})
		err := clientFor(t, srv).User.ResetPassword(t.Context(), id, kii.NotificationEmail)
		refused, ok := errors.AsType[*kii.TransportError](err)
		require.True(t, ok)
		require.True(t, refused.NotSent)
	})
}

func TestClientGivesUpOnADelayInFakeTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := kiitest.NewServer(kiitest.WithTest(t))
		id := srv.AddAccount(alice())
		srv.Inject(kiitest.Fault{Kind: kiitest.FaultDelay, Delay: time.Hour})
		began := time.Now()
		err := clientFor(t, srv, kii.WithTimeout(time.Minute)).User.ResetPassword(t.Context(), id, kii.NotificationEmail)
		require.True(t, kii.OutcomeUnknown(err))
		require.Equal(t, time.Minute, time.Since(began))
	})
}
