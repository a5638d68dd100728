package kii_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
)

// ids are user names that are accepted, with the path segment and the login name that each becomes.
var ids = []struct{ id, segment, username string }{
	{userID, userID, userID},
	{"alice", "alice", "alice"},
	{"09011112222", "09011112222", "09011112222"},
	{"alice@example.com", "EMAIL:alice%40example.com", "EMAIL:alice@example.com"},
	{"EMAIL:alice@example.com", "EMAIL:alice%40example.com", "EMAIL:alice@example.com"},
	{"a@paral·lel.cat", "EMAIL:a%40paral%C2%B7lel.cat", "EMAIL:a@paral·lel.cat"},
	{"中・点@中・例.jp", "EMAIL:%E4%B8%AD%E3%83%BB%E7%82%B9%40%E4%B8%AD%E3%83%BB%E4%BE%8B.jp", "EMAIL:中・点@中・例.jp"},
	{"a+b@kii.com", "EMAIL:a%2Bb%40kii.com", "EMAIL:a+b@kii.com"},
	{"+b@kii.com", "EMAIL:%2Bb%40kii.com", "EMAIL:+b@kii.com"},
	{"user@localhost", "EMAIL:user%40localhost", "EMAIL:user@localhost"},
	{"a..b.@docomo.ne.jp", "EMAIL:a..b.%40docomo.ne.jp", "EMAIL:a..b.@docomo.ne.jp"}, // Japanese carriers gave out such addresses
	{"o'neil!#$%&*/=?^_`{|}~-@x.y", "EMAIL:o%27neil%21%23%24%25%26%2A%2F%3D%3F%5E_%60%7B%7C%7D~-%40x.y", "EMAIL:o'neil!#$%&*/=?^_`{|}~-@x.y"},
	{"用户@my-host.xn--p1ai", "EMAIL:%E7%94%A8%E6%88%B7%40my-host.xn--p1ai", "EMAIL:用户@my-host.xn--p1ai"},
	{"LOGIN_NAME:山田々ヶー〇", "LOGIN_NAME:%E5%B1%B1%E7%94%B0%E3%80%85%E3%83%B6%E3%83%BC%E3%80%87", "LOGIN_NAME:山田々ヶー〇"},
	{"LOGIN_NAME:한글", "LOGIN_NAME:%ED%95%9C%EA%B8%80", "LOGIN_NAME:한글"},
	{"LOGIN_NAME:हिन्दी", "LOGIN_NAME:%E0%A4%B9%E0%A4%BF%E0%A4%A8%E0%A5%8D%E0%A4%A6%E0%A5%80", "LOGIN_NAME:हिन्दी"},
	{"LOGIN_NAME:علي", "LOGIN_NAME:%D8%B9%D9%84%D9%8A", "LOGIN_NAME:علي"},
	{"me@me", "EMAIL:me%40me", "EMAIL:me@me"},
	{"日本@例え.jp", "EMAIL:%E6%97%A5%E6%9C%AC%40%E4%BE%8B%E3%81%88.jp", "EMAIL:日本@例え.jp"},
	{"हिन्दी@उदाहरण.भारत", "EMAIL:%E0%A4%B9%E0%A4%BF%E0%A4%A8%E0%A5%8D%E0%A4%A6%E0%A5%80%40%E0%A4%89%E0%A4%A6%E0%A4%BE%E0%A4%B9%E0%A4%B0%E0%A4%A3.%E0%A4%AD%E0%A4%BE%E0%A4%B0%E0%A4%A4", "EMAIL:हिन्दी@उदाहरण.भारत"}, // its vowels are marks
	{"+819012345678", "PHONE:%2B819012345678", "PHONE:+819012345678"},
	{"PHONE:+819012345678", "PHONE:%2B819012345678", "PHONE:+819012345678"},
	{"PHONE:JP-09012345678", "PHONE:JP-09012345678", "PHONE:JP-09012345678"},
	{"+1234567", "PHONE:%2B1234567", "PHONE:+1234567"},
	{"+12345678901234567890", "PHONE:%2B12345678901234567890", "PHONE:+12345678901234567890"},
	{"LOGIN_NAME:alice", "LOGIN_NAME:alice", "LOGIN_NAME:alice"},
	{"LOGIN_NAME:me", "LOGIN_NAME:me", "LOGIN_NAME:me"},
	{"LOGIN_NAME:../x", "LOGIN_NAME:..%2Fx", "LOGIN_NAME:../x"},
	{"EMAIL:../@x", "EMAIL:..%2F%40x", "EMAIL:../@x"},
	{"a/b?c#d", "a%2Fb%3Fc%23d", "a/b?c#d"},
	{"../../x", "..%2F..%2Fx", "../../x"},
	{"...", "...", "..."},
	{"%2e%2e", "%252e%252e", "%2e%2e"},
	{`..\x`, "..%5Cx", `..\x`},
	{"a b", "a%20b", "a b"},
	{"a;b=c", "a%3Bb%3Dc", "a;b=c"},
	{"ME", "ME", "ME"},
	{"-_.~", "-_.~", "-_.~"},
}

