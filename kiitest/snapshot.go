package kiitest

import (
	"fmt"
	"maps"
	"slices"
)

// A Snapshot is what a program stores of a server and restores later: everything but what a flow
// leaves behind, such as tokens and messages. Its JSON is not meant for people, as [Settings] have
// times in nanoseconds.
type Snapshot struct {
	Settings    Settings
	Assumptions map[Assumption]bool // those that it leaves out hold
	Accounts    []Account           // each with an ID of its own, or none
}

// Snapshot returns the server's settings, all of its assumptions and its accounts, as they are
// between two calls.
func (s *Server) Snapshot() Snapshot {
	defer s.lock("Snapshot")()
	return Snapshot{Settings: s.settings.clone(), Assumptions: maps.Clone(s.assumed), Accounts: s.allAccounts()}
}

// Restore makes the server what the snapshot says, with no tokens, messages, faults or calls. The
// clock keeps its time, and links and tokens given out before are unknown. A call sees the state
// before or after, never a part of each.
//
// An error joins a [FieldError] for each field that is not valid or that an account before it has
// taken, such as Accounts[3].Email; then nothing changes.
func (s *Server) Restore(to Snapshot) error {
	defer s.lock("Restore")()
	fresh, err := newState(to, &s.random)
	if err != nil {
		return err
	}
	s.replace(fresh)
	return nil
}

// Reset makes the server what it was when it started: no accounts, tokens, messages, faults or
// calls, and its first settings and assumptions. The clock keeps its time, and links and tokens
// given out before are unknown. A call sees the state before or after.
func (s *Server) Reset() {
	defer s.lock("Reset")()
	s.replace(s.cfg.state())
}

func (s *Server) replace(fresh state) {
	s.wake()
	s.resets++
	s.state = fresh
}

// newState makes what a snapshot says.
func newState(from Snapshot, random *generator) (state, error) {
	fresh := state{
		settings: from.Settings.clone(),
		assumed:  make(map[Assumption]bool),
		accounts: make(map[string]*account),
		byName:   make(map[address][]*account),
		tokens:   make(map[string]*token),
		links:    make(map[string]*link),
		waiters:  make(map[chan struct{}]struct{}),
	}
	v := validation{of: "Snapshot"}
	for _, e := range FieldErrors(from.Settings.Validate()) {
		v.check(false, "Settings."+e.Field, "%s", e.Reason)
	}
	for _, a := range Assumptions() {
		fresh.assumed[a] = true
	}
	for _, a := range slices.Sorted(maps.Keys(from.Assumptions)) {
		_, known := fresh.assumed[a]
		v.check(known, "Assumptions", "must have names that Assumptions lists")
		fresh.assumed[a] = from.Assumptions[a]
	}
	for i, a := range from.Accounts {
		_, taken := fresh.accounts[a.ID]
		v.check(!taken, fmt.Sprintf("Accounts[%d].ID", i), "is taken")
		if taken {
			a.ID = "" // its names are compared as another account's
		}
		_, err := fresh.put(a, random)
		for _, e := range FieldErrors(err) {
			v.check(false, fmt.Sprintf("Accounts[%d].%s", i, e.Field), "%s", e.Reason)
		}
	}
	return fresh, v.err()
}
