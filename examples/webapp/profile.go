package main

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-kii/kii"
)

// A channel is a way to reach a user, of which a reset needs a verified one.
type channel struct {
	of     func(*kii.Profile) channelView
	resend func(*kii.Session, context.Context) error
	verify func(*kii.Session, context.Context, string) error
	change func(*kii.Session, context.Context, string) error
}

type channelView struct {
	Address  string
	Verified bool
	Pending  string // asked for, and not verified yet
}

var channels = map[string]channel{
	"email": {
		func(p *kii.Profile) channelView { return channelView{p.Email, p.EmailVerified, p.PendingEmail} },
		(*kii.Session).ResendEmailVerification, (*kii.Session).VerifyEmail, (*kii.Session).ChangeEmail,
	},
	"phone": {
		func(p *kii.Profile) channelView { return channelView{p.Phone, p.PhoneVerified, p.PendingPhone} },
		(*kii.Session).ResendPhoneVerification, (*kii.Session).VerifyPhone, (*kii.Session).ChangePhone,
	},
}

// own makes a call for the user of a session, once for the two of a double click, which have the
// same what and value. It returns at a whole step. The codes in concealed count as success, because
// they would reveal the address of another user.
func (f *flow) own(ctx context.Context, what, value string, limit limiter, session *kii.Session, concealed []kii.ErrorCode, call func(context.Context) error) (outcome, time.Duration, error) {
	got := f.once([...]string{session.UserID(), what, value}, func() (r result) {
		if r.wait, r.err = limit.take(ctx, session.UserID()); r.wait > 0 || r.err != nil {
			r.did = limited
			return r
		}
		start := time.Now()
		err := call(context.WithoutCancel(ctx))
		code, _ := errors.AsType[kii.ErrorCode](err)
		if slices.Contains(concealed, code) {
			f.log.Info(what+": nothing to do, and told as done", "error", err)
			err = nil
		}
		if err == nil {
			f.settle(start)
			return result{did: succeeded}
		}
		r.did = f.refusal(start, what, err)
		if _, over := errors.AsType[*kii.SessionError](err); over {
			r.did = ended
		}
		return r
	})
	return got.did, got.wait, got.err
}

func (a *app) showProfile(w http.ResponseWriter, r *http.Request) error {
	profile, _, err := a.profile(w, r)
	if profile == nil {
		return err
	}
	a.render(w, http.StatusOK, "profile", view{Word: "profile", Profile: profile})
	return nil
}

// profile reads the profile of the browser's login. If there is none, it answers for itself.
func (a *app) profile(w http.ResponseWriter, r *http.Request) (*kii.Profile, login, error) {
	session, current, err := a.session(w, r)
	if session == nil {
		return nil, current, err
	}
	profile, err := session.Profile(r.Context())
	if _, over := errors.AsType[*kii.SessionError](err); over {
		return nil, current, a.over(w, r, current)
	}
	if err != nil {
		a.log.Error("no profile", "error", err)
		a.unavailable(w, err, "no-profile", "/profile")
		return nil, current, nil
	}
	return profile, current, nil
}

func (a *app) showChannel(w http.ResponseWriter, r *http.Request) error {
	return a.renderChannel(w, r, http.StatusOK, view{})
}

// renderChannel shows the page of one address. What is wrong with a form of it is in v.
func (a *app) renderChannel(w http.ResponseWriter, r *http.Request, code int, v view) error {
	name := r.PathValue("channel")
	ch, ok := channels[name]
	if !ok {
		a.message(http.StatusNotFound, "no-page", "/profile")(w, r)
		return nil
	}
	profile, current, err := a.profile(w, r)
	if profile == nil {
		return err
	}
	v.Word, v.Channel, v.Login, v.User = name, ch.of(profile), a.loginOf(profile, current).ID, profile.UserID
	if asked := current.Asked[name]; asked.From == v.Channel.Address && asked.To != asked.From {
		v.Channel.Pending = asked.To
	}
	if v.Channel.Verified && v.Channel.Pending == v.Channel.Address { // asked for again, in place of another
		v.Channel.Pending = ""
	}
	if of, notice, _ := strings.Cut(current.Notice, " "); of == name && v.Problems == nil {
		v.Notice = notice
		if notice == "channel.changed" && v.Channel.Pending == "" { // the app asks for no verification
			v.Notice = "channel.changed-now"
		}
	}
	a.render(w, code, "channel", v)
	return nil
}

// resendCode has the message with the code sent again. There may be nothing to verify: somebody
// else may have the address that was asked for. The page does not say so.
func (a *app) resendCode(w http.ResponseWriter, r *http.Request) error {
	session, ch, err := a.channel(w, r)
	if session == nil {
		return err
	}
	did, wait, err := a.flow.own(r.Context(), "verification not sent again", r.PathValue("channel"), a.flow.resends, session, []kii.ErrorCode{kii.ErrAlreadyVerified},
		func(ctx context.Context) error { return ch.resend(session, ctx) })
	if err != nil {
		return err
	}
	return a.told(w, r, did, "channel.resent", view{}, "code", problem{Word: "channel.resend-limited", At: in(wait)})
}

// anyCode is a code of Kii Cloud's, which documents neither its length nor its signs.
var anyCode = regexp.MustCompile(`^[A-Za-z0-9]{1,64}$`)

