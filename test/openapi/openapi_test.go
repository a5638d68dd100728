package openapi_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/go-kii/kii/internal/emulator"
)

const seed = `{"settings": {"resetFlow": "INPUT"}, "users": [
	{"id": "alice-id", "loginName": "alice", "email": "alice@example.com", "emailVerified": true, "phone": "+819012341234", "phoneVerified": true, "password": "old-pass"}]}`

// start runs the emulator and returns the root of its JSON API.
func start(t *testing.T) string {
	t.Helper()
	fmt.Fprintf(io.Discard, "%p", emulator.Serve) // the program does it, so the test is to run again when it changes
	folder := t.TempDir()
	program, seedFile, addrFile := filepath.Join(folder, "kii-emulator"), filepath.Join(folder, "seed.json"), filepath.Join(folder, "addr")
	if out, err := exec.Command("go", "-C", "../..", "build", "-o", program, "./cmd/kii-emulator").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.WriteFile(seedFile, []byte(seed), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-addr", "127.0.0.1:0", "-addr-file", addrFile, "-seed", seedFile)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the emulator ended with %v", err)
		}
	})
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if address, err := os.ReadFile(addrFile); err == nil {
			return "http://" + strings.TrimSpace(string(address)) + "/emulator/v1"
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("the emulator does not start")
		}
	}
}

// An api is the emulator's API, with what describes it.
type api struct {
	t      *testing.T
	root   string
	doc    *openapi3.T
	router routers.Router
	called map[string]bool // the operations that have succeeded, by method and path
}

func describe(t *testing.T, root string) *api {
	t.Helper()
	at, err := url.Parse(root + "/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromURI(at)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatalf("the description is not OpenAPI: %v", err)
	}
	doc.Servers = openapi3.Servers{{URL: root}}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return &api{t, root, doc, router, make(map[string]bool)}
}

// call sends a request, wants the status, and holds both sides to the description: an answer
// always, a request if it was taken.
func (a *api) call(status int, method, path, body string) {
	a.t.Helper()
	name := method + " " + path
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.root+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	route, params, err := a.router.FindRoute(r)
	if err != nil {
		a.t.Errorf("%s is not described: %v", name, err)
		return
	}
	input := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: route, Options: &openapi3filter.Options{MultiError: true, IncludeResponseStatus: true},
	}
	if err := openapi3filter.ValidateRequest(a.t.Context(), input); err != nil && status < 300 {
		a.t.Errorf("%s is taken and not as described: %v", name, err)
	}
	r.Body = io.NopCloser(strings.NewReader(body))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	if answer.StatusCode != status {
		a.t.Errorf("%s: %d in place of %d: %s", name, answer.StatusCode, status, text)
		return
	}
	err = openapi3filter.ValidateResponse(a.t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: answer.StatusCode, Header: answer.Header, Body: io.NopCloser(bytes.NewReader(text)), Options: input.Options,
	})
	if err != nil {
		a.t.Errorf("%s: the answer is not as described: %v", name, err)
	}
	if status < 300 {
		a.called[method+" "+route.Path] = true
	}
}

