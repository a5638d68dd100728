// Mutate breaks each promise of the library on purpose, in a copy of the tree, and runs the tests
// that must notice. It fails if an edit survives, or none is tried. From the root of the module:
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
	{"success: any 2xx", "call.go", "case len(reply.Body) > 0:", "case false:", promises, matrix},
	{"success: any status", "call.go", "case reply.Status/100 != 2:", "case false:", promises, matrix},
	{"success: a broken body", "call.go", `else if reply.Broken != ""`, "else if false", promises, matrix},
	{"success: a reply that may be cut", tr + "reply.go", "resp.Close &&", "false &&", trPkg, "Whole"},
	{"success: 201 of a login", "call.go", "if reply.Status != http.StatusOK {", "if reply.Status/100 != 2 {", promises, matrix},
	// Three outcomes.
	{"outcome: all not sent", tr + "attempt.go", "NotSent: a.unsent(dial)", "NotSent: true", promises, matrix},
	{"outcome: none not sent", tr + "attempt.go", "NotSent: a.unsent(dial)", "NotSent: false", promises, matrix},
	{"outcome: a connection proves nothing", tr + "attempt.go", "case a.connected || a.hookless:", "case a.hookless:", promises, matrix},
	{"outcome: who takes the body sends nothing", tr + "attempt.go", "case a.connected || a.hookless:", "case a.connected:", trPkg, "Proof|HalfARound"},
	{"outcome: the body is no witness", tr + "attempt.go", "!a.began || a.watched && !a.read", "!a.began", trPkg, "NeverRead"},
	{"outcome: no body is a witness", tr + "attempt.go", "!a.read && len(a.request.Body) > 0", "!a.read", trPkg, "SentUnread"},
	{"outcome: a protocol without hooks sends nothing", tr + "witness.go", " || !slices.Contains([]string{", " || false && !slices.Contains([]string{", trPkg, "AnotherProtocol"},
	{"outcome: hooks outdo the body", tr + "attempt.go", " && len(a.asked) > 0 && !a.watched", " && len(a.asked) > 0", trPkg, "AnotherProtocol"},
	{"outcome: 5xx is known", "errors.go", "e.StatusCode/100 == 5", "e.StatusCode/100 == 6", promises, matrix + "|Outcome"},
	{"outcome: an answer counts as none", tr + "attempt.go", "a.answered, a.respBody = true", "a.answered, a.respBody = false", trPkg, "NeverNotSent"},
	{"outcome: a cause proves", tr + "attempt.go", "ctx.Err() == nil && isDialError(err)", "isDialError(err)", trPkg, "EndsWithIt"},
	{"outcome: a dial error proves nothing without hooks", tr + "attempt.go", "a.own || dial ||", "a.own ||", trPkg, "WithoutHooks"},
	{"outcome: any error proves it without hooks", tr + "attempt.go", "a.own || dial ||", "true ||", promises, matrix},
	{"outcome: a proxy that cannot be dialled proves nothing", tr + "failure.go", `e.Op == "proxyconnect" || `, "", trPkg, "WithoutHooks"},
	{"outcome: one dial error of many proves it", tr + "failure.go", "len(errs) > 0 && !slices.ContainsFunc", "len(errs) > 0 || !slices.ContainsFunc", trPkg, "ADialError"},
	{"outcome: a body cut short is an answer", tr + "reply.go", "case corrupt ||", "case err != nil || corrupt ||", promises, matrix},
	{"outcome: the cause is lost", "internal/foreign/foreign.go", "cause != nil && !same(cause, err)", "false", promises, "TestACancelledCall"},
	{"outcome: the last failure is lost", tr + "failure.go", "range errs {", "range errs[:0] {", promises, "TestACancelledCall"},
	// Nothing is sent twice.
	{"replay: HTTP/2 not guarded", tr + "witness.go", "		a.abort()\n", "", trPkg, "HTTP2|H2C"},
	{"replay: no connection counts as HTTP/2", tr + "witness.go", "a.http1 && !a.http2 && !a.keyed", "!a.keyed", trPkg, "HTTP2|H2C"},
	{"replay: HTTP/1 is assumed", tr + "witness.go", "a.http1 && !a.http2", "!a.http2", trPkg, "NotProved"},
	{"replay: a key is overlooked", tr + "witness.go", "		a.keyed = true\n", "", trPkg, "Idempotency"},
	{"replay: a 103 is an answer", tr + "witness.go", "	a.open++\n	a.interim++", "	a.interim++", trPkg, "Interim"},
	{"replay: the body rewinds without hooks", tr + "witness.go", "replay := a.hookless", "replay := false", trPkg, "WithoutHooks"},
	{"replay: a stale connection is not rescued", tr + "witness.go", "return a.http1 && !a.http2 && !a.keyed", "return false", promises, matrix},
	{"replay: other round trips count", tr + "witness.go", "slices.Contains(a.wroteTo, host)", "a.wrote", trPkg, "Company"},
	{"replay: every failure is retried", tr + "transport.go", "failure.NotSent && failure.retryable && ", "", promises, matrix},
	{"replay: a failed handshake is retried", tr + "attempt.go", " && !a.handshake", "", promises, matrix},
	{"replay: nothing is retried", tr + "transport.go", "n <= c.maxRetries", "n <= 0*c.maxRetries", promises, matrix},
	{"redirects: Location stays", tr + "attempt.go", `hidden.Header.Del("Location")`, "", promises, matrix},
	// Secrets stay put.
	{"secrets: the Message is printed", "errors.go", `"kii: %s: %d %s", e.Op, e.StatusCode, e.Code`, `"kii: %s: %d %s %s", e.Op, e.StatusCode, e.Code, e.Message`, promises, matrix + "|Panic"},
	{"secrets: the Message is not blanked", "redact.go", "s.shownIn(text) {", "false {", ".", "MessageIsKept"},
	{"secrets: quoted text stays", "redact.go", "text, _, quoted := strings.Cut(err.Error(), `\"`)", "text, quoted := err.Error(), false", promises, matrix},
	{"secrets: a Session prints its fields", "session.go", "func (s *Session) Format(", "func (s *Session) format(", ".", "Printed"},
	{"admin: a lost request for a token is a lost call", "admin_token.go", "NotSent: true, Err: fmt", "NotSent: false, Err: fmt", promises, "AdministratorsToken"},
	{"admin: a dead token is kept", "admin_token.go", "a.drop(token)", "_ = token", promises, "ADeadToken"},
	{"admin: a dead token is tried for ever", "admin_token.go", "if attempt == 2 {", "if attempt == 20 {", promises, "ADeadToken"},
	{"admin: each caller asks for a token", "admin_token.go", "if a.renewal == nil {", "if true {", promises, "AHundredCalls"},
	{"admin: a token is renewed too late", "admin_token.go", "now.Add(life - min(time.Minute, life/2))", "now.Add(life)", promises, "IsRenewedAMinute"},
	{"admin: the secret is none", "admin_token.go", "c.secrets = append(c.secrets, secret.clientID, secret.clientSecret)", "_ = secret", ".", "AdminCallBlanks"},
	{"secrets: an Admin prints its fields", "admin.go", "func (a Admin) Format(", "func (a Admin) format(", ".", "Admin"},
	{"secrets: a Token prints its fields", "token.go", "func (t Token) Format(", "func (t Token) format(", promises, "Redacted"},
	{"secrets: a Profile prints its fields", "profile.go", "func (p Profile) Format(", "func (p Profile) format(", promises, "Redacted"},
	{"secrets: an APIError prints its fields", "errors.go", "func (e APIError) Format(", "func (e APIError) format(", ".", "Test"},
	{"secrets: resty logs", tr + "transport.go", "SetLogger(silent{}).", "SetDebug(true).", promises, "Stderr"},
	{"secrets: any errorCode is taken over", "reply.go", "errorCodeForm.MatchString(string(code)) && ", "", promises, matrix},
	{"secrets: an errorCode may be one", "reply.go", " && !secrets.shownIn(string(code))", "", ".", "Test"},
	// The segment.
	{"arguments: of any length", "arguments.go", "case len(value) > maxLength:", "case false:", ".", "NobodyMeans"},
	{"arguments: invisible", "arguments.go", "strings.ContainsFunc(value, isInvisible)", "false", ".", "NobodyMeans"},
	{"arguments: of any sign", "arguments.go", "strings.ContainsFunc(value, isLookAlike)", "false", ".", "NobodyMeans"},
	{"segment: not escaped", "id.go", "url.QueryEscape(s)", "(url.QueryEscape(\"\") + s)", ".", "Fuzz"},
	{"segment: dot segments", "id.go", `case id == "." || id == "..":`, `case id == "…":`, ".", "Fuzz"},
	// A dead session.
	{"session: 404 ends it", "session.go", "(e.StatusCode == http.StatusUnauthorized ||", "(e.StatusCode == http.StatusNotFound || e.StatusCode == http.StatusUnauthorized ||", promises, matrix},
	{"answers: another call's counts", "redact.go", "!isOwn(target) && ", "", ".", "AnotherCalls"},
	{"answers: the first of several counts", "errors.go", "return errors.Is(err, outcomeUnknown{})", "e, ok := errors.AsType[*TransportError](err); return ok && !e.NotSent || !ok && errors.Is(err, outcomeUnknown{})", ".", "OutcomeUnknown"},
	{"answers: a gateway's code counts", "reply.go", `strings.HasSuffix(c.url, "/oauth2/token")`, "true", ".", "Gateway"},
	{"answers: a gateway's status counts", "reply.go", " && !isOfGateway(reply)", "", ".", "Gateway"},
	{"session: a refresh ends with its caller", "internal/shared/shared.go", "send(r.values)", "send(ctx)", ".", "Refresh"},
	{"session: a wrong password ends it", "session.go", "[]ErrorCode{ErrWrongToken,", "[]ErrorCode{ErrWrongPassword, ErrWrongToken,", promises, matrix},
	{"session: each Refresh sends a request", "refresh.go", "case s.refreshing == nil:", "default:", ".", "Refresh"},
	{"session: nothing ends it", "session.go", "	return s.end(c.token, err)", "	return err", promises, matrix},
	{"session: each call has an end of its own", "session.go", "; s.ended == nil && token.AccessToken", "; token.AccessToken", promises, "DiesUnder"},
	{"session: a goroutine is left", tr + "transport.go", "	defer call.End()\n", "	defer call.End()\n	go func() { select {} }()\n", promises, "LeftBehind"},
	// Bounds.
	{"bounds: no cap", tr + "reply.go", "N: MaxReplyBytes + 1", "N: 1 << 62", promises, matrix},
	{"bounds: a call waits for its RoundTripper", tr + "transport.go", "	case <-ctx.Done():\n		a.end", "	case <-make(chan int):\n		a.end", trPkg, "Held"},
	{"bounds: a context's word is taken for its deadline", "internal/foreign/foreign.go", "context.WithTimeout(&c.caller, timeout)", "context.WithTimeout(ctx, timeout)", trPkg, "OwnDeadline"},
	{"bounds: a waiter has no end of its own", "refresh.go", "Wait(ctx, s.api.timeout)", "Wait(ctx, 1<<62)", ".", "LoggerThatRefreshes"},
	{"bounds: a panic is nobody's", tr + "attempt.go", "p := recover().(type)", "p := any(nil).(type)", trPkg, "Panic"},
	{"bounds: 1xx without end", tr + "witness.go", "a.interim > 32", "false", promises, matrix},
	{"bounds: a blocked connection stays", tr + "transport.go", "WriteByteTimeout: 5 * time.Second", "WriteByteTimeout: 0", trPkg, "HoldsUp"},
	{"bounds: headers of any size", tr + "transport.go", "64 << 10", "64 << 20", promises, matrix},
	{"bounds: a handshake without a limit", tr + "transport.go", "TLSHandshakeTimeout:    10 * time.Second", "TLSHandshakeTimeout:    0 * time.Second", promises, "Handshake"},
	{"bounds: a deaf peer is not given up", tr + "transport.go", "SendPingTimeout: 15 * time.Second", "SendPingTimeout: 0 * time.Second", promises, matrix},
	{"outcome: a proxy is passed by", tr + "transport.go", "http.ProxyFromEnvironment", "nil", promises, matrix},
	{"bounds: a caller's context is asked after the call", "internal/foreign/foreign.go", "	l.given = true\n", "", trPkg, "NotAskedAfter"},
	{"bounds: no deadline", tr + "transport.go", "foreign.WithTimeout(ctx, c.timeout)", "foreign.WithTimeout(ctx, 1000*c.timeout)", promises, "Silent"},
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
	if tried == 0 || caught < tried { // a word that no name holds proves nothing
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
