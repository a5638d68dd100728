package main

import (
	"context"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

var resetName = regexp.MustCompile(`(?:reset=|name="reset" value=")([A-Z2-7]{8})`)

// sameFor makes the answers to two visitors comparable: the date, the values of cookies, the name
// of a reset, which is random, and the account that each typed may differ.
func sameFor(account string, p page) page {
	p.header = maps.Clone(p.header)
	p.header.Del("Date")
	for i, c := range p.header.Values("Set-Cookie") {
		name, rest, _ := strings.Cut(c, "=")
		_, rest, _ = strings.Cut(rest, ";")
		p.header["Set-Cookie"] = slices.Clone(p.header["Set-Cookie"])
		p.header["Set-Cookie"][i] = name + "=…;" + rest
	}
	p.body = strings.ReplaceAll(p.body, account, "ACCOUNT")
	if name := resetName.FindStringSubmatch(p.location() + p.body); name != nil {
		p.body = strings.ReplaceAll(p.body, name[1], "RESET")
		if to := p.location(); to != "" {
			p.header.Set("Location", strings.ReplaceAll(to, name[1], "RESET"))
		}
	}
	return p
}

func Test01AskingGivesOneAnswer(t *testing.T) {
	t.Parallel()
	for _, method := range []kii.NotificationMethod{kii.NotificationEmail, kii.NotificationSMS, kii.NotificationSMSPIN} {
		t.Run(string(method), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				var first, second []page
				for _, account := range everyone {
					b := s.browser(t)
					answer := b.ask(account, method)
					synctest.Wait()
					first = append(first, sameFor(account, answer))
					second = append(second, sameFor(account, b.then(answer)))
				}
				require.Equal(t, http.StatusSeeOther, first[0].code)
				require.Equal(t, http.StatusOK, second[0].code)
				for i := range everyone {
					assert.Equal(t, first[0], first[i])
					assert.Equal(t, second[0], second[i])
				}
				assert.Equal(t, len(everyone), s.count(kiitest.OpRequestReset), "all of them are asked for")
				assert.Len(t, s.Messages(), 1, "and one gets a message")
			})
		})
	}
}

func Test02AskingTakesTheSameTime(t *testing.T) {
	t.Parallel()
	s := newSite(t, manyAllowed, func(cfg *config) { cfg.workers = 16 })
	s.Inject(kiitest.Fault{
		Operation: kiitest.OpRequestReset, User: verified, Kind: kiitest.FaultDelay, Delay: 300 * time.Millisecond, Times: kiitest.EveryTime,
	})
	took := map[string][]time.Duration{}
	b := s.browser(t)
	for i := range 100 {
		account := []string{verified, nobody}[i%2]
		start := time.Now()
		b.ask(account, kii.NotificationSMSPIN)
		took[account] = append(took[account], time.Since(start))
	}
	median := func(of []time.Duration) time.Duration { return slices.Sorted(slices.Values(of))[len(of)/2] }
	assert.InDelta(t, median(took[nobody]), median(took[verified]), float64(10*time.Millisecond))
}

func Test02AskingIsAnsweredBeforeKiiCloudIsAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, manyAllowed, func(cfg *config) { cfg.workers, cfg.queue = 2, 3 })
		s.Inject(kiitest.Fault{Operation: kiitest.OpRequestReset, Kind: kiitest.FaultDelay, Delay: 10 * time.Second, Times: kiitest.EveryTime})
		start := time.Now()
		for range 10 {
			assert.Equal(t, "/forgot/code", s.browser(t).ask(verified, kii.NotificationSMSPIN).path())
			synctest.Wait()
		}
		assert.Zero(t, time.Since(start), "in the bubble's time")
		time.Sleep(11 * time.Second)
		assert.Equal(t, 2, s.count(kiitest.OpRequestReset), "no more at once than there are workers")

		require.NoError(t, s.flow.close(t.Context()))
		assert.Equal(t, 5, s.count(kiitest.OpRequestReset), "a shutdown finishes the queue; what was beyond it is dropped")
		assert.Contains(t, s.log.String(), "the queue is full")
		assert.Equal(t, "/forgot/code", s.browser(t).ask(verified, kii.NotificationSMSPIN).path(), "as before")
	})
}

