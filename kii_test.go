package kii_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

func TestNewNamesTheArgumentItRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		appID, appKey string
		site          kii.Site
		opts          []kii.Option
		name, reason  string
	}{
		{"", "key", kii.SiteUS, nil, "appID", "empty"},
		{"app\n", "key", kii.SiteUS, nil, "appID", "control"},
		{"app\x00", "key", kii.SiteUS, nil, "appID", "control"},
		{"app\xff", "key", kii.SiteUS, nil, "appID", "control"},
		{" app", "key", kii.SiteUS, nil, "appID", "space"},
		{".", "key", kii.SiteUS, nil, "appID", "dot segment"},
		{"..", "key", kii.SiteUS, nil, "appID", "dot segment"},
		{"app", "", kii.SiteUS, nil, "appKey", "empty"},
		{"app", "ke\ry", kii.SiteUS, nil, "appKey", "control"},
		{"app", "key ", kii.SiteUS, nil, "appKey", "space"},
		{"app", "key", kii.SiteUS, []kii.Option{kii.WithInsecureHTTP(), nil}, "opts", "nil"},
		{"app", "key", "", nil, "site", "base URL"},
		{"app", "key", "US", nil, "site", "kii.SiteUS"},
		{"app", "key", "jp", nil, "site", "kii.SiteJP"},
		{"app", "key", "SG", nil, "site", "kii.SiteSG"},
		{"app", "key", "EU", nil, "site", "kii.SiteEU"},
		{"app", "key", "CN3", nil, "site", "kii.SiteCN3"},
		{"app", "key", "api.kii.com/api", nil, "site", "base URL"},
		{"app", "key", "https:///api", nil, "site", "base URL"},
		{"app", "key", "https://api.kii.com/a b", nil, "site", "base URL"},
		{"app", "key", "https://api.kii.com:x/api", nil, "site", "base URL"},
		{"app", "key", "https://api.kii.com:0/api", nil, "site", "port"},
		{"app", "key", "https://api.kii.com:65536/api", nil, "site", "port"},
		{"app", "key", "https://[::1]:99999/api", nil, "site", "port"},
		{"app", "key", "https://api.kii.com/api\n", nil, "site", "base URL"},
		{"app", "key", "https://api.kii.com/api//", nil, "site", "segment"},
		{"app", "key", "https://api.kii.com//api", nil, "site", "segment"},
		{"app", "key", "https://api.kii.com//", nil, "site", "segment"},
		{"app", "key", "https://api.kii.com/api/..", nil, "site", "segment"},
		{"app", "key", "https://api.kii.com/./api", nil, "site", "segment"},
		{"app", "key", "https://api.kii.com/%2e%2E/api", nil, "site", "segment"},
		{"app", "key", "https://user:pw@api.kii.com/api", nil, "site", "user information"},
		{"app", "key", "https://@api.kii.com/api", nil, "site", "user information"},
		{"app", "key", "https://api.kii.com/api?", nil, "site", "query"},
		{"app", "key", "https://api.kii.com/api?a=b", nil, "site", "query"},
		{"app", "key", "https://api.kii.com/api#", nil, "site", "fragment"},
		{"app", "key", "http://api.kii.com/api", nil, "site", "https"},
		{"app", "key", "http://127.0.0.1.example.com/api", nil, "site", "https"},
		{"app", "key", "ftp://127.0.0.1/api", nil, "site", "https"},
		{"app", "key", "ftp://example.com/api", []kii.Option{kii.WithInsecureHTTP()}, "site", "https"},
	}
	for _, tt := range tests {
		t.Run(tt.name+" "+tt.appID+string(tt.site), func(t *testing.T) {
			t.Parallel()
			client, err := kii.New(tt.appID, tt.appKey, tt.site, tt.opts...)
			assert.Nil(t, client)
			assertArgument(t, tt.name, err)
			assert.ErrorContains(t, err, tt.reason)
		})
	}
}

