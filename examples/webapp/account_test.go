package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/kiitest"
)

func Test19ThePINFieldTakesWhatIsPasted(t *testing.T) {
	t.Parallel()
	tests := []struct {
		typed, pin string
		ok         bool
	}{
		{"123456", "123456", true},
		{"12 34-56", "123456", true},
		{"  012345\n", "012345", true},
		{"12\u201334\u00a056", "123456", true},
		{"\uff11\uff12\uff13\uff14", "1234", true},
		{"12345678901234567890", "12345678901234567890", true},
		{"٠١٢٣٤٥٦٧٨٩", "0123456789", true}, // of an Arabic, a Persian and a Hindi keyboard
		{"۱۲۳ ۴۵۶", "123456", true},
		{"رمزك هو ١٢٣٤٥٦", "123456", true},
		{"\u0967\u0968\u0969\u096a", "1234", true},
		{"Your code is 123456.", "123456", true},
		{"G-123456 is your code", "123456", true},
		{"code: 123 456", "123456", true},
		{"認証コード123456です。", "123456", true},
		{"123456 is your code.@www.example.com #123456", "123456", true},
		{"\u200b123\u2060456\ufeff", "123456", true},
		{"\u202a123456\u202c", "123456", true},
		{"Your code is 123456. It works for 10 minutes.", "", false},
		{"Your code is 123456 10 minutes", "", false},
		{"2026-11-25: your code is 123456", "", false},
		{"123456\n123456", "123456", true},
		{"123456 789012", "", false}, // two codes, from two messages
		{"1234 5678", "12345678", true},
		{"AB12", "", false},
		{"12ab", "", false},
		{"12O456", "", false},
		{"\uff21123", "", false},
		{"l23456", "", false},
		{"code", "", false},
		{"", "", false},
		{" - ", "", false},
		{"12\x0034", "", false},
		{"12.34", "", false},
		{strings.Repeat("1", 65), "", false},
	}
	for _, tt := range tests {
		pin, ok := parsePIN(tt.typed)
		assert.Equal(t, tt.ok, ok, "%q", tt.typed)
		if tt.ok {
			assert.Equal(t, tt.pin, pin, "%q", tt.typed)
		}
	}
}

func TestAccountsAreEMailAddressesOrPhoneNumbers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		typed string
		want  account
		ok    bool
	}{
		{" Alice@Example.com ", account{"Alice@Example.com", "alice@example.com"}, true},
		{"+81 90-1234-5678", account{"+819012345678", "+819012345678"}, true},
		{"+81 (0)90 1234 5678", account{"+819012345678", "+819012345678"}, true},
		{"090 1234 5678", account{"+819012345678", "+819012345678"}, true},
		{"0044 20 7946 0000", account{"+442079460000", "+442079460000"}, true},
		{"\uff10\uff19\uff10\u30fc\uff11\uff12\uff13\uff14\u30fc\uff15\uff16\uff17\uff18", account{"+819012345678", "+819012345678"}, true},
		{"+81(0)90 1234 5678", account{"+819012345678", "+819012345678"}, true},
		{"+44 (0)20 7946 0000", account{"+442079460000", "+442079460000"}, true},
		{"0044 (0)20 7946 0000", account{"+442079460000", "+442079460000"}, true},
		{"010 44 (0)20 7946 0000", account{"+442079460000", "+442079460000"}, true},
		{"(0)90 1234 5678", account{"+819012345678", "+819012345678"}, true},
		{"\uff0b81\u3000(\uff10)90 1234 5678", account{"+819012345678", "+819012345678"}, true},
		{"+225 07 12 34 56 78", account{"+2250712345678", "+2250712345678"}, true},
		{"+81 090 1234 5678", account{"+8109012345678", "+8109012345678"}, true}, // never altered
		{"+39 06 1234 5678", account{"+390612345678", "+390612345678"}, true},
		{"(090) 1234.5678", account{"+819012345678", "+819012345678"}, true},
		{"090/1234/5678", account{"+819012345678", "+819012345678"}, true},
		{"010 44 20 7946 0000", account{"+442079460000", "+442079460000"}, true},          // as dialled from Japan
		{"\u202a+81 90-1234-5678\u202c", account{"+819012345678", "+819012345678"}, true}, // as copied from a phone's contacts
		{"Alice <alice@example.com>", account{"alice@example.com", "alice@example.com"}, true},
		{"\u200balice@example.com", account{"alice@example.com", "alice@example.com"}, true},
		{"090 1234 5678 ext 5", account{}, false},
		{"090-CALL-NOW", account{}, false},
		{"++819012345678", account{}, false},
		{"090+12345678", account{}, false},
		{"<alice@example.com", account{}, false},
		{"", account{}, false},
		{"alice", account{}, false},
		{"a@b@c", account{}, false},
		{"@example.com", account{}, false},
		{"alice@", account{}, false},
		{"EMAIL:alice@example.com", account{}, false},
		{"LOGIN_NAME:alice", account{}, false},
		{"86f3cdcf-950d-4a3e-8f2b-1c2d3e4f5a6b", account{}, false},
		{"12345678", account{}, false},
		{"+12", account{}, false},
		{"+123456789012345678901", account{}, false},
		{"al ice@example.com", account{}, false},
		{"a..b.@docomo.ne.jp", account{"a..b.@docomo.ne.jp", "a..b.@docomo.ne.jp"}, true}, // as Japanese carriers gave them out
		{"o'neil+x@例え.example", account{"o'neil+x@例え.example", "o'neil+x@例え.example"}, true},
		{"alice@example.com.", account{}, false},
		{"alice@example.com;", account{}, false},
		{"alice@example.com>", account{}, false},
		{"(alice@example.com)", account{}, false},
		{"bob,alice@example.com", account{}, false},
		{"alice@example,com", account{}, false},
		{"alice@example..com", account{}, false},
		{"alice@.com", account{}, false},
		{"alice@example。com", account{}, false},
		{"alice@example.com\u3001", account{}, false},
		{"alice\u2800@example.com", account{}, false}, // a sign without ink
		{"alice\x00@example.com", account{}, false},
		{"alic\xe9@example.com", account{}, false},
		{strings.Repeat("a", 250) + "@example.com", account{}, false},
	}
	for _, tt := range tests {
		got, ok := parseAccount(tt.typed, "JP")
		assert.Equal(t, tt.ok, ok, "%q", tt.typed)
		assert.Equal(t, tt.want, got, "%q", tt.typed)
	}
}