func Test02ShutdownDoesNotWaitForever(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.Inject(kiitest.Fault{Operation: kiitest.OpRequestReset, Kind: kiitest.FaultDelay, Delay: time.Minute})
		s.browser(t).ask(verified, kii.NotificationSMSPIN)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.Error(t, s.flow.close(ctx))
	})
}

func Test03AFailingKiiCloudShowsNothing(t *testing.T) {
	t.Parallel()
	faults := map[string]kiitest.Fault{
		"500":             {Kind: kiitest.FaultStatus, Status: 500, ErrorCode: "UNDEFINED_ERROR"},
		"429":             {Kind: kiitest.FaultRateLimit},
		"timeout":         {Kind: kiitest.FaultDelay, Delay: time.Hour},
		"dead connection": {Kind: kiitest.FaultNoAnswer},
		"refused":         {Kind: kiitest.FaultRefused, Times: 3},
		"a portal's page": {Kind: kiitest.FaultHTML},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				fault.Operation, fault.User = kiitest.OpRequestReset, verified
				s.Inject(fault)
				var pages []page
				for _, account := range []string{nobody, verified} {
					b := s.browser(t)
					answer := b.ask(account, kii.NotificationSMSPIN)
					time.Sleep(time.Minute) // of the bubble: beyond the call's deadline
					pages = append(pages, sameFor(account, answer), sameFor(account, b.then(answer)))
				}
				assert.Equal(t, pages[:2], pages[2:])
				assert.Empty(t, s.Messages())
				assert.Regexp(t, `level=(WARN|ERROR)`, s.log.String())
				assert.NotContains(t, s.log.String(), "alice")
			})
		})
	}
}

func Test04SendsAreLimitedPerIdentifier(t *testing.T) {
	t.Parallel()
	tests := map[string][]string{
		"e-mail":  {verified, "Alice@Example.com", " alice@EXAMPLE.com ", "ALICE@example.com"},
		"phone":   {phone, "090-1234-5678", "+81 (0)90 1234 5678", "\uff10\uff19\uff10 1234 5678"},
		"unknown": {nobody, "Nobody@example.com", nobody, nobody},
	}
	for name, spellings := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				var answers []page
				for _, account := range spellings {
					answers = append(answers, sameFor(account, s.browser(t).ask(account, kii.NotificationSMSPIN)))
					time.Sleep(time.Minute)
				}
				assert.Equal(t, 3, s.count(kiitest.OpRequestReset), "the fourth makes no call")
				assert.Equal(t, answers[0], answers[3], "and gets the same page")

				time.Sleep(15 * time.Minute)
				s.browser(t).ask(spellings[0], kii.NotificationSMSPIN)
				synctest.Wait()
				assert.Equal(t, 4, s.count(kiitest.OpRequestReset), "the next window is a new one")
			})
		})
	}
}

func Test04SendsAreLimitedPerClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		for i := range 10 {
			account := string(rune('a'+i)) + "@example.com"
			require.Equal(t, http.StatusSeeOther, s.browser(t).ask(account, kii.NotificationEmail).code)
		}
		time.Sleep(5 * time.Minute)
		refusal := s.browser(t).ask(verified, kii.NotificationEmail)
		synctest.Wait()
		assert.Equal(t, http.StatusTooManyRequests, refusal.code)
		assert.Equal(t, "600", refusal.header.Get("Retry-After"))
		assert.Contains(t, text(refusal.body), "Try again at 00:15 UTC")
		assert.Equal(t, 10, s.count(kiitest.OpRequestReset))

		other := s.browser(t)
		other.from = "192.0.2.2:99"
		assert.Equal(t, http.StatusSeeOther, other.ask(verified, kii.NotificationEmail).code, "another client is served")
	})
}

