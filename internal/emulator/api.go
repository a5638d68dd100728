package emulator

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// apiRoot is where the JSON API begins. What is not compatible gets another number.
const apiRoot = "/emulator/v1"

// A route is an operation of the JSON API, as assets/openapi.json describes it.
type route struct {
	method string
	path   string
	query  []string // the parameters that it takes; any other is refused
	serve  func(*http.Request) (reply, error)
	body   bool // whether it takes one; else any but {} is refused, as it would be a filter that nobody reads
}

// A reply is what an operation answers: a status, and a value to encode, or nothing.
type reply struct {
	status int
	value  any
}

func okReply(value any) (reply, error) { return reply{http.StatusOK, value}, nil }

func noContent() (reply, error) { return reply{http.StatusNoContent, nil}, nil }

func (e *emulator) routes() []route {
	paged := append(slices.Clone(filterParams), "limit", "offset")
	waiting := append(slices.Clone(filterParams), "timeout")
	return []route{
		{"GET", apiRoot + "/ready", nil, e.getReady, false},
		{"GET", apiRoot + "/openapi.json", nil, e.getDescription, false},
		{"GET", apiRoot + "/app", nil, e.getApp, false},
		{"GET", apiRoot + "/messages", paged, e.listMessages, false},
		{"DELETE", apiRoot + "/messages", filterParams, e.deleteMessages, false},
		{"GET", apiRoot + "/messages/latest", filterParams, e.latestMessage, false},
		{"GET", apiRoot + "/messages/wait", waiting, e.waitMessage, false},
		{"POST", apiRoot + "/messages/visit-links", filterParams, e.visitLinks, false},
		{"GET", apiRoot + "/messages/{id}", nil, e.getMessage, false},
		{"POST", apiRoot + "/messages/{id}/expire", nil, e.postExpire, false},
		{"DELETE", apiRoot + "/messages/{id}", nil, e.deleteMessage, false},
		{"GET", apiRoot + "/users", []string{"q"}, e.listUsers, false},
		{"POST", apiRoot + "/users", nil, e.addUser, true},
		{"GET", apiRoot + "/users/{id}", nil, e.getUser, false},
		{"PUT", apiRoot + "/users/{id}", nil, e.putUser, true},
		{"DELETE", apiRoot + "/users/{id}", nil, e.deleteUser, false},
		{"POST", apiRoot + "/users/{id}/send", nil, e.postSend, true},
		{"GET", apiRoot + "/settings", nil, e.getSettings, false},
		{"PATCH", apiRoot + "/settings", nil, e.patchSettings, true},
		{"GET", apiRoot + "/assumptions", nil, e.getAssumptions, false},
		{"GET", apiRoot + "/clock", nil, e.getClock, false},
		{"POST", apiRoot + "/clock", nil, e.moveClock, true},
		{"DELETE", apiRoot + "/clock", nil, e.resetClock, false},
		{"GET", apiRoot + "/faults", nil, e.listFaults, false},
		{"POST", apiRoot + "/faults", nil, e.addFault, true},
		{"DELETE", apiRoot + "/faults", nil, e.clearFaults, false},
		{"DELETE", apiRoot + "/faults/{id}", nil, e.removeFault, false},
		{"GET", apiRoot + "/calls", []string{"operation", "errors", "text", "limit"}, e.listCalls, false},
		{"DELETE", apiRoot + "/calls", nil, e.clearCalls, false},
		{"GET", apiRoot + "/calls/{id}", nil, e.getCall, false},
		{"POST", apiRoot + "/calls/{id}/replay", nil, e.postReplay, false},
		{"GET", apiRoot + "/export", nil, e.getExport, false},
		{"POST", apiRoot + "/reset", nil, e.postReset, false},
	}
}

// handleAPI turns an operation into a handler.
func handleAPI(route route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			writeProblem(w, problemf(http.StatusBadRequest, "the query cannot be read"))
			return
		}
		for name, values := range query {
			switch {
			case !slices.Contains(route.query, name):
				writeProblem(w, problemf(http.StatusBadRequest, "there is a query parameter that this call does not take; it takes %s", joinNames(route.query)))
				return
			case len(values) > 1:
				writeProblem(w, problemf(http.StatusBadRequest, "the query parameter %s is there twice", name))
				return
			case strings.TrimSpace(values[0]) == "": // a filter that lets everything through, where one was meant
				writeProblem(w, problemf(http.StatusUnprocessableEntity, "the query parameter %s is empty", name))
				return
			}
		}
		if !route.body {
			if err := decodeBody(r, new(struct{})); err != nil && !errors.Is(err, errNoBody) {
				writeProblem(w, problemf(statusOf(err), "this call takes no body: %v", err))
				return
			}
		}
		answer, err := route.serve(r)
		switch {
		case err != nil:
			writeProblem(w, err)
		case answer.value == nil:
			w.WriteHeader(answer.status)
		default:
			writeJSON(w, answer.status, answer.value)
		}
	})
}

func joinNames(query []string) string {
	if len(query) == 0 {
		return "none"
	}
	return strings.Join(query, ", ")
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(encodeJSON(value), '\n'))
}

func writeProblem(w http.ResponseWriter, err error) {
	writeJSON(w, statusOf(err), failure{err.Error(), fieldsOf(err)})
}

// A failure is the answer to what cannot be done.
type failure struct {
	Error  string         `json:"error"`
	Fields []fieldProblem `json:"fields,omitempty"`
}

// unknownAPI answers what is no operation, so that a client never gets a web page for JSON.
func unknownAPI(w http.ResponseWriter, _ *http.Request) {
	writeProblem(w, problemf(http.StatusNotFound, "there is no such call; %s/openapi.json lists them", apiRoot))
}

var errNoBody = problemf(http.StatusBadRequest, "the body is empty, and must be a JSON object")

// decodeBody decodes the request's JSON.
func decodeBody(r *http.Request, into any) error {
	data, err := io.ReadAll(r.Body)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return problemf(http.StatusRequestEntityTooLarge, "a body is at most %d bytes", maxBody)
	}
	if err != nil {
		return problemf(http.StatusBadRequest, "the body could not be read")
	}
	data = bytes.TrimPrefix(data, []byte(byteOrderMark))
	if len(data) == 0 {
		return errNoBody
	}
	if err = checkJSON(data); err == nil {
		err = decodeStrict(data, into)
	}
	if err != nil {
		return problemf(http.StatusBadRequest, "%v", err)
	}
	return nil
}