func TestLocalNumbersAreReadAsTheirCountryWritesThem(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		callingCode int
		typed, want string
	}{
		{225, "07 12 34 56 78", "+2250712345678"},
		{39, "06 1234 5678", "+390612345678"},
		{1, "(212) 555-0123", "+12125550123"},
		{1, "1-212-555-0123", "+12125550123"},
		{1, "011 44 20 7946 0000", "+442079460000"},
		{7, "8 912 345-67-89", "+79123456789"},
		{44, "020 7946 0000", "+442079460000"},
		{36, "06 20 123 4567", "+36201234567"},
		{81, "090-1234-5678", "+819012345678"},
		{966, "٠٥٠ ١٢٣ ٤٥٦٧", "+966501234567"},
		{98, "۰۹۱۲-۳۴۵-۶۷۸۹", "+989123456789"},
		{98, "+۹۸ ۹۱۲ ۳۴۵ ۶۷۸۹", "+989123456789"},
	} {
		got, ok := parseAccount(tt.typed, phonenumbers.GetRegionCodeForCountryCode(tt.callingCode))
		assert.True(t, ok, "%s", tt.typed)
		assert.Equal(t, account{tt.want, tt.want}, got, "%d %s", tt.callingCode, tt.typed)
	}
}

func FuzzAccountsAreTakenByTheLibrary(f *testing.F) {
	for _, seed := range []string{"alice@example.com", "090-1234-5678", "+81 (0)9012345678", "a/b?c#d@e", "\uff10\uff11", "é@ü", "+81000000", "+81000012345678", "a\uffe5@b"} {
		f.Add(seed)
	}
	srv := kiitest.NewServer(kiitest.WithoutSocket())
	client, err := kii.New(srv.AppID(), srv.AppKey(), srv.Site(), kii.WithHTTPClient(&http.Client{Transport: srv.Transport()}))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, typed string) {
		acct, ok := parseAccount(typed, "JP")
		if !ok || !(&flow{user: client.User}).takes(acct.ID) {
			return
		}
		err := client.User.ResetPassword(t.Context(), acct.ID, kii.NotificationSMSPIN)
		require.ErrorIs(t, err, kii.ErrUserNotFound, "not refused as an argument")
		again, ok := parseAccount(acct.ID, "JP")
		require.True(t, ok && again == acct, "what was read reads as itself")
	})
}

// Where an address is folded to upper case and where to lower case, other signs become ASCII.
func TestAllWaysToWriteAnAddressAreCountedAsOne(t *testing.T) {
	t.Parallel()
	for _, typed := range []string{"Kiss@Example.com", "KISS@EXAMPLE.COM", "\u212aiss@example.com", "ki\u017fs@example.com", "k\u0131ss@example.com", "k\u0130ss@example.com"} {
		acct, ok := parseAccount(typed, "JP")
		assert.True(t, ok)
		assert.Equal(t, "kiss@example.com", acct.Key, "%+q", typed)
		assert.Equal(t, typed, acct.ID, "and none is altered")
	}
}
