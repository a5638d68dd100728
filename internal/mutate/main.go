// Mutate breaks each promise of the library on purpose, in a copy of the tree, and runs the tests
// that must notice. It fails if an edit survives. From the root of the module:
//
//	go run ./internal/mutate          # all edits
//	go run ./internal/mutate replay   # those whose name holds a word
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// An edit replaces the first old in file by new; tests are a -run pattern of pkg's tests.
type edit struct{ name, file, old, new, pkg, tests string }

const (
	tr       = "internal/transport/"
	trPkg    = "./internal/transport"
	promises = "./internal/promises"
	matrix   = "TestFaultMatrix"
)

var edits = []edit{
	// Success is proved.
	{"success: any 2xx", "call.go", " && len(reply.Body) == 0", "", promises, matrix},
	{"success: any status", "call.go", "reply.Status/100 == 2 && ", "", promises, matrix},
	{"success: a broken body", "call.go", `reply.Broken != "" || `, "", promises, matrix},
	{"success: a reply that may be cut", tr + "transport.go", "raw.ProtoMajor == 1", "raw.ProtoMajor == 9", promises, matrix},
	{"success: 201 of a login", "call.go", "reply.Status == http.StatusOK &&", "reply.Status/100 == 2 &&", promises, matrix},
	// Three outcomes.
	{"outcome: all not sent", tr + "transport.go", "NotSent: notSent,", "NotSent: notSent || true,", promises, matrix},
	{"outcome: none not sent", tr + "transport.go", "NotSent: notSent,", "NotSent: notSent && false,", promises, matrix},
	{"outcome: a connection proves nothing", tr + "witness.go", "if w.gotConn.Load() {", "if false {", promises, matrix},
	{"outcome: 5xx is known", "errors.go", "e.StatusCode/100 == 5", "e.StatusCode/100 == 6", promises, matrix + "|Outcome"},
	{"outcome: an answer counts as none", tr + "transport.go", "return resp != nil && resp.RawResponse != nil", "return false", promises, matrix},
	{"outcome: backoff proves nothing", tr + "transport.go", "inBackoff && w.notSent(w.failed)", "inBackoff && false", promises, "InBackoff"},
	{"outcome: a dial error proves nothing without hooks", tr + "witness.go", "w.getConn.Load() || isDialError(err)", "w.getConn.Load()", promises, matrix},
	{"outcome: any error proves it without hooks", tr + "witness.go", "w.getConn.Load() || isDialError(err)", "true", promises, matrix},
	{"outcome: a proxy that cannot be dialled proves nothing", tr + "witness.go", ` || op.Op == "proxyconnect"`, "", promises, matrix},
	{"outcome: a body cut short is an answer", tr + "transport.go", "case corrupt ||", "case true || corrupt ||", promises, matrix},
	{"outcome: the cause is lost", tr + "failure.go", "errs = append(errs, cause)", "_ = cause", promises, "TestACancelledCall"},
	{"outcome: the last failure is lost", tr + "transport.go", "[]error{w.failed, err}", "[]error{err}", promises, "TestACancelledCall"},
	// Nothing is sent twice.
	{"replay: HTTP/2 not guarded", tr + "witness.go", "		w.abort()\n", "", trPkg, "HTTP2|H2C"},
	{"replay: no connection counts as HTTP/2", tr + "witness.go", `== "h2"`, `== "h3"`, trPkg, "HTTP2|H2C"},
	{"replay: h2c not guarded", tr + "witness.go", "return !w.plainIsHTTP1", "return false", trPkg, "H2C"},
	{"replay: the body rewinds without hooks", tr + "witness.go", "if !w.getConn.Load() ||", "if", trPkg, "WithoutHooks"},
	{"replay: a stale connection is not rescued", tr + "witness.go", "w.http2.Load() && w.wrote.Load() {\n\t\t\tw.replayed", "true {\n\t\t\tw.replayed", promises, matrix},
	{"replay: every failure is retried", tr + "witness.go", "if err == nil || answered(resp) || !w.notSent(err) || w.handshake.Load() {", "if err == nil {", promises, matrix},
	{"replay: a failed handshake is retried", tr + "witness.go", " || w.handshake.Load()", "", promises, matrix},
	{"replay: nothing is retried", tr + "transport.go", "SetRetryCount(maxRetries)", "SetRetryCount(0 * maxRetries)", promises, matrix},
	{"redirects: Location stays", tr + "roundtripper.go", `hidden.Header.Del("Location")`, "", promises, matrix},
	// Secrets stay put.
	{"secrets: the Message is printed", "errors.go", `"kii: %s: %d %s", e.Op, e.StatusCode, e.Code`, `"kii: %s: %d %s %s", e.Op, e.StatusCode, e.Code, e.Message`, promises, matrix + "|Panic"},
	{"secrets: the Message is not blanked", "redact.go", "return re.ReplaceAllString(text, blanked)", "return text", promises, matrix},
	{"secrets: quoted text stays", "redact.go", "before, _, quoted := strings.Cut(err.Error(), `\"`)", "before, quoted := err.Error(), false", promises, matrix},
	{"secrets: a Session prints its fields", "session.go", "func (s *Session) Format(", "func (s *Session) format(", promises, "Redacted"},
	{"secrets: a User prints its fields", "user.go", "func (u User) Format(", "func (u User) format(", promises, "Redacted"},
	{"secrets: a Token prints its fields", "token.go", "func (t Token) Format(", "func (t Token) format(", promises, "Redacted"},
	{"secrets: a Profile prints its fields", "profile.go", "func (p Profile) Format(", "func (p Profile) format(", promises, "Redacted"},
	{"secrets: an APIError prints its fields", "errors.go", "func (e APIError) Format(", "func (e APIError) format(", promises, matrix},
	{"secrets: resty logs", tr + "transport.go", "r.SetLogger(silent{}).", "r.", promises, "Stderr"},
	{"secrets: any errorCode is taken over", "call.go", "errorCodeForm.MatchString(string(code)) && ", "", promises, matrix},
	// The segment.
	{"segment: not escaped", "id.go", "url.QueryEscape(s)", "(url.QueryEscape(\"\") + s)", ".", "Fuzz"},
	{"segment: dot segments", "id.go", `case id == "." || id == "..":`, `case id == "…":`, ".", "Fuzz"},
	// A dead session.
	{"session: 404 ends it", "session.go", "e.StatusCode != http.StatusUnauthorized &&", "e.StatusCode != http.StatusNotFound && e.StatusCode != http.StatusUnauthorized &&", promises, matrix},
	{"session: nothing ends it", "session.go", "	return s.end(sent, err)", "	return err", promises, matrix},
	{"session: each call has an end of its own", "session.go", "if s.ended == nil && s.token.AccessToken", "if s.token.AccessToken", promises, "DiesUnder"},
	{"session: a goroutine is left", tr + "transport.go", "	defer cancel()\n", "	defer cancel()\n	go func() { select {} }()\n", promises, "LeftBehind"},
	// Bounds.
	{"bounds: no cap", tr + "transport.go", ".SetResponseBodyLimit(MaxReplyBytes)", "", promises, matrix},
	{"bounds: headers of any size", tr + "roundtripper.go", "64 << 10", "64 << 20", promises, matrix},
	{"bounds: a handshake without a limit", tr + "roundtripper.go", "TLSHandshakeTimeout:    10 * time.Second", "TLSHandshakeTimeout:    0 * time.Second", promises, "Handshake"},
	{"bounds: a deaf peer is not given up", tr + "roundtripper.go", "SendPingTimeout: 15 * time.Second", "SendPingTimeout: 0 * time.Second", promises, matrix},
	{"outcome: a proxy is passed by", tr + "roundtripper.go", "http.ProxyFromEnvironment", "nil", promises, matrix},
	{"bounds: no deadline", tr + "transport.go", "context.WithTimeout(ctx, c.timeout)", "context.WithTimeout(ctx, 1000*c.timeout)", promises, "Silent"},
}

