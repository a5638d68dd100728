package kii

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-kii/kii/internal/shared"
)

// An Admin manages the users of an app with the rights of its administrator. [Client.Admin] returns
// one. It is for a support desk or a job, never for a page that users can reach.
//
// It cannot check that the person who asks is the user. Your program must, before each call. No
// call sends a message to the user.
//
// The first call gets an access token that lives for an hour. All calls share it, and renew it a
// minute before it ends. An answer that the token is dead proves that nothing was done: the call is
// then made once more, with a new token. After any other 401 or 403 the next call gets a new token.
// A call that gets no token is not sent, so [OutcomeUnknown] reports false. A call ends by its
// time-out, the wait for a token included.
//
// An Admin is safe for concurrent use. Its copies share the token.
type Admin struct{ *admin }

type admin struct {
	api    *api
	secret sealed[adminSecret]

	mu      sync.Mutex
	token   sealed[*adminToken]          // the current one; nil before the first call, and after it was refused
	renewal *shared.Request[*adminToken] // the request for a new one that is under way
	ahead   time.Duration                // how far the server's clock was ahead of this machine's in its last answer
}

type adminSecret struct{ clientID, clientSecret string }

// Admin returns an administrator of the client's app. clientID and clientSecret are what the
// developer portal shows to the app's owner as ClientID and ClientSecret. They give all rights over
// all users and data of the app, so keep them as you keep a password.
//
// Admin checks its arguments and sends nothing, so wrong values show only at the first call. With
// the ID and key of the app in their place, Kii Cloud issues a token that gives no rights, and
// answers each call with [ErrUnauthorized].
func (c *Client) Admin(clientID, clientSecret string) (*Admin, error) {
	if c == nil || c.User == nil || c.User.api == nil {
		return nil, &ArgumentError{"Client", "is nil or zero: use one that New returned"}
	}
	if err := cmp.Or(checkText("clientID", clientID), checkText("clientSecret", clientSecret)); err != nil {
		return nil, err
	}
	return &Admin{&admin{api: c.User.api, secret: seal(adminSecret{strings.Clone(clientID), strings.Clone(clientSecret)})}}, nil
}

// Format implements [fmt.Formatter]. It prints no field.
func (a Admin) Format(f fmt.State, verb rune) { format(f, verb, "kii.Admin"+blanked) }

// User reads a user's data. id takes the forms of [User.ResetPassword]. An administrator finds
// nobody by an address that is not verified either: give the user ID, or "LOGIN_NAME:alice".
//
// The errors to expect are [ErrUserNotFound] and, from all calls of an Admin, [ErrUnauthorized] and
// [ErrWrongCredentials]. After these two check the client ID and secret; the error's text names
// what else it may be.
//
// User changes nothing, whatever the error.
func (a *Admin) User(ctx context.Context, id string) (*Profile, error) {
	user, err := a.check(ctx, id)
	if err != nil {
		return nil, err
	}
	return fetch(ctx, a.do, &call{
		op:      "User",
		method:  http.MethodGet,
		url:     a.url(user),
		secrets: []string{user.secret()},
	}, object.profile)
}

// SetPassword gives the user another password. newPassword is 4 to 50 printable ASCII characters.
// No old password is needed and no message is sent: tell the user the new password, and to change
// it. A reset by [User.ResetPassword] is better if it is possible, because then nobody else knows
// the password.
//
// Whether this ends the user's sessions is not documented. Assume that it does, and do not rely on
// it. The surest way to end them is SetDisabled with true and then with false.
//
// The errors to expect are [ErrUserNotFound], [ErrPasswordTooShort] and [ErrNoPassword]: this call
// cannot give a first password to a user who signed up by a social login.
//
// If [OutcomeUnknown] reports true, the password may have been set. It is safe to set it again.
func (a *Admin) SetPassword(ctx context.Context, id, newPassword string) error {
	user, err := a.check(ctx, id, checkNewPassword(newPassword))
	if err != nil {
		return err
	}
	return a.do(ctx, put("SetPassword", a.url(user)+"/password", "application/vnd.kii.ChangePasswordRequest+json", struct {
		NewPassword string `json:"newPassword"`
	}{newPassword}, user.secret(), newPassword), empty)
}

// SetEmail gives the user another e-mail address, a bare one such as "alice@example.com", and marks
// it as verified. Give the current or the pending address to verify that one. No message is sent,
// and the user's sessions stay as they are.
//
// First make sure that the address is the user's: whoever reads its mail can reset the password.
//
// The errors to expect are [ErrUserNotFound] and [ErrAddressTaken].
//
// If [OutcomeUnknown] reports true, the address may have been set. It is safe to set it again.
func (a *Admin) SetEmail(ctx context.Context, id, email string) error {
	user, err := a.check(ctx, id, checkEmail(email))
	if err != nil {
		return err
	}
	return a.do(ctx, emailChange("SetEmail", a.url(user), email, true, user.secret()), empty)
}

// SetPhone gives the user another phone number, + and 7 to 20 digits, and marks it as verified. It
// is otherwise like SetEmail.
func (a *Admin) SetPhone(ctx context.Context, id, phone string) error {
	user, err := a.check(ctx, id, checkPhone(phone))
	if err != nil {
		return err
	}
	return a.do(ctx, phoneChange("SetPhone", a.url(user), phone, true, user.secret()), empty)
}

// SetDisabled disables the user's account, or enables it again. A disabled user can neither log in,
// nor reset the password, nor verify an address. Disabling also ends all of the user's sessions:
// Kii Cloud documents that their tokens die, and nothing says that enabling brings them back.
//
// The error to expect is [ErrUserNotFound].
//
// If [OutcomeUnknown] reports true, it may have been done; User shows it. It is safe to repeat
// it.
func (a *Admin) SetDisabled(ctx context.Context, id string, disabled bool) error {
	user, err := a.check(ctx, id)
	if err != nil {
		return err
	}
	return a.do(ctx, put("SetDisabled", a.url(user)+"/status", "application/vnd.kii.UserStatusUpdateRequest+json", struct {
		Disabled bool `json:"disabled"`
	}{disabled}, user.secret()), empty)
}

// check returns the user that id names, or an error if the call cannot be made because of a, ctx,
// id or one of args.
func (a *Admin) check(ctx context.Context, id string, args ...error) (userRef, error) {
	if a == nil || a.admin == nil {
		return userRef{}, &ArgumentError{"Admin", "is nil or zero: use one that Client.Admin returned"}
	}
	return checkUser(ctx, id, args...)
}

// url returns the URL of a user.
func (a *Admin) url(user userRef) string { return a.api.userURL(user, "") }
