package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

// verifying is the site of an app that asks for verification, and a browser that is logged in
// there.
func verifying(t *testing.T, open ...stores) (*site, *browser) {
	t.Helper()
	s := newSite(t)
	if len(open) > 0 {
		s.open = open[0]
		s.start(t)
	}
	s.SetSettings(func(portal *kiitest.Settings) { portal.VerifyEmail, portal.VerifyPhone = true, true })
	b := s.browser(t)
	require.Equal(t, "/profile?from=login", b.login(verified, oldPassword).location())
	return s, b
}

func (s *site) verificationCode(t *testing.T) string {
	t.Helper()
	m, err := s.WaitMessage(t.Context(), kiitest.Filter{Purpose: kiitest.VerifyAddress, State: kiitest.Pending})
	require.NoError(t, err)
	return m.Code
}

func TestTheProfileTellsWhatCouldBringAReset(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		email, phone bool
		want         []string
		not          string
	}{
		"both":    {true, true, []string{"an e-mail to erin@example.com", "an SMS to +819012345690"}, "Nothing could bring you"},
		"one":     {false, true, []string{"an SMS to +819012345690"}, "an e-mail to"},
		"neither": {false, false, []string{"Nothing could bring you a new password. Verify an address while you can still log in"}, "A new password can be asked for by"},
	}
	for name, tt := range tests {
		synctestRun(t, name, func(t *testing.T) {
			s := newSite(t)
			id := s.AddAccount(kiitest.Account{
				LoginName: "erin", Email: "erin@example.com", EmailVerified: true, Phone: "+819012345690", PhoneVerified: true, Password: oldPassword,
			})
			b := s.browser(t)
			b.login("erin@example.com", oldPassword)
			account, _ := s.Account(id)
			account.EmailVerified, account.PhoneVerified = tt.email, tt.phone
			_, err := s.PutAccount(account)
			require.NoError(t, err)
			shown := text(b.get("/profile").body)
			for _, want := range tt.want {
				assert.Contains(t, shown, want)
			}
			assert.NotContains(t, shown, tt.not)
		})
	}
}

func TestAnAddressIsChangedAndVerified(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]string{"email": "alice@new.example", "phone": "090 1111 2222"} {
		synctestRun(t, name, func(t *testing.T) {
			s, b := verifying(t)
			path := "/profile/" + name
			shown := b.then(b.post(path+"/change", "address", address, "password", oldPassword))
			assert.Contains(t, text(shown.body), "We have taken your request. If nobody else has the new one, a message that verifies it is on its way to it")
			assert.Contains(t, text(b.get("/profile").body), verified, "the old one keeps working")

			assert.Contains(t, text(b.then(b.post(path+"/verify", "code", "999999")).body), "This did not work: the code is wrong")
			assert.Contains(t, text(b.then(b.post(path+"/verify", "code", "the code")).body), "Enter the code from the message, and nothing else")
			code := s.verificationCode(t)
			shown = b.then(b.post(path+"/verify", "code", "Your code is "+code[:3]+" "+code[3:]+"."))
			assert.Contains(t, text(shown.body), "It is verified")
			profile := text(b.get("/profile").body)
			assert.Contains(t, profile, map[string]string{"email": "an e-mail to alice@new.example", "phone": "an SMS to +819011112222"}[name])
			assert.Equal(t, 4, len(s.Calls(kiitest.OpVerifyAddress))+len(s.Calls(kiitest.OpChangeAddress))+1, "what is no code is not tried")

			shown = b.then(b.post(path+"/change", "address", map[string]string{"email": "a@b.example", "phone": "+819033334444"}[name], "password", oldPassword))
			assert.Contains(t, text(shown.body), "We have taken your request", "the password is asked of the new address")
		})
	}
}

