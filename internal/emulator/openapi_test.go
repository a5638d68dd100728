package emulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

// A document is the part of OpenAPI that openapi.json uses.
type document struct {
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]*schema }
}

type operation struct {
	OperationID string
	Parameters  []struct{ Name, In string }
	RequestBody *struct{ Content content }
	Responses   map[string]struct{ Content content }
}

type content map[string]struct{ Schema *schema }

type schema struct {
	Ref                  string `json:"$ref"`
	Type                 any
	Enum                 []string
	Items                *schema
	Properties           map[string]*schema
	Required             []string
	AdditionalProperties *bool
}

func readDescription(t *testing.T) document {
	t.Helper()
	var d document
	require.NoError(t, json.Unmarshal(description, &d))
	require.NotEmpty(t, d.Paths)
	return d
}

func TestTheDescriptionAndTheHandlersAreTheSameOperations(t *testing.T) {
	t.Parallel()
	described := make(map[string][]string) // an operation and its query parameters
	for path, methods := range readDescription(t).Paths {
		for method, o := range methods {
			query, inPath := []string{}, []string{}
			for _, p := range o.Parameters {
				if p.In == "path" {
					inPath = append(inPath, "{"+p.Name+"}")
				} else {
					query = append(query, p.Name)
				}
			}
			for _, name := range inPath {
				assert.Contains(t, path, name)
			}
			assert.Len(t, inPath, strings.Count(path, "{"), path)
			slices.Sort(query)
			described[strings.ToUpper(method)+" "+apiRoot+path] = query
		}
	}
	served := make(map[string][]string)
	for _, r := range newTester(t).routes() {
		served[r.method+" "+r.path] = append([]string{}, slices.Sorted(slices.Values(r.query))...)
	}
	assert.Equal(t, served, described)
}

// TestEveryAnswerIsAsDescribed calls each operation, well and badly, and compares status and body.
func TestEveryAnswerIsAsDescribed(t *testing.T) {
	t.Parallel()
	d := readDescription(t)
	x := newTester(t)
	message := x.askPIN()
	one := fmt.Sprintf("/messages/%d", message.ID)
	seen := make(map[string]bool)
	for _, c := range []struct {
		method, path, target, body string
		status                     int
	}{
		{"GET", "/ready", "/ready", "", 200},
		{"GET", "/ready", "/ready?x=1", "", 400},
		{"GET", "/openapi.json", "/openapi.json", "", 200},
		{"GET", "/app", "/app", "", 200},
		{"GET", "/messages", "/messages?q=is:pending&limit=1&offset=0", "", 200},
		{"GET", "/messages", "/messages?state=lost", "", 422},
		{"GET", "/messages", "/messages?limit=0", "", 422},
		{"GET", "/messages/latest", "/messages/latest?to=" + alice, "", 200},
		{"GET", "/messages/latest", "/messages/latest?to=nobody", "", 404},
		{"GET", "/messages/wait", "/messages/wait?purpose=reset-pin&timeout=1m", "", 200},
		{"GET", "/messages/wait", "/messages/wait?after=9&timeout=0s", "", 204},
		{"GET", "/messages/wait", "/messages/wait?timeout=2m", "", 422},
		{"POST", "/messages/visit-links", "/messages/visit-links?channel=email", "", 200},
		{"GET", "/messages/{id}", one, "", 200},
		{"GET", "/messages/{id}", "/messages/x", "", 404},
		{"POST", "/messages/{id}/expire", one + "/expire", "", 200},
		{"POST", "/messages/{id}/expire", one + "/expire", "", 409},
		{"POST", "/messages/{id}/expire", "/messages/9/expire", "", 404},
		{"DELETE", "/messages/{id}", one, "", 204},
		{"DELETE", "/messages/{id}", one, "", 404},
		{"DELETE", "/messages", "/messages?channel=sms&text=pin", "", 200},
		{"DELETE", "/messages", "/messages?to=", "", 422},
		{"GET", "/users", "/users", "", 200},
		{"POST", "/users", "/users", `{"id":"bob-id","email":"bob@example.com","emailVerified":true,"fields":{"age":7}}`, 201},
		{"POST", "/users", "/users", `{"id":"bob-id","email":"bob2@example.com"}`, 409},
		{"POST", "/users", "/users", `{"email":"no address"}`, 422},
		{"POST", "/users", "/users", `{"emali":"x"}`, 400},
		{"POST", "/users", "/users", strings.Repeat(" ", maxBody+1), 413},
		{"GET", "/users/{id}", "/users/bob@example.com", "", 200},
		{"GET", "/users/{id}", "/users/nobody", "", 404},
		{"PUT", "/users/{id}", "/users/bob-id", `{"email":"bobby@example.com","disabled":true}`, 200},
		{"PUT", "/users/{id}", "/users/bob-id", `{"id":"other","email":"bobby@example.com"}`, 422},
		{"PUT", "/users/{id}", "/users/nobody", `{}`, 404},
		{"POST", "/users/{id}/send", "/users/alice-id/send", `{"kind":"reset-email"}`, 201},
		{"POST", "/users/{id}/send", "/users/alice-id/send", `{"kind":"fax"}`, 422},
		{"POST", "/users/{id}/send", "/users/bob-id/send", `{"kind":"reset-email"}`, 422},
		{"POST", "/users/{id}/send", "/users/nobody/send", `{"kind":"reset-email"}`, 404},
		{"DELETE", "/users/{id}", "/users/bob-id", "", 204},
		{"DELETE", "/users/{id}", "/users/bob-id", "", 404},
		{"GET", "/settings", "/settings", "", 200},
		{"PATCH", "/settings", "/settings", `{"pinValidity":"90s","templates":[{"purpose":"RESET_PIN","channel":"SMS","locale":"ja","text":"${pin}"}]}`, 200},
		{"PATCH", "/settings", "/settings", `{"pinValidity":"0s"}`, 422},
		{"PATCH", "/settings", "/settings", `{"pinValidity":90}`, 200},
		{"PATCH", "/settings", "/settings", `{"pinValidity":"soon"}`, 400},
		{"GET", "/assumptions", "/assumptions", "", 200},
		{"GET", "/clock", "/clock", "", 200},
		{"POST", "/clock", "/clock", `{"advance":"10m"}`, 200},
		{"POST", "/clock", "/clock", `{"advance":"-10m"}`, 422},
		{"POST", "/clock", "/clock", `{"advance":600}`, 200},
		{"DELETE", "/clock", "/clock", "", 200},
		{"POST", "/faults", "/faults", `{"kind":"status","status":503,"errorCode":"X","operation":"login","user":"alice","nth":2,"always":true,"handled":true,"delay":"5s","retryIn":"3s"}`, 201},
		{"POST", "/faults", "/faults", `{"kind":"redirect","times":2,"location":"https://elsewhere.invalid/"}`, 201},
		{"POST", "/faults", "/faults", `{"kind":"status"}`, 422},
		{"GET", "/faults", "/faults", "", 200},
		{"DELETE", "/faults/{id}", "/faults/1", "", 204},
		{"DELETE", "/faults/{id}", "/faults/1", "", 404},
		{"DELETE", "/faults", "/faults", "", 204},
		{"GET", "/calls", "/calls?operation=request-reset&limit=5&errors=false&text=pin", "", 200},
		{"GET", "/calls", "/calls?operation=none", "", 422},
		{"GET", "/calls", "/calls?errors=perhaps", "", 422},
		{"GET", "/calls/{id}", "/calls/1", "", 200},
		{"GET", "/calls/{id}", "/calls/99", "", 404},
		{"POST", "/calls/{id}/replay", "/calls/1/replay", "", 201},
		{"POST", "/calls/{id}/replay", "/calls/99/replay", "", 404},
		{"DELETE", "/calls", "/calls", "", 204},
		{"GET", "/export", "/export", "", 200},
		{"POST", "/reset", "/reset", "", 204},
	} {
		w := x.do(c.method, apiRoot+c.target, c.body)
		name := c.method + " " + c.target
		if !assert.Equal(t, c.status, w.Code, "%s: %s", name, w.Body) {
			continue
		}
		o := d.Paths[c.path][strings.ToLower(c.method)]
		r, documented := o.Responses[fmt.Sprint(w.Code)]
		if !assert.True(t, documented, "%s: %d is not described", name, w.Code) {
			continue
		}
		if w.Code < 300 {
			seen[c.method+" "+apiRoot+c.path] = true
		}
		if w.Code == http.StatusNoContent {
			assert.Zero(t, w.Body.Len(), name)
			continue
		}
		var value any
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &value), name)
		assert.Equal(t, "application/json", w.Header().Get("Content-Type"), name)
		d.check(t, name, r.Content["application/json"].Schema, value)
		if o.RequestBody != nil && w.Code < 300 {
			require.NoError(t, json.Unmarshal([]byte(c.body), &value))
			d.check(t, name+", the body", o.RequestBody.Content["application/json"].Schema, value)
		}
	}
	for _, r := range x.routes() {
		assert.True(t, seen[r.method+" "+r.path], "%s %s was never called well", r.method, r.path)
	}
}

