package kii

import (
	"context"
	"strings"
)

// User is the user API of a [Client]: the calls that need no login, and those that return a
// [Session]. It is safe for concurrent use.
type User struct{ api *api }

// Login logs a user in. id takes the forms of [User.ResetPassword], but a bare name is a login
// name, because Kii documents no login by a user ID. An e-mail address or a phone number must be
// verified. A password of more than 50 bytes is refused, since Kii Cloud has none.
//
// The errors to expect are [ErrWrongCredentials], for a wrong password as well as for an unknown
// user, and [ErrUserDisabled].
//
// Login is safe for concurrent use and sends one request. It leaves the Sessions that you hold as
// they are. If [OutcomeUnknown] reports true, Kii Cloud may have issued a token that nobody has; it
// is safe to log in again.
func (u *User) Login(ctx context.Context, id, password string) (*Session, error) {
	user, err := u.check(ctx, id, checkPassword("password", password))
	if err != nil {
		return nil, err
	}
	body := marshal(struct {
		Username string `json:"username"`
		Password string `json:"password"`
	}{user.String(), password})
	c := u.api.tokenCall("Login", body, user.secret(), password)
	token, err := fetch(ctx, u.api.do, c, func(o object) (*Token, string) { return o.token(Token{}) })
	if err != nil {
		return nil, err
	}
	return &Session{api: u.api, token: seal(*token)}, nil
}

// Resume returns a session with a token that was kept from an earlier session. Kii's SDKs call this
// loginWithToken. Resume sends nothing, so a token that no longer works is noticed at the first
// call. token must have an AccessToken. [Session.Profile] fills in a missing UserID. A past Expiry
// is accepted, since the server's clock decides.
//
// Resume is safe for concurrent use. Sessions that were resumed from the same token do not know of
// each other: if one is refreshed, the token of the others is dead. So resume it once and share the
// Session.
func (u *User) Resume(token Token) (*Session, error) {
	if u == nil || u.api == nil {
		return nil, errNoUser
	}
	if wrong := unsendable(token.AccessToken); wrong != "" {
		return nil, &ArgumentError{"token", "field AccessToken " + wrong}
	}
	if wrong := unsendable(token.RefreshToken); wrong != "" && token.RefreshToken != "" {
		return nil, &ArgumentError{"token", "field RefreshToken " + wrong}
	}
	if wrong := unsendable(token.UserID); wrong != "" && token.UserID != "" {
		return nil, &ArgumentError{"token", "field UserID " + wrong}
	}
	// A server such as fasthttp may reuse the memory of a request's strings.
	for _, field := range []*string{&token.UserID, &token.AccessToken, &token.RefreshToken} {
		*field = strings.Clone(*field)
	}
	return &Session{api: u.api, token: seal(token)}, nil
}

var errNoUser = &ArgumentError{"User", "is nil or zero: use the User of a client that New returned"}

// check returns the user that id names, or an error if the call cannot be made because of u, ctx,
// id or one of args.
func (u *User) check(ctx context.Context, id string, args ...error) (userRef, error) {
	if u == nil || u.api == nil {
		return userRef{}, errNoUser
	}
	return checkUser(ctx, id, args...)
}