func TestSiteIsTheBaseURLOfEveryCall(t *testing.T) {
	t.Parallel()
	tests := []struct {
		site kii.Site
		opts []kii.Option
		base string
	}{
		{kii.SiteUS, nil, "https://api.kii.com/api"},
		{kii.SiteJP, nil, "https://api-jp.kii.com/api"},
		{kii.SiteSG, nil, "https://api-sg.kii.com/api"},
		{kii.SiteEU, nil, "https://api-eu.kii.com/api"},
		{kii.SiteCN3, nil, "https://api-cn3.kii.com/api"},
		{"https://kii.example.com:8443/api/", nil, "https://kii.example.com:8443/api"},
		{"https://kii.example.com", nil, "https://kii.example.com"},
		{"https://kii.example.com/", nil, "https://kii.example.com"},
		{"https://kii.example.com/a%2Fb/c%20d/", nil, "https://kii.example.com/a%2Fb/c%20d"},
		{"http://localhost:8080/api", nil, "http://localhost:8080/api"},
		{"http://127.0.0.2/api", nil, "http://127.0.0.2/api"},
		{"http://[::1]:8080/api", nil, "http://[::1]:8080/api"},
		{"http://kii.example.com/api", []kii.Option{kii.WithInsecureHTTP()}, "http://kii.example.com/api"},
	}
	for _, tt := range tests {
		t.Run(string(tt.site), func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, replyOf(204, ""), refusal(400, kii.ErrWrongCredentials))
			client, err := kii.New("app/1", "key", tt.site, append(tt.opts, kii.WithHTTPClient(&http.Client{Transport: c.mock}))...)
			require.NoError(t, err)
			require.NoError(t, client.User.ResetPassword(t.Context(), "alice", kii.NotificationEmail))
			assert.Equal(t, tt.base+"/apps/app%2F1/users/alice/password/request-reset", c.last(t).url)
			_, err = client.User.Login(t.Context(), "alice", "pass")
			require.Error(t, err)
			assert.Equal(t, tt.base+"/oauth2/token", c.last(t).url)
		})
	}
}

func TestCallsOnNilOrZeroReceiversAndWithANilContextSendNothing(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	for name, u := range map[string]*kii.User{"nil User": nil, "zero User": {}, "zero Client": (&kii.Client{}).User} {
		assertArgument(t, "User", u.ResetPassword(t.Context(), "alice", kii.NotificationEmail))
		assertArgument(t, "User", u.CompleteResetPassword(t.Context(), "alice", "1234", nil))
		_, err := u.Login(t.Context(), "alice", "pass")
		assertArgument(t, "User", err)
		s, err := u.Resume(kii.Token{AccessToken: "access"})
		assertArgument(t, "User", err)
		assert.Nil(t, s, name)
	}
	for name, s := range map[string]*kii.Session{"nil Session": nil, "zero Session": {}} {
		_, err := s.Profile(t.Context())
		assertArgument(t, "Session", err)
		assertArgument(t, "Session", s.ChangePassword(t.Context(), "old-pass", "new-pass"))
		assertArgument(t, "Session", s.Refresh(t.Context()))
		assert.Empty(t, s.UserID(), name)
		assert.Zero(t, s.Token(), name)
		assert.True(t, s.Err() == nil, "an untyped nil")
	}

	for _, none := range []context.Context{nil, (*webContext)(nil)} {
		for _, op := range operations {
			assertArgument(t, "ctx", op.call(none, t, c.Client))
		}
	}
}

// A webContext is a context that a web framework made of a request.
type webContext struct{ context.Context }