// check compares a value with its schema: types, required fields, and no field more.
func (d document) check(t *testing.T, where string, s *schema, value any) {
	t.Helper()
	if !assert.NotNil(t, s, "%s has no schema", where) {
		return
	}
	if s.Ref != "" {
		s = d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
		require.NotNil(t, s, where)
	}
	types, _ := s.Type.([]any)
	if one, isOne := s.Type.(string); isOne {
		types = []any{one}
	}
	switch v := value.(type) {
	case map[string]any:
		assert.Contains(t, types, "object", where)
		for _, name := range s.Required {
			assert.Contains(t, v, name, where)
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if p := s.Properties[name]; p != nil {
				d.check(t, where+"."+name, p, v[name])
			} else if s.AdditionalProperties != nil {
				assert.Failf(t, "not described", "%s.%s", where, name)
			}
		}
	case []any:
		assert.Contains(t, types, "array", where)
		for i, one := range v {
			d.check(t, fmt.Sprintf("%s[%d]", where, i), s.Items, one)
		}
	case string:
		assert.Contains(t, types, "string", where)
		if s.Enum != nil {
			assert.Contains(t, s.Enum, v, where)
		}
	case bool:
		assert.Contains(t, types, "boolean", where)
	case float64:
		assert.True(t, slices.Contains(types, any("integer")) || slices.Contains(types, any("number")), where)
	default:
		assert.Contains(t, types, "null", where)
	}
}

func TestTheDescriptionListsTheWordsOfKiitest(t *testing.T) {
	t.Parallel()
	schemas := readDescription(t).Components.Schemas
	for _, c := range []struct {
		words string
		enum  []string
	}{
		{joinWords(channels), schemas["Message"].Properties["channel"].Enum},
		{joinWords(purposes), schemas["Message"].Properties["purpose"].Enum},
		{joinWords(states), schemas["Message"].Properties["state"].Enum},
		{joinWords(kiitest.Operations()), schemas["Fault"].Properties["operation"].Enum},
		{joinWords(kiitest.FaultKinds()), schemas["Fault"].Properties["kind"].Enum},
	} {
		assert.Equal(t, c.words, strings.Join(c.enum, ", "))
	}
}
