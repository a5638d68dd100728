package emulator

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

func TestEachCallRefusesABodyThatItCannotRead(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.call(http.StatusCreated, "POST", "/faults", `{"kind":"html","nth":1000}`)
	message := x.askPIN()
	was := x.exported()
	for _, r := range x.routes() {
		if r.method == http.MethodGet {
			continue
		}
		bodies := []string{`null`, `[]`, `"to"`, `7`, `{"to":"alice-id"}`, `{} {}`, `{`}
		if r.body {
			bodies = append(bodies, ``, `{"email":null}`)
		}
		path := strings.TrimPrefix(strings.Replace(r.path, "{id}", "alice-id", 1), apiRoot)
		if strings.Contains(path, "messages") || strings.Contains(path, "faults") || strings.Contains(path, "calls") {
			path = strings.Replace(path, "alice-id", "1", 1)
		}
		for _, body := range bodies {
			x.call(http.StatusBadRequest, r.method, path, body)
		}
		x.call(http.StatusRequestEntityTooLarge, r.method, path, strings.Repeat(" ", maxBody+1))
	}
	assert.Equal(t, was, x.exported(), "nothing was changed")
	x.call(http.StatusOK, "GET", "/messages/1", "")
	assert.Len(t, x.srv.Faults(), 1)
	assert.Equal(t, 1, message.ID)
	x.call(http.StatusNoContent, "POST", "/reset", `{}`)
}

func TestWhatABodyHoldsIsToldByItsFieldAndNotRepeated(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	was := x.exported()
	for _, c := range []struct{ method, path, body, says string }{
		{"POST", "/users", `["secret"]`, "the value must be an object"},
		{"POST", "/users", `{"emailVerified":"secret"}`, "the field emailVerified must be true or false"},
		{"POST", "/users", `{"password":["secret"]}`, "the field password must be a string"},
		{"POST", "/users", `{"fields":"secret"}`, "the field fields must be an object"},
		{"POST", "/users", `{"emali":"secret"}`, `there is no field "emali"`},
		{"POST", "/users", `{"secret-1":"secret"}`, "there is no field of that name"},
		{"POST", "/users", `{"email":"secret"`, "this is not JSON: unexpected end of JSON input"},
		{"POST", "/users", `{"email":"a"} "secret"`, `this is not JSON: invalid character '"' after top-level value`},
		{"PATCH", "/settings", `["secret"]`, "the settings must be a JSON object"},
		{"PATCH", "/settings", `{"minPasswordLength":"secret"}`, "the field minPasswordLength must be a whole number"},
		{"PATCH", "/settings", `{"minPasswordLength":4.5}`, "the field minPasswordLength must be a whole number"},
		{"PATCH", "/settings", `{"templates":{"text":"secret"}}`, "the field templates must be an array"},
		{"PATCH", "/settings", `{"templates":["secret"]}`, "the field templates must be an object"},
		{"PATCH", "/settings", `{"templates":[{"text":{"a":"secret"}}]}`, "the field templates.text must be a string"},
		{"POST", "/clock", `{"advance":true}`, `must be a time such as "90s", "10m" or "24h", or a number of seconds`},
		{"POST", "/clock", `{"advance":"secret"}`, `must be a time such as "90s", "10m" or "24h", or a number of seconds`},
	} {
		says := x.call(http.StatusBadRequest, c.method, c.path, c.body)["error"]
		assert.Contains(t, says, c.says, c.body)
		assert.NotContains(t, says, "secret", c.body)
	}
	assert.Equal(t, was, x.exported(), "nothing was changed")
}

