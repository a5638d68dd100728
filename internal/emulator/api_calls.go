package emulator

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/go-kii/kii/kiitest"
)

func (e *emulator) listCalls(r *http.Request) (reply, error) {
	query := r.URL.Query()
	limit, err := intParam(query, "limit", shownCalls, 1, maxLimit)
	if err != nil {
		return reply{}, err
	}
	f := callFilter{operation: kiitest.Operation(query.Get("operation")), text: query.Get("text")}
	if f.operation != "" && !slices.Contains(kiitest.Operations(), f.operation) {
		return reply{}, problemf(http.StatusUnprocessableEntity, "operation must be one of %s", joinWords(kiitest.Operations()))
	}
	if text := query.Get("errors"); text != "" {
		if f.errors, err = strconv.ParseBool(text); err != nil {
			return reply{}, problemf(http.StatusUnprocessableEntity, "errors must be true or false")
		}
	}
	calls, total := e.findCalls(f, limit)
	return okReply(map[string]any{"calls": append([]kiitest.Call{}, calls...), "total": total})
}

func (e *emulator) getCall(r *http.Request) (reply, error) {
	id, err := pathID(r, "call")
	if err != nil {
		return reply{}, err
	}
	c, found := e.srv.Call(id)
	if !found {
		return reply{}, notFound("call")
	}
	return okReply(c)
}

func (e *emulator) clearCalls(*http.Request) (reply, error) {
	e.srv.ClearCalls()
	return noContent()
}

func (e *emulator) postReplay(r *http.Request) (reply, error) {
	id, err := pathID(r, "call")
	if err != nil {
		return reply{}, err
	}
	again, err := e.replay(r.Context(), id)
	return reply{http.StatusCreated, again}, err
}
