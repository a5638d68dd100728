package main

import (
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

// paths are all that the site answers, and one that it does not.
var paths = []string{
	"/", "/login", "/login?after=reset", "/logout", "/profile", "/profile/email", "/profile/phone", "/profile/fax",
	"/profile/email/resend", "/profile/email/verify", "/profile/email/change", "/forgot", "/forgot/code", "/forgot/sent", "/forgot/again",
	"/.well-known/change-password", "/static/style.css", "/static/site.js", "/static/icon.svg", "/demo", "/none",
}

// everyAnswer is one answer of each kind: pages, redirects, refusals and errors.
func everyAnswer(t *testing.T, s *site) map[string]page {
	answers := map[string]page{}
	b := s.browser(t)
	for _, path := range paths {
		answers["GET "+path] = b.get(path)
	}
	answers["bad form"] = b.post("/forgot", "account", "x")
	answers["bad login"] = b.login(verified, "")
	answers["ask"] = b.ask(verified, kii.NotificationSMSPIN)
	synctest.Wait()
	answers["code"] = b.get("/forgot/code")
	answers["again"] = b.post("/forgot/again")
	answers["bad code"] = b.post("/forgot/code", "code", "")
	answers["bad code page"] = b.get("/forgot/code")
	answers["link"] = b.ask(verified, kii.NotificationEmail)
	answers["link page"] = b.get("/forgot/sent")
	answers["login"] = b.login(verified, oldPassword)
	answers["profile"] = b.get("/profile")
	answers["address"] = b.get("/profile/email")
	answers["bad address"] = b.post("/profile/email/change", "address", "x")
	answers["bad verification"] = b.post("/profile/phone/verify", "code", "1")
	answers["too long"] = b.post("/login", "account", strings.Repeat("x", maxForm))
	answers["broken escape"] = b.do(http.MethodPost, "/login?%zz", nil)
	answers["logout"] = b.post("/logout")
	for i := range 12 {
		answers["too often"] = b.ask(fmt.Sprint(i, nobody), kii.NotificationEmail)
	}
	answers["asked a moment ago"] = b.ask(verified, kii.NotificationSMSPIN)
	foreign := s.browser(t)
	foreign.send = http.Header{"Sec-Fetch-Site": {"cross-site"}}
	answers["cross-site"] = foreign.ask(verified, kii.NotificationEmail)
	r := httptest.NewRequest(http.MethodGet, "https://evil.example/forgot", nil)
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	answers["other host"] = page{w.Code, w.Header(), w.Body.String()}
	r = httptest.NewRequest(http.MethodGet, "http://www.example.com/forgot", nil)
	w = httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	answers["plain http"] = page{w.Code, w.Header(), w.Body.String()}
	require.Equal(t, http.StatusTooManyRequests, answers["too often"].code)
	require.Equal(t, http.StatusOK, answers["profile"].code)
	require.Equal(t, http.StatusRequestEntityTooLarge, answers["too long"].code)
	return answers
}

func Test11OnlyPOSTActs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		stranger, user := s.browser(t), s.asked(t, verified)
		user.login(verified, oldPassword)
		user.post("/forgot/code", "code", "12", "password", "x")
		calls, messages, form := s.count(), s.Messages(), user.get("/forgot/code")
		for range 2 {
			for _, path := range paths {
				for _, method := range []string{http.MethodGet, http.MethodHead} {
					for _, b := range []*browser{stranger, user} {
						answer := b.do(method, path+"?code=1&password=x&account="+verified+"&method=EMAIL", nil)
						assert.Empty(t, answer.header.Get("Set-Cookie"))
						if method == http.MethodGet && answer.code == http.StatusOK {
							assert.NotContains(t, answer.body, `value="1"`)
						}
					}
				}
			}
		}
		synctest.Wait()
		assert.Equal(t, messages, s.Messages())
		assert.Equal(t, form, user.get("/forgot/code"))
		for _, call := range s.Calls()[calls:] {
			assert.Equal(t, kiitest.OpGetUser, call.Operation, "the profile of who is logged in is read, and nothing else happens")
		}
		assert.Len(t, s.Calls()[calls:], 12, "by that user alone, on the pages of the profile")
	})
}

func TestAFormThatIsTooLongActsOnNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.asked(t, verified)
		b.login(verified, oldPassword)
		pin, sent := s.pin(t), len(s.Messages())
		for _, path := range []string{
			"/login", "/forgot", "/forgot/again", "/forgot/code", "/profile/phone/resend", "/profile/phone/verify", "/profile/email/change",
		} {
			answer := b.post(path, "account", verified, "method", string(kii.NotificationEmail), "address", "new@example.com",
				"code", pin, "password", oldPassword, "more", strings.Repeat("x", maxForm))
			assert.Equal(t, http.StatusRequestEntityTooLarge, answer.code, path)
		}
		synctest.Wait()
		assert.Len(t, s.Messages(), sent)
		assert.Zero(t, s.count(kiitest.OpCompleteReset, kiitest.OpVerifyAddress, kiitest.OpChangeAddress))
	})
}

func Test12CrossSitePOSTIsRefused(t *testing.T) {
	t.Parallel()
	headers := map[string]http.Header{
		"cross-site":            {"Sec-Fetch-Site": {"cross-site"}},
		"same-site":             {"Sec-Fetch-Site": {"same-site"}},
		"foreign origin":        {"Origin": {"https://evil.example"}},
		"no origin of a page":   {"Origin": {"null"}},
		"both, and they differ": {"Origin": {origin}, "Sec-Fetch-Site": {"cross-site"}},
	}
	for name, header := range headers {
		synctestRun(t, name, func(t *testing.T) {
			s := newSite(t)
			b := s.asked(t, verified)
			b.login(verified, oldPassword)
			b.get("/profile/email")
			before := s.count()
			b.send = header
			for _, answer := range []page{
				b.ask(nobody, kii.NotificationEmail), b.post("/forgot/again"), b.login(verified, oldPassword), b.post("/logout"),
				b.post("/profile/email/resend"), b.post("/profile/phone/verify", "code", "1"), b.post("/profile/email/change", "address", nobody, "password", oldPassword),
				b.post("/forgot/code", "code", s.pin(t), "password", newPassword),
			} {
				assert.Equal(t, http.StatusForbidden, answer.code)
				assert.Contains(t, text(answer.body), "Nothing was done")
			}
			synctest.Wait()
			assert.Equal(t, before, s.count())
			b.send = http.Header{"Origin": {origin}}
			assert.Equal(t, http.StatusSeeOther, b.ask(nobody, kii.NotificationEmail).code, "its own origin is served")
		})
	}
}

func Test13To16EveryAnswerHasItsHeaders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, answer := range everyAnswer(t, newSite(t)) {
			assert.Equal(t, "no-store", answer.header.Get("Cache-Control"), name)
			assert.Equal(t, "same-origin", answer.header.Get("Referrer-Policy"), name)
			assert.Equal(t, "nosniff", answer.header.Get("X-Content-Type-Options"), name)
			assert.Equal(t, "max-age=63072000", answer.header.Get("Strict-Transport-Security"), name)
			policy := strings.Split(answer.header.Get("Content-Security-Policy"), "; ")
			for _, directive := range []string{"default-src 'none'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"} {
				assert.Contains(t, policy, directive, name)
			}
			assert.NotContains(t, answer.header.Get("Content-Security-Policy"), "unsafe", name)
			assert.Contains(t, policy, "script-src 'self'", name)
			assert.NotContains(t, strings.Replace(answer.body, `<script src="/static/site.js" defer></script>`, "", 1), "<script", name)
			assert.NotRegexp(t, `\son[a-z]+=|javascript:`, answer.body, name)
			assert.NotContains(t, answer.body, "style=", name)
			assert.NotRegexp(t, `(src|action|href)="(https?:)?//`, strings.ReplaceAll(answer.body, origin, ""), name)
		}
	})
}