func TestAQueryThatACallDoesNotTakeIsRefused(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.call(http.StatusCreated, "POST", "/faults", `{"kind":"html","nth":1000}`)
	x.askPIN()
	was := x.exported()
	for _, r := range x.routes() {
		path := strings.Replace(r.path, "{id}", "1", 1)
		x.call(http.StatusBadRequest, r.method, strings.TrimPrefix(path, apiRoot)+"?x=1", "")
	}
	for _, c := range []struct{ method, path, says string }{
		{"DELETE", "/messages?tu=alice-id", "does not take; it takes q, after, before, to, "},
		{"POST", "/reset?to=alice-id", "does not take; it takes none"},
		{"DELETE", "/messages?to=alice-id&to=bob", "the query parameter to is there twice"},
		{"DELETE", "/messages?to=alice-id&%zz", "the query cannot be read"},
	} {
		assert.Contains(t, x.call(http.StatusBadRequest, c.method, c.path, "")["error"], c.says, c.path)
	}
	assert.Equal(t, was, x.exported(), "nothing was changed")
	assert.Len(t, x.srv.Messages(), 1)
	assert.Len(t, x.srv.Faults(), 1)
}

func TestAQueryParameterThatMakesNoSenseIsRefused(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	m := x.askPIN()
	senseless := map[string][]string{
		"after": {"-1", "x"}, "before": {"-1", "x"}, "limit": {"0", "1001", "x"}, "offset": {"-1", "x"}, "timeout": {"-1s", "2m", "soon"},
		"channel": {"fax"}, "purpose": {"fun"}, "state": {"lost"}, "operation": {"none"}, "errors": {"perhaps"},
	}
	for _, r := range x.routes() {
		for _, name := range r.query {
			values := senseless[name]
			if name == "q" && strings.Contains(r.path, "messages") {
				values = []string{"is:lost"}
			}
			for _, value := range values {
				x.call(http.StatusUnprocessableEntity, r.method, strings.TrimPrefix(r.path, apiRoot)+"?"+name+"="+value, "")
			}
		}
	}
	assert.Equal(t, []kiitest.Message{m}, x.srv.Messages(), "nothing was changed")
}

func TestWhatTheJSONAPIChangesIsChanged(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.askPIN()
	x.call(http.StatusOK, "POST", "/messages/1/expire", "")
	assert.Equal(t, kiitest.Expired, x.srv.Messages()[0].State)
	x.call(http.StatusOK, "PATCH", "/settings", `{"resetFlow":"GENERATE"}`)
	x.call(http.StatusCreated, "POST", "/users/alice-id/send", `{"kind":"reset-sms"}`)
	assert.InDelta(t, 1, x.call(http.StatusOK, "POST", "/messages/visit-links?purpose=reset-link", "")["visited"], 0)
	assert.Equal(t, kiitest.NewPassword, x.srv.Messages()[0].Purpose)
	x.call(http.StatusNoContent, "DELETE", "/messages/2", "")
	assert.InDelta(t, 1, x.call(http.StatusOK, "DELETE", "/messages?purpose=reset-pin", "")["deleted"], 0)
	left := x.srv.Messages()
	require.Len(t, left, 1)
	assert.Equal(t, 3, left[0].ID)

	x.call(http.StatusNoContent, "DELETE", "/calls", "")
	assert.Empty(t, x.srv.Calls())

	for id := 1; id <= 3; id++ {
		assert.InDelta(t, id, x.call(http.StatusCreated, "POST", "/faults", `{"kind":"html","nth":2}`)["id"], 0)
	}
	x.call(http.StatusNoContent, "DELETE", "/faults/2", "")
	faults := x.call(http.StatusOK, "GET", "/faults", "")["faults"]
	assert.Equal(t, []any{map[string]any{"id": 1.0, "kind": "html", "nth": 2.0, "times": 1.0}, map[string]any{"id": 3.0, "kind": "html", "nth": 2.0, "times": 1.0}}, faults)
	x.call(http.StatusNoContent, "DELETE", "/faults", "")
	assert.Empty(t, x.srv.Faults())
	always := map[string]any{"kind": "html", "nth": 2.0, "always": true, "id": 4.0}
	assert.Equal(t, always, x.call(http.StatusCreated, "POST", "/faults", `{"kind":"html","nth":2,"always":true}`))
	assert.Equal(t, []any{always}, x.call(http.StatusOK, "GET", "/faults", "")["faults"])
	assert.Equal(t, kiitest.EveryTime, x.srv.Faults()[0].Times)

	x.call(http.StatusOK, "POST", "/clock", `{"advance":"10m"}`)
	assert.Equal(t, "0s", x.call(http.StatusOK, "DELETE", "/clock", "")["ahead"])

	x.call(http.StatusNoContent, "DELETE", "/users/alice", "")
	assert.Empty(t, x.srv.Accounts())
}