func Test04AClientIsItsNetwork(t *testing.T) {
	t.Parallel()
	const (
		one  = "true"                                  // proxy, at whatever address
		both = "10.0.0.0/8,198.51.100.0/24,2001:db8::" // a load balancer, and a CDN in front of it
	)
	tests := []struct {
		name, proxies, remote string
		forwarded             []string // lines
		want                  string
	}{
		{"IPv4", "", "192.0.2.7:80", nil, "192.0.2.7"},
		{"mapped IPv4", "", "[::ffff:192.0.2.7]:80", nil, "192.0.2.7"},
		{"IPv6 counts by network", "", "[2001:db8:1:2:3:4:5:6]:80", nil, "2001:db8:1:2::/64"},
		{"IPv6 with a zone", "", "[fe80::1%eth0]:80", nil, "fe80::/64"},
		{"IPv4 through NAT64 is one visitor", "", "[64:ff9b::192.0.2.7]:80", nil, "64:ff9b::c000:207"},
		{"a header is not believed", "", "192.0.2.7:80", []string{"198.51.100.1"}, "192.0.2.7"},

		{"but from the proxy, its own entry", one, "127.0.0.1:80", []string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1"},
		{"with a port", one, "127.0.0.1:80", []string{"203.0.113.7:50123"}, "203.0.113.7"},
		{"with another port", one, "127.0.0.1:80", []string{"203.0.113.7:50124"}, "203.0.113.7"},
		{"IPv6 with a port", one, "127.0.0.1:80", []string{"[2001:db8:1:2::7]:443"}, "2001:db8:1:2::/64"},
		{"IPv6 in brackets", one, "127.0.0.1:80", []string{"[2001:db8:1:2::7]"}, "2001:db8:1:2::/64"},
		{"IPv6 bare", one, "127.0.0.1:80", []string{"2001:db8:1:2::7"}, "2001:db8:1:2::/64"},
		{"IPv6 with a zone from the proxy", one, "127.0.0.1:80", []string{"fe80::1%eth0"}, "fe80::/64"},
		{"in quotes", one, "127.0.0.1:80", []string{`"[2001:db8:1:2::7]:443"`}, "2001:db8:1:2::/64"},
		{"mapped IPv4 with a port", one, "127.0.0.1:80", []string{"[::ffff:192.0.2.7]:80"}, "192.0.2.7"},
		{"with spaces", one, "127.0.0.1:80", []string{" 203.0.113.9 ,\t198.51.100.1:80 "}, "198.51.100.1"},
		{"in a second line", one, "127.0.0.1:80", []string{"203.0.113.9", "198.51.100.1"}, "198.51.100.1"},
		{"what is no address is the proxy's", one, "127.0.0.1:80", []string{"203.0.113.9, _hidden"}, "127.0.0.1"},
		{"so is unknown", one, "127.0.0.1:80", []string{"203.0.113.9, unknown"}, "127.0.0.1"},
		{"and nothing", one, "127.0.0.1:80", []string{"203.0.113.9, "}, "127.0.0.1"},
		{"and no header", one, "127.0.0.1:80", nil, "127.0.0.1"},

		{"through two", both, "10.0.0.1:80", []string{"203.0.113.7, 198.51.100.1"}, "203.0.113.7"},
		{"through two, forged", both, "10.0.0.1:80", []string{"192.0.2.66, 203.0.113.7, 198.51.100.1"}, "203.0.113.7"},
		{"through two, forged as one of them", both, "10.0.0.1:80", []string{"198.51.100.9, 203.0.113.7, 198.51.100.1"}, "203.0.113.7"},
		{"through two, in lines", both, "10.0.0.1:80", []string{"192.0.2.66", "203.0.113.7", "198.51.100.1"}, "203.0.113.7"},
		{"through two, forged with commas and a quote", both, "10.0.0.1:80", []string{`,,"192.0.2.66,`, "203.0.113.7,198.51.100.1"}, "203.0.113.7"},
		{"through two, with ports", both, "10.0.0.1:80", []string{"203.0.113.7:1, 198.51.100.1:2"}, "203.0.113.7"},
		{"through two, mapped", both, "[::ffff:10.0.0.1]:80", []string{"203.0.113.7, ::ffff:198.51.100.1"}, "203.0.113.7"},
		{"through two, by IPv6", both, "10.0.0.1:80", []string{"2001:db8:1:2::7, [2001:db8::]:443"}, "2001:db8:1:2::/64"},
		{"through three", both, "10.0.0.1:80", []string{"203.0.113.7, 198.51.100.1, 10.0.0.2"}, "203.0.113.7"},
		{"past the first, forged", both, "10.0.0.1:80", []string{"192.0.2.66, 203.0.113.7"}, "203.0.113.7"},
		{"past both, forged", both, "203.0.113.7:80", []string{"192.0.2.66, 198.51.100.1"}, "203.0.113.7"},
		{"a proxy's own request", both, "10.0.0.1:80", []string{"198.51.100.1"}, "198.51.100.1"},
		{"the first does not tell of whom", both, "10.0.0.1:80", []string{"192.0.2.66, unknown, 198.51.100.1"}, "198.51.100.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := &app{log: quiet()}
			if tt.proxies != "" {
				require.NoError(t, a.cfg.readProxies(tt.proxies))
			}
			r := &http.Request{RemoteAddr: tt.remote, Header: http.Header{"X-Forwarded-For": tt.forwarded}}
			assert.Equal(t, tt.want, a.client(r))
		})
	}
}