func Test15SecretsAndAddressesStayOutOfURLsLogsAndTitles(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, manyAllowed)
		const pinMarker = "80470915"
		markers := []string{verified, "alice", phone, "9012345678", oldPassword, newPassword, "MARKER", "marker", pinMarker}
		var urls []string
		b := s.browser(t)
		step := func(p page) {
			urls = append(urls, p.location())
			title, _, _ := strings.Cut(p.body, "</title>")
			urls = append(urls, title)
		}
		for _, account := range []string{verified, phone, "marker@example.com"} {
			step(b.ask(account, kii.NotificationSMSPIN))
			synctest.Wait()
			for _, fault := range []kiitest.Fault{
				{Kind: kiitest.FaultStatus, Status: 500, ErrorCode: "UNDEFINED_ERROR"}, {Kind: kiitest.FaultNoAnswer}, {Kind: kiitest.FaultHTML},
			} {
				fault.Operation = kiitest.OpCompleteReset
				s.Inject(fault)
				step(b.post("/forgot/code", "code", pinMarker, "password", "MARKER-password"))
				step(b.get("/forgot/code"))
			}
			step(b.post("/forgot/code", "code", pinMarker, "password", "MARKER-password"))
			step(b.login(account, "MARKER-password"))
			step(b.get("/forgot?account=" + verified + "&code=MARKER"))
			step(b.get("/none/MARKER"))
		}
		b.ask(verified, kii.NotificationSMSPIN)
		synctest.Wait()
		pin := s.pin(t)
		markers = append(markers, pin)
		step(b.post("/forgot/code", "code", pin, "password", newPassword))
		step(b.login(verified, newPassword))
		markers = append(markers, b.cookie("__Host-login"))
		step(b.get("/profile"))
		require.Contains(t, s.log.String(), `page="POST /forgot/code"`)
		for _, marker := range markers {
			require.NotEmpty(t, marker)
			for name, sink := range map[string]string{"log": s.log.String(), "URLs and titles": strings.Join(urls, "\n")} {
				if strings.Contains(sink, marker) {
					t.Errorf("a marker is in the %s", name)
				}
			}
		}
	})
}

// unrouted returns an app without pages, which a test guards a page of its own by.
func unrouted(t *testing.T) (*site, *app) {
	s := newSite(t)
	cfg := defaults()
	cfg.url, _ = siteURL(origin, true, false)
	sentences, err := newWords(wordFiles, "en", time.UTC)
	require.NoError(t, err)
	return s, &app{cfg: cfg, log: s.flow.log, words: sentences}
}

func Test15APanicTellsNothing(t *testing.T) {
	t.Parallel()
	s, a := unrouted(t)
	w := httptest.NewRecorder()
	a.guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("MARKER") })).
		ServeHTTP(w, httptest.NewRequest(http.MethodGet, origin+"/", nil))
	assert.Equal(t, http.StatusInternalServerError, w.Code)
	assert.Contains(t, text(w.Body.String()), "Try again in a few minutes")
	assert.NotContains(t, w.Body.String()+s.log.String(), "MARKER")
	assert.Contains(t, s.log.String(), "guard_test.go", "the log says where")
}

func TestAPageThatFailsIsFoundByTheLog(t *testing.T) {
	t.Parallel()
	s, a := unrouted(t)
	template.Must(a.words.pages["login"].Parse(`{{define "body"}}{{range .Account}}{{end}}{{end}}`)) // the error repeats it
	for word, want := range map[string]string{
		"login":  `template: en.html:1:25: executing \"body\" at <.Account`,
		"orders": "missing=orders.title",
	} {
		w := httptest.NewRecorder()
		a.guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			a.render(w, http.StatusOK, "login", view{Word: word, Account: "MARKER"})
		})).ServeHTTP(w, httptest.NewRequest(http.MethodGet, origin+"/", nil))
		assert.Equal(t, http.StatusInternalServerError, w.Code)
		assert.Contains(t, s.log.String(), want)
		assert.NotContains(t, w.Body.String()+s.log.String(), "MARKER")
	}
}

