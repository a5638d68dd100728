package kiitest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

func TestCallLogTellsWhatArrived(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	id := srv.AddAccount(alice())
	c.send("POST", "users/EMAIL%3Aalice%40example.com/password/request-reset?disable_cache=7", resetType, byEmail, "")
	c.complete(id, "123456", "new-pass")
	all := srv.Calls()
	require.Len(t, all, 2)
	call := all[0]
	require.Equal(t, 1, call.ID)
	require.Equal(t, kiitest.OpRequestReset, call.Operation)
	require.Equal(t, "POST", call.Method)
	require.Equal(t, "/api/apps/"+srv.AppID()+"/users/EMAIL%3Aalice%40example.com/password/request-reset", call.Path, "as it was sent")
	require.Equal(t, "disable_cache=7", call.Query)
	require.Equal(t, byEmail, string(call.Body))
	require.Equal(t, srv.AppKey(), call.Header.Get("X-Kii-AppKey"))
	require.Equal(t, 204, call.Status)
	require.Equal(t, "403 INVALID_VERIFICATION_CODE", fmt.Sprint(all[1].Status, " ", all[1].ErrorCode))
	require.Len(t, srv.Calls(kiitest.OpCompleteReset, kiitest.OpLogin), 1)
	require.Empty(t, srv.Calls(kiitest.OpLogin))

	all[0].Body[0] = 'X'
	all[0].Header.Set("X-Kii-AppKey", "changed")
	require.Equal(t, byEmail, string(srv.Calls()[0].Body), "a copy")
	require.Equal(t, srv.AppKey(), srv.Calls()[0].Header.Get("X-Kii-AppKey"), "a copy")
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		text := fmt.Sprintf(verb, srv.Calls())
		for _, secret := range []string{"alice", id, "123456", "new-pass", srv.AppID(), srv.AppKey()} {
			require.NotContains(t, text, secret)
		}
		require.Contains(t, text, "complete-reset 403 INVALID_VERIFICATION_CODE")
	}
}

func TestCallLogIsBounded(t *testing.T) {
	t.Parallel()
	srv := kiitest.NewServer(kiitest.WithoutSocket())
	c := newCaller(t, srv)
	got := c.ask("nobody", `{"notificationMethod":"EMAIL","x":"`+strings.Repeat("x", 100_000)+`"}`)
	require.Equal(t, "404 USER_NOT_FOUND", got.String())
	require.Len(t, srv.Calls()[0].Body, 4096)
	body := func(bytes int) string { return `{"x":"` + strings.Repeat("x", bytes-len(`{"x":""}`)) + `"}` }
	require.NotEqual(t, 413, c.ask("nobody", body(128<<10)).status)
	require.Equal(t, 413, c.ask("nobody", body(128<<10+1)).status)
	require.Equal(t, 413, c.ask("nobody", body(1<<20)).status)
	for range 10_000 {
		c.me("none")
	}
	all := srv.Calls()
	require.GreaterOrEqual(t, len(all), 9_000)
	require.LessOrEqual(t, len(all), 10_000)
	require.Equal(t, 10_004, all[len(all)-1].ID)
}

func TestBrowserOfAnotherOriginMayCall(t *testing.T) {
	t.Parallel()
	srv, c := start(t)
	id := srv.AddAccount(alice())
	call := func(method, path string, header map[string]string) reply {
		r, err := http.NewRequestWithContext(t.Context(), method, string(srv.Site())+"/apps/"+srv.AppID()+path, http.NoBody)
		require.NoError(t, err)
		r.Header.Set("Origin", "https://app.example")
		for name, value := range header {
			r.Header.Set(name, value)
		}
		return c.do(r)
	}
	got := call("OPTIONS", "/users/"+id+"/password/complete-reset", map[string]string{
		"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-kii-appid,x-kii-appkey,content-type",
	})
	require.Equal(t, "204", got.String())
	require.Equal(t, "*", got.header.Get("Access-Control-Allow-Origin"))
	require.Equal(t, "DELETE, GET, POST, PUT", got.header.Get("Access-Control-Allow-Methods"), "those of the calls")
	require.Equal(t, "x-kii-appid,x-kii-appkey,content-type", got.header.Get("Access-Control-Allow-Headers"))

	got = call("GET", "/users/me", map[string]string{"Access-Control-Request-Method": "GET"})
	require.Equal(t, "401 UNAUTHORIZED", got.String(), "no preflight")
	require.Equal(t, "*", got.header.Get("Access-Control-Allow-Origin"), "errors can be read too")
	require.Equal(t, "Location, Retry-After", got.header.Get("Access-Control-Expose-Headers"))
	srv.Inject(kiitest.Fault{Kind: kiitest.FaultStatus, Status: 503})
	require.Equal(t, "*", call("GET", "/users/me", nil).header.Get("Access-Control-Allow-Origin"), "and faults")
	require.Empty(t, call("GET", "/password-reset/x", nil).header.Get("Access-Control-Allow-Origin"), "the pages are for no script")
	require.Empty(t, c.me("x").header.Get("Access-Control-Allow-Origin"))
}