// Promise 5.
func TestIDCannotLeaveItsPathSegment(t *testing.T) {
	t.Parallel()
	for _, tt := range ids {
		t.Run(tt.id, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, replyOf(204, ""), replyOf(204, ""), refusal(400, kii.ErrWrongCredentials))
			const users = "https://api.kii.com/api/apps/appId/users/"
			require.NoError(t, c.User.ResetPassword(t.Context(), tt.id, kii.NotificationEmail))
			assert.Equal(t, users+tt.segment+"/password/request-reset", c.last(t).url)
			require.NoError(t, c.User.CompleteResetPassword(t.Context(), tt.id, "1234", nil))
			assert.Equal(t, users+tt.segment+"/password/complete-reset", c.last(t).url)
			_, err := c.User.Login(t.Context(), tt.id, "password")
			require.ErrorIs(t, err, kii.ErrWrongCredentials)
			assert.JSONEq(t, `{"username":"`+strings.ReplaceAll(tt.username, `\`, `\\`)+`","password":"password"}`, c.last(t).body)
		})
	}
}

// Promise 5, for every character that an id may hold.
func TestEveryCharacterOfAnIDIsOneOfItsSegment(t *testing.T) {
	t.Parallel()
	for r := rune(' '); r < 0x180; r++ {
		if r == ':' || r == '@' || r >= 0x7f && r <= 0xa0 || r == '\u00ad' {
			continue // refused
		}
		c := newCloud(t, replyOf(204, ""))
		id := "x" + string(r) + "y"
		require.NoError(t, c.User.ResetPassword(t.Context(), id, kii.NotificationEmail))
		u, err := url.Parse(c.last(t).url)
		require.NoError(t, err)
		parts := strings.Split(u.EscapedPath(), "/")
		require.Len(t, parts, 8)
		got, err := url.PathUnescape(parts[5])
		require.NoError(t, err)
		assert.Equal(t, id, got)
		assert.Empty(t, u.RawQuery+u.Fragment)
	}
}

// Promise 5.
func TestIDThatCannotBeRightSendsNothing(t *testing.T) {
	t.Parallel()
	for _, id := range []string{
		"", " ", " alice", "alice ", "\u00a0alice", "alice\u3000", "EMAIL: a@b.c", "LOGIN_NAME: alice",
		".", "..", "me",
		"a\nb", "a\x00b", "a\x7fb", "a\u0085b", "\ufffd\xff", "a@b\r\n.c",
		"400@kii@com", "@", "a@", "@b", "EMAIL:", "EMAIL:alice", "EMAIL:a@b@c", "EMAIL:EMAIL:a@b.c", "email:a@b.c", "EMAIL:a:b@c",
		"+", "+12", "+123456", "+123456789012345678901", "+81abc", "+1-408-555-0100", "+81 9012345678", "+８１９０１２３４５６７８",
		"PHONE:", "PHONE:09011112222", "PHONE:+12", "PHONE:jp-09012345678", "PHONE:JPN-09012345678", "PHONE:J-09012345678", "PHONE:JP09012345678", "PHONE:PHONE:+819012345678", "PHONE:JP-+819012345678",
		"LOGIN_NAME:", "LOGIN_NAME:a@b.c", "LOGIN_NAME:+819012345678", "LOGIN_NAME:LOGIN_NAME:alice",
		"Alice <alice@example.com>", "<alice@example.com>", "EMAIL:Alice <a@b>", "alice @example.com", "a@b c", "EMAIL:al\u00a0ice@b", "a b@c",
		"alice@example.com,", "alice@example.com.", "alice@example.com;bob@example.com", "alice@example.com)", "(alice@example.com", "alice@.example.com",
		"a@b..c", `"alice"@example.com`, "alice,bob@example.com", "alice@[127.0.0.1]", "alice@example.com>", "EMAIL:a@b..c", "«alice@example.com»", "a@b/c", "a\\b@c",
		"٠٩٠١٢٣٤٥٦٧٨", "+٨١٩٠١٢٣٤٥٦٧٨", "PHONE:JP-٠٩٠١٢٣٤٥٦٧٨", "PHONE:JP‐09012345678", "+81९०१२३४५६७८",
		"THING:x", "a:b", ":", ":a", "a:", "https://example.com/",
	} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			assertArgument(t, "id", c.User.ResetPassword(t.Context(), id, kii.NotificationEmail))
			assertArgument(t, "id", c.User.CompleteResetPassword(t.Context(), id, "1234", nil))
			_, err := c.User.Login(t.Context(), id, "password")
			assertArgument(t, "id", err)
		})
	}
}