func main() {
	root, err := os.Getwd()
	if err != nil {
		fail(err)
	}
	if _, err := os.Stat("internal/mutate/main.go"); err != nil {
		fail(err)
	}
	dir, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		fail(err)
	}
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, tree(root)); err != nil {
		fail(err)
	}
	caught, tried := 0, 0
	sound := map[[2]string]bool{} // tests that pass without an edit
	for _, e := range edits {
		if len(os.Args) > 1 && !strings.Contains(e.name, os.Args[1]) {
			continue
		}
		if tests := [2]string{e.pkg, e.tests}; !sound[tests] {
			if try(dir, edit{file: e.file, pkg: e.pkg, tests: e.tests}) != "SURVIVED" {
				_ = os.RemoveAll(dir)
				fail(fmt.Errorf("%s of %s fails without an edit", e.tests, e.pkg))
			}
			sound[tests] = true
		}
		tried++
		verdict := try(dir, e)
		if verdict == "caught" {
			caught++
		}
		fmt.Printf("%-9s %s\n", verdict, e.name)
	}
	fmt.Printf("%d of %d edits caught\n", caught, tried)
	if caught < tried {
		_ = os.RemoveAll(dir)
		os.Exit(1)
	}
}

// try returns caught, survived, or why the edit says nothing.
func try(dir string, e edit) string {
	path := filepath.Join(dir, e.file)
	whole, err := os.ReadFile(path)
	if err != nil {
		fail(err)
	}
	if !strings.Contains(string(whole), e.old) {
		return "NOT FOUND"
	}
	defer func() {
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			fail(err)
		}
	}()
	if err := os.WriteFile(path, []byte(strings.Replace(string(whole), e.old, e.new, 1)), 0o600); err != nil {
		fail(err)
	}
	binary := filepath.Join(dir, "broken.test")
	build := exec.Command("go", "test", "-vet=off", "-c", "-o", binary, e.pkg)
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		return "NOT BUILT " + string(out)
	}
	test := exec.Command(binary, "-test.failfast", "-test.timeout=60s", "-test.run="+e.tests)
	test.Dir = filepath.Join(dir, e.pkg)
	if test.Run() != nil {
		return "caught"
	}
	return "SURVIVED"
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
