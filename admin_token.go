package kii

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/go-kii/kii/internal/foreign"
	"github.com/go-kii/kii/internal/shared"
	"github.com/go-kii/kii/internal/transport"
)

// An adminToken is an administrator's access token.
type adminToken struct {
	Token
	renewAt time.Time // shortly before it ends
}

// do makes a call with the administrator's token. If the answer is that the token is dead, it makes
// the call once more with a new one, unless a new one would not help.
func (a *admin) do(ctx context.Context, c *call, success success) error {
	bound := foreign.WithTimeout(ctx, a.api.timeout)
	defer bound.End()
	c.bound = bound
	secret := a.secret.open()
	c.secrets = append(c.secrets, secret.clientID, secret.clientSecret)
	start := time.Now()
	for attempt := 1; ; attempt++ {
		token, isNew, err := a.liveToken(bound, c)
		if err != nil {
			a.api.log(ctx, c, start, 0, 0, err) // nothing else logs a call that was not sent
			return err
		}
		c.token, c.reasons = token.Token, make(map[ErrorCode]string)
		if attempt == 2 {
			for _, code := range deadTokenCodes {
				c.reasons[code] = "a new token is dead: check the clock of this machine"
			}
		}
		if isNew || attempt == 2 { // Kii Cloud knows the token, and another one would not have more rights
			c.reasons[ErrUnauthorized] = "the token gives no rights: Client.Admin wants the administrator's ClientID and ClientSecret, not the app's ID and key"
		}
		err = a.send(ctx, c, success)
		refused, ok := err.(*APIError)
		if !ok || refused.StatusCode != http.StatusUnauthorized && refused.StatusCode != http.StatusForbidden {
			return err
		}
		a.drop(token) // even if the code does not say that it is dead: the next call shows it
		if !isDeadToken(err) || refused.Reason != "" {
			return err
		}
	}
}

// liveToken returns the token to send c with, and whether it is a new one. An older one is used
// only if it does not end soon.
func (a *admin) liveToken(ctx context.Context, c *call) (token *adminToken, isNew bool, err error) {
	if ctx.Err() != nil {
		return nil, false, a.api.transportError(c, &transport.Failure{NotSent: true, Err: errors.Join(foreign.Ended(ctx)...)})
	}
	token, renewal := a.current(ctx)
	if token != nil {
		return token, false, nil
	}
	token, err, gone := renewal.Wait(ctx, a.api.timeout)
	switch {
	case gone != nil:
		return nil, false, a.api.transportError(c, &transport.Failure{NotSent: true, Err: gone})
	case err != nil:
		return nil, false, a.withoutToken(c, err)
	}
	return token, true, nil
}

// withoutToken returns the error of c if the request for its token failed with err. The outcome of
// that request may be unknown, but c was not sent.
func (a *admin) withoutToken(c *call, err error) error {
	answer, ok := err.(*APIError)
	if ok && !OutcomeUnknown(answer) && !RevealsAccount(answer) { // those would be taken for the answer to c
		refused := *answer // a copy, since all waiting callers get the same error
		refused.Op, refused.Reason = c.op, "no token for the administrator"+whatToCheck(answer)
		return &refused
	}
	switch e := err.(type) { // without what its text says of the outcome, which is not that of c
	case *TransportError:
		err = e.Err
	case *APIError:
		err = fmt.Errorf("%d %s", e.StatusCode, cmp.Or(e.Reason, string(e.Code)))
	}
	return a.api.transportError(c, &transport.Failure{NotSent: true, Err: fmt.Errorf("no token for the administrator: %w", err)})
}

// wrongLoginCodes are the codes with which Kii Cloud may answer a wrong client ID or secret. It
// documents none; these are from OAuth and from the error table of its JavaScript SDK.
var wrongLoginCodes = []ErrorCode{
	ErrWrongCredentials, ErrAuthenticationFailed, "invalid_client", "unauthorized_client", "OAUTH2_ERROR", "CLIENT_CREDENTIALS_NOT_FOUND",
}

