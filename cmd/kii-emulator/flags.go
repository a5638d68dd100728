package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"

	"github.com/go-kii/kii/internal/emulator"
)

const usage = `kii-emulator is a Kii Cloud on your machine, with a page for the mail and SMS it would have sent.

usage: kii-emulator [flags]
       kii-emulator [flags] -- command [arguments]
       kii-emulator [-addr address] -ready

With a command it serves while the command runs, hands it the addresses in the environment (KII_SITE,
KII_APP_ID, KII_APP_KEY, KII_EMULATOR_API and others), and exits with its status.

`

// parseFlags reads the command line. Its errors repeat no value that may be secret.
func parseFlags(args []string, stderr io.Writer) (emulator.Options, error) {
	var o emulator.Options
	f := flag.NewFlagSet("kii-emulator", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.Addr, "addr", emulator.DefaultAddr, "listen on this `address`; port 0 takes a free one, as does a command without -addr")
	f.StringVar(&o.AddrFile, "addr-file", "", "write the address to this `file` as soon as the emulator serves, and remove it on exit")
	f.Func("expose", "let other machines in that call the emulator by this `host`, such as 192.168.1.5\n"+
		"or emulator:8484; everybody who can reach it sees and changes everything. May be given\n"+
		"again for another host; links in messages begin with the first. Port 0 stands for any:\n"+
		"a message read by that host has links with the port that the page was read by", func(host string) error {
		o.Expose = append(o.Expose, host)
		return nil
	})
	f.StringVar(&o.Seed, "seed", "", "start with the users and settings in this JSON `file`, and return to them on reset")
	f.StringVar(&o.Export, "export", "", "on exit, write the users and settings to this `file`, passwords included,\nin the form that -seed reads")
	f.StringVar(&o.PIN, "pin", "", "make every PIN and verification code these `digits`, 4 to 10 of them")
	f.StringVar(&o.AppID, "app-id", emulator.DefaultAppID, "the app's `ID`")
	f.StringVar(&o.AppKey, "app-key", emulator.DefaultAppKey, "the app's `key`; like Kii Cloud, the emulator checks it only for anonymous logins")
	f.StringVar(&o.ClientID, "client-id", emulator.DefaultClientID, "the `ID` that an administrator logs in with")
	f.StringVar(&o.ClientSecret, "client-secret", emulator.DefaultSecret, "the `secret` that an administrator logs in with")
	f.BoolVar(&o.Ready, "ready", false, "serve nothing, and report by the exit status whether an emulator answers at -addr: 0 or 1")
	err := f.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stderr, usage)
		f.SetOutput(stderr)
		f.PrintDefaults()
		return o, err
	case err != nil:
		return o, fmt.Errorf("%w; -help lists the flags", err)
	case f.NArg() > 0 && !slices.Contains(args[:len(args)-f.NArg()], "--"):
		return o, errors.New("there is an argument that belongs to no flag; -help lists the flags, and -- goes before a command")
	case f.NArg() > 0 && o.Ready:
		return o, errors.New("-ready runs no command; leave one of them out")
	case f.Arg(0) == "" && len(args) > 0 && (f.NArg() > 0 || args[len(args)-1] == "--"):
		return o, errors.New("there is no command after --")
	}
	if name := emptyFlag(f); name != "" { // what a script gives whose variable is not set
		return o, fmt.Errorf("-%s is empty; give it a value, or leave it out", name)
	}
	o.Command = f.Args()
	if len(o.Command) > 0 && !given(f, "addr") {
		o.Addr = "127.0.0.1:0" // so that two runs do not get in each other's way
	}
	return o, o.Validate()
}

// emptyFlag returns the name of a flag that may be left out and was given without a value.
func emptyFlag(f *flag.FlagSet) (name string) {
	f.Visit(func(set *flag.Flag) {
		if set.Value.String() == "" && slices.Contains([]string{"addr-file", "export", "pin", "seed"}, set.Name) {
			name = set.Name
		}
	})
	return name
}

// given reports whether the command line has the flag.
func given(f *flag.FlagSet, name string) (found bool) {
	f.Visit(func(set *flag.Flag) { found = found || set.Name == name })
	return found
}
