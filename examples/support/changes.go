package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/examples/internal/demo"
)

// An offer is a change that would help a user.
type offer struct {
	what string // for the person at the desk and for the audit; it names no address
	note string // what to know before
	do   func(ctx context.Context) error
	ask  func() (shown string, err error) // asks for what do needs, and returns what to confirm; may be nil
}

// offers returns what can be done for a user.
func (d *desk) offers(user *kii.Profile) (offers []offer) {
	for _, w := range ways(user) {
		offers = append(offers, offer{
			what: "send " + w.name,
			do:   func(ctx context.Context) error { return d.User.ResetPassword(ctx, user.UserID, w.method) },
		})
	}
	var email, phone, password string
	offers = append(offers, offer{
		what: "correct and verify the e-mail address",
		note: "Kii Cloud sends nothing there. From now on the address brings the means to reset the password.",
		ask: func() (_ string, err error) {
			email, err = d.askAddress("E-mail address", cmp.Or(user.PendingEmail, user.Email))
			return email, err
		},
		do: func(ctx context.Context) error { return d.admin.SetEmail(ctx, user.UserID, email) },
	}, offer{
		what: "correct and verify the phone number",
		note: "Kii Cloud sends nothing there. From now on the number brings the means to reset the password.",
		ask: func() (_ string, err error) {
			phone, err = d.askAddress("Phone number, with + and the country", cmp.Or(user.PendingPhone, user.Phone))
			return phone, err
		},
		do: func(ctx context.Context) error { return d.admin.SetPhone(ctx, user.UserID, phone) },
	})
	if !lacksPassword(user) {
		offers = append(offers, offer{
			what: "set a password",
			note: "Kii Cloud tells nobody. Hand the password over yourself, and have it changed at the first login.",
			ask: func() (_ string, err error) {
				password, err = d.askPassword("New password (it is not shown)")
				return "", err
			},
			do: func(ctx context.Context) error { return d.admin.SetPassword(ctx, user.UserID, password) },
		})
	}
	if user.Disabled {
		return append(offers, offer{
			what: "enable the account",
			do:   func(ctx context.Context) error { return d.admin.SetDisabled(ctx, user.UserID, false) },
		})
	}
	return append(offers, offer{
		what: "disable the account",
		note: "It ends all of the user's sessions.",
		do:   func(ctx context.Context) error { return d.admin.SetDisabled(ctx, user.UserID, true) },
	})
}

// askAddress asks for an address. Without an answer it is the one that is there.
func (d *desk) askAddress(question, there string) (string, error) {
	if there != "" {
		question += " (none: " + printable(there) + ")"
	}
	answer, err := d.ask(question)
	return cmp.Or(answer, there), err
}

// change does what was chosen, if it is confirmed. It says what became of it and writes a line of
// audit.
func (d *desk) change(ctx context.Context, user *kii.Profile, o offer) error {
	question := "Do you know for certain that it is this user who asks, and want to " + o.what
	if o.ask != nil {
		shown, err := o.ask()
		if err != nil {
			return err
		}
		if shown != "" {
			question += ", " + printable(shown)
		}
	}
	if o.note != "" {
		d.Say("%s", o.note)
	}
	answer, err := d.ask(question + " (yes, or nothing is done)")
	if err != nil {
		return err
	}
	if answer != "yes" {
		d.Say("Nothing was changed.")
		return nil
	}
	err = o.do(ctx)
	if refused, ok := errors.AsType[*kii.ArgumentError](err); ok {
		d.Say("Nothing was changed: it %s.", refused.Reason)
		return nil
	}
	outcome, said := "done", "Done."
	switch {
	case kii.OutcomeUnknown(err):
		outcome, said = "unknown", fmt.Sprintf("It may have been done, or not. Look at the user before you repeat it: %v", err)
	case err != nil:
		outcome, said = "nothing happened", fmt.Sprintf("Nothing was changed: %v", explain(err))
	}
	// Audited before it is said: a terminal that is gone ends the process.
	record := slog.NewRecord(time.Now(), slog.LevelInfo, "support", 0)
	record.AddAttrs(slog.String("user", user.UserID), slog.String("change", o.what), slog.String("outcome", outcome))
	if code, ok := errors.AsType[kii.ErrorCode](err); ok {
		record.AddAttrs(slog.String("code", string(code)))
	}
	lost := d.audit.Handler().Handle(ctx, record)
	d.Say("%s", said)
	if lost != nil {
		return fmt.Errorf("the audit of this could not be written, so the desk closes: %w", lost)
	}
	return ctx.Err()
}

// explain says what the person at the desk can do about an error; otherwise it is err.
func explain(err error) any {
	switch code, _ := errors.AsType[kii.ErrorCode](err); code {
	case kii.ErrAddressTaken:
		return "another user has verified this address."
	case kii.ErrPasswordTooShort:
		return "the app wants " + demo.Longer(err) + "."
	case kii.ErrRateLimited:
		return "Kii Cloud has had too many calls. Try again in a minute."
	}
	return err
}
