package main

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"
)

// code takes the code and the new password. What is wrong shows on the page that the answer
// redirects to, so that no page of the browser's history holds what was typed.
func (a *app) code(w http.ResponseWriter, r *http.Request) error {
	if !a.readForm(w, r) {
		return nil
	}
	current, err := a.current(w, r)
	if current == nil {
		return err
	}
	form := codeForm{Code: r.PostForm.Get("code")}
	pin, ok := parsePIN(form.Code)
	if !ok {
		form.Problems.add("code", problem{Word: "want-code"})
	}
	password := r.PostForm.Get("password")
	if weak := weakness(password, int(a.flow.least.Load()), a.cfg.name, current.Account); weak != nil {
		form.Problems.add("password", *weak)
	}
	tried, repeated := len(form.Problems) == 0, false
	if tried {
		did, wait, err := a.try(r, current, pin, password)
		if after := afterwards[did]; after != "" {
			if err == nil {
				err = a.finish(w, r, current.Name, after)
			}
			if err != nil { // the user is told how it ended anyway
				a.log.Error("the end of a reset is not kept", "error", err)
				a.render(w, http.StatusOK, "login", view{Word: "login", Notice: after})
			}
			return nil
		}
		if err != nil {
			return err
		}
		repeated = did == again
		switch {
		case repeated: // the page tells how the first one ended
		case did == busy && wait > 0:
			a.tooOften(w, wait, pageOf(*current))
			return nil
		case did == limited:
			form.Problems.add("code", problem{Word: "code.limited", At: in(wait)})
		case did == refused:
			form.Problems.add("code", problem{Word: "code.refused", Help: "code.refused-help"})
		case did == unknown:
			form.Problems.add("code", problem{Word: "code.unknown"})
		default:
			form.Problems.add("code", problem{Word: "code.unavailable"})
		}
	}
	_, _, err = a.resets.change(r, func(all *resets) {
		of := all.named(current.Name)
		if of == nil || repeated {
			return
		}
		of.Form = form
		if tried {
			of.Busy = time.Time{}
		}
	})
	if err != nil {
		return err
	}
	show := ""
	if r.PostForm.Has("show") {
		show = "&show=1"
	}
	http.Redirect(w, r, pageOf(*current)+show, http.StatusSeeOther)
	return nil
}

// afterwards is what the login page tells once a code was accepted. Success is told only if it is
// sure.
var afterwards = map[outcome]string{succeeded: "reset", accepted: "unchecked", mismatch: "mismatch"}

// isEnd reports whether after is how a reset ended, and not a login.
func isEnd(after string) bool {
	return slices.Contains(slices.Collect(maps.Values(afterwards)), after)
}

// try tries a code. The tries of one reset go one at a time, so that the second of a double click
// gets the outcome of the first, and counts for the client only. A code that is not accepted leaves
// the reset busy until the caller has kept what to tell.
func (a *app) try(r *http.Request, current *reset, pin, password string) (outcome, time.Duration, error) {
	if wait, err := a.flow.triesPerClient.take(r.Context(), a.client(r)); wait > 0 || err != nil {
		return busy, wait, err
	}
	done, repeated, cutOff, err := a.begin(r, current.Name, pin)
	if err != nil {
		return busy, 0, err
	}
	for did, after := range afterwards {
		if done == after {
			return did, 0, nil
		}
	}
	if repeated {
		return again, 0, nil
	}
	// Counted before the call, so that parallel tries count too.
	if wait, err := a.flow.triesPerAccount.take(r.Context(), current.Account.Key); wait > 0 || err != nil {
		return limited, wait, err
	}
	did := a.flow.complete(r.Context(), current.Account, pin, password)
	if cutOff && did == refused { // the first may have used the code
		did = unknown
	}
	if afterwards[did] == "" {
		return did, 0, nil
	}
	_, _, err = a.resets.change(r, func(all *resets) {
		if of := all.named(current.Name); of != nil {
			of.Busy, of.Done = time.Time{}, afterwards[did]
		}
	})
	return did, 0, err
}

// begin waits until no other try of the reset is under way, also in another process, and then marks
// that one is. done is how the reset ended meanwhile; repeated is set if the same code was tried;
// cutOff, if that try never ended, as when its process did.
func (a *app) begin(r *http.Request, name, pin string) (done string, repeated, cutOff bool, err error) {
	const longest = time.Minute // above what a try may take
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), longest+time.Second)
	defer cancel()
	for {
		free := true
		now := time.Now()
		_, _, err := a.resets.change(r, func(all *resets) {
			of := all.named(name)
			if of == nil {
				return
			}
			done, free = of.Done, !now.Before(of.Busy)
			cutOff = free && !of.Busy.IsZero() && of.Trying == pin
			switch {
			case !free:
				repeated = repeated || of.Trying == pin
			case done == "" && (cutOff || !repeated):
				of.Busy, of.Trying = now.Add(longest), pin
			}
		})
		if free || done != "" || err != nil {
			return done, repeated && !cutOff, cutOff, err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return "", false, false, ctx.Err()
		}
	}
}

// finish ends a reset, and the logins and the other resets of the account with it.
func (a *app) finish(w http.ResponseWriter, r *http.Request, name, after string) error {
	all, found, err := a.resets.change(r, func(all *resets) {
		if of := all.named(name); of != nil {
			of.Form = codeForm{}
			for i := range *all {
				if (*all)[i].Account.Key == of.Account.Key {
					(*all)[i].Done = after
				}
			}
		}
	})
	if err != nil {
		return err
	}
	if found && all.unfinished() == 0 {
		a.resets.cookie.clear(w) // the second of a double click still finds how it ended
	}
	if err := a.remember(w, r, func(v *visit) { v.After = after }); err != nil {
		return err
	}
	if err := a.logins.end(w, r); err != nil {
		return err
	}
	http.Redirect(w, r, "/login?after="+after, http.StatusSeeOther)
	return nil
}

func (all resets) unfinished() (n int) {
	for _, r := range all {
		if r.Done == "" {
			n++
		}
	}
	return n
}
