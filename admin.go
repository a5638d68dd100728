package kii

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// An Admin acts on the users of an app with the rights of its administrator: what [Client.Admin] returns. It
// is for a support desk or a job, never for a page that users reach. It does not know who asks and cannot check
// that it is the user: that is your program's work, before each call.
//
// The first call gets an access token that lives for an hour. All calls share it, and renew it a minute before it
// ends. An answer that the token is dead proves that nothing was done, so the call is made once more with a new
// token; nothing else is repeated but what User says of retries. If no token can be had, nothing was
// done either, and [OutcomeUnknown] reports false.
//
// An Admin is safe for concurrent use and must not be copied. No call sends a message to the user.
type Admin struct {
	api    *api
	secret *adminSecret

	mu      sync.Mutex
	token   *adminToken          // the current one; nil before the first call, and after it was refused
	renewal *shared[*adminToken] // the request for a new one that is under way
	ahead   time.Duration        // of this machine's clock: the server's, by its last answer
}

// An adminSecret is kept behind a pointer: fmt prints the fields of a value inside another one.
type adminSecret struct{ clientID, clientSecret string }

// Admin returns an administrator of the client's app. clientID and clientSecret are the ClientID and ClientSecret
// that the developer portal shows to the app's owner. They give all rights over all users and data of the app, so
// keep them like a password.
//
// It checks the arguments and sends nothing, so values that are wrong show only at the first call. The ID
// and key of the app are such values: Kii Cloud gives them a token without rights, and the call
// [ErrUnauthorized].
func (c *Client) Admin(clientID, clientSecret string) (*Admin, error) {
	if c == nil || c.User == nil || c.User.api == nil {
		return nil, &ArgumentError{"Client", "is nil or zero: use one that New returned"}
	}
	if err := checkText("clientID", clientID); err != nil {
		return nil, err
	}
	if err := checkText("clientSecret", clientSecret); err != nil {
		return nil, err
	}
	return &Admin{api: c.User.api, secret: &adminSecret{clientID, clientSecret}}, nil
}

// Format implements [fmt.Formatter]. It prints no field.
func (a *Admin) Format(f fmt.State, verb rune) { format(f, verb, "kii.Admin"+blanked) }

// User reads a user's data. id takes the forms of [User.ResetPassword]; an administrator, too, finds nobody
// by an address that is not verified, so have the user ID or the login name of a user who lacks one.
//
// The errors of note are [ErrUserNotFound] and, as of all calls of an Admin, [ErrUnauthorized] and
// [ErrWrongCredentials], after which the client ID and secret are to be checked.
//
// User changes nothing, whatever the error.
func (a *Admin) User(ctx context.Context, id string) (*Profile, error) {
	user, err := a.check(ctx, id)
	if err != nil {
		return nil, err
	}
	p, err := fetch(ctx, a.do, &call{
		op:      "User",
		method:  http.MethodGet,
		url:     a.url(user),
		secrets: []string{user.secret()},
	}, (*profileReply).wrong)
	return (*Profile)(p), err
}

// SetPassword gives the user another password, without the old one and without a message: tell the user
// yourself, and that it is to be changed. newPassword is 4 to 50 printable ASCII characters. A reset that the user
// completes, by [User.ResetPassword], is better wherever it can work, as then nobody else knows the password.
//
// Whether it ends the user's sessions, Kii Cloud does not document: assume that it does and do not
// rely on it. To end them for certain call SetDisabled with true, then with false.
//
// The errors of note are [ErrUserNotFound], [ErrPasswordTooShort] and [ErrNoPassword]: a user who came by a social login
// gets no first password by this call.
//
// If [OutcomeUnknown] reports true, the password may have been set; to set it again does no harm.
func (a *Admin) SetPassword(ctx context.Context, id, newPassword string) error {
	user, err := a.check(ctx, id, checkNewPassword(newPassword))
	if err != nil {
		return err
	}
	return a.do(ctx, &call{
		op:          "SetPassword",
		method:      http.MethodPut,
		url:         a.url(user) + "/password",
		contentType: "application/vnd.kii.ChangePasswordRequest+json",
		body: marshal(struct {
			NewPassword string `json:"newPassword"`
		}{newPassword}),
		secrets: []string{user.secret(), newPassword},
	}, empty)
}

// SetEmail gives the user another e-mail address, a bare one such as "alice@example.com", and marks it as
// verified. It also does so with the present or the pending address. Kii Cloud sends nothing there, so first make
// sure that the address is the user's: from then on it brings the means to reset the password. The user's
// sessions stay as they are.
//
// The errors of note are [ErrUserNotFound] and [ErrAddressTaken], if another user has verified the same address.
//
// If [OutcomeUnknown] reports true, the address may have been set; to set it again does no harm.
func (a *Admin) SetEmail(ctx context.Context, id, email string) error {
	user, err := a.check(ctx, id, checkEmail(email))
	if err != nil {
		return err
	}
	c := emailChange("SetEmail", a.url(user), email, true)
	c.secrets = append(c.secrets, user.secret())
	return a.do(ctx, c, empty)
}

// SetPhone gives the user another phone number, + and 7 to 20 digits, and marks it as verified. All that
// SetEmail says holds for it.
func (a *Admin) SetPhone(ctx context.Context, id, phone string) error {
	user, err := a.check(ctx, id, checkPhone(phone))
	if err != nil {
		return err
	}
	c := phoneChange("SetPhone", a.url(user), phone, true)
	c.secrets = append(c.secrets, user.secret())
	return a.do(ctx, c, empty)
}

// SetDisabled disables the user's account, or enables it again. A user who is disabled can neither log in nor
// reset the password nor verify an address, and all of the user's sessions end: Kii Cloud documents that
// their tokens are dead, and nothing says that enabling brings them back.
//
// The error of note is [ErrUserNotFound].
//
// If [OutcomeUnknown] reports true, it may have been done: User tells, and to do it again does no harm.
func (a *Admin) SetDisabled(ctx context.Context, id string, disabled bool) error {
	user, err := a.check(ctx, id)
	if err != nil {
		return err
	}
	return a.do(ctx, &call{
		op:          "SetDisabled",
		method:      http.MethodPut,
		url:         a.url(user) + "/status",
		contentType: "application/vnd.kii.UserStatusUpdateRequest+json",
		body: marshal(struct {
			Disabled bool `json:"disabled"`
		}{disabled}),
		secrets: []string{user.secret()},
	}, empty)
}

// check refuses a call that cannot be made: because of a, of ctx, of id or of the first error of args.
// It returns the user that id names.
func (a *Admin) check(ctx context.Context, id string, args ...error) (userRef, error) {
	if a == nil || a.api == nil {
		return userRef{}, &ArgumentError{"Admin", "is nil or zero: use one that Client.Admin returned"}
	}
	if ctx == nil {
		return userRef{}, errNilContext
	}
	user, err := parseID(id)
	if err != nil {
		return userRef{}, err
	}
	return user, cmp.Or(args...)
}

// url returns the URL of a user.
func (a *Admin) url(user userRef) string { return a.api.userURL(user, "") }