// A support desk, or another browser, may change the address afterwards.
func TestAnAddressThatIsVerifiedIsNoLongerAskedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, b := verifying(t)
		b.post("/profile/email/change", "address", "alice@new.example", "password", oldPassword)
		b.post("/profile/email/verify", "code", s.verificationCode(t))
		account, _ := s.Account("alice@new.example")
		account.Email = "alice@desk.example"
		_, err := s.PutAccount(account)
		require.NoError(t, err)
		shown := text(b.get("/profile/email").body)
		assert.Contains(t, shown, "alice@desk.example")
		assert.NotContains(t, shown, "alice@new.example")
	})
}

func TestAskingForTheAddressThatIsThereTakesAnotherBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, b := verifying(t)
		change := func(to string) string {
			t.Helper()
			return text(b.then(b.post("/profile/phone/change", "address", to, "password", oldPassword)).body)
		}
		require.Contains(t, change("090-8765-4321"), "Asked for +819087654321 not verified")
		shown := change(phone)
		assert.Contains(t, shown, "Now "+phone+" verified")
		assert.NotContains(t, shown, "not verified", "the same number is both")
	})
}

func TestATakenAddressLooksLikeAFreeOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var seen [][]page
		var times []time.Duration
		for i, address := range []string{disabled, "free@example.com"} { // dave has verified his
			s, b := verifying(t)
			s.Inject(kiitest.Fault{Operation: kiitest.OpChangeAddress, Kind: kiitest.FaultDelay, Delay: time.Duration(1+3*i) * 100 * time.Millisecond})
			start := time.Now()
			answer := b.post("/profile/email/change", "address", address, "password", oldPassword)
			times = append(times, time.Since(start))
			pages := []page{answer, b.get("/profile/email"), b.then(b.post("/profile/email/resend")), b.then(b.post("/profile/email/verify", "code", "000001")), b.get("/profile")}
			for i := range pages {
				pages[i] = sameFor(address, pages[i])
				pages[i].body = strings.ReplaceAll(pages[i].body, `value="`+b.user+`"`, `value="USER"`)
			}
			seen = append(seen, pages)
		}
		assert.Equal(t, seen[0], seen[1])
		assert.Equal(t, times[0], times[1])
	})
}

func TestAnAddressIsNotChangedWithoutThePassword(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, b := verifying(t)
		for password, want := range map[string]string{"": "Enter your password", "wrong": "This is not your password. Nothing was changed"} {
			shown := b.post("/profile/email/change", "address", "thief@example.com", "password", password)
			assert.Equal(t, http.StatusUnprocessableEntity, shown.code)
			assert.Contains(t, text(shown.body), want)
			assert.Contains(t, input(t, shown.body, "password"), `aria-invalid="true" aria-describedby="password-problem"`)
			assert.Contains(t, input(t, shown.body, "address"), `value="thief@example.com"`)
		}
		for range 12 {
			b.post("/profile/email/change", "address", "thief@example.com", "password", "guess")
		}
		shown := b.post("/profile/email/change", "address", "thief@example.com", "password", oldPassword)
		assert.Contains(t, text(shown.body), "Your password was tried too often", "guesses are counted as those of a login are")
		assert.Zero(t, s.count(kiitest.OpChangeAddress))
		for _, path := range []string{"email", "phone"} {
			wrong := map[string]string{"email": phone, "phone": verified}[path]
			assert.Contains(t, b.post("/profile/"+path+"/change", "address", wrong, "password", oldPassword).body, `id="address-problem"`, "an address of the other kind")
		}
	})
}

func TestAPasswordManagerKeepsTheLoginOfAnAddressForm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, b := verifying(t)
		form := b.get("/profile/phone").body
		form = form[strings.Index(form, `action="/profile/phone/change"`):]
		assert.Contains(t, input(t, form, "username"), `value="`+verified+`" autocomplete="username" dir="ltr" readonly`)
		assert.Contains(t, input(t, form, "password"), `autocomplete="current-password"`)
		assert.Less(t, strings.Index(form, `id="address"`), strings.Index(form, `id="username"`), "it takes the text field before the password")
	})
}

func TestTheFormsOfAnAddressAreLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, b := verifying(t)
		b.post("/profile/email/change", "address", "alice@new.example", "password", oldPassword)
		for range 3 {
			assert.Contains(t, text(b.then(b.post("/profile/email/resend")).body), "a message is on its way")
		}
		assert.Contains(t, text(b.then(b.post("/profile/email/resend")).body), "The message was sent again too often. You can ask again at 00:1")
		assert.Equal(t, 3, s.count(kiitest.OpResendVerification))
		for range 5 {
			b.post("/profile/email/verify", "code", "000001")
		}
		assert.Contains(t, text(b.post("/profile/email/verify", "code", s.verificationCode(t)).body), "Too many codes were tried. Try again at")
		assert.Equal(t, 5, s.count(kiitest.OpVerifyAddress))
		for range 2 {
			b.post("/profile/phone/change", "address", "090 1111 2222", "password", oldPassword)
		}
		assert.Contains(t, text(b.post("/profile/phone/change", "address", "090 1111 2222", "password", oldPassword).body), "There were too many changes")
		assert.Equal(t, 3, s.count(kiitest.OpChangeAddress))
	})
}

func TestTheFormsOfAnAddressTellWhatHappened(t *testing.T) {
	t.Parallel()
	faults := map[string]struct {
		fault kiitest.Fault
		want  string
	}{
		"no answer":    {kiitest.Fault{Kind: kiitest.FaultNoAnswer}, "We could not find out whether this was done"},
		"500":          {kiitest.Fault{Kind: kiitest.FaultStatus, Status: 500, ErrorCode: "UNDEFINED_ERROR"}, "We could not find out whether this was done"},
		"429":          {kiitest.Fault{Kind: kiitest.FaultRateLimit}, "Nothing was changed, because we cannot reach the service just now"},
		"unreachable":  {kiitest.Fault{Kind: kiitest.FaultRefused, Times: 3}, "Nothing was changed, because we cannot reach the service just now"},
		"no such app":  {kiitest.Fault{Kind: kiitest.FaultStatus, Status: 404, ErrorCode: "APP_NOT_FOUND"}, "Nothing was changed, because we cannot reach the service just now"},
		"session over": {kiitest.Fault{Kind: kiitest.FaultStatus, Status: 403, ErrorCode: "WRONG_TOKEN"}, "You were logged out"},
	}
	forms := map[string]struct {
		operation kiitest.Operation
		fields    []string
	}{
		"resend": {kiitest.OpResendVerification, nil},
		"verify": {kiitest.OpVerifyAddress, []string{"code", "123456"}},
		"change": {kiitest.OpChangeAddress, []string{"address", "alice@new.example", "password", oldPassword}},
	}
	for name, tt := range faults {
		synctestRun(t, name, func(t *testing.T) {
			for form, of := range forms {
				s, b := verifying(t)
				tt.fault.Operation = of.operation
				s.Inject(tt.fault)
				shown := b.then(b.post("/profile/email/"+form, of.fields...))
				assert.Contains(t, text(shown.body), tt.want, form)
				noGoError(t, shown.body)
				for _, secret := range []string{"alice", "123456", oldPassword} {
					assert.NotContains(t, s.log.String(), secret, form)
				}
			}
		})
	}
}

func TestAnAddressStaysIfThePasswordCannotBeChecked(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]kiitest.Fault{
		"no answer":   {Kind: kiitest.FaultNoAnswer},
		"500":         {Kind: kiitest.FaultStatus, Status: http.StatusInternalServerError},
		"429":         {Kind: kiitest.FaultRateLimit},
		"unreachable": {Kind: kiitest.FaultRefused, Times: 3},
	} {
		synctestRun(t, name, func(t *testing.T) {
			s, b := verifying(t)
			fault.Operation = kiitest.OpLogin
			s.Inject(fault)
			shown := b.then(b.post("/profile/email/change", "address", "alice@new.example", "password", "a guess"))
			assert.Contains(t, text(shown.body), "Nothing was changed, because we cannot reach the service just now")
			assert.Zero(t, s.count(kiitest.OpChangeAddress))
		})
	}
}