// Promise 1.
func TestSuccessIsProved(t *testing.T) {
	t.Parallel()
	var (
		noBody = []string{"ResetPassword", "CompleteResetPassword", "ChangePassword"}
		tokens = []string{"Login", "Refresh"}
		all    = append(append([]string{"Profile"}, noBody...), tokens...)
	)
	const token = `{"id":"` + userID + `","access_token":"access-2","refresh_token":"refresh-2"}`
	tests := []struct {
		name  string
		ops   []string
		reply reply
		done  bool
	}{
		{"204", noBody, replyOf(204, ""), true},
		{"200 without a body", noBody, replyOf(200, ""), true},
		{"202 without a body", noBody, replyOf(202, ""), true},
		{"200 with a body", noBody, replyOf(200, "{}"), false},
		{"200 with a blank", noBody, replyOf(200, "\n"), false},
		{"200 with an errorCode", noBody, refusal(200, kii.ErrUserNotFound), false},
		{"200 of a portal", all, replyOf(200, "<html>Log in to the hotel's network</html>"), false},
		{"200 that is too long", all, replyOf(200, `{"userID":"`+strings.Repeat("x", 256<<10)+`"}`), false},

		{"200 with a token", tokens, replyOf(200, token), true},
		{"201 with a token", tokens, replyOf(201, token), false},
		{"200 without an id", []string{"Login"}, replyOf(200, `{"access_token":"access-2"}`), false},
		{"200 with an empty id", []string{"Login"}, replyOf(200, `{"id":"","access_token":"access-2"}`), false},
		{"200 without a token", tokens, replyOf(200, `{"id":"`+userID+`"}`), false},
		{"200 with an empty token", tokens, replyOf(200, `{"id":"`+userID+`","access_token":""}`), false},
		{"200 with a broken token", tokens, replyOf(200, `{"id":"`+userID+`","access_token":"a\nb"}`), false},
		{"200 with a cut token", tokens, replyOf(200, token[:len(token)-1]), false},
		{"200 with two tokens", tokens, replyOf(200, token+token), false},
		{"200 with a blank token", tokens, replyOf(200, `{"id":"`+userID+`","access_token":" "}`), false},
		{"200 with a token of broken UTF-8", tokens, replyOf(200, `{"id":"`+userID+`","access_token":"a\xff"}`), false},
		{"200 with a token of half a character", tokens, replyOf(200, `{"id":"`+userID+`","access_token":"a\ud800"}`), false},
		{"200 with a token that is too long", tokens, replyOf(200, `{"id":"`+userID+`","access_token":"`+strings.Repeat("a", 1001)+`"}`), false},
		{"200 with names in another case", tokens, replyOf(200, `{"ID":"`+userID+`","Access_Token":"access-2"}`), false},
		{"200 with an expiry of another type", tokens, replyOf(200, `{"id":"`+userID+`","access_token":"access-2","expires_in":"soon"}`), true},
		{"200 with a byte order mark", tokens, replyOf(200, "\ufeff"+token), true},
		{"200 with two byte order marks", tokens, replyOf(200, "\ufeff\ufeff"+token), false},
		{"200 with zero bytes at the end", tokens, replyOf(200, token+"\x00\x00"), false},
		{"200 with white space around", tokens, replyOf(200, "\r\n"+token+"\n"), true},
		{"200 with a list", tokens, replyOf(200, "["+token+"]"), false},
		{"another user's token", []string{"Refresh"}, replyOf(200, `{"id":"someone","access_token":"access-2"}`), false},

		{"200 with a userID", []string{"Profile"}, replyOf(200, `{"userID":"`+userID+`"}`), true},
		{"200 with a byte order mark", []string{"Profile"}, replyOf(200, "\ufeff"+`{"userID":"`+userID+`"}`), true},
		{"206 with a userID", []string{"Profile"}, replyOf(206, `{"userID":"`+userID+`"}`), false},
		{"200 without a userID", []string{"Profile"}, replyOf(200, `{"loginName":"alice"}`), false},
		{"200 with an empty userID", []string{"Profile"}, replyOf(200, `{"userID":""}`), false},
		{"200 with null", []string{"Profile"}, replyOf(200, `null`), false},
		{"another user's profile", []string{"Profile"}, replyOf(200, `{"userID":"someone"}`), false},
		{"204", append(tokens, "Profile"), replyOf(204, ""), false},
	}
	for _, status := range []int{300, 301, 302, 303, 304, 307, 308, 399} {
		r := replyOf(status, "")
		r.header = http.Header{"Location": {"https://elsewhere.invalid/"}}
		tests = append(tests, struct {
			name  string
			ops   []string
			reply reply
			done  bool
		}{http.StatusText(status), all, r, false})
	}
	for _, tt := range tests {
		for _, op := range tt.ops {
			t.Run(op+" "+tt.name, func(t *testing.T) {
				t.Parallel()
				err := operate(t, op, newCloud(t, tt.reply))
				if tt.done {
					require.NoError(t, err)
					return
				}
				require.ErrorIs(t, err, kii.ErrUnexpectedReply)
				assert.Equal(t, tt.reply.Status, err.(*kii.APIError).StatusCode)
				assert.Equal(t, op, err.(*kii.APIError).Op)
				assert.True(t, kii.OutcomeUnknown(err))
			})
		}
	}
}

func TestRedirectIsNeverFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request followed the redirect")
	}))
	defer elsewhere.Close()
	var location string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", location)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	client, err := kii.New("appId", "appKey", kii.Site(server.URL))
	require.NoError(t, err)
	for _, location = range []string{elsewhere.URL, "http://[::broken/", ""} {
		err = client.User.ResetPassword(t.Context(), "alice", kii.NotificationEmail)
		require.ErrorIs(t, err, kii.ErrUnexpectedReply)
		assert.Equal(t, http.StatusTemporaryRedirect, err.(*kii.APIError).StatusCode)
	}
}

// Promise 8.
func TestClientUserAndSessionAreSafeFromManyGoroutines(t *testing.T) {
	t.Parallel()
	srv := kiitest.NewServer(kiitest.WithTest(t), kiitest.WithoutSocket(),
		kiitest.WithSettings(func(s *kiitest.Settings) { s.RefreshTokens = true }))
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site(), kii.WithHTTPClient(&http.Client{Transport: srv.Transport()}))
	require.NoError(t, err)
	id := srv.AddAccount(kiitest.Account{Email: "alice@example.com", EmailVerified: true, Password: "old-pass"})
	s, err := client.User.Login(t.Context(), "alice@example.com", "old-pass")
	require.NoError(t, err)
	anonymous, err := client.User.Resume(kii.Token{AccessToken: s.Token().AccessToken})
	require.NoError(t, err)
	a, err := client.Admin(srv.ClientID(), srv.ClientSecret())
	require.NoError(t, err)

	var group sync.WaitGroup
	for range 8 {
		group.Go(func() { assert.NoError(t, client.User.ResetPassword(t.Context(), id, kii.NotificationEmail)) })
		group.Go(func() {
			_, err := client.User.Login(t.Context(), "alice@example.com", "old-pass")
			assert.NoError(t, err)
		})
		group.Go(func() { _, _ = anonymous.Profile(t.Context()) }) // another session may refresh its token away
		group.Go(func() { assert.NoError(t, s.Refresh(t.Context())) })
		group.Go(func() { assert.True(t, s.UserID() == id && s.Token().AccessToken != "" && s.Err() == nil) })
		group.Go(func() { _, _ = anonymous.UserID(), anonymous.Err() })
		group.Go(func() { assert.NoError(t, a.SetEmail(t.Context(), id, "alice@example.com")) })
		group.Go(func() { _, err := a.User(t.Context(), id); assert.NoError(t, err) })
	}
	group.Wait()
	require.NoError(t, s.ChangePassword(t.Context(), "old-pass", "new-pass"))
	assert.Error(t, s.Err())
}

