// Command emaillink resets a forgotten password by an e-mail with a link, in an app that lets Kii
// Cloud generate the new password.
//
//	go run ./examples/emaillink
//
// runs the whole story on an in-memory Kii Cloud. With KII_APP_ID, KII_APP_KEY and KII_SITE (a base
// URL, such as https://api.kii.com/api) set it talks to the real one and asks on the terminal.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/examples/internal/demo"
	"github.com/go-kii/kii/kiitest"
)

func main() {
	demo.NoArguments("Resets a forgotten password by an e-mail with a link.")
	// Ctrl-C ends a call and then the program, but not before the outcome is told.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Getenv, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, getenv func(string) string, in io.Reader, out io.Writer) error {
	c, err := demo.Open(ctx, getenv, in, out, kiitest.GeneratePassword)
	if err != nil {
		return err
	}
	defer c.Close()
	old, err := c.LoginOld(ctx)
	if err != nil {
		return err
	}

	id, err := c.Ask("Whose password (e-mail, or phone with +)", demo.Email)
	if err != nil {
		return err
	}
	if err := c.User.ResetPassword(ctx, id, kii.NotificationEmail); err != nil {
		return demo.Explain(err)
	}
	c.Say("Kii Cloud has accepted the request for an e-mail with a link")

	// The rest happens between the user and Kii Cloud. The program is not told that the link was
	// opened.
	var generated string
	if c.Server == nil {
		c.Say("Open the link in the e-mail. The new password comes by a second one, or is asked for by the page")
	} else if generated, err = openLink(ctx, c); err != nil {
		return err
	}

	if err := c.ShowOldSession(ctx, old); err != nil {
		return err
	}
	password, err := c.AskPassword("New password", generated)
	if err != nil {
		return err
	}
	return c.LoginNew(ctx, id, password)
}

// openLink plays the user. Opening the link resets the password; a second e-mail holds the new one.
func openLink(ctx context.Context, c *demo.Cloud) (generated string, err error) {
	msg, err := c.Sent()
	if err != nil {
		return "", err
	}
	c.Say("The user opens the link, which resets the password")
	if err := c.Follow(ctx, msg.Link, ""); err != nil {
		return "", err
	}
	msg, err = c.Sent()
	return msg.Password, err
}