func TestArgumentErrorRepeatsNoValue(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	for _, value := range []string{"marker\n", "marker@x@y", "+marker", "x:marker", " marker", "EMAIL:marker", "x\nmarker"} {
		_, noKey := kii.New("appId", value+"\n", kii.SiteUS)
		_, noSite := kii.New("appId", "appKey", kii.Site("http://"+value))
		_, noLogin := c.User.Login(t.Context(), "alice", value+"\n")
		_, noToken := c.User.Resume(kii.Token{AccessToken: value + "\n"})
		for _, err := range []error{
			noKey, noSite, noLogin, noToken,
			c.User.ResetPassword(t.Context(), value, kii.NotificationEmail),
			c.User.ResetPassword(t.Context(), "alice", kii.NotificationMethod(value)),
			c.User.CompleteResetPassword(t.Context(), "alice", value+"\n", nil),
			c.User.CompleteResetPassword(t.Context(), "alice", "1234", new(value+"\n")),
			c.session(t).ChangePassword(t.Context(), value+"\n", "new-pass"),
		} {
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "marker")
		}
	}
}

// unsendable are texts that nobody means: what is pasted and cannot be seen, and what no name of
// Kii Cloud's is as long as. Each holds "marker".
var unsendable = map[string]string{
	"a zero-width space":        "marker\u200b",
	"marks of direction":        "\u202amarker\u202c",
	"an isolate":                "\u2066marker\u2069",
	"a byte order mark":         "\ufeffmarker",
	"a soft hyphen":             "mar\u00admarker",
	"a zero-width joiner":       "mar\u200dmarker",
	"a variation selector":      "marker\ufe0f",
	"a supplementary one":       "marker\U000e0100",
	"a Mongolian one":           "marker\u180b",
	"a tag":                     "marker\U000e0041",
	"a filler":                  "marker\u3164",
	"a line separator":          "mar\u2028marker",
	"a paragraph separator":     "mar\u2029marker",
	"a full-width digit":        "marker１",
	"a full-width plus":         "＋marker",
	"a full-width at":           "marker＠example.com",
	"a full-width sign of yen":  "￥marker",
	"a full-width space":        "mar\u3000marker",
	"a space in front":          " marker",
	"a space at the end":        "marker ",
	"a no-break space":          "\u00a0marker",
	"a tab at the end":          "marker\t",
	"a line break":              "marker\n",
	"a control character":       "mar\x00marker",
	"one of Latin-1":            "mar\u0085marker",
	"no UTF-8":                  "marker\xff",
	"what was no UTF-8":         "marker\ufffd",
	"a no-break space inside":   "mar\u00a0marker",
	"a narrow one":              "mar\u202fmarker",
	"an ideographic space":      "mar\u3000marker",
	"an en space":               "mar\u2002marker",
	"Ogham's space":             "mar\u1680marker",
	"an empty pattern":          "marker\u2800",
	"an object's place":         "marker\ufffc",
	"a Hangul filler":           "marker\u115f",
	"another":                   "marker\u1160",
	"one of half width":         "marker\uffa0",
	"a Khmer vowel unseen":      "marker\u17b4",
	"a joiner of graphemes":     "marker\u034f",
	"a non-breaking hyphen":     "mar\u2011marker",
	"a hyphen that is none":     "mar\u2010marker",
	"an en dash":                "mar\u2013marker",
	"a minus sign":              "mar\u2212marker",
	"a small plus":              "\ufe62marker",
	"a small at":                "marker\ufe6bexample.com",
	"an apostrophe of print":    "o\u2019marker",
	"an ideographic full stop":  "marker\u3002",
	"an Arabic digit":           "marker\u0663",
	"a Devanagari digit":        "marker\u096b",
	"a mathematical digit":      "marker\U0001d7d9",
	"a digit in a circle":       "marker\u2460",
	"of private use":            "marker\ue000",
	"not assigned":              "marker\U000e1000",
	"a picture":                 "marker\U0001f511",
	"1,001 bytes":               "marker" + strings.Repeat("x", 995),
	"1,001 bytes of two each":   "marker " + strings.Repeat("é", 497),
	"as many as a stranger may": "marker" + strings.Repeat("1", 60_000),
}

