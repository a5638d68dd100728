package emulator

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
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
		if !r.body {
			x.call(http.StatusRequestEntityTooLarge, r.method, path, strings.Repeat(" ", maxBody+1))
		}
	}
	assert.Equal(t, was, x.exported(), "nothing was changed")
	x.call(http.StatusOK, "GET", "/messages/1", "")
	assert.Len(t, x.srv.Faults(), 1)
	assert.Equal(t, 1, message.ID)
	x.call(http.StatusNoContent, "POST", "/reset", `{}`)
}

func TestAMarkAtTheBeginningOfABodyIsSkipped(t *testing.T) {
	t.Parallel()
	x := newTester(t)
	x.call(http.StatusCreated, "POST", "/users", "\uFEFF{\"loginName\":\"carol\"}")
	x.call(http.StatusNoContent, "POST", "/reset", "\uFEFF{}")
	x.call(http.StatusBadRequest, "POST", "/users", "\uFEFF")
}
