// Command smslink resets a forgotten password by an SMS with a link, in an app that lets the user
// choose the new password.
//
//	go run ./examples/smslink
//
// runs the whole story on an in-memory Kii Cloud. With KII_APP_ID, KII_APP_KEY and KII_SITE (a base
// URL, such as https://api.kii.com/api) set it talks to the real one and asks on the terminal.
package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/examples/internal/demo"
	"github.com/go-kii/kii/kiitest"
)

func main() {
	demo.NoArguments("Resets a forgotten password by an SMS with a link.")
	// Ctrl-C ends a call and then the program, but not before the outcome is told.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Getenv, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, getenv func(string) string, in io.Reader, out io.Writer) error {
	c, err := demo.Open(ctx, getenv, in, out, kiitest.InputPassword)
	if err != nil {
		return err
	}
	defer c.Close()
	old, err := c.LoginOld(ctx)
	if err != nil {
		return err
	}

	// The id may be another address than the one that the message goes to.
	id, err := c.Ask("Whose password (e-mail, or phone with +)", demo.Email)
	if err != nil {
		return err
	}
	if err := c.User.ResetPassword(ctx, id, kii.NotificationSMS); err != nil {
		return demo.Explain(err)
	}
	c.Say("Kii Cloud has accepted the request for an SMS with a link")

	// The rest happens between the user and Kii Cloud. The program is not told that the link was
	// opened.
	const chosen = "new-password"
	if c.Server == nil {
		c.Say("Open the link in the SMS and choose a password there, or wait for a second SMS with one")
	} else if err := fillForm(ctx, c, chosen); err != nil {
		return err
	}

	if err := c.ShowOldSession(ctx, old); err != nil {
		return err
	}
	password, err := c.AskPassword("New password", chosen)
	if err != nil {
		return err
	}
	return c.LoginNew(ctx, id, password)
}

// fillForm plays the user, who opens the link and types a password into the page behind it.
func fillForm(ctx context.Context, c *demo.Cloud, password string) error {
	msg, err := c.Sent()
	if err != nil {
		return err
	}
	c.Say("The user opens the link: a page with a form. Nothing has changed yet")
	if err := c.Follow(ctx, msg.Link, ""); err != nil {
		return err
	}
	if _, err := c.User.Login(ctx, demo.Email, demo.OldPassword); err != nil {
		return fmt.Errorf("the old password must work until the form is sent: %w", err)
	}
	c.Say("The user types a new password into the form and sends it")
	return c.Follow(ctx, msg.Link, url.Values{"password": {password}, "confirm": {password}}.Encode())
}
