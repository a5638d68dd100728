package emulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

// exported is what the emulator would leave.
func (x *tester) exported() string {
	x.t.Helper()
	var b bytes.Buffer
	require.NoError(x.t, x.export().write(&b))
	return b.String()
}

// startsFromItsExport wants that the export of now is a seed, and that an emulator started from it
// exports the same.
func (x *tester) startsFromItsExport(after string) {
	x.t.Helper()
	was := x.exported()
	start, err := readSeed("export.json", []byte(was))
	require.NoError(x.t, err, "after %s: %s", after, was)
	again := newEmulator(testOptions, x.bound, start)
	defer again.srv.Close()
	assert.Equal(x.t, was, (&tester{t: x.t, emulator: again}).exported(), after)

	var overHTTP any
	w := x.do(http.MethodGet, apiRoot+"/export", "")
	require.NoError(x.t, json.Unmarshal(w.Body.Bytes(), &overHTTP))
	_, err = readSeed("export.json", w.Body.Bytes())
	require.NoError(x.t, err, "after %s, over HTTP", after)
}

func TestAnEmulatorStartsFromTheExportAfterEveryCall(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for _, c := range []struct {
		status             int
		method, path, body string
	}{
		{201, "POST", "/users", `{"displayName":"Nobody\ufffd"}`},
		{201, "POST", "/users", `{}`},
		{201, "POST", "/users", `{"loginName":"bob","fields":{"age":7,"Age":[{"a":1,"a":2}],"html":"<b>&\u2028"}}`},
		{200, "PUT", "/users/bob", `{"email":"bob@example.com","password":"pass"}`},
		{200, "PATCH", "/settings", `{"pinValidity":90,"templates":[{"purpose":"RESET_PIN","channel":"SMS","locale":"ja","text":"${pin} <&>"}]}`},
		{200, "PATCH", "/settings", `{"tokenValidity":"0s","resetFlow":"GENERATE","successURL":"http://127.0.0.1/?a=<b>"}`},
		{200, "POST", "/clock", `{"advance":"24h"}`},
		{201, "POST", "/faults", `{"kind":"html"}`},
		{204, "DELETE", "/faults", ""},
		{204, "DELETE", "/users/alice-id", ""},
		{204, "POST", "/reset", ""},
	} {
		x.call(c.status, c.method, c.path, c.body)
		x.startsFromItsExport(c.method + " " + c.path)
	}
}

func TestAnEmulatorStartsFromTheExportAfterWhatAnAppRegistered(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	const login = "application/vnd.kii.RegistrationAndAuthorizationRequest+json"
	for _, c := range []struct{ contentType, body string }{
		{login, `{}`},
		{login, `{"displayName":"<script>"}`},
		{"application/json", `{"loginName":"carol","password":"pass","a":{"b":[1,2]},"A":"\u0000é"}`},
		{"application/json", `{"emailAddress":"dave@example.com","password":"pass","locale":"` + strings.Repeat("x", 2000) + `"}`},
		{"application/json", `{"phoneNumber":"09012349999","country":"JP","password":"pass"}`},
		{"application/json", `{"loginName":"eve","password":"pass","big":"` + strings.Repeat("<", 60_000) + `"}`},
		{"application/json", "{\"loginName\":\"frank\",\"password\":\"pass\",\"x\":\"\xff\"}"},
		{"application/json", `{"loginName":"gina","password":"pass","deep":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`},
	} {
		x.do(http.MethodPost, "/api/apps/emulator/users", c.body, "Content-Type", c.contentType, "X-Kii-AppID", "emulator", "X-Kii-AppKey", "x")
		x.startsFromItsExport(c.body[:min(80, len(c.body))])
	}
	assert.Greater(t, x.countUsers(), 5)
}