func (a *app) verify(w http.ResponseWriter, r *http.Request) error {
	session, ch, err := a.channel(w, r)
	if session == nil {
		return err
	}
	typed := r.PostForm.Get("code")
	code, ok := parsePIN(typed)
	if !ok {
		code = plain(typed)
	}
	if !anyCode.MatchString(code) {
		return a.renderChannel(w, r, http.StatusUnprocessableEntity, view{Code: typed, Problems: problems{{Field: "code", Word: "channel.want-code"}}})
	}
	did, wait, err := a.flow.own(r.Context(), "address not verified", r.PathValue("channel")+" "+code, a.flow.verifications, session, nil,
		func(ctx context.Context) error { return ch.verify(session, ctx, code) })
	if err != nil {
		return err
	}
	return a.told(w, r, did, "channel.verified", view{Code: typed}, "code", problem{Word: "channel.verify-limited", At: in(wait)})
}

// change asks for another address, after the password: a session that was left open, or stolen,
// must not be enough to take the account away.
func (a *app) change(w http.ResponseWriter, r *http.Request) error {
	session, ch, err := a.channel(w, r)
	if session == nil {
		return err
	}
	name := r.PathValue("channel")
	typed, password := r.PostForm.Get("address"), r.PostForm.Get("password")
	acct, ok := parseAccount(typed, a.cfg.region)
	v := view{Account: typed}
	if !ok || !a.flow.takes(acct.ID) || strings.Contains(acct.ID, "@") != (name == "email") {
		v.Problems.add("address", problem{Word: name + ".want", Example: examplePhone(a.cfg.region)})
	}
	if password == "" {
		v.Problems.add("password", problem{Word: "want-password"})
	}
	if len(v.Problems) > 0 {
		return a.renderChannel(w, r, http.StatusUnprocessableEntity, v)
	}
	profile, current, err := a.profile(w, r)
	if profile == nil {
		return err
	}
	_, did, wait, err := a.flow.login(r.Context(), a.client(r), a.loginOf(profile, current), password)
	switch {
	case err != nil:
		return err
	case did == limited:
		v.Problems.add("password", problem{Word: "channel.password-limited", At: in(wait)})
	case wait > 0:
		a.tooOften(w, wait, "/profile")
		return nil
	case did == refused:
		v.Problems.add("password", problem{Word: "channel.wrong-password", Spaced: isSpaced(password)})
	case did != succeeded:
		v.Problems.add("password", problem{Word: "channel.unavailable"})
	}
	if len(v.Problems) > 0 {
		return a.renderChannel(w, r, http.StatusUnprocessableEntity, v)
	}
	did, wait, err = a.flow.own(r.Context(), "address not changed", acct.ID, a.flow.changes, session, []kii.ErrorCode{kii.ErrAddressTaken},
		func(ctx context.Context) error { return ch.change(session, ctx, acct.ID) })
	if err != nil {
		return err
	}
	if did == succeeded {
		_, _, err := a.logins.change(r, func(l *login) {
			l.Asked = maps.Clone(l.Asked)
			if l.Asked == nil {
				l.Asked = map[string]move{}
			}
			l.Asked[name] = move{ch.of(profile).Address, acct.ID}
		})
		if err != nil { // the page shows what Kii Cloud says is pending
			a.log.Error("the address that was asked for is not kept", "error", err)
		}
	}
	return a.told(w, r, did, "channel.changed", v, "address", problem{Word: "channel.change-limited", At: in(wait)})
}

// loginOf is by what the user can log in again: what was typed, unless it was changed since.
func (a *app) loginOf(profile *kii.Profile, current login) account {
	for _, of := range []struct {
		address  string
		verified bool
	}{{profile.Email, profile.EmailVerified}, {profile.Phone, profile.PhoneVerified}} {
		if acct, ok := parseAccount(of.address, a.cfg.region); ok && of.verified {
			return acct
		}
	}
	return current.Account
}

// channel returns the session and the channel that a form is for. If one is missing, or the form is
// another user's, who was logged in when the page was opened, it answers for itself.
func (a *app) channel(w http.ResponseWriter, r *http.Request) (*kii.Session, channel, error) {
	ch, ok := channels[r.PathValue("channel")]
	if !ok {
		a.message(http.StatusNotFound, "no-page", "/profile")(w, r)
		return nil, ch, nil
	}
	if !a.readForm(w, r) {
		return nil, ch, nil
	}
	session, _, err := a.session(w, r)
	if session != nil && session.UserID() != r.PostForm.Get("user") {
		a.message(http.StatusConflict, "other-user", "/profile/"+r.PathValue("channel"))(w, r)
		return nil, ch, nil
	}
	return session, ch, err
}

// told shows how a form of a channel's page ended: a notice on the page, or a problem at the field.
func (a *app) told(w http.ResponseWriter, r *http.Request, did outcome, notice string, v view, field string, atLimit problem) error {
	name := r.PathValue("channel")
	switch did {
	case succeeded:
		if _, _, err := a.logins.change(r, func(l *login) { l.Notice = name + " " + notice }); err != nil { // the user is told anyway
			a.log.Error("what was done is not kept", "error", err)
			a.render(w, http.StatusOK, "message", view{Word: "done", Notice: notice, Link: "/profile/" + name})
			return nil
		}
		http.Redirect(w, r, "/profile/"+name, http.StatusSeeOther)
		return nil
	case ended:
		current, _, err := a.logins.get(r)
		if err != nil {
			return err
		}
		return a.over(w, r, current)
	case limited:
		v.Problems.add(field, atLimit)
	case unknown:
		v.Problems.add(field, problem{Word: "channel.unknown"})
	case refused:
		v.Problems.add(field, problem{Word: notice + "-refused"})
	default:
		v.Problems.add(field, problem{Word: "channel.unavailable"})
	}
	return a.renderChannel(w, r, http.StatusUnprocessableEntity, v)
}
