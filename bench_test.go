// The race detector allocates too.

//go:build !race

package kii_test

import (
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
)

// client returns a client of the library whose calls c answers.
func (c canned) client(tb testing.TB) *kii.Client {
	client, err := kii.New("app", "key", kii.SiteJP, kii.WithHTTPClient(&http.Client{Transport: c}))
	require.NoError(tb, err)
	return client
}

// session returns a resumed one whose every call is answered by c.
func (c canned) session(tb testing.TB) *kii.Session {
	session, err := c.client(tb).User.Resume(kii.Token{UserID: "user", AccessToken: "access", RefreshToken: "refresh"})
	require.NoError(tb, err)
	return session
}

// The replies of a success.
var (
	noContent = canned{http.StatusNoContent, ""}
	tokens    = canned{http.StatusOK, `{"id":"user","access_token":"access","refresh_token":"refresh","expires_in":3600,"token_type":"Bearer"}`}
	profile   = canned{http.StatusOK, `{"userID":"user","loginName":"alice","emailAddress":"alice@example.com","emailAddressVerified":true,"_hasPassword":true}`}
	wrongPIN  = canned{http.StatusForbidden, `{"errorCode":"INVALID_VERIFICATION_CODE","message":"wrong","verificationCode":"123456"}`}
	deadToken = canned{http.StatusForbidden, `{"errorCode":"WRONG_TOKEN","message":"dead"}`}
)

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := kii.New("app", "key", kii.SiteJP); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkResetPassword(b *testing.B) {
	client := noContent.client(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := client.User.ResetPassword(b.Context(), "alice@example.com", kii.NotificationSMSPIN); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompleteResetPassword(b *testing.B) {
	client, password := noContent.client(b), "new-pass"
	b.ReportAllocs()
	for b.Loop() {
		if err := client.User.CompleteResetPassword(b.Context(), "alice@example.com", "123456", &password); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompleteResetPasswordWrongPIN(b *testing.B) {
	client, password := wrongPIN.client(b), "new-pass"
	b.ReportAllocs()
	for b.Loop() {
		if err := client.User.CompleteResetPassword(b.Context(), "alice@example.com", "123456", &password); err == nil {
			b.Fatal("no error")
		}
	}
}

func BenchmarkLogin(b *testing.B) {
	client := tokens.client(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.User.Login(b.Context(), "alice@example.com", "old-pass"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkProfile(b *testing.B) {
	session := profile.session(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := session.Profile(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// Each ChangePassword ends its session, so a new one is resumed for every call.
func BenchmarkChangePassword(b *testing.B) {
	client := noContent.client(b)
	b.ReportAllocs()
	for b.Loop() {
		session, err := client.User.Resume(kii.Token{UserID: "user", AccessToken: "access"})
		if err != nil {
			b.Fatal(err)
		}
		if err := session.ChangePassword(b.Context(), "old-pass", "new-pass"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRefresh(b *testing.B) {
	session := tokens.session(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := session.Refresh(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDeadSession(b *testing.B) {
	session := deadToken.session(b)
	_, err := session.Profile(b.Context())
	require.ErrorIs(b, err, kii.ErrWrongToken)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := session.Profile(b.Context()); err == nil {
			b.Fatal("no error")
		}
	}
}

// Over a socket, but to a server that allocates nothing, so that the figure is the client's.
func BenchmarkResetPasswordLoopback(b *testing.B) {
	client := frugalServer(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := client.User.ResetPassword(b.Context(), "alice@example.com", kii.NotificationSMSPIN); err != nil {
			b.Fatal(err)
		}
	}
}

// frugalServer returns a client of an HTTP/1.1 server on loopback that answers 204 and allocates
// nothing for a request. One read holds one request, since net/http writes a small one at once.
func frugalServer(tb testing.TB) *kii.Client {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go answer(conn)
		}
	}()
	client, err := kii.New("app", "key", kii.Site("http://"+listener.Addr().String()))
	require.NoError(tb, err)
	return client
}

func answer(conn net.Conn) {
	defer conn.Close()
	request := make([]byte, 4096)
	reply := []byte("HTTP/1.1 204 No Content\r\nDate: Tue, 24 Nov 2026 12:00:00 GMT\r\n\r\n")
	for {
		if _, err := conn.Read(request); err != nil {
			return
		}
		if _, err := conn.Write(reply); err != nil {
			return
		}
	}
}

// The most allocations that a call may make, resty's and net/http's own included. A change that
// needs more raises the number, and its commit says what it is worth. Each is one above what was
// measured, since a collection may empty a pool. Times depend on the machine and are not judged.
func TestACallAllocatesNoMoreThanStated(t *testing.T) {
	password := "new-pass"
	reset := func(client *kii.Client) func() error {
		return func() error {
			return client.User.ResetPassword(t.Context(), "alice@example.com", kii.NotificationSMSPIN)
		}
	}
	client, login := noContent.client(t), tokens.client(t)
	session, ended := profile.session(t), deadToken.session(t)
	_, err := ended.Profile(t.Context())
	require.ErrorIs(t, err, kii.ErrWrongToken)
	// One way to make a call for the app and for a session, and secrets that a call lists in a
	// slice of any length, cost up to 3 of these. A Login reads its reply by exact names, for 22.
	// Through a RoundTripper of the caller's, as all but one of these go, four more hooks are set:
	// they tell a replay from the round trips that it makes on its own. For all, a goroutine and a
	// channel keep the deadline, and a context of the call's own lets go of the caller's. New seals
	// the app key and the headers that hold it, a login its token, for one each. A proxy in the
	// environment costs a call of the own transport one more, also if it is not for the host.
	for name, c := range map[string]struct {
		most float64
		call func() error
	}{
		"ResetPassword":               {47, reset(client)},
		"ResetPassword over loopback": {79, reset(frugalServer(t))},
		"CompleteResetPassword": {49, func() error {
			return client.User.CompleteResetPassword(t.Context(), "alice@example.com", "123456", &password)
		}},
		"Login": {85, func() error {
			_, err := login.User.Login(t.Context(), "alice@example.com", "old-pass")
			return err
		}},
		"Profile": {84, func() error {
			_, err := session.Profile(t.Context())
			return err
		}},
		"New": {60, func() error {
			_, err := kii.New("app", "key", kii.SiteJP)
			return err
		}},
		"a call on a session that is over": {0, func() error {
			if _, err := ended.Profile(t.Context()); err == nil {
				return assert.AnError
			}
			return nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			allocs := testing.AllocsPerRun(500, func() {
				if e := c.call(); e != nil {
					err = e
				}
			})
			require.NoError(t, err)
			assert.LessOrEqual(t, allocs, c.most)
		})
	}
}
