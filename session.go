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

// A Session is a logged-in user. [User.Login] and [User.Resume] return one. It is safe for
// concurrent use and must not be copied. Kii documents no logout: drop the session and its token.
//
// It ends when Kii Cloud answers a call that the token is dead: by 401 or 403 with [ErrWrongToken],
// [ErrUnauthorized], [ErrAuthenticationFailed] or invalid_token. The reason may be that the
// password was reset or changed, that an administrator ended the session, or that the token has
// expired, which only [Token].Expiry shows. That call and all later ones return the same
// [*SessionError]; the later ones send nothing. A Refresh answered with [ErrWrongRefreshToken] or
// [ErrWrongCredentials] also ends the session, and so does a ChangePassword that succeeds. Nothing
// else does: no wrong password, disabled account, unknown outcome, clock of this machine or error
// of another call.
//
// A call that is under way during a [Session.Refresh] may be answered that the old token is dead.
// It returns that answer, an [*APIError], and the session goes on. Nothing happened, so make the
// call again.
type Session struct {
	api *api

	mu         sync.Mutex
	token      sealed[Token]
	ended      sealed[error]           // a *SessionError, sealed because it names the user
	refreshing *shared.Request[*Token] // the request of a Refresh that is under way
}

// Format implements [fmt.Formatter]. It prints no field.
func (s *Session) Format(f fmt.State, verb rune) { format(f, verb, "kii.Session"+blanked) }

// UserID returns the user's ID. It is empty in a session that was resumed without one, until
// [Session.Profile] has filled it in.
func (s *Session) UserID() string { return s.Token().UserID }

// Token returns the current token, which can be stored and given to [User.Resume] later. It is a
// secret. After a [Session.Refresh] the earlier token is dead.
func (s *Session) Token() Token {
	if s == nil {
		return Token{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token.open()
}

// Err returns nil, or the [*SessionError] that ended the session. It sends nothing, so nil does not
// prove that the token still works.
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

// ChangePassword replaces the password. This ends all sessions of the user, this one included:
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
	return s.do(ctx, put("ChangePassword", s.api.app+"/users/me/password", "application/vnd.kii.ChangePasswordRequest+json", struct {
		OldPassword string `json:"oldPassword"`
		NewPassword string `json:"newPassword"`
	}{oldPassword, newPassword}, oldPassword, newPassword), s.endByChange)
}

// endByChange is the success of a ChangePassword. It ends the session, before the call is logged,
// because a log handler may panic.
func (s *Session) endByChange(reply transport.Reply) string {
	if wrong := empty(reply); wrong != "" {
		return wrong
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.end(s.token.open(), nil)
	return ""
}

// check returns why the session cannot make a call, or else the first error of args.
func (s *Session) check(ctx context.Context, args ...error) error {
	if s == nil || s.api == nil {
		return &ArgumentError{"Session", "is nil or zero: use one that Login or Resume returned"}
	}
	return cmp.Or(checkContext(ctx), s.Err(), cmp.Or(args...))
}

// do makes a call with the session's token. It ends the session if the answer is that the token is
// dead.
func (s *Session) do(ctx context.Context, c *call, success success) error {
	c.token = s.Token()
	err := s.api.do(ctx, c, success)
	if !isDeadToken(err) {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refreshing != nil { // the answer says nothing about the token that is about to come
		return err
	}
	return s.end(c.token, err)
}

// adopt returns what is wrong with a reply about the user with this ID, or "" if it is the
// session's user. A session that does not know its user's ID takes this one.
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

// deadTokenCodes are the codes with which Kii Cloud may answer a dead bearer token. It documents
// none; these are named in its SDKs and its reference.
var deadTokenCodes = []ErrorCode{ErrWrongToken, ErrUnauthorized, ErrAuthenticationFailed, "invalid_token"}

// isDeadToken reports whether err is the answer that the token of a call is dead.
func isDeadToken(err error) bool {
	e, ok := err.(*APIError) // not errors.As: the cause of a failure may hold another call's answer
	return ok && (e.StatusCode == http.StatusUnauthorized || e.StatusCode == http.StatusForbidden) && slices.Contains(deadTokenCodes, e.Code)
}

// end ends the session because of err, the answer to a call with the token sent, unless another
// token has replaced it. err is nil if the password was changed. end returns the error that the
// call returns. The caller must hold s.mu.
func (s *Session) end(sent Token, err error) error {
	if token := s.token.open(); s.ended == nil && token.AccessToken == sent.AccessToken {
		s.ended = seal[error](&SessionError{UserID: token.UserID, Err: err})
	}
	return cmp.Or(s.ended.open(), err)
}