func TestAnIDIsTakenByAnIDOnly(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	assert.Equal(t, "the ID is taken", x.call(http.StatusConflict, "POST", "/users", `{"id":"alice-id"}`)["error"])
	x.call(http.StatusCreated, "POST", "/users", `{"id":"alice","loginName":"bob"}`) // the other's login name, as in a seed
	assert.Equal(t, "bob", x.call(http.StatusOK, "GET", "/users/alice", "")["loginName"])
	assert.Equal(t, "the ID is taken", x.call(http.StatusConflict, "POST", "/users", `{"id":"alice"}`)["error"])
	x.startsFromItsExport("an ID that is a login name")
}

func TestAUserWhoWasReadCanBePutBack(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	user := x.call(http.StatusOK, "GET", "/users/alice-id", "")
	for range 2 {
		body, err := json.Marshal(user)
		require.NoError(t, err)
		assert.Equal(t, user, x.call(http.StatusOK, "PUT", "/users/"+alice, string(body)))
		assert.Equal(t, user, x.call(http.StatusOK, "GET", "/users/alice-id", ""))
		user["displayName"] = "Alice"
	}
	x.call(http.StatusUnprocessableEntity, "PUT", "/users/alice-id", `{"id":"bob-id"}`)
	x.call(http.StatusOK, "PUT", "/users/alice-id", `{"loginName":"alice"}`)
	assert.Equal(t, []kiitest.Account{{ID: "alice-id", LoginName: "alice"}}, x.srv.Accounts(), "what it leaves out is empty")
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.askPIN()
	for _, r := range x.routes() {
		if !strings.Contains(r.path, "{id}") {
			continue
		}
		body := ""
		if r.body {
			body = `{}`
		}
		if strings.HasSuffix(r.path, "/send") {
			body = `{"kind":"reset-pin"}`
		}
		if r.method == http.MethodPut {
			body = `{"id":"9"}`
		}
		for _, id := range []string{"0", "9", "x"} {
			x.call(http.StatusNotFound, r.method, strings.TrimPrefix(strings.Replace(r.path, "{id}", id, 1), apiRoot), body)
		}
	}
	assert.Len(t, x.srv.Messages(), 1)
}

func TestABodyThatBreaksOffDoesNothing(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for target, body := range map[string]string{apiRoot + "/users": `{"loginName":"bob"}`, "/users": "loginName=bob"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, target, io.MultiReader(strings.NewReader(body), iotest.ErrReader(io.ErrUnexpectedEOF)))
		r.Host = testHost
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		x.handler.ServeHTTP(w, r)
		assert.Equal(t, http.StatusBadRequest, w.Code, target)
		assert.Contains(t, w.Body.String(), "be read", target)
	}
	assert.Len(t, x.srv.Accounts(), 1)
}

func TestWhatIsNoCallIsAnsweredInJSON(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	for _, c := range []struct{ method, path string }{{"GET", "/"}, {"GET", "/message"}, {"PUT", "/messages"}, {"GET", "/users/alice-id/send"}} {
		answer := x.call(http.StatusNotFound, c.method, c.path, "")
		assert.Equal(t, "there is no such call; "+apiRoot+"/openapi.json lists them", answer["error"], c.path)
	}
}

func TestAMarkAtTheBeginningOfABodyIsSkipped(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.call(http.StatusCreated, "POST", "/users", "\uFEFF{\"loginName\":\"carol\"}")
	x.call(http.StatusNoContent, "POST", "/reset", "\uFEFF{}")
	x.call(http.StatusBadRequest, "POST", "/users", "\uFEFF")
}