func TestTheExportKeepsWhatASeedSays(t *testing.T) {
	t.Parallel()
	start, err := readSeed("seed.json", []byte(`{"assumptions": {"EmailCaseMatters": false, "CodesAreSingleUse": true}, "users": [{"email": "a@b.c", "fields": {"age": 7}}]}`))
	require.NoError(t, err)
	e := newEmulator(testOptions, &binding{origin: "http://" + testHost, hosts: map[string]bool{testHost: true}}, start)
	defer e.srv.Close()
	left := e.export()
	assert.Equal(t, map[kiitest.Assumption]bool{kiitest.EmailCaseMatters: false}, left.Assumptions)
	assert.JSONEq(t, "7", string(left.Users[0].Fields["age"]))
	assert.Equal(t, start.Accounts[0].ID, left.Users[0].ID)

	x := &tester{t, e, e.handler(io.Discard), nil}
	holds := x.call(http.StatusOK, "GET", "/assumptions", "")["assumptions"].(map[string]any)
	assert.Len(t, holds, len(kiitest.Assumptions()))
	for name, h := range holds {
		assert.Equal(t, name != string(kiitest.EmailCaseMatters), h, name)
	}
	x.shows(x.page(http.StatusOK, "/settings"), "<code>EmailCaseMatters</code> <span class=\"state replaced\">turned off</span>")
}

func TestAResetIsOneChange(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	var users sync.WaitGroup
	users.Go(func() {
		for i := range 200 {
			x.do(http.MethodPost, "/api/apps/emulator/users", fmt.Sprintf(`{"loginName":"alice","emailAddress":"other-%d@example.com","password":"pass"}`, i),
				"Content-Type", "application/json", "X-Kii-AppID", "emulator", "X-Kii-AppKey", "x")
		}
	})
	users.Go(func() {
		for range 200 {
			w := x.do(http.MethodGet, apiRoot+"/users/alice-id", "")
			assert.Equal(t, http.StatusOK, w.Code, "a user of the seed is never missing")
		}
	})
	for range 200 {
		x.call(http.StatusNoContent, "POST", "/reset", "")
	}
	users.Wait()
	assert.Empty(t, x.stderr.String())
}

func TestTheExportIsWrittenWhereItCanBe(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	folder := t.TempDir()
	plain := filepath.Join(folder, "export.json")
	elsewhere, near := filepath.Join(t.TempDir(), "target.json"), filepath.Join(folder, "target.json")
	link, relative := filepath.Join(folder, "link.json"), filepath.Join(folder, "relative.json")
	require.NoError(t, os.Symlink(elsewhere, link))
	require.NoError(t, os.Symlink("target.json", relative))
	for name, at := range map[string]string{plain: plain, link: elsewhere, relative: near} {
		require.NoError(t, checkOutput("-export", name))
		_, err := os.Stat(at)
		require.ErrorIs(t, err, os.ErrNotExist, "the check leaves nothing")
		require.NoError(t, x.exportTo(name))
		info, err := os.Lstat(at)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode(), "a plain file that holds passwords")
	}
	info, err := os.Lstat(link)
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&os.ModeSymlink, "the link is followed, not replaced")
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Len(t, left, 4, "no temporary file stays")
}

func TestAFileThatThisUserCannotOpenIsRefused(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("whoever runs this opens everything")
	}
	name := writeSeed(t, "{}")
	require.NoError(t, os.Chmod(name, 0))
	for _, export := range []string{"", name} {
		require.EqualError(t, checkSeed(name, export), "-seed "+name+": this user cannot read the file")
	}
	require.EqualError(t, checkOutput("-export", name), "-export "+name+": this user cannot write the file")
}

func TestAFileInAFolderThatCannotBeWrittenIsWrittenInPlace(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root writes everywhere")
	}
	x := newTester(t)
	folder := t.TempDir()
	name := filepath.Join(folder, "export.json")
	require.NoError(t, os.WriteFile(name, []byte("old and much longer than nothing"), 0o600))
	require.NoError(t, os.Chmod(folder, 0o500))
	defer os.Chmod(folder, 0o700)
	require.NoError(t, checkOutput("-export", name))
	require.NoError(t, x.exportTo(name))
	_, err := loadSeed(name)
	require.NoError(t, err)
	assert.ErrorContains(t, checkOutput("-export", filepath.Join(folder, "other.json")), "this user cannot write its folder")
}

func TestWhatIsNoPlainFileIsRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{os.DevNull, t.TempDir(), filepath.Join(t.TempDir(), "no", "export.json")} {
		assert.Error(t, checkOutput("-export", name), name)
	}
}

func TestASocketIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a socket is no file")
	}
	name := filepath.Join(t.TempDir(), "a") // the path of a socket must be short, and so must the test's name
	socket, err := net.Listen("unix", name)
	require.NoError(t, err)
	defer socket.Close()
	d := disk{full: func(string) bool { return false }}
	rescued, err := writeFile(name, 0o600, d.write)
	require.EqualError(t, err, "it is not a plain file any more")
	defer os.Remove(rescued)
	assertHolds(t, rescued, written)
	require.EqualError(t, overwriteFile(name, 0o600, d.write), "it is not a plain file any more")
	info, err := os.Lstat(name)
	require.NoError(t, err)
	assert.Equal(t, os.ModeSocket, info.Mode().Type())
}

func TestAFileThatCannotHaveItsNameIsRescued(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	d := disk{full: func(string) bool { return false }}
	rescued, err := writeFile(filepath.Join(folder, strings.Repeat("x", 300)), 0o600, d.write)
	require.Error(t, err)
	defer os.Remove(rescued)
	assertHolds(t, rescued, written)
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Empty(t, left, "no temporary file stays")
}

func TestWithoutAFolderForTemporaryFilesAFileIsWrittenInPlace(t *testing.T) {
	if os.Geteuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("whoever runs this writes everywhere")
	}
	folder := t.TempDir()
	name := filepath.Join(folder, "export.json")
	require.NoError(t, os.WriteFile(name, []byte("the old file"), 0o600))
	require.NoError(t, os.Chmod(folder, 0o500))
	defer os.Chmod(folder, 0o700)
	t.Setenv("TMPDIR", filepath.Join(folder, "no"))
	d := disk{full: func(string) bool { return false }}
	_, err := writeFile(name, 0o600, d.write)
	require.NoError(t, err)
	assertHolds(t, name, written)
}

func TestAnExportThatCannotBeWrittenIsRescued(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	folder := filepath.Join(t.TempDir(), "gone")
	err := x.exportTo(filepath.Join(folder, "export.json"))
	require.Error(t, err)
	_, name, found := strings.Cut(err.Error(), "The export is in ")
	require.True(t, found, "%v", err)
	defer os.Remove(name)
	_, err = loadSeed(name)
	assert.NoError(t, err)
}

func TestWhatNobodyIsToldOfIsNotLeft(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	mark := x.instance // in no file of another run
	x.call(http.StatusCreated, "POST", "/users", `{"id":"`+mark+`"}`)
	gone := filepath.Join(t.TempDir(), "gone", "file")
	x.options.Export = gone
	x.exportEarly()
	require.Error(t, writeAddrFile(gone, mark))
	copies, err := filepath.Glob(filepath.Join(os.TempDir(), "kii-emulator-*"))
	require.NoError(t, err)
	for _, name := range copies {
		text, _ := os.ReadFile(name) // which may be another test's, and be gone
		assert.NotContains(t, string(text), mark, name)
	}
}

func TestTheAddressFileMayBeALink(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	link, file := filepath.Join(folder, "link"), filepath.Join(folder, "addr")
	require.NoError(t, os.Symlink(file, link))
	require.NoError(t, writeAddrFile(link, "127.0.0.1:1"))
	assertHolds(t, file, "127.0.0.1:1\n")
	removeAddrFile(link, "127.0.0.1:2")
	assert.FileExists(t, file, "another emulator's")
	removeAddrFile(link, "127.0.0.1:1")
	assert.NoFileExists(t, file)
	_, err := os.Lstat(link)
	assert.NoError(t, err)
}

