package kiitest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-kii/kii/kiitest"
)

// FuzzServer sends what nobody means. The server must not panic, must answer with a status of HTTP,
// and must change and grant nothing: nobody knows a PIN, a password or a token.
func FuzzServer(f *testing.F) {
	for _, seed := range []struct{ method, path, contentType, authorization, body string }{
		{"POST", "/api/apps/app/users/EMAIL:alice@example.com/password/request-reset", resetType, "", byPIN},
		{"POST", "/api/apps/app/users/PHONE%3AJP-09012341234/password/complete-reset", completeType, "", `{"pinCode":"123456","newPassword":"new-pass"}`},
		{"POST", "/api/apps/app/users/me/password/complete-reset", completeType, "Bearer x", `{"pinCode":123456}`},
		{"POST", "/api/oauth2/token", "application/json", "", `{"username":"alice","password":"wrong","expiresAt":"9e9"}`},
		{"POST", "/api/apps/app/oauth2/token", "application/x-www-form-urlencoded", "Basic YXBwOg==", "grant_type=refresh_token&refresh_token=x"},
		{"GET", "/api/apps/app/users/%2e%2e/password", "", "Bearer ", ""},
		{"PUT", "/api/apps/app/users/me/phone-number", "", "Bearer x", `{"phoneNumber":"QQ-"}`},
		{"GET", "/api/apps/app/password-reset/x", "", "", ""},
		{"POST", "/api/apps/app/password-reset/%00", "application/x-www-form-urlencoded", "", "password=a&confirm=%zz"},
		{"OPTIONS", "/api", "", "", ""},
		{"POST", "/api/apps/app/users/me/email-address/verify", "", "Basic !", `{"verificationCode":null}`},
	} {
		f.Add(seed.method, seed.path, seed.contentType, seed.authorization, seed.body)
	}
	f.Fuzz(func(t *testing.T, method, path, contentType, authorization, body string) {
		u, err := url.Parse("https://kiitest.invalid" + path)
		if err != nil || u.Host != "kiitest.invalid" {
			t.Skip("no URL")
		}
		r, err := http.NewRequest(method, u.String(), strings.NewReader(body))
		if err != nil {
			t.Skip("no request")
		}
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Authorization", authorization)
		r.Header.Set("X-Kii-AppID", "app")
		srv := kiitest.NewServer(kiitest.WithoutSocket(), kiitest.WithApp("app", "key"), kiitest.WithPIN("314159"), kiitest.WithSettings(input))
		id := srv.AddAccount(kiitest.Account{LoginName: "alice", Email: "alice@example.com", EmailVerified: true, Phone: "+819012341234", PhoneVerified: true, Password: "Tr0ub4dor"})
		before, _ := srv.Account(id)
		response, err := srv.Transport().RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		call := srv.Calls()[0]
		text := readAll(t, response.Body)
		switch {
		case response.StatusCode < 200 || response.StatusCode > 599:
			t.Fatalf("status %d", response.StatusCode)
		case response.StatusCode >= 300:
		case call.Operation == kiitest.OpRegister, call.Operation == kiitest.OpPreflight:
		case call.Operation == kiitest.OpRequestReset && response.StatusCode == 204: // whoever knows a name may ask
			if len(body) > 0 && contentType != "" && !json.Valid([]byte(body)) && !strings.HasSuffix(u.EscapedPath(), "/reset") {
				t.Fatal("a broken body was taken for a reset")
			}
		case call.Operation == kiitest.OpAnonymousLogin && strings.Contains(body, "key"): // the input knows the app's key
		default:
			t.Fatalf("%v of nonsense succeeded: %s", call, text)
		}
		if after, _ := srv.Account(id); after.Password != before.Password || after.Email != before.Email || after.Phone != before.Phone {
			t.Fatal("nonsense changed the account")
		}
	})
}
