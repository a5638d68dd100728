package kii

import (
	"cmp"
	"context"
	"errors"

	"github.com/go-kii/kii/internal/foreign"
	"github.com/go-kii/kii/internal/shared"
	"github.com/go-kii/kii/internal/transport"
)

// Refresh exchanges the refresh token for a new pair of tokens, which [Session.Token] returns. The
// old pair is dead. Refresh tokens are switched on in the developer portal's access token settings;
// they are off by default. In a session without one, Refresh returns an [*ArgumentError].
//
// No other call refreshes a session, so call Refresh before [Token].Expiry: a call with an expired
// token is answered like one with a dead token, and ends the session. Sessions that [User.Resume]
// made from the same token, in two requests to a web site or in two processes, do not know of each
// other. The first one to refresh ends the others, though the user need not log in again. Let one
// at a time read the stored token, refresh it and store the new one, as the second example does.
//
// Refresh is safe for concurrent use. Concurrent calls share one request, because a refresh token
// works only once. If the context of a caller ends, the request goes on, so that the new pair is
// not lost; it takes no longer than a call may ([WithTimeout]). An answer of [ErrWrongRefreshToken]
// or [ErrWrongCredentials] ends the session.
//
// If [OutcomeUnknown] reports true, the new pair may be lost, or may still come: the session goes
// on, and the next call shows which. A caller whose context ends while the request is under way
// gets such an error, too. A program that stores the new token must wait for it: pass
// [context.WithoutCancel] of the visitor's context.
func (s *Session) Refresh(ctx context.Context) error {
	if err := s.check(ctx); err != nil {
		return err
	}
	c := &call{op: "Refresh", token: s.Token()}
	if ctx.Err() != nil {
		return s.api.transportError(c, &transport.Failure{NotSent: true, Err: errors.Join(foreign.Ended(ctx)...)})
	}
	request, err := s.joinRefresh(ctx)
	if err != nil {
		return err
	}
	_, err, gone := request.Wait(ctx, s.api.timeout)
	if gone != nil {
		return s.api.transportError(c, &transport.Failure{Err: gone})
	}
	return err
}

// joinRefresh returns the request that is under way, or starts one.
func (s *Session) joinRefresh(ctx context.Context) (*shared.Request[*Token], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended != nil:
		return nil, s.ended.open()
	case s.token.open().RefreshToken == "":
		return nil, &ArgumentError{"token", "has no RefreshToken: they are switched on in the developer portal"}
	case s.refreshing == nil:
		old, lost := s.token.open(), &TransportError{Op: "Refresh", Err: errLogger}
		s.refreshing = shared.Begin(ctx, lost, func(ctx context.Context) (*Token, error) { return s.refresh(ctx, old) })
	}
	return s.refreshing, nil
}

// refresh sends the request that all callers share. The answer becomes the session's token before
// the call is logged, because a log handler may panic, block or end its goroutine. If it blocks or
// ends the goroutine, Refresh reports an unknown outcome, although the token is replaced.
func (s *Session) refresh(ctx context.Context, old Token) (fresh *Token, err error) {
	defer func() {
		if fresh != nil { // only the logger can have panicked, after the answer
			_ = recover()
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.refreshing = nil
		if e, ok := err.(*APIError); ok && !OutcomeUnknown(e) && (e.Code == ErrWrongRefreshToken || e.Code == ErrWrongCredentials) {
			_ = s.end(old, e)
		}
		err = cmp.Or(s.ended.open(), err) // if the session has ended meanwhile, fresh is dead, too
	}()
	body := marshal(struct {
		GrantType    string `json:"grant_type"`
		RefreshToken string `json:"refresh_token"`
	}{"refresh_token", old.RefreshToken})
	c := s.api.tokenCall("Refresh", body, old.AccessToken, old.RefreshToken, old.UserID)
	_, err = fetch(ctx, s.api.do, c, func(o object) (*Token, string) {
		token, wrong := o.token(old)
		if wrong == "" && token.UserID != "" {
			wrong = s.adopt(token.UserID)
		}
		if wrong == "" {
			fresh = token
			s.mu.Lock()
			fresh.UserID = s.token.open().UserID // a Profile may have filled it in
			s.token = seal(*fresh)
			s.mu.Unlock()
		}
		return token, wrong
	})
	return fresh, err
}