// A disk runs full in the middle of some files, and keeps the names of all that it was to hold.
type disk struct {
	full  func(name string) bool
	names []string
}

const written = "the new file"

var errFull = errors.New("no space left on device")

func (d *disk) write(w io.Writer) error {
	name := w.(*os.File).Name()
	d.names = append(d.names, name)
	text := written
	if d.full(name) {
		text = "the"
	}
	if _, err := io.WriteString(w, text); err != nil || text == written {
		return err
	}
	return errFull
}

func TestAFullDiskLeavesTheOldFileAndNoPartOfANewOne(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "export.json")
	require.NoError(t, os.WriteFile(name, []byte("the old file"), 0o600))
	d := disk{full: func(string) bool { return true }}
	rescued, err := writeFile(name, 0o600, d.write)
	require.ErrorIs(t, err, errFull)
	assert.Empty(t, rescued)
	assertHolds(t, name, "the old file")
	for _, other := range d.names {
		assert.NotEqual(t, name, other)
		assert.NoFileExists(t, other)
	}
}

func TestAFullDiskLeavesTheOldFileAndAWholeCopyElsewhere(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "export.json")
	require.NoError(t, os.WriteFile(name, []byte("the old file"), 0o600))
	d := disk{full: func(at string) bool { return filepath.Dir(at) == filepath.Dir(name) }}
	rescued, err := writeFile(name, 0o600, d.write)
	require.ErrorIs(t, err, errFull)
	defer os.Remove(rescued)
	assertHolds(t, name, "the old file")
	assertHolds(t, rescued, written)
}

func TestAFileIsWrittenInPlaceOnlyWhenACopyIsSafe(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("whoever runs this writes everywhere")
	}
	folder := t.TempDir()
	name := filepath.Join(folder, "export.json")
	require.NoError(t, os.WriteFile(name, []byte("the old file"), 0o600))
	require.NoError(t, os.Chmod(folder, 0o500))
	defer os.Chmod(folder, 0o700)

	none := disk{full: func(string) bool { return true }}
	rescued, err := writeFile(name, 0o600, none.write)
	require.Error(t, err)
	assert.Empty(t, rescued)
	assertHolds(t, name, "the old file")

	elsewhere := disk{full: func(at string) bool { return at == name }}
	rescued, err = writeFile(name, 0o600, elsewhere.write)
	require.ErrorIs(t, err, errFull)
	defer os.Remove(rescued)
	assertHolds(t, rescued, written)

	all := disk{full: func(string) bool { return false }}
	rescued, err = writeFile(name, 0o600, all.write)
	require.NoError(t, err)
	assert.Empty(t, rescued)
	assertHolds(t, name, written)
	require.Len(t, all.names, 2)
	assert.NoFileExists(t, all.names[0], "the copy is of no use any more")
}

func TestAFileWrittenInPlaceGetsItsMode(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there are no such modes")
	}
	name := filepath.Join(t.TempDir(), "export.json")
	require.NoError(t, os.WriteFile(name, []byte("the old file, which is longer"), 0o644))
	require.NoError(t, overwriteFile(name, 0o600, func(w io.Writer) error {
		at, err := os.Stat(name)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), at.Mode(), "before a password is in it")
		_, err = io.WriteString(w, written)
		return err
	}))
	assertHolds(t, name, written)
}

func TestAnExportThatOthersCanReadIsTold(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there are no such modes")
	}
	name := filepath.Join(t.TempDir(), "export.json")
	require.NoError(t, os.WriteFile(name, nil, 0o600))
	var b bytes.Buffer
	warnOfReaders(&b, "")
	warnOfReaders(&b, name)
	require.Empty(t, b.String())
	require.NoError(t, os.Chmod(name, 0o640))
	warnOfReaders(&b, name)
	assert.Contains(t, b.String(), "WARNING: others may read "+name)
	assert.Contains(t, b.String(), "from 0640")
}

func assertHolds(t *testing.T, name, text string) {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, text, string(data))
}
