package emulator

import (
	"encoding/json"
	"os"
	"path/filepath"
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
		{"empty", "", "1: this is no JSON: unexpected end of JSON input"},
		{"syntax", "{\n\"users\": [\n}", "3: this is no JSON: invalid character '}' looking for beginning of value"},
		{"more", "{}\n{}", "2: this is no JSON: invalid character '{' after top-level value"},
		{"array", "[]", "1: the seed must be a JSON object: { … }"},
		{"unknown", "{\n\"accounts\": []}", "2: there is no field \"accounts\" in a seed; it has settings, assumptions and users"},
		{"twice", "{\"users\": [],\n\"users\": []}", "2: \"users\" is there twice"},
		{"users", "{\n\"users\": {}}", "2: users must be an array: [ … ]"},
		{"typo", "{\"users\": [\n{\"email\": \"a@b.c\",\n\"emailVerifed\": true}]}", "3: emailVerifed: there is no field \"emailVerifed\""},
		{"type", "{\"users\": [{\"email\": \"a@b.c\",\n\n\"emailVerified\": \"yes\"}]}", "3: emailVerified: the field emailVerified must be true or false"},
		{"phone", "{\"users\": [\n{\"email\": \"a@b.c\"},\n{\"phone\": \"911\"}]}", "3: phone must be + and 7 to 20 digits, or a country and a local number as in JP-09012341234"},
		{"nobody", "{\"users\": [\n{\"displayName\": \"A\"}]}", "2: a user needs an email, a phone or a loginName"},
		{"same", "{\"users\": [{\"email\": \"a@b.c\"},\n{\"email\": \"a@b.c\"}]}", "2: a user above has the same id, or the same addresses"},
		{"duration", "{\"settings\": {\n\"resetFlow\": \"INPUT\",\n\"pinValidity\": \"soon\"}}", "3: pinValidity: a time is written \"90s\", \"10m\" or \"24h\""},
		{"flow", "{\"settings\": {\n\"resetFlow\": \"BOTH\"}}", "2: resetFlow must be GENERATE or INPUT"},
		{"url", "{\"settings\": {\n\"successURL\": \"ftp://x\"}}", "2: successURL must be empty or an http or https URL"},
		{"assumption", "{\"assumptions\": {\n\"PINsAreLong\": true}}", "2: there is no assumption of that name; there are UnverifiedAddressIsUnknown"},
		{"holds", "{\"assumptions\": {\n\"EmailCaseMatters\": 1}}", "2: EmailCaseMatters must be true or false"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			name := writeSeed(t, c.seed)
			_, err := loadSeed(name)
			require.Error(t, err)
			assert.True(t, strings.HasPrefix(err.Error(), name+":"+c.want), "%v", err)
		})
	}
}

func TestATakenAddressIsToldByItsLine(t *testing.T) {
	t.Parallel()
	name := writeSeed(t, "{\"users\": [{\"email\": \"a@b.c\"},\n{\"email\": \"a@b.c\", \"loginName\": \"other\"}]}")
	start, err := loadSeed(name)
	require.NoError(t, err)
	_, err = newEmulator(Options{AppID: DefaultAppID, AppKey: DefaultAppKey}, &binding{origin: "http://127.0.0.1:1"}, start)
	require.EqualError(t, err, name+":2: email is taken")
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
	assert.Equal(t, one.accounts[0].ID, other.accounts[2].ID)
	assert.Equal(t, one.accounts[1].ID, other.accounts[1].ID)
	assert.NotEqual(t, one.accounts[0].ID, one.accounts[1].ID)
	assert.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, one.accounts[0].ID)
	assert.Equal(t, "new", other.accounts[0].ID)
}

func TestAnExportIsASeed(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.call(200, "PATCH", "/settings", `{"pinValidity":"90s","templates":[{"purpose":"RESET_PIN","channel":"SMS","locale":"ja","text":"${pin}"}]}`)
	x.call(201, "POST", "/users", `{"email":"bob@example.com","fields":{"age":7}}`)
	x.start.assumptions[kiitest.EmailCaseMatters] = false
	name := filepath.Join(t.TempDir(), "export.json")
	require.NoError(t, x.exportTo(name))
	at, err := os.Stat(name)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), at.Mode().Perm(), "it holds passwords")
	read, err := loadSeed(name)
	require.NoError(t, err)
	assert.Equal(t, x.srv.Settings(), read.settings)
	assert.Equal(t, map[kiitest.Assumption]bool{kiitest.EmailCaseMatters: false}, read.assumptions)
	var accounts []kiitest.Account
	for _, a := range read.accounts {
		accounts = append(accounts, a.Account)
	}
	was, err := json.Marshal(x.srv.Accounts())
	require.NoError(t, err)
	is, err := json.Marshal(accounts)
	require.NoError(t, err)
	assert.JSONEq(t, string(was), string(is))
}

func TestDurationsAreWrittenShort(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0s", 90 * time.Second: "1m30s", 10 * time.Minute: "10m", time.Hour: "1h", 24 * time.Hour: "24h", time.Hour + 10*time.Minute: "1h10m", 2147483647 * time.Second: "596523h14m7s",
	} {
		assert.Equal(t, want, duration(d).String())
		var back duration
		require.NoError(t, back.UnmarshalText([]byte(want)))
		assert.Equal(t, d, time.Duration(back))
	}
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
		e, err := newEmulator(Options{AppID: DefaultAppID, AppKey: DefaultAppKey}, &binding{origin: "http://127.0.0.1:1"}, start)
		if err == nil {
			e.srv.Close()
		} else if !strings.HasPrefix(err.Error(), name) {
			t.Errorf("no file and line: %v", err)
		}
	})
}