func Test18PlainHTTPAndForgedHostsAreRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tests := []struct {
			name, method, url, proto string
			proxy                    bool
			code                     int
			location                 string
		}{
			{"plain GET", http.MethodGet, "http://www.example.com/forgot?account=x", "", false, http.StatusPermanentRedirect, origin + "/forgot"},
			{"plain POST", http.MethodPost, "http://www.example.com/forgot", "", false, http.StatusForbidden, ""},
			{"a header without a proxy", http.MethodPost, "http://www.example.com/login", "https", false, http.StatusForbidden, ""},
			{"plain to the proxy", http.MethodPost, "http://www.example.com/login", "http", true, http.StatusForbidden, ""},
			{"TLS to the proxy", http.MethodGet, "http://www.example.com/login", "https", true, http.StatusOK, ""},
			{"TLS to the proxy in capitals", http.MethodGet, "http://www.example.com/login", "HTTPS", true, http.StatusOK, ""},
			{"TLS to the first of two proxies", http.MethodGet, "http://www.example.com/login", "https, http", true, http.StatusOK, ""},
			{"plain to the first of two proxies", http.MethodGet, "http://www.example.com/login", "http,https", true, http.StatusPermanentRedirect, origin + "/login"},
			{"a proxy that does not tell is no loop", http.MethodGet, "http://www.example.com/login", "", true, http.StatusForbidden, ""},
			{"a proxy that tells of something else is no loop", http.MethodGet, "http://www.example.com/login", "wss", true, http.StatusForbidden, ""},
			{"the port of https", http.MethodGet, "http://www.example.com:443/login", "https", true, http.StatusOK, ""},
			{"another port", http.MethodGet, "http://www.example.com:8443/login", "https", true, http.StatusMisdirectedRequest, ""},
			{"capitals and a dot", http.MethodGet, "http://WWW.Example.COM./login", "https", true, http.StatusOK, ""},
			{"forged Host", http.MethodGet, "https://evil.example/forgot", "", false, http.StatusMisdirectedRequest, ""},
			{"forged Host, plain", http.MethodGet, "http://evil.example/forgot", "", false, http.StatusMisdirectedRequest, ""},
			{"an absolute path stays here", http.MethodGet, "http://www.example.com//evil.example", "", false, http.StatusPermanentRedirect, origin + "//evil.example"},
		}
		for _, tt := range tests {
			s := newSite(t, func(cfg *config) { cfg.proxy = tt.proxy })
			r := httptest.NewRequest(tt.method, tt.url, nil)
			r.Header.Set("X-Forwarded-Proto", tt.proto)
			w := httptest.NewRecorder()
			s.handler.ServeHTTP(w, r)
			assert.Equal(t, tt.code, w.Code, tt.name)
			assert.Equal(t, tt.location, w.Header().Get("Location"), tt.name)
			if w.Header().Get("Location") == "" {
				assert.NotContains(t, w.Body.String(), "evil.example", tt.name)
			}
			if w.Code/100 == 4 {
				assert.Contains(t, w.Body.String(), `<a href="`+origin+`/login">To the login</a>`, tt.name)
			}
		}
	})
}

