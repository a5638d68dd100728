package emulator

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/go-kii/kii/kiitest"
)

func (e *emulator) getReady(*http.Request) (reply, error) {
	return okReply(map[string]any{"ready": true, "instance": e.instance})
}

func (e *emulator) getDescription(*http.Request) (reply, error) {
	return okReply(json.RawMessage(description))
}

func (e *emulator) getApp(*http.Request) (reply, error) {
	return okReply(map[string]string{"appID": e.srv.AppID(), "clientID": e.srv.ClientID(), "site": string(e.srv.Site())})
}

func (e *emulator) listUsers(r *http.Request) (reply, error) {
	return okReply(map[string]any{"users": append([]kiitest.Account{}, e.findUsers(r.URL.Query().Get("q"))...)})
}

func (e *emulator) addUser(r *http.Request) (reply, error) {
	var a kiitest.Account
	if err := decodeBody(r, &a); err != nil {
		return reply{}, err
	}
	a, err := e.add(a)
	return reply{http.StatusCreated, a}, err
}

func (e *emulator) getUser(r *http.Request) (reply, error) {
	a, err := e.account(r.PathValue("id"))
	return reply{http.StatusOK, a}, err
}

func (e *emulator) putUser(r *http.Request) (reply, error) {
	known, err := e.account(r.PathValue("id"))
	if err != nil {
		return reply{}, err
	}
	var a kiitest.Account
	if err := decodeBody(r, &a); err != nil {
		return reply{}, err
	}
	if a.ID != "" && a.ID != known.ID {
		return reply{}, problemf(http.StatusUnprocessableEntity, "the id cannot be changed")
	}
	a.ID = known.ID
	a, err = e.replace(a)
	return reply{http.StatusOK, a}, err
}

func (e *emulator) deleteUser(r *http.Request) (reply, error) {
	if !e.srv.DeleteAccount(r.PathValue("id")) {
		return reply{}, notFound("user")
	}
	return noContent()
}

func (e *emulator) postSend(r *http.Request) (reply, error) {
	var wanted struct {
		Kind string `json:"kind"`
	}
	if err := decodeBody(r, &wanted); err != nil {
		return reply{}, err
	}
	m, err := e.send(r.PathValue("id"), wanted.Kind)
	return reply{http.StatusCreated, m}, err
}

func (e *emulator) getSettings(*http.Request) (reply, error) {
	return okReply(settingsOf(e.srv.Settings()))
}

func (e *emulator) patchSettings(r *http.Request) (reply, error) {
	var patch json.RawMessage
	if err := decodeBody(r, &patch); err != nil {
		return reply{}, err
	}
	err := e.change(func(s *kiitest.Settings) error {
		changed := settingsOf(*s)
		if err := changed.patch(patch); err != nil {
			return err
		}
		*s = changed.kiitest()
		return nil
	})
	if err != nil {
		return reply{}, err
	}
	return e.getSettings(r)
}

func (e *emulator) getAssumptions(*http.Request) (reply, error) {
	holds := make(map[kiitest.Assumption]bool)
	for _, a := range kiitest.Assumptions() {
		holds[a] = e.srv.Assumes(a)
	}
	return okReply(map[string]any{"assumptions": holds})
}

func (e *emulator) getClock(*http.Request) (reply, error) {
	return okReply(map[string]any{"now": e.srv.Now().UTC(), "ahead": duration(e.srv.Advanced())})
}

func (e *emulator) resetClock(r *http.Request) (reply, error) {
	e.srv.ResetClock()
	return e.getClock(r)
}

func (e *emulator) moveClock(r *http.Request) (reply, error) {
	var move struct {
		Advance duration `json:"advance"`
	}
	if err := decodeBody(r, &move); err != nil {
		return reply{}, err
	}
	if err := e.advance(time.Duration(move.Advance)); err != nil {
		return reply{}, err
	}
	return e.getClock(r)
}

func (e *emulator) listFaults(*http.Request) (reply, error) {
	left := []fault{}
	for _, f := range e.srv.Faults() {
		left = append(left, faultOf(f))
	}
	return okReply(map[string]any{"faults": left})
}

func (e *emulator) addFault(r *http.Request) (reply, error) {
	var f fault
	if err := decodeBody(r, &f); err != nil {
		return reply{}, err
	}
	added, err := e.inject(f.kiitest())
	if err != nil {
		return reply{}, err
	}
	f.ID = added.ID
	return reply{http.StatusCreated, f}, nil
}

func (e *emulator) removeFault(r *http.Request) (reply, error) {
	id, err := pathID(r, "fault")
	if err != nil {
		return reply{}, err
	}
	if !e.srv.RemoveFault(id) {
		return reply{}, notFound("fault")
	}
	return noContent()
}

func (e *emulator) clearFaults(*http.Request) (reply, error) {
	e.srv.ClearFaults()
	return noContent()
}

func (e *emulator) getExport(*http.Request) (reply, error) { return okReply(e.export()) }

func (e *emulator) postReset(*http.Request) (reply, error) {
	e.reset()
	return noContent()
}