func TestTextThatNobodyMeansIsRefusedEverywhereAndNotRepeated(t *testing.T) {
	t.Parallel()
	for name, text := range unsendable {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			refuse := func(argument string, err error) {
				t.Helper()
				assertArgument(t, argument, err)
				assert.NotContains(t, fmt.Sprint(err), "marker")
			}
			_, err := kii.New(text, "appKey", kii.SiteUS)
			refuse("appID", err)
			_, err = kii.New("appId", text, kii.SiteUS)
			refuse("appKey", err)
			_, err = kii.New("appId", "appKey", kii.SiteUS, kii.WithUserAgent(text))
			refuse("product", err)
			_, err = kii.New("appId", "appKey", kii.Site("https://"+text))
			refuse("site", err)
			for _, id := range []string{text, "LOGIN_NAME:" + text, "PHONE:+819012345678" + text} {
				refuse("id", c.User.ResetPassword(t.Context(), id, kii.NotificationEmail))
				refuse("id", c.User.CompleteResetPassword(t.Context(), id, "1234", nil))
				_, err = c.User.Login(t.Context(), id, "password")
				refuse("id", err)
			}
			refuse("pin", c.User.CompleteResetPassword(t.Context(), "alice", text, nil))
			for _, token := range []kii.Token{{AccessToken: text}, {AccessToken: "a", RefreshToken: text}, {AccessToken: "a", UserID: text}} {
				_, err = c.User.Resume(token)
				refuse("token", err)
			}
		})
	}
}

func TestTextOfAThousandBytesIsSent(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("x", 1000)
	c := newCloud(t, replyOf(204, ""), documented(t, "Profile_wrong_token"))
	client, err := kii.New(text, text, kii.SiteUS, kii.WithHTTPClient(&http.Client{Transport: c.mock}), kii.WithUserAgent(text))
	require.NoError(t, err)
	require.NoError(t, client.User.CompleteResetPassword(t.Context(), text, text, nil))
	s, err := client.User.Resume(kii.Token{AccessToken: text, RefreshToken: text, UserID: text})
	require.NoError(t, err)
	_, err = s.Profile(t.Context())
	require.ErrorIs(t, err, kii.ErrWrongToken)
}

func TestLoginSendsOneRequestInTheAppsName(t *testing.T) {
	t.Parallel()
	c := newCloud(t, documented(t, "Login_with_refresh_token"))
	s, err := c.User.Login(t.Context(), "alice@example.com", ` pässwörd"`)
	require.NoError(t, err)
	assert.Equal(t, request{
		http.MethodPost,
		"https://api.kii.com/api/oauth2/token",
		appHeader("application/vnd.kii.OauthTokenRequest+json"),
		`{"username":"EMAIL:alice@example.com","password":" pässwörd\""}`,
	}, c.last(t))
	assert.Equal(t, userID, s.UserID())
	assert.Equal(t, "access-1", s.Token().AccessToken)
	assert.Equal(t, "refresh-1", s.Token().RefreshToken)
	assert.NoError(t, s.Err())
}

func TestLoginNeedsAPassword(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	for _, password := range []string{"", "pass\nword", "pass\x00", "\xff", strings.Repeat("x", 51), strings.Repeat("x", 60_000)} {
		s, err := c.User.Login(t.Context(), "alice", password)
		assertArgument(t, "password", err)
		assert.Nil(t, s)
	}
}

func TestResumeSendsNothing(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	token := kii.Token{UserID: userID, AccessToken: "access", RefreshToken: "refresh", Expiry: expired}
	s, err := c.User.Resume(token)
	require.NoError(t, err)
	assert.Equal(t, token, s.Token())
	assert.Equal(t, userID, s.UserID())
	assert.NoError(t, s.Err(), "the server's clock decides")

	for name, token := range map[string]kii.Token{
		"no access token":                 {UserID: userID, RefreshToken: "refresh"},
		"control character in the access": {AccessToken: "access\n"},
		"in the refresh token":            {AccessToken: "access", RefreshToken: "re\x00fresh"},
		"in the user ID":                  {AccessToken: "access", UserID: "a\x7f"},
		"no UTF-8":                        {AccessToken: "access\xff"},
	} {
		s, err := c.User.Resume(token)
		assertArgument(t, "token", err)
		assert.Nil(t, s, name)
	}
}
