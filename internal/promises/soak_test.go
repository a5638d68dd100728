package promises_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// Each call carries an id, a PIN and a password of its own, and the server checks that they arrive
// together.
func TestConcurrentCallsNeverMixTheirArguments(t *testing.T) {
	t.Parallel()
	const callers, calls = 64, 50
	var arrived sync.Map
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := path.Base(path.Dir(path.Dir(r.URL.Path)))
		var body struct{ PINCode, NewPassword string }
		_ = json.NewDecoder(r.Body).Decode(&body)
		number := strings.TrimPrefix(id, "user-")
		_, again := arrived.LoadOrStore(id, true)
		if again || body.PINCode != "pin-"+number || body.NewPassword != "password-"+number {
			w.WriteHeader(http.StatusConflict)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer srv.Close()
	client, err := kii.New("app", "key", kii.Site(srv.URL))
	require.NoError(t, err)

	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			for n := range calls {
				number := fmt.Sprintf("%d-%d", caller, n)
				err := client.User.CompleteResetPassword(t.Context(), "user-"+number, "pin-"+number, new("password-"+number))
				assert.NoError(t, err)
			}
		})
	}
	group.Wait()
	count := 0
	arrived.Range(func(any, any) bool { count++; return true })
	assert.Equal(t, callers*calls, count)
}

func TestSessionThatDiesUnderManyCallsEndsOnceForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const callers = 100
		release := make(chan struct{})
		var requests atomic.Int32
		client := newClient(t, tripper(func(*http.Request) (*http.Response, error) {
			requests.Add(1)
			<-release
			return httpmock.NewStringResponse(http.StatusForbidden, `{"errorCode":"WRONG_TOKEN"}`), nil
		}))
		s, err := client.User.Resume(kii.Token{AccessToken: "access"})
		require.NoError(t, err)
		ends := make(chan error, 2*callers)
		var group sync.WaitGroup
		call := func() {
			_, err := s.Profile(t.Context())
			ends <- err
		}
		for range callers {
			group.Go(call)
		}
		synctest.Wait()
		close(release)
		group.Wait()
		for range callers {
			group.Go(call)
		}
		group.Wait()
		close(ends)
		for err := range ends {
			assert.Same(t, s.Err(), err)
		}
		assert.EqualValues(t, callers, requests.Load(), "a dead session sends nothing")
	})
}

// A hundred callers share an administrator's token, and another one when it dies under them.
func TestAnAdministratorsTokenIsSharedByManyCallers(t *testing.T) {
	t.Parallel()
	const callers = 100
	srv := kiitest.NewServer(kiitest.WithTest(t))
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site())
	require.NoError(t, err)
	a, err := client.Admin(srv.ClientID(), srv.ClientSecret())
	require.NoError(t, err)
	id := srv.AddAccount(kiitest.Account{LoginName: "alice", Password: "old-pass"})
	for tokens := 1; tokens <= 3; tokens++ {
		var group sync.WaitGroup
		for range callers {
			group.Go(func() {
				p, err := a.User(t.Context(), id)
				if assert.NoError(t, err) {
					assert.Equal(t, "alice", p.LoginName)
				}
			})
		}
		group.Wait()
		assert.Len(t, srv.Calls(kiitest.OpAdminLogin), tokens)
		srv.Advance(2 * time.Hour) // by the server's clock; the client does not know
	}
}

func TestSessionsOfOneTokenEachLearnOfItsEnd(t *testing.T) {
	t.Parallel()
	srv := kiitest.NewServer(kiitest.WithTest(t), kiitest.WithoutSocket())
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site(), kii.WithHTTPClient(&http.Client{Transport: srv.Transport()}))
	require.NoError(t, err)
	srv.AddAccount(kiitest.Account{LoginName: "alice", Password: "old-pass"})
	here, err := client.User.Login(t.Context(), "alice", "old-pass")
	require.NoError(t, err)
	there, err := client.User.Resume(here.Token())
	require.NoError(t, err)

	require.NoError(t, here.ChangePassword(t.Context(), "old-pass", "new-pass"))
	require.NoError(t, there.Err(), "nobody has told it yet")
	_, err = there.Profile(t.Context())
	over, ok := errors.AsType[*kii.SessionError](err)
	require.True(t, ok)
	assert.ErrorIs(t, over, kii.ErrWrongToken)
	assert.Error(t, here.Err())
}

// A bubble fails its test if a goroutine is left in it, net/http's own included.
func TestNoGoroutineIsLeftBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := kiitest.NewServer()
		defer srv.Close()
		client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site(), kii.WithHTTPClient(&http.Client{Transport: srv.Transport()}))
		require.NoError(t, err)
		id := srv.AddAccount(kiitest.Account{Phone: "+819012345678", PhoneVerified: true, Password: "old-pass"})
		s, err := client.User.Login(t.Context(), "+819012345678", "old-pass")
		require.NoError(t, err)
		require.NoError(t, client.User.ResetPassword(t.Context(), id, kii.NotificationSMSPIN))
		require.ErrorIs(t, client.User.CompleteResetPassword(t.Context(), id, "no-pin", nil), kii.ErrWrongPIN)
		_, err = s.Profile(t.Context())
		require.NoError(t, err)
		assert.Error(t, s.Refresh(t.Context()))
		require.NoError(t, s.ChangePassword(t.Context(), "old-pass", "new-pass"))
	})
}
