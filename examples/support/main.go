// Command support is a small program for a support desk. It finds a user, says why that user can or
// cannot reset the password, and does what helps: it sends a reset, corrects and verifies an
// address, sets a password, disables or enables the account.
//
//	go run ./examples/support
//
// plays a day of such a desk on an in-memory Kii Cloud. With KII_APP_ID, KII_APP_KEY and KII_SITE
// (a base URL, such as https://api.kii.com/api), and KII_CLIENT_ID and KII_CLIENT_SECRET of an
// administrator, it works on the real one and asks on the terminal. On stderr it writes one line of
// JSON for each change, without a password or an address.
//
// It does not check who calls the desk. Whoever works there does, before each change.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/examples/internal/demo"
	"github.com/go-kii/kii/kiitest"
)

func main() {
	demo.NoArguments("Helps users who cannot reset their password. KII_CLIENT_ID and KII_CLIENT_SECRET name\nan administrator.")
	// Ctrl-C ends a call and then the program, but not before the outcome is told and audited.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Getenv, os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, getenv func(string) string, in io.Reader, out, audit io.Writer) error {
	c, err := demo.Open(ctx, getenv, in, out, kiitest.InputPassword)
	if err != nil {
		return err
	}
	defer c.Close()
	clientID, clientSecret := getenv("KII_CLIENT_ID"), getenv("KII_CLIENT_SECRET")
	var script []string
	switch {
	case c.Server == nil:
	case clientID != "" || clientSecret != "":
		return errors.New("KII_CLIENT_ID or KII_CLIENT_SECRET is set, but none of KII_APP_ID, KII_APP_KEY and KII_SITE")
	default:
		clientID, clientSecret, script = c.Server.ClientID(), c.Server.ClientSecret(), day(c.Server)
	}
	admin, err := c.Client.Admin(clientID, clientSecret)
	if err != nil {
		return fmt.Errorf("KII_CLIENT_ID and KII_CLIENT_SECRET: %w", err)
	}
	d := &desk{
		Cloud:  c,
		admin:  admin,
		audit:  slog.New(slog.NewJSONHandler(audit, nil)).With("by", cmp.Or(getenv("USER"), getenv("USERNAME"), "unknown")),
		script: script,
	}
	return d.serve(ctx)
}

// A desk helps one user after another.
type desk struct {
	*demo.Cloud
	admin  *kii.Admin
	audit  *slog.Logger
	script []string // the answers on the in-memory Kii Cloud
}

// serve asks for users until there is no answer.
func (d *desk) serve(ctx context.Context) error {
	for {
		id, err := d.ask("\nWhich user (user ID, e-mail, phone with + or LOGIN_NAME:name; none: leave)")
		if err != nil || id == "" {
			return withoutEOF(err)
		}
		if err := d.help(ctx, id); err != nil {
			return withoutEOF(err)
		}
	}
}

// help offers what helps a user, until nothing is chosen.
func (d *desk) help(ctx context.Context, id string) error {
	for {
		user, err := d.admin.User(ctx, id)
		var refused *kii.ArgumentError
		switch {
		case errors.Is(err, kii.ErrUserNotFound):
			d.Say("There is no such user. An address that is not verified finds nobody: try the user ID, or LOGIN_NAME: and the login name.")
			return nil
		case errors.As(err, &refused):
			d.Say("This names no user: it %s.", refused.Reason)
			return nil
		case kii.OutcomeUnknown(err), errors.Is(err, kii.ErrRateLimited), isUnsent(err):
			d.Say("The user cannot be read at the moment: %v", err)
			return nil
		case err != nil: // the administrator or the app is a wrong one
			return err
		}
		id = user.UserID // also after the address that named the user has changed
		d.show(user)

		offers := d.offers(user)
		for i, o := range offers {
			d.Say("  %d  %s", i+1, o.what)
		}
		choice, err := d.ask("What do you want to do (a number; none: another user)")
		if err != nil || choice == "" {
			return err
		}
		n, err := strconv.Atoi(choice)
		if err != nil || n < 1 || n > len(offers) {
			d.Say("This is none of the numbers.")
			continue
		}
		err = d.change(ctx, user, offers[n-1])
		if errors.Is(err, io.EOF) {
			d.Say("Nothing was changed.")
		}
		if err != nil {
			return err
		}
	}
}

func isUnsent(err error) bool {
	failure, ok := errors.AsType[*kii.TransportError](err)
	return ok && failure.NotSent
}

// ask is demo's, with the next answer of the script.
func (d *desk) ask(question string) (string, error) {
	answer, err := d.next()
	if err != nil {
		return "", err
	}
	return d.Ask(question, answer)
}

func (d *desk) askPassword(question string) (string, error) {
	answer, err := d.next()
	if err != nil {
		return "", err
	}
	return d.AskPassword(question, answer)
}

// next takes an answer from the script. On the real Kii Cloud there is none, and nobody needs one.
func (d *desk) next() (string, error) {
	if d.Server == nil {
		return "", nil
	}
	if len(d.script) == 0 {
		return "", io.EOF
	}
	answer := d.script[0]
	d.script = d.script[1:]
	return answer, nil
}

// withoutEOF is nil for the end of the answers, at which the desk closes.
func withoutEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