// whatToCheck names what to check after a request for a token was refused, or returns "" if nothing
// is known.
func whatToCheck(refused *APIError) string {
	switch {
	case slices.Contains(wrongLoginCodes, refused.Code):
		return ": check the ClientID and ClientSecret given to Client.Admin"
	case refused.StatusCode == http.StatusBadRequest: // expiresAt is in the past, or later than the app's settings allow
		return ": check the clock of this machine, and that the developer portal allows tokens of an hour"
	}
	return ""
}

// current returns the token, or, if there is none or it ends soon, the request for another one.
func (a *admin) current(ctx context.Context) (*adminToken, *shared.Request[*adminToken]) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if token := a.token.open(); token != nil && time.Now().Before(token.renewAt) {
		return token, nil
	}
	if a.renewal == nil {
		a.renewal = shared.Begin(ctx, errLogger, a.renew)
	}
	return nil, a.renewal
}

// errLogger is the error of a shared request whose goroutine panicked or ended. Only the logger can
// do that there: the transport reports what a RoundTripper does.
var errLogger = errors.New("the logger panicked or ended its goroutine")

// adminTokenLife is the life of the tokens that are asked for. Kii Cloud's guide advises to limit
// it: anyone who finds a token that never ends can do everything for ever.
const adminTokenLife = time.Hour

// renew gets a new token and makes it the current one.
func (a *admin) renew(ctx context.Context) (token *adminToken, err error) {
	defer func() { // even if the logger panics
		a.mu.Lock()
		defer a.mu.Unlock()
		a.renewal = nil
		if token != nil {
			a.token = seal(token)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, a.api.timeout)
	defer cancel()
	before := a.serverTime()
	token, err = a.fetchToken(ctx, before.Add(adminTokenLife))
	// The answer gave the time by Kii Cloud's clock. By that, the requested end may be in the past.
	after := a.serverTime()
	if e, ok := err.(*APIError); ok && e.StatusCode == http.StatusBadRequest && !slices.Contains(wrongLoginCodes, e.Code) && after.Sub(before).Abs() > time.Minute {
		token, err = a.fetchToken(ctx, after.Add(adminTokenLife))
	}
	return token, err
}

// fetchToken asks for a token that ends at end.
// https://documentation.kii.com/en/guides/cloudsdk/rest/admin-features/
func (a *admin) fetchToken(ctx context.Context, end time.Time) (*adminToken, error) {
	secret := a.secret.open()
	now := time.Now().Round(0) // without the monotonic clock, which stops while a machine is suspended
	return fetch(ctx, a.send, &call{
		op:          "Admin",
		method:      http.MethodPost,
		url:         a.api.app + "/oauth2/token",
		contentType: adminTokenType,
		body: marshal(struct {
			GrantType    string `json:"grant_type"`
			ClientID     string `json:"client_id"`
			ClientSecret string `json:"client_secret"`
			ExpiresAt    int64  `json:"expiresAt"` // milliseconds
		}{"client_credentials", secret.clientID, secret.clientSecret, end.UnixMilli()}),
		secrets: []string{secret.clientID, secret.clientSecret},
	}, func(o object) (*adminToken, string) {
		var t adminToken
		o.get("id", &t.UserID)
		o.get("access_token", &t.AccessToken)
		if unsendable(t.AccessToken) != "" {
			return nil, "no access token"
		}
		life, known := o.lifetime()
		if !known {
			life = adminTokenLife
		}
		t.renewAt = now.Add(life - min(time.Minute, life/2))
		return &t, ""
	})
}

// send makes a call, and notes the server's time in the answer.
func (a *admin) send(ctx context.Context, c *call, success success) error {
	return a.api.do(ctx, c, func(reply transport.Reply) string {
		if date := parseDate(reply.Header.Get("Date")); !date.IsZero() {
			a.mu.Lock()
			a.ahead = time.Until(date)
			a.mu.Unlock()
		}
		return success(reply)
	})
}

// serverTime returns the time by the server's clock if that differs from this machine's by more
// than a minute, and else the time by this machine's: then the difference does not matter for a
// token of an hour.
func (a *admin) serverTime() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now().Round(0)
	if a.ahead > time.Minute || a.ahead < -time.Minute {
		now = now.Add(a.ahead)
	}
	return now
}

// drop makes the next call get a new token, unless another one has already replaced token.
func (a *admin) drop(token *adminToken) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token.open() == token {
		a.token = nil
	}
}
