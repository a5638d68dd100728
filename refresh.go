package kii

import (
	"context"
	"errors"
)

// A refresh is a Refresh that is under way.
type refresh struct {
	done chan struct{}
	err  error // of all who wait; set before done is closed
}

// Refresh exchanges the refresh token for a new pair of tokens, which [Session.Token] returns. The old
// pair is dead. Refresh tokens are switched on in the developer portal's access token settings; they are
// off by default.
//
// Refresh is safe for concurrent use. Calls that come at the same time share one request, as a refresh
// token works once. That request outlives the callers whose contexts end, so that the new pair is not
// lost with one of them: it ends by the time-out of a call. An answer of [ErrWrongRefreshToken] or
// [ErrWrongCredentials] ends the session.
//
// If [OutcomeUnknown] reports true, the new pair may be lost, or on its way: the session goes on, and the
// next call tells. A cancelled Refresh is always unknown, unless ctx was done before.
func (s *Session) Refresh(ctx context.Context) error {
	if err := s.check(ctx); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return s.stopWaiting(ctx, true)
	}
	shared, err := s.joinRefresh(ctx)
	if err != nil {
		return err
	}
	select {
	case <-shared.done:
		return shared.err
	case <-ctx.Done():
		return s.stopWaiting(ctx, false)
	}
}

// joinRefresh returns the refresh that is under way, or begins one.
func (s *Session) joinRefresh(ctx context.Context) (*refresh, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended != nil:
		return nil, s.ended
	case s.token.RefreshToken == "":
		return nil, &ArgumentError{"token", "has no RefreshToken: they are switched on in the developer portal"}
	case s.refreshing == nil:
		s.refreshing = &refresh{make(chan struct{}), errLostRefresh}
		go s.sendRefresh(context.WithoutCancel(ctx), s.token, s.refreshing)
	}
	return s.refreshing, nil
}

// errLostRefresh is what a refresh ends with if nothing else is known.
var errLostRefresh = &TransportError{Op: "Refresh", Err: errors.New("the RoundTripper or the logger panicked")}

// sendRefresh sends the request that all callers share. Nobody else is there to recover from a panic of
// the caller's RoundTripper or logger, which would end the process.
func (s *Session) sendRefresh(ctx context.Context, token *Token, shared *refresh) {
	defer func() {
		_ = recover()
		s.mu.Lock()
		s.refreshing = nil
		s.mu.Unlock()
		close(shared.done)
	}()
	body := marshal(struct {
		GrantType    string `json:"grant_type"`
		RefreshToken string `json:"refresh_token"`
	}{"refresh_token", token.RefreshToken})
	c := s.api.tokenCall("Refresh", body, token.AccessToken, token.RefreshToken, token.UserID)
	_, err := fetch(ctx, s.api.do, c, func(r *tokenReply) string {
		wrong := r.wrong()
		switch {
		case wrong == "" && token.UserID != "" && r.ID != token.UserID:
			return "another user's"
		case wrong == "":
			shared.err = s.replace(r.token(token.RefreshToken)) // before a logger can fail
		}
		return wrong
	})
	if err != nil {
		shared.err = s.judgeRefresh(token, err)
	}
}

// replace makes fresh the session's token, unless the session has ended meanwhile: then fresh is dead, too.
func (s *Session) replace(fresh *Token) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		return s.ended
	}
	s.token = fresh
	return nil
}

// judgeRefresh ends the session if err, the answer to sent's refresh token, is that it is dead, and returns
// the error to hand to the callers.
func (s *Session) judgeRefresh(sent *Token, err error) error {
	e, ok := err.(*APIError)
	if !ok || OutcomeUnknown(e) || e.Code != ErrWrongRefreshToken && e.Code != ErrWrongCredentials {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end(sent, err)
}

// stopWaiting is the error of a caller whose context is done.
func (s *Session) stopWaiting(ctx context.Context, notSent bool) error {
	token := s.Token()
	err := ctx.Err()
	if cause := context.Cause(ctx); !errors.Is(err, cause) {
		err = errors.Join(err, cause)
	}
	return &TransportError{Op: "Refresh", NotSent: notSent, Err: s.api.secrets(&call{token: &token}).hide(err)}
}
