package emulator

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii/kiitest"
)

// A document is what these tests read of openapi.json. That every answer is as it says,
// test/openapi finds out.
type document struct {
	Paths map[string]map[string]struct {
		Parameters []struct{ Name, In string }
	}
	Components struct{ Schemas map[string]schema }
}

type schema struct {
	Enum       []string
	Properties map[string]schema
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

// Generators of clients, such as oapi-codegen and ogen, take several types for a oneOf only.
func TestTheDescriptionGivesAValueOneTypeOrNull(t *testing.T) {
	t.Parallel()
	var look func(path string, v any)
	look = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			if types, several := v["type"].([]any); several {
				assert.Contains(t, types, "null", path)
				assert.Len(t, types, 2, path)
			}
			for name, inner := range v {
				look(path+"/"+name, inner)
			}
		case []any:
			for _, inner := range v {
				look(path, inner)
			}
		}
	}
	var whole any
	require.NoError(t, json.Unmarshal(description, &whole))
	look("", whole)
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
