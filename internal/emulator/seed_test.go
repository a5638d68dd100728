package emulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

func writeSeed(t testing.TB, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "seed.json")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

func TestABadSeedIsToldByFileLineAndWish(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, seed, want string }{
		{"empty", "", "3: this is not JSON: unexpected end of JSON input"},
		{"syntax", "{\n\"users\": [\n}", "3: this is not JSON: invalid character '}' looking for beginning of value"},
		{"more", "{}\n{}", "2: this is not JSON: invalid character '{' after top-level value"},
		{"array", "[]", "1: the seed must be a JSON object: { … }"},
		{"unknown", "{\n\"accounts\": []}", "2: there is no field \"accounts\" in a seed; it has settings, assumptions and users"},
		{"twice", "{\"users\": [],\n\"users\": []}", "2: the field \"users\" is there twice"},
		{"users", "{\n\"users\": {}}", "2: users must be an array: [ … ]"},
		{"typo", "{\"users\": [\n{\"email\": \"a@b.c\",\n\"emailVerifed\": true}]}", "3: there is no field \"emailVerifed\""},
		{"snake", "{\"users\": [\n{\"email_verified\": true}]}", "2: there is no field \"email_verified\""},
		{"type", "{\"users\": [{\"email\": \"a@b.c\",\n\n\"emailVerified\": \"yes\"}]}", "3: the field emailVerified must be true or false"},
		{"phone", "{\"users\": [\n{\"email\": \"a@b.c\"},\n{\"phone\": \"911\"}]}", "3: phone must be + and 7 to 20 digits, or a country and a local number as in JP-09012341234"},
		{"length", "{\"users\": [\n{\"displayName\": \"A\",\n\"password\": \"abc\"}]}", "3: password must be 4 to 50"},
		{"case", "{\"users\": [{\"email\": \"a@b.c\",\n\"EMAIL\": \"d@e.f\"}]}", "2: the field \"EMAIL\" is there twice"},
		{"deep", "{\"settings\": {\"templates\": [{\"text\": \"a\",\n\"text\": \"b\"}]}}", "2: the field \"text\" is there twice"},
		{"bytes", "{\"users\": [\n{\"displayName\": \"\xff\"}]}", "2: the text must be UTF-8"},
		{"fold", "{\"users\": [{\"password\": \"abcd\",\n\"pa\\u017f\u017fword\": \"efgh\"}]}", "2: the field of that name is there twice"},
		{"utf16", "\x00{\x00}", "1: the text must be UTF-8"},
		{"null", "{\"assumptions\": {\n\"EmailCaseMatters\": null}}", "2: the field \"EmailCaseMatters\" must not be null"},
		{"same", "{\"users\": [{\"id\": \"a\"},\n{\"id\": \"a\"}]}", "2: id is taken"},
		{"duration", "{\"settings\": {\n\"resetFlow\": \"INPUT\",\n\"pinValidity\": \"soon\"}}", "3: the field pinValidity must be a time such as \"90s\""},
		{"template", "{\"settings\": {\"templates\": [\n{\"purpose\": \"RESET_PIN\",\n\"channel\": \"SMS\",\n\"locale\": \"ja\",\n\"text\": \"no pin\"}]}}", "5: templates[0].text must hold ${pin}"},
		{"second", "{\"settings\": {\"templates\": [\n{\"purpose\": \"RESET_PIN\", \"channel\": \"SMS\", \"locale\": \"ja\", \"text\": \"${pin}\"},\n{\"purpose\": \"RESET_PIN\"}]}}", "3: templates[1].channel must be"},
		{"templates", "{\"settings\": {\n\"templates\": {}}}", "2: templates must be an array"},
		{"inside", "{\"settings\": {\"templates\": [\n{\"purpose\": \"RESET_PIN\",\n\"txt\": \"\"}]}}", "3: there is no field \"txt\""},
		{"many users", "{\"users\": [" + strings.Repeat("{},\n", maxUsers) + "{}]}", "10001: users are too many: at most 10000 are kept"},
		{"many templates", "{\"settings\": {\"templates\": [" + strings.Repeat("{},\n", maxTemplates) + "{}]}}", "201: templates are too many: at most 200 are kept"},
		{"user", "{\"users\": [\n{\"email\": \"a@b.c\",\n\"phone\": null}]}", "3: the field \"phone\" must not be null"},
		{"users of null", "{\"users\": [\nnull]}", "2: what the array holds must not be null"},
		{"flow", "{\"settings\": {\n\"resetFlow\": \"BOTH\"}}", "2: resetFlow must be GENERATE or INPUT"},
		{"url", "{\"settings\": {\n\"successURL\": \"ftp://x\"}}", "2: successURL must be empty or an http or https URL"},
		{"assumption", "{\"assumptions\": {\n\"PINsAreLong\": true}}", "2: there is no assumption of that name; there are UnverifiedAddressIsUnknown"},
		{"holds", "{\"assumptions\": {\n\"EmailCaseMatters\": 1}}", "2: EmailCaseMatters must be true or false"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			name := writeSeed(t, c.seed+"\n\n")
			_, err := loadSeed(name)
			require.Error(t, err)
			assert.True(t, strings.HasPrefix(err.Error(), name+":"+c.want), "%v", err)
		})
	}
}

func TestASeedThatCannotBeReadIsToldByItsName(t *testing.T) {
	t.Parallel()
	file := writeSeed(t, "{}")
	names := []string{filepath.Dir(file)}
	if runtime.GOOS != "windows" { // where this one does not exist
		names = append(names, filepath.Join(file, "below"))
	}
	for _, name := range names {
		_, err := loadSeed(name)
		require.Error(t, err)
		assert.Regexp(t, `^-seed: .*`+regexp.QuoteMeta(name), err.Error())
	}
}

