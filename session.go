package kii

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/go-kii/kii/internal/shared"
	"github.com/go-kii/kii/internal/transport"
)

// A Session is a logged-in user: what [User.Login] and [User.Resume] return. It is safe for
// concurrent use and must not be copied.
//
// It ends when a call is answered that its token is dead, because the password was reset or
// changed, an administrator ended it, or the token has expired, which only [Token].Expiry tells
// from the rest: by 401 or 403 with [ErrWrongToken], [ErrUnauthorized], [ErrAuthenticationFailed]
// or invalid_token. That call and all later ones return the same [*SessionError], the later ones
// without a request. A Refresh answered with [ErrWrongRefreshToken] or [ErrWrongCredentials] ends
// it as well, and so does a ChangePassword that succeeded. Nothing else does: not a wrong password,
// a disabled account, an unknown outcome, the clock of this machine or the error of another call.
//
// A call that a [Session.Refresh] overtakes may be answered that the old token is dead. It then
// returns that answer, an [*APIError], and the session goes on: nothing happened, so make the call
// again.
type Session struct {
	api *api

	mu         sync.Mutex
	token      sealed[Token]
	ended      sealed[error]           // a *SessionError, which names the user
	refreshing *shared.Request[*Token] // the request of a Refresh that is under way
}

// Format implements [fmt.Formatter]. It prints no field.
func (s *Session) Format(f fmt.State, verb rune) { format(f, verb, "kii.Session"+blanked) }

// UserID returns the user's ID. It is empty in a session that was resumed without one, until
// [Session.Profile] has filled it in.
func (s *Session) UserID() string { return s.Token().UserID }

// Token returns the current token, to be kept and given to [User.Resume] later. It is a secret.
// After a [Session.Refresh] an earlier one is dead.
func (s *Session) Token() Token {
	if s == nil {
		return Token{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token.open()
}

// Err returns nil, or the [*SessionError] that ended the session. It sends nothing, so nil does not
// mean that the token still works.
func (s *Session) Err() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended.open()
}

// Profile reads the user's own data. A reply about another user than the session's is
// [ErrUnexpectedReply].
//
// Profile is safe for concurrent use and sends one request, which changes nothing, whatever the
// error; net/http may repeat it if an HTTP/1 connection breaks. An answer that the token is dead
// ends the session.
func (s *Session) Profile(ctx context.Context) (*Profile, error) {
	if err := s.check(ctx); err != nil {
		return nil, err
	}
	c := &call{op: "Profile", method: http.MethodGet, url: s.api.app + "/users/me"}
	return fetch(ctx, s.do, c, func(o object) (*Profile, string) {
		p, wrong := o.profile()
		if wrong == "" {
			wrong = s.adopt(p.UserID)
		}
		return p, wrong
	})
}

// ChangePassword replaces the password and thereby ends this session and all others of the user:
// every later call returns a [*SessionError], and the user must log in again. newPassword is 4 to
// 50 printable ASCII characters; an oldPassword of more than 50 bytes is refused, since Kii Cloud
// has none. Note the order: Kii's Android and Unity SDKs take the new one first.
//
// The errors to expect are [ErrWrongPassword], which the session survives, [ErrPasswordTooShort],
// [ErrNoPassword], and perhaps [ErrInvalidInput] if the two are the same.
//
// ChangePassword is safe for concurrent use and sends one request. If [OutcomeUnknown] reports
// true, the password may have been changed: log in to find out. An answer that the token is dead
// ends the session.
func (s *Session) ChangePassword(ctx context.Context, oldPassword, newPassword string) error {
	if err := s.check(ctx, checkPassword("oldPassword", oldPassword), checkNewPassword(newPassword)); err != nil {
		return err
	}
	return s.do(ctx, &call{
		op:          "ChangePassword",
		method:      http.MethodPut,
		url:         s.api.app + "/users/me/password",
		contentType: "application/vnd.kii.ChangePasswordRequest+json",
		body: marshal(struct {
			OldPassword string `json:"oldPassword"`
			NewPassword string `json:"newPassword"`
		}{oldPassword, newPassword}),
		secrets: []string{oldPassword, newPassword},
	}, s.endByChange)
}

// endByChange is the success of a ChangePassword. It ends the session before the call is logged: a
// log handler may panic.
func (s *Session) endByChange(reply transport.Reply) string {
	if wrong := empty(reply); wrong != "" {
		return wrong
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.end(s.token.open(), nil)
	return ""
}

// check refuses a call that cannot be made: it returns why the session cannot send, or else the
// first error of args.
func (s *Session) check(ctx context.Context, args ...error) error {
	if s == nil || s.api == nil {
		return &ArgumentError{"Session", "is nil or zero: use one that Login or Resume returned"}
	}
	return cmp.Or(checkContext(ctx), s.Err(), cmp.Or(args...))
}

// do makes a call with the session's token, and ends the session if the answer is that the token is
// dead.
func (s *Session) do(ctx context.Context, c *call, success success) error {
	c.token = s.Token()
	err := s.api.do(ctx, c, success)
	if !isDeadToken(err) {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refreshing != nil { // the answer says nothing about the token that is on its way
		return err
	}
	return s.end(c.token, err)
}

// adopt returns what is wrong with a reply about the user with this ID; empty if it is the
// session's user. A session that does not know its user yet adopts it.
func (s *Session) adopt(userID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := s.token.open()
	if token.UserID == "" {
		token.UserID = userID
		s.token = seal(token)
	}
	if token.UserID != userID {
		return "another user's"
	}
	return ""
}

// deadToken are the codes of the answer to a dead bearer token. Kii Cloud documents none; these are
// the ones that its SDKs and its reference name.
var deadToken = []ErrorCode{ErrWrongToken, ErrUnauthorized, ErrAuthenticationFailed, "invalid_token"}

// isDeadToken reports whether err is the answer that the token of a call is dead.
func isDeadToken(err error) bool {
	e, ok := err.(*APIError) // this call's own answer, not one in the cause of its failure
	return ok && (e.StatusCode == http.StatusUnauthorized || e.StatusCode == http.StatusForbidden) && slices.Contains(deadToken, e.Code)
}

// end ends the session by err, the answer to a call with the token sent, unless that has been
// replaced; err is nil if the password was changed. It returns the error to hand to the caller, who
// holds s.mu.
func (s *Session) end(sent Token, err error) error {
	if token := s.token.open(); s.ended == nil && token.AccessToken == sent.AccessToken {
		s.ended = seal[error](&SessionError{UserID: token.UserID, Err: err})
	}
	return cmp.Or(s.ended.open(), err)
}
