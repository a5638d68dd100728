package emulator

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/go-kii/kii/kiitest"
)

const (
	defaultLimit = 50
	maxLimit     = 1000 // of a list in one answer
	maxWait      = time.Minute
	defaultWait  = 30 * time.Second
)

type messageList struct {
	Messages []kiitest.Message `json:"messages"`
	Total    int               `json:"total"` // that the filter lets through
}

// find returns a page of the messages that the filter lets through, newest first.
func (e *emulator) find(f kiitest.Filter, offset, limit int) messageList {
	part, total := e.srv.LatestMessages(f, offset, limit)
	return messageList{append([]kiitest.Message{}, part...), total}
}

func (e *emulator) listMessages(r *http.Request) (reply, error) {
	query := r.URL.Query()
	f, err := filterOf(query)
	if err != nil {
		return reply{}, err
	}
	limit, err := intParam(query, "limit", defaultLimit, 1, maxLimit)
	if err != nil {
		return reply{}, err
	}
	offset, err := intParam(query, "offset", 0, 0, 1<<30)
	if err != nil {
		return reply{}, err
	}
	return okReply(e.find(f, offset, limit))
}

func (e *emulator) deleteMessages(r *http.Request) (reply, error) {
	f, err := filterOf(r.URL.Query())
	if err != nil {
		return reply{}, err
	}
	return okReply(map[string]int{"deleted": e.srv.DeleteMessages(f)})
}

func (e *emulator) latestMessage(r *http.Request) (reply, error) {
	f, err := filterOf(r.URL.Query())
	if err != nil {
		return reply{}, err
	}
	done, cancel := context.WithCancel(r.Context())
	cancel() // so that it looks once, and does not wait
	m, err := e.srv.WaitMessage(done, f)
	if err != nil {
		return reply{}, notFound("message")
	}
	return okReply(m)
}

// waitMessage is the long poll: 200 with a message, or 204 when the time is over. It does not wait
// for what a reset has put out of reach.
func (e *emulator) waitMessage(r *http.Request) (reply, error) {
	query := r.URL.Query()
	f, err := filterOf(query)
	if err != nil {
		return reply{}, err
	}
	timeout := defaultWait
	if text := query.Get("timeout"); text != "" {
		timeout, err = parseDuration(text)
		if err != nil || timeout < 0 || timeout > maxWait {
			return reply{}, problemf(http.StatusUnprocessableEntity, "timeout must be 0s to %v, written as 500ms, 30s or 1m", duration(maxWait))
		}
	}
	select {
	case e.waiters <- struct{}{}:
		defer func() { <-e.waiters }()
	default:
		return reply{}, problemf(http.StatusServiceUnavailable, "%d calls are waiting already", maxWaiters)
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	m, err := e.srv.WaitMessage(ctx, f)
	switch {
	case err == nil && query.Has("after"):
		return okReply(e.firstMessage(f, m))
	case err == nil:
		return okReply(m)
	case r.Context().Err() != nil:
		return reply{}, problemf(http.StatusServiceUnavailable, "the emulator is stopping")
	case errors.Is(err, context.DeadlineExceeded):
		return noContent()
	case len(kiitest.FieldErrors(err)) > 0:
		return reply{}, invalid(err)
	}
	return reply{}, problemf(http.StatusConflict, "the messages were reset, and their IDs begin again")
}

// firstMessage is the oldest message that the filter lets through, so that a client which goes on
// from the last one that it knows misses none.
func (e *emulator) firstMessage(f kiitest.Filter, newest kiitest.Message) kiitest.Message {
	_, total := e.srv.LatestMessages(f, 0, 0)
	if first, _ := e.srv.LatestMessages(f, total-1, 1); len(first) > 0 {
		return first[0]
	}
	return newest // deleted meanwhile
}

func (e *emulator) visitLinks(r *http.Request) (reply, error) {
	f, err := filterOf(r.URL.Query())
	if err != nil {
		return reply{}, err
	}
	return okReply(map[string]int{"visited": e.srv.VisitLinks(f)})
}

// byID reads the message's number in the path.
func byID(r *http.Request) (kiitest.Filter, error) {
	id, err := pathID(r, "message")
	return kiitest.Filter{ID: id}, err
}

func (e *emulator) postExpire(r *http.Request) (reply, error) {
	f, err := byID(r)
	if err != nil {
		return reply{}, err
	}
	if err := e.expireMessage(f.ID); err != nil {
		return reply{}, err
	}
	return e.getMessage(r)
}

func (e *emulator) getMessage(r *http.Request) (reply, error) {
	f, err := byID(r)
	if err != nil {
		return reply{}, err
	}
	found := e.srv.FindMessages(f)
	if len(found) == 0 {
		return reply{}, notFound("message")
	}
	return okReply(found[0])
}

func (e *emulator) deleteMessage(r *http.Request) (reply, error) {
	f, err := byID(r)
	if err != nil {
		return reply{}, err
	}
	if e.srv.DeleteMessages(f) == 0 {
		return reply{}, notFound("message")
	}
	return noContent()
}