// TestEveryAnswerIsAsDescribed calls each operation, well and badly.
func TestEveryAnswerIsAsDescribed(t *testing.T) {
	t.Parallel()
	root := start(t)
	a := describe(t, root)
	reset, err := http.NewRequestWithContext(t.Context(), http.MethodPost, strings.TrimSuffix(root, "/emulator/v1")+"/api/apps/emulator/users/alice-id/password/request-reset",
		strings.NewReader(`{"notificationMethod":"SMS","smsResetMethod":"PIN"}`))
	if err != nil {
		t.Fatal(err)
	}
	reset.Header.Set("X-Kii-AppID", "emulator")
	reset.Header.Set("X-Kii-AppKey", "emulator-key")
	answer, err := http.DefaultClient.Do(reset)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	for _, c := range []struct {
		status             int
		method, path, body string
	}{
		{200, "GET", "/ready", ""},
		{400, "GET", "/ready?x=1", ""},
		{200, "GET", "/openapi.json", ""},
		{200, "GET", "/app", ""},
		{200, "GET", "/messages?q=is:pending&limit=1&offset=0", ""},
		{200, "GET", "/messages?before=9&after=0", ""},
		{422, "GET", "/messages?state=lost", ""},
		{422, "GET", "/messages?limit=0", ""},
		{422, "DELETE", "/messages?to=", ""},
		{200, "GET", "/messages/latest?to=alice@example.com", ""},
		{200, "GET", "/messages/latest?to=+819012341234", ""},
		{404, "GET", "/messages/latest?to=nobody", ""},
		{200, "GET", "/messages/wait?purpose=reset-pin&timeout=1m", ""},
		{204, "GET", "/messages/wait?to=nobody&timeout=0s", ""},
		{422, "GET", "/messages/wait?after=9&timeout=0s", ""},
		{422, "GET", "/messages/wait?timeout=2m", ""},
		{200, "POST", "/messages/visit-links?channel=email", ""},
		{200, "GET", "/messages/1", ""},
		{404, "GET", "/messages/x", ""},
		{200, "POST", "/messages/1/expire", ""},
		{409, "POST", "/messages/1/expire", ""},
		{404, "POST", "/messages/9/expire", ""},
		{204, "DELETE", "/messages/1", ""},
		{404, "DELETE", "/messages/1", ""},
		{200, "DELETE", "/messages?channel=sms&text=pin", ""},
		{200, "GET", "/users", ""},
		{200, "GET", "/users?q=ALICE+is:unverified", ""},
		{422, "GET", "/users?q=", ""},
		{201, "POST", "/users", `{"id":"bob-id","email":"bob@example.com","emailVerified":true,"fields":{"age":7}}`},
		{409, "POST", "/users", `{"id":"bob-id","email":"bob2@example.com"}`},
		{422, "POST", "/users", `{"email":"no address","phone":"1"}`},
		{400, "POST", "/users", `{"emali":"x"}`},
		{413, "POST", "/users", strings.Repeat(" ", 1<<20+1)},
		{200, "GET", "/users/bob@example.com", ""},
		{404, "GET", "/users/nobody", ""},
		{200, "PUT", "/users/bob-id", `{"email":"bobby@example.com","disabled":true}`},
		{422, "PUT", "/users/bob-id", `{"id":"other","email":"bobby@example.com"}`},
		{404, "PUT", "/users/nobody", `{}`},
		{201, "POST", "/users/alice-id/send", `{"kind":"reset-email"}`},
		{422, "POST", "/users/alice-id/send", `{"kind":"fax"}`},
		{422, "POST", "/users/bob-id/send", `{"kind":"reset-email"}`},
		{404, "POST", "/users/nobody/send", `{"kind":"reset-email"}`},
		{204, "DELETE", "/users/bob-id", ""},
		{404, "DELETE", "/users/bob-id", ""},
		{200, "GET", "/settings", ""},
		{200, "PATCH", "/settings", `{"pinValidity":"90s","templates":[{"purpose":"RESET_PIN","channel":"SMS","locale":"ja","text":"${pin}"}]}`},
		{422, "PATCH", "/settings", `{"pinValidity":"0s"}`},
		{200, "PATCH", "/settings", `{"pinValidity":90}`},
		{400, "PATCH", "/settings", `{"pinValidity":"soon"}`},
		{200, "GET", "/assumptions", ""},
		{200, "GET", "/clock", ""},
		{200, "POST", "/clock", `{"advance":"10m"}`},
		{422, "POST", "/clock", `{"advance":"-10m"}`},
		{200, "POST", "/clock", `{"advance":600}`},
		{200, "DELETE", "/clock", ""},
		{201, "POST", "/faults", `{"kind":"status","status":503,"errorCode":"X","operation":"login","user":"alice","nth":2,"always":true,"handled":true,"delay":"5s","retryIn":3}`},
		{201, "POST", "/faults", `{"kind":"redirect","times":2,"location":"https://elsewhere.invalid/","operation":"login"}`},
		{422, "POST", "/faults", `{"kind":"status"}`},
		{200, "GET", "/faults", ""},
		{204, "DELETE", "/faults/1", ""},
		{404, "DELETE", "/faults/1", ""},
		{204, "DELETE", "/faults", ""},
		{200, "GET", "/calls?operation=request-reset&limit=5&errors=false&text=pin", ""},
		{422, "GET", "/calls?operation=none", ""},
		{422, "GET", "/calls?errors=perhaps", ""},
		{200, "GET", "/calls/1", ""},
		{404, "GET", "/calls/99", ""},
		{201, "POST", "/calls/1/replay", ""},
		{404, "POST", "/calls/99/replay", ""},
		{204, "DELETE", "/calls", ""},
		{200, "GET", "/export", ""},
		{204, "POST", "/reset", ""},
	} {
		a.call(c.status, c.method, c.path, c.body)
	}
	for path, item := range a.doc.Paths.Map() {
		for method := range item.Operations() {
			if !a.called[method+" "+path] {
				t.Errorf("%s %s was never called well", method, path)
			}
		}
	}
}
