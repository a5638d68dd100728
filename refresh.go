package kii

import (
	"context"
	"errors"
)

// A refresh is one Refresh that is under way; err and gaveUp are set before done is closed.
type refresh struct {
	done   chan struct{}
	err    error
	gaveUp bool // the context of the caller that sends it was done
}

// Refresh exchanges the refresh token for a new pair of tokens; [Session.Token] returns it. The old pair is
// dead. Refresh tokens are switched on in the developer portal's access token settings, off by default.
//
// Refresh is safe for concurrent use and sends one request, which calls that come at the same time share, as a
// refresh token works once. Where [OutcomeUnknown] is true the pair may be lost; the session goes on, and
// the next call tells. An answer of [ErrWrongRefreshToken] or [ErrWrongCredentials] ends the session.
func (s *Session) Refresh(ctx context.Context) error {
	if err := s.check(ctx); err != nil {
		return err
	}
	old := s.Token()
	if old.RefreshToken == "" {
		return &ArgumentError{"token", "has no RefreshToken: they are switched on in the developer portal"}
	}
	for {
		s.mu.Lock()
		token, ended, shared := s.token, s.ended, s.refreshing
		refreshed := token.AccessToken != old.AccessToken // by a call that came at the same time
		leads := ended == nil && !refreshed && shared == nil
		if leads {
			shared = &refresh{done: make(chan struct{}), err: errLostRefresh}
			s.refreshing = shared
		}
		s.mu.Unlock()
		switch {
		case ended != nil:
			return ended
		case refreshed:
			return nil
		case leads:
			return s.lead(ctx, token, shared)
		}

		gone := ctx.Err() != nil
		select {
		case <-shared.done:
		case <-ctx.Done():
			err := errors.Join(ctx.Err(), context.Cause(ctx))
			return &TransportError{Op: "Refresh", NotSent: gone, Err: secrets{s.api.appKey, old.AccessToken, old.RefreshToken, old.UserID}.hide(err)}
		}
		if !shared.gaveUp {
			return shared.err
		}
		if OutcomeUnknown(shared.err) {
			return errLostRefresh
		}
	}
}

// errLostRefresh is what the callers that waited for another's Refresh are told if it was cancelled under way.
var errLostRefresh = &TransportError{Op: "Refresh", Err: errors.New("the caller whose request was shared gave up")}

// lead sends the request that all callers share.
func (s *Session) lead(ctx context.Context, token *Token, shared *refresh) error {
	defer func() { // also if a RoundTripper panics: the others wait
		s.mu.Lock()
		s.refreshing = nil
		s.mu.Unlock()
		close(shared.done)
	}()
	body := marshal(struct {
		GrantType    string `json:"grant_type"`
		RefreshToken string `json:"refresh_token"`
	}{"refresh_token", token.RefreshToken})
	fresh, err := fetch(ctx, s.api.do, s.api.tokenCall("Refresh", body, token.AccessToken, token.RefreshToken, token.UserID),
		func(r *tokenReply) string {
			if token.UserID != "" && r.ID != token.UserID {
				return "another user's"
			}
			return r.wrong()
		})

	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil && s.ended != nil: // meanwhile: the fresh pair is dead, too
		err = s.ended
	case err == nil:
		s.token = fresh.token()
	case OutcomeUnknown(err): // whatever its code
	case errors.Is(err, ErrWrongRefreshToken), errors.Is(err, ErrWrongCredentials):
		err = s.end(token, err)
	}
	_, unanswered := errors.AsType[*TransportError](err)
	shared.err, shared.gaveUp = err, unanswered && ctx.Err() != nil
	return err
}