func Test18OnlyItsProxiesAreBelieved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(cfg *config) { require.NoError(t, cfg.readProxies("192.0.2.1, 2001:db8:1::/48,fe80::/64")) })
		for remote, want := range map[string]int{
			"192.0.2.1:80":           http.StatusOK,
			"[::ffff:192.0.2.1]:80":  http.StatusOK,
			"[2001:db8:1:2::3]:80":   http.StatusOK,
			"192.0.2.2:80":           http.StatusForbidden, // no redirect, which would come back for ever
			"[2001:db8:2::3]:80":     http.StatusForbidden,
			"[fe80::1%eth0]:80":      http.StatusOK,
			"[64:ff9b::192.0.2.1]:1": http.StatusForbidden,
		} {
			r := httptest.NewRequest(http.MethodGet, "http://www.example.com/login", nil)
			r.RemoteAddr = remote
			r.Header.Set("X-Forwarded-Proto", "https")
			w := httptest.NewRecorder()
			s.handler.ServeHTTP(w, r)
			assert.Equal(t, want, w.Code, remote)
		}
		assert.Regexp(t, `level=ERROR .*not in -proxy.* from=192\.0\.2\.2\n`, s.log.String())
	})
}

func TestALoadBalancerCanAskWhetherTheSiteIsUp(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(cfg *config) { require.NoError(t, cfg.readProxies("192.0.2.1")) })
	server := httptest.NewServer(s.handler)
	defer server.Close()
	for _, request := range []string{
		"GET /healthz HTTP/1.0\r\n\r\n",
		"HEAD /healthz HTTP/1.1\r\nHost: 10.0.0.7:8080\r\nConnection: close\r\n\r\n",
		"OPTIONS /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, request)
		require.NoError(t, err)
		answer, err := io.ReadAll(conn)
		require.NoError(t, err)
		assert.Contains(t, string(answer), " 200 OK", request)
	}
	assert.Empty(t, s.log.String(), "it is asked every few seconds")
}

func TestARestoredTabFindsItsForm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.asked(t, verified)
		b.login(verified, oldPassword)
		for path, want := range map[string]string{
			"/forgot/again": "Choose a new password", "/logout": "Your profile",
			"/profile/email/resend": "Your e-mail address", "/profile/phone/verify": "Your phone number", "/profile/phone/change": "Your phone number",
			"/profile/fax/change": "There is no such page", "/profile/%2f%2fevil.example/change": "There is no such page",
		} {
			assert.Contains(t, text(b.then(b.get(path)).body), want, path)
		}
		stranger := s.browser(t)
		assert.Contains(t, text(stranger.then(stranger.get("/forgot/again")).body), "Tell us who you are", "there is no reset to go on with")
	})
}

func TestAWrongMethodIsToldWhichOnesAreRight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.asked(t, verified)
		for request, want := range map[string]string{
			"PUT /login": "GET, HEAD, POST", "DELETE /forgot": "GET, HEAD, POST", "PATCH /forgot/code": "GET, HEAD, POST",
			"POST /forgot/sent": "GET, HEAD", "POST /profile": "GET, HEAD", "PUT /profile/email/change": "GET, HEAD, POST",
			"DELETE /static/site.js": "GET, HEAD", "POST /none": "GET, HEAD", "OPTIONS /": "GET, HEAD",
		} {
			method, path, _ := strings.Cut(request, " ")
			answer := b.do(method, path, nil)
			assert.Equal(t, http.StatusMethodNotAllowed, answer.code, request)
			assert.Equal(t, want, answer.header.Get("Allow"), request)
		}
		assert.Equal(t, http.StatusNotFound, b.get("/none").code)
		assert.Equal(t, http.StatusNotFound, b.get("/forgot/none").code)
	})
}

func TestARequestIsLoggedWithTheStatusThatWasSent(t *testing.T) {
	t.Parallel()
	for want, h := range map[string]http.HandlerFunc{
		"status=200": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "a body, which implies it") },
		"status=304": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) },
	} {
		s := newSite(t)
		a := &app{cfg: s.cfg, log: slog.New(slog.NewTextHandler(s.log, nil))}
		a.guard(h).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, origin+"/", nil))
		assert.Contains(t, s.log.String(), want)
	}
}