func TestCallLogHoldsTheAnswerAndWhatWasSent(t *testing.T) {
	t.Parallel()
	srv, c := start(t, kiitest.WithSettings(verify))
	id := srv.AddAccount(alice())
	got := c.complete(id, "123456", "new-pass")
	c.ask(id, byPIN)
	c.register(registrationType, `{"loginName":"carol","emailAddress":"carol@example.com","phoneNumber":"+819087654321","password":"carol-pass"}`)
	c.complete(id, srv.FindMessages(kiitest.Filter{ID: 1})[0].PIN, "")
	all := srv.Calls()
	require.Equal(t, got.text, string(all[0].AnswerBody))
	require.Equal(t, "application/vnd.kii.InvalidVerificationCodeException+json", all[0].AnswerHeader.Get("Content-Type"))
	require.Equal(t, []int(nil), all[0].MessageIDs)
	require.Equal(t, []int{1}, all[1].MessageIDs)
	require.Empty(t, all[1].AnswerBody)
	require.Equal(t, []int{2, 3}, all[2].MessageIDs, "one for each address")
	require.Equal(t, []int{4}, all[3].MessageIDs, "the generated password")
	for _, m := range srv.Messages() {
		call, found := srv.Call(m.CallID)
		require.True(t, found)
		require.Contains(t, call.MessageIDs, m.ID)
	}
	_, found := srv.Call(99)
	require.False(t, found)
	all[0].AnswerBody[0], all[1].MessageIDs[0] = 'X', 99
	all[0].AnswerHeader.Set("Content-Type", "changed")
	again, _ := srv.Call(1)
	require.Equal(t, got.text, string(again.AnswerBody), "a copy")
	require.NotEqual(t, "changed", again.AnswerHeader.Get("Content-Type"), "a copy")
	require.Equal(t, []int{1}, srv.Calls()[1].MessageIDs, "a copy")

	for _, fault := range []kiitest.FaultKind{kiitest.FaultNoAnswer, kiitest.FaultGzipBomb} {
		srv.Inject(kiitest.Fault{Kind: fault, Handled: true})
		c.client.Get(string(srv.Site()) + "/apps/" + srv.AppID() + "/users/me")
	}
	all = srv.Calls()
	require.Equal(t, 0, all[4].Status)
	require.Empty(t, all[4].AnswerBody, "the client got none")
	require.Empty(t, all[4].AnswerHeader)
	require.Empty(t, all[4].ErrorCode)
	require.Len(t, all[5].AnswerBody, 4<<10, "its first 4 KB")
}

func TestCallLogTellsHowLongACallTook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, c := start(t)
		id := srv.AddAccount(alice())
		srv.Inject(kiitest.Fault{Kind: kiitest.FaultDelay, Delay: 7 * time.Second})
		c.ask(id, byPIN)
		srv.Advance(time.Hour)
		c.ask(id, byPIN)
		all := srv.Calls()
		require.Equal(t, 7*time.Second, all[0].Duration)
		require.Equal(t, "a fault delayed it by 7s", all[0].Why)
		require.Zero(t, all[1].Duration, "not moved with the server's clock")
	})
}

func TestCallLogIsBoundedInEachPart(t *testing.T) {
	t.Parallel()
	srv := kiitest.NewServer(kiitest.WithoutSocket())
	long := strings.Repeat("x", 100_000)
	r, err := http.NewRequestWithContext(t.Context(), "GET", string(srv.Site())+"/"+long+"?"+long, http.NoBody)
	require.NoError(t, err)
	r.Header = http.Header{"A": {"first", "second"}, "B": {long}, "C": {"left out"}, "Empty": nil}
	newCaller(t, srv).do(r)
	call, _ := srv.Call(1)
	require.Len(t, call.Path, 4<<10)
	require.Len(t, call.Query, 4<<10)
	require.Equal(t, []string{"first", "second"}, call.Header["A"])
	require.Len(t, call.Header.Get("B"), 4<<10-len("AfirstAsecondB"))
	require.NotContains(t, call.Header, "C")
}