func TestAProfileThatCannotBeShownTellsWhenToComeBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser(t)
		b.login(verified, oldPassword)
		for _, tt := range []struct {
			fault kiitest.Fault
			want  string
		}{
			{kiitest.Fault{Kind: kiitest.FaultRateLimit, RetryIn: 90 * time.Second}, "90"},
			{kiitest.Fault{Kind: kiitest.FaultStatus, Status: http.StatusServiceUnavailable, RetryIn: time.Second}, "1"},
			{kiitest.Fault{Kind: kiitest.FaultStatus, Status: http.StatusServiceUnavailable}, ""},
			{kiitest.Fault{Kind: kiitest.FaultNoAnswer}, ""},
		} {
			tt.fault.Operation, tt.fault.Times = kiitest.OpGetUser, kiitest.EveryTime
			s.Inject(tt.fault)
			answer := b.get("/profile")
			assert.Equal(t, http.StatusServiceUnavailable, answer.code)
			assert.Equal(t, tt.want, answer.header.Get("Retry-After"))
			assert.Contains(t, answer.body, `action="/logout"`, "who wants to leave need not wait")
			s.ClearFaults()
		}
		w := httptest.NewRecorder()
		retryAfter(w, time.Millisecond)
		assert.Equal(t, "1", w.Header().Get("Retry-After"), "not at once")
	})
}

func TestAFormOfAnAddressThatIsSentTwiceActsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, b := verifying(t)
		twice := func(want, path string, pairs ...string) {
			t.Helper()
			var clicks sync.WaitGroup
			for range 2 {
				tab := *b
				clicks.Go(func() { assert.Contains(t, text(tab.then(tab.post(path, pairs...)).body), want) })
			}
			clicks.Wait()
		}
		twice("We have taken your request", "/profile/phone/change", "address", "+819012349999", "password", oldPassword)
		assert.Equal(t, 1, s.count(kiitest.OpChangeAddress))
		time.Sleep(time.Minute)
		twice("a message is on its way", "/profile/phone/resend")
		assert.Equal(t, 1, s.count(kiitest.OpResendVerification))
		twice("This did not work", "/profile/phone/verify", "code", "1")
		twice("It is verified", "/profile/phone/verify", "code", s.verificationCode(t))
		assert.Equal(t, 2, s.count(kiitest.OpVerifyAddress))
	})
}

// A browser has one login, and tabs of before.
func TestAFormOfAnAddressActsOnTheAccountThatItShows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, b := verifying(t)
		b.post("/profile/email/change", "address", "alice@new.example", "password", oldPassword)
		b.get("/profile/email")
		old := b.user
		s.AddAccount(kiitest.Account{LoginName: "bob2", Email: "bob2@example.com", EmailVerified: true, Phone: "+819012345690", Password: oldPassword})
		b.login("bob2@example.com", oldPassword)
		for form, fields := range map[string][]string{
			"resend": nil, "verify": {"code", s.verificationCode(t)}, "change": {"address", "thief@example.com", "password", oldPassword},
		} {
			answer := b.post("/profile/email/"+form, append(fields, "user", old)...)
			assert.Equal(t, http.StatusConflict, answer.code, form)
			assert.Contains(t, text(answer.body), "Somebody else is logged in", form)
		}
		assert.Equal(t, 1, s.count(kiitest.OpChangeAddress, kiitest.OpResendVerification, kiitest.OpVerifyAddress))
		b.get("/profile/phone")
		assert.Contains(t, text(b.then(b.post("/profile/phone/change", "address", "090 1111 2222", "password", oldPassword)).body), "We have taken your request")
	})
}