func TestATakenAddressIsToldByItsLine(t *testing.T) {
	t.Parallel()
	name := writeSeed(t, "{\"users\": [{\"email\": \"a@b.c\", \"emailVerified\": true},\n{\"email\": \"a@b.c\", \"emailVerified\": true, \"loginName\": \"other\"}]}")
	_, err := loadSeed(name)
	require.EqualError(t, err, name+":2: email is taken")
}

func TestAMarkAtTheBeginningOfASeedIsSkipped(t *testing.T) {
	t.Parallel()
	read, err := loadSeed(writeSeed(t, "\uFEFF{\"users\": [{\"email\": \"a@b.c\"}]}"))
	require.NoError(t, err)
	assert.Len(t, read.Accounts, 1)
	name := writeSeed(t, "\uFEFF{\n\"user\": []}")
	_, err = loadSeed(name)
	assert.ErrorContains(t, err, name+":2: there is no field")
}

func TestUsersWithoutANameAreToldApart(t *testing.T) {
	t.Parallel()
	text := `{"users": [{"displayName": "A"}, {"displayName": "B"}, {"email": "a@b.c"}]}`
	one, err := loadSeed(writeSeed(t, text))
	require.NoError(t, err)
	other, err := loadSeed(writeSeed(t, text))
	require.NoError(t, err)
	assert.NotEqual(t, one.Accounts[0].ID, one.Accounts[1].ID)
	assert.Equal(t, one.Accounts[1].ID, other.Accounts[1].ID)
}

func TestUsersWithOneUnverifiedAddressAreToldApart(t *testing.T) {
	t.Parallel()
	read, err := loadSeed(writeSeed(t, `{"users": [{"email": "a@b.c", "emailVerified": true}, {"email": "a@b.c"}, {"email": "a@b.c"}]}`))
	require.NoError(t, err)
	assert.NotEqual(t, read.Accounts[1].ID, read.Accounts[2].ID)
}

func TestTheSeedsErrorRepeatsNoPassword(t *testing.T) {
	t.Parallel()
	_, err := loadSeed(writeSeed(t, `{"users": [{"email": "secret@example.com", "password": "hunter2é"}]}`))
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "hunter2")
	assert.NotContains(t, err.Error(), "secret@")
}

func TestIDsOfTheSeedAreStableWhereverAUserStands(t *testing.T) {
	t.Parallel()
	one, err := loadSeed(writeSeed(t, `{"users": [{"email": "a@b.c"}, {"loginName": "bob"}]}`))
	require.NoError(t, err)
	other, err := loadSeed(writeSeed(t, `{"users": [{"id": "new", "phone": "+819012341234"}, {"loginName": "bob"}, {"email": "a@b.c"}]}`))
	require.NoError(t, err)
	assert.Equal(t, one.Accounts[0].ID, other.Accounts[2].ID)
	assert.Equal(t, one.Accounts[1].ID, other.Accounts[1].ID)
	assert.NotEqual(t, one.Accounts[0].ID, one.Accounts[1].ID)
	assert.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, one.Accounts[0].ID)
	assert.Equal(t, "new", other.Accounts[0].ID)
}

func TestDurationsAreWrittenShort(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0s", 90 * time.Second: "1m30s", 10 * time.Minute: "10m", time.Hour: "1h", 24 * time.Hour: "24h", time.Hour + 10*time.Minute: "1h10m", 2147483647 * time.Second: "596523h14m7s",
	} {
		assert.Equal(t, want, duration(d).String())
		for _, text := range []string{`"` + want + `"`, fmt.Sprint(int(d.Seconds()))} {
			var back duration
			require.NoError(t, json.Unmarshal([]byte(text), &back), text)
			assert.Equal(t, d, time.Duration(back), text)
		}
	}
}

func TestTheJSONHasEverySettingAndFault(t *testing.T) {
	t.Parallel()
	assert.Equal(t, reflect.TypeFor[kiitest.Settings]().NumField(), reflect.TypeFor[settings]().NumField())
	assert.Equal(t, reflect.TypeFor[kiitest.Fault]().NumField()+len([]string{"always"}), reflect.TypeFor[fault]().NumField())
	s := settings{SuccessURL: "http://a/", FailureURL: "http://b/", HomeURL: "http://c/", MinPasswordLength: 7, VerifyEmail: true, TokenValidity: duration(time.Hour)}
	again := settingsOf(s.kiitest())
	again.Templates = nil
	assert.Equal(t, s, again)
}

// FuzzLoadSeed looks for a file that panics, or that is read and cannot be started with.
func FuzzLoadSeed(f *testing.F) {
	f.Add(`{"settings": {"resetFlow": "INPUT"}, "assumptions": {"EmailCaseMatters": false}, "users": [{"email": "a@b.c", "fields": {"a": 1}}]}`)
	f.Add(`{"users": [null]}`)
	f.Fuzz(func(t *testing.T, text string) {
		const name = "seed.json"
		start, err := readSeed(name, []byte(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), name) {
				t.Errorf("no file and line: %v", err)
			}
			return
		}
		e := newEmulator(testOptions, &binding{origin: "http://127.0.0.1:1"}, start)
		defer e.srv.Close()
		var exported bytes.Buffer
		if err := e.export().write(&exported); err != nil {
			t.Fatal(err)
		}
		if _, err := readSeed(name, exported.Bytes()); err != nil {
			t.Errorf("its export is no seed: %v\n%s", err, &exported)
		}
	})
}
