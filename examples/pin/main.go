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
	"os/signal"
	"syscall"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/examples/internal/demo"
	"github.com/go-kii/kii/kiitest"
)

func main() {
	demo.NoArguments("Resets a forgotten password by an SMS with a PIN code.")
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

	id, err := c.Ask("Whose password (e-mail, or phone with +)", demo.Phone)
	if err != nil {
		return err
	}
	if err := c.User.ResetPassword(ctx, id, kii.NotificationSMSPIN); err != nil {
		return demo.Explain(err)
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

	const question = "New password (none: let Kii Cloud generate one)"
	password, err := c.AskPassword(question, "new-password")
	if err != nil {
		return err
	}
	typed, err := c.Ask("PIN", wrong) // the first try in memory
	if err != nil {
		return err
	}
	for {
		err := c.User.CompleteResetPassword(ctx, id, typed, optional(password))
		if err == nil {
			break
		}
		switch argument, _ := errors.AsType[*kii.ArgumentError](err); {
		case errors.Is(err, kii.ErrWrongPIN) || argument != nil && argument.Name == "pin":
			c.Say("That is not the PIN that was sent (%v). Try again", err)
			typed, err = c.Ask("PIN", pin)
		case errors.Is(err, kii.ErrPasswordTooShort):
			c.Say("Kii Cloud wants %s (%v). Try another", demo.Longer(err), err)
			password, err = c.AskPassword(question, "")
		case errors.Is(err, kii.ErrInvalidInput) || argument != nil && argument.Name == "newPassword":
			c.Say("Kii Cloud does not take this password: it is too short, too long, the old one, or not ASCII (%v). Try another", err)
			password, err = c.AskPassword(question, "")
		default:
			return demo.Explain(err)
		}
		if err != nil {
			return err
		}
	}
	c.Say("The password is reset")

	if err := c.ShowOldSession(ctx, old); err != nil {
		return err
	}
	if password == "" {
		if password, err = c.AskPassword("The generated password, from the second SMS", ""); err != nil {
			return err
		}
	}
	return c.LoginNew(ctx, id, password)
}

// optional is nil for no password, and Kii Cloud generates one.
func optional(password string) *string {
	if password == "" {
		return nil
	}
	return &password
}

func wrongPIN(pin string) string {
	if pin == "000000" {
		return "111111"
	}
	return "000000"
}