func Test05AskingChangesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		owner := s.browser(t)
		require.Equal(t, "/profile?from=login", owner.login(verified, oldPassword).location())
		for i := range 100 {
			stranger := s.browser(t)
			stranger.from = "198.51.100." + string(rune('0'+i%10)) + ":1"
			stranger.ask(verified, []kii.NotificationMethod{kii.NotificationEmail, kii.NotificationSMS, kii.NotificationSMSPIN}[i%3])
			time.Sleep(time.Minute)
		}
		assert.Greater(t, len(s.Messages()), 10)
		owner.jar = s.browser(t).jar
		assert.Equal(t, "/profile?from=login", owner.login(verified, oldPassword).location(), "the old password works")
		assert.Equal(t, http.StatusOK, owner.get("/profile").code)
	})
}

func Test05AskingEndsNoSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		owner := s.browser(t)
		owner.login(verified, oldPassword)
		s.browser(t).ask(verified, kii.NotificationSMSPIN)
		synctest.Wait()
		require.NotEmpty(t, s.Messages())
		assert.Contains(t, text(owner.get("/profile").body), "Your profile")
	})
}

func Test24ANewCodeObeysTheLimitAndADoubleClickSendsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser(t)
		b.ask(phone, kii.NotificationSMSPIN)
		b.ask(phone, kii.NotificationSMSPIN)
		synctest.Wait()
		require.Len(t, s.Messages(), 1, "a double click on the first page sends once")
		older := s.pin(t)

		time.Sleep(time.Minute)
		b.post("/forgot/again")
		answer := b.post("/forgot/again")
		synctest.Wait()
		require.Len(t, s.Messages(), 2, "and so does one on the button")
		assert.Contains(t, text(b.then(answer).body), "Only the code in the newest SMS works")

		time.Sleep(time.Minute)
		b.post("/forgot/again")
		time.Sleep(time.Minute)
		answer = b.post("/forgot/again")
		synctest.Wait()
		assert.Len(t, s.Messages(), 3, "the fourth in the window is not sent")
		assert.Equal(t, "/forgot/code", answer.path())

		assert.Contains(t, text(b.complete(older, newPassword).body), "This did not work")
		assert.Contains(t, text(b.complete(s.pin(t), newPassword).body), "Your password is changed")
	})
}

func TestAnAddressInOtherLettersIsAskedForAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t) // on a Kii Cloud that tells addresses apart by case
		b, other := s.browser(t), s.browser(t)
		b.ask("Alice@example.com", kii.NotificationSMSPIN)
		tab := b.reset
		time.Sleep(3 * time.Second)
		page := text(b.then(b.ask(verified, kii.NotificationSMSPIN)).body)
		synctest.Wait()
		require.Len(t, s.Messages(), 1, "the page says that it is on its way")
		assert.Contains(t, page, "You can ask again at 00:00:33 UTC", "by when this one was asked for")
		other.ask("ALICE@example.com", kii.NotificationSMSPIN)
		other.ask("aLICE@example.com", kii.NotificationSMSPIN)
		synctest.Wait()
		assert.Equal(t, s.cfg.asksPerAccount, s.count(kiitest.OpRequestReset), "all of them count as one account")

		assert.Contains(t, text(b.complete(s.pin(t), newPassword).body), "Your password is changed")
		b.reset = tab
		assert.Contains(t, text(b.complete("123456", newPassword).body), "Your password is changed", "as the other tab is told")
	})
}
