// Command pin resets a forgotten password by an SMS with a PIN code.
//
//	go run ./examples/pin
//
// runs the whole story on an in-memory Kii Cloud. With KII_APP_ID, KII_APP_KEY and KII_SITE (a base
// URL, such as https://api.kii.com/api) set it talks to the real one and asks on the terminal.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/examples/internal/demo"
	"github.com/go-kii/kii/kiitest"
)

func main() {
	if err := run(context.Background(), os.Getenv, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, getenv func(string) string, in io.Reader, out io.Writer) error {
	c, err := demo.Open(getenv, in, out, kiitest.InputPassword)
	if err != nil {
		return err
	}
	defer c.Close()
	old, err := c.LoginOld(ctx)
	if err != nil {
		return err
	}

	id, err := c.Ask("Whose password (e-mail, phone with +, or user ID)", demo.Phone)
	if err != nil {
		return err
	}
	if err := c.User.ResetPassword(ctx, id, kii.NotificationSMSPIN); err != nil {
		return explain(err)
	}
	c.Say("Kii Cloud has accepted the request for an SMS with a PIN")
	var pin, wrong string
	if c.Server != nil {
		msg, err := c.Sent()
		if err != nil {
			return err
		}
		pin, wrong = msg.PIN, wrongPIN(msg.PIN)
	}

	password, err := c.AskPassword("New password (none: let Kii Cloud generate one)", "new-password")
	if err != nil {
		return err
	}
	newPassword := &password
	if password == "" {
		newPassword = nil
	}
	for answer := wrong; ; answer = pin { // the first try in memory is a wrong one
		typed, err := c.Ask("PIN", answer)
		if err != nil {
			return err
		}
		err = c.User.CompleteResetPassword(ctx, id, typed, newPassword)
		if errors.Is(err, kii.ErrWrongPIN) {
			c.Say("That is not the PIN that was sent (%v). Try again", err)
			continue
		}
		if err != nil {
			return explain(err)
		}
		break
	}
	c.Say("The password is reset")

	if err := c.ShowOldSession(ctx, old); err != nil {
		return err
	}
	if newPassword == nil {
		if password, err = c.AskPassword("The generated password, from the second SMS", ""); err != nil {
			return err
		}
	}
	return c.LoginNew(ctx, id, password)
}

// explain adds what the caller of a failed call needs to know: whether anything happened.
func explain(err error) error {
	if kii.OutcomeUnknown(err) {
		return fmt.Errorf("it may still have happened: look for an SMS, or try to log in: %w", err)
	}
	return fmt.Errorf("nothing was changed: %w", err)
}

func wrongPIN(pin string) string {
	if pin == "000000" {
		return "111111"
	}
	return "000000"
}