// Promise 8.
func TestWhatIsKeptIsNotTheCallersMemory(t *testing.T) {
	t.Parallel()
	srv := kiitest.NewServer(kiitest.WithTest(t), kiitest.WithoutSocket())
	id := srv.AddAccount(kiitest.Account{LoginName: "alice", Password: "old-pass"})
	var memory [][]byte
	request := func(s string) string { // as fasthttp's strings
		memory = append(memory, []byte(s))
		return unsafe.String(&memory[len(memory)-1][0], len(s))
	}
	client, err := kii.New(request(srv.AppID()), request(srv.AppKey()), kii.Site(request(string(srv.Site()))),
		kii.WithHTTPClient(&http.Client{Transport: srv.Transport()}), kii.WithUserAgent(request("myapp/1")))
	require.NoError(t, err)
	admin, err := client.Admin(request(srv.ClientID()), request(srv.ClientSecret()))
	require.NoError(t, err)
	s, err := client.User.Login(t.Context(), "alice", "old-pass")
	require.NoError(t, err)
	s, err = client.User.Resume(kii.Token{UserID: request(id), AccessToken: request(s.Token().AccessToken)})
	require.NoError(t, err)

	for _, m := range memory {
		clear(m) // by the next request
	}
	_, err = s.Profile(t.Context())
	require.NoError(t, err)
	_, err = admin.User(t.Context(), id)
	require.NoError(t, err)
}

func TestGoVetCatchesACopiedSession(t *testing.T) {
	t.Parallel()
	for field := range reflect.TypeFor[kii.Session]().Fields() {
		if reflect.PointerTo(field.Type).Implements(reflect.TypeFor[sync.Locker]()) {
			return // which is what vet's copylocks looks for
		}
	}
	t.Error("no field of Session is a lock")
}

// Promise 8.
func TestDefaultTransportKeepsABusyServersConnections(t *testing.T) {
	t.Parallel()
	const callers = 100
	var group, arrived sync.WaitGroup
	var mu sync.Mutex
	connections := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		connections[r.RemoteAddr] = true
		mu.Unlock()
		arrived.Done()
		arrived.Wait() // so that all are under way at once
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	client, err := kii.New("appId", "appKey", kii.Site(server.URL))
	require.NoError(t, err)
	for range 3 {
		arrived.Add(callers)
		for range callers {
			group.Go(func() { assert.NoError(t, client.User.ResetPassword(t.Context(), "alice", kii.NotificationEmail)) })
		}
		group.Wait()
	}
	assert.Len(t, connections, callers)
}

func TestCloseIdleConnectionsClosesOnlyTheLibrarysOwn(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		opts   []kii.Option
		closed bool
	}{
		"the library's own": {closed: true},
		"the caller's":      {opts: []kii.Option{kii.WithHTTPClient(&http.Client{Transport: new(http.Transport)})}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			idle, gone := make(chan bool, 1), make(chan bool, 1)
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusNoContent)
			}))
			srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				switch state {
				case http.StateIdle:
					idle <- true
				case http.StateClosed:
					gone <- true
				}
			}
			srv.Start()
			t.Cleanup(srv.Close)
			client, err := kii.New("app", "key", kii.Site(srv.URL), tt.opts...)
			require.NoError(t, err)
			require.NoError(t, client.User.ResetPassword(t.Context(), "alice", kii.NotificationEmail))
			<-idle
			client.CloseIdleConnections()
			if tt.closed {
				select {
				case <-gone:
				case <-time.After(10 * time.Second): // by itself it closes after 30
					assert.Fail(t, "the connection is still open")
				}
				return
			}
			require.NoError(t, client.User.ResetPassword(t.Context(), "alice", kii.NotificationEmail))
			<-idle
			assert.Empty(t, gone, "the same connection was used again")
		})
	}
}

func TestCloseIdleConnectionsOfAZeroClientDoesNothing(t *testing.T) {
	t.Parallel()
	for _, client := range []*kii.Client{nil, {}, {User: new(kii.User)}} {
		assert.NotPanics(t, client.CloseIdleConnections)
	}
}
