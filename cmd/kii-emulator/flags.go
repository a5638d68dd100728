package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"

	"github.com/go-kii/kii/internal/emulator"
)

const usage = `kii-emulator is a Kii Cloud on your machine, with a page for the mail and SMS it would have sent.

usage: kii-emulator [flags]

`

// parseFlags reads the command line. Its errors repeat no value that may be secret.
func parseFlags(args []string, stderr io.Writer) (emulator.Options, error) {
	var o emulator.Options
	f := flag.NewFlagSet("kii-emulator", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.Addr, "addr", emulator.DefaultAddr, "listen on this `address`; port 0 takes a free one")
	f.StringVar(&o.Expose, "expose", "", "let other machines in, who call the emulator by this `host`, such as 192.168.1.5\n"+
		"or emulator:8484; everybody who can reach it sees and changes everything")
	f.StringVar(&o.Seed, "seed", "", "start with the accounts and settings in this JSON `file`, and return to them on reset")
	f.StringVar(&o.Export, "export", "", "on exit, write the accounts and settings to this `file`, passwords included,\nin the form that -seed reads")
	f.StringVar(&o.PIN, "pin", "", "make every PIN and verification code these `digits`, 4 to 10 of them")
	f.StringVar(&o.AppID, "app-id", emulator.DefaultAppID, "the app's `ID`")
	f.StringVar(&o.AppKey, "app-key", emulator.DefaultAppKey, "the app's `key`; like Kii Cloud, the emulator checks it for anonymous logins alone")
	err := f.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stderr, usage)
		f.SetOutput(stderr)
		f.PrintDefaults()
		return o, err
	case err != nil:
		return o, fmt.Errorf("%w; -help lists the flags", err)
	case f.NArg() > 0:
		return o, errors.New("there is an argument that belongs to no flag; -help lists the flags")
	case o.PIN != "" && !regexp.MustCompile(`^[0-9]{4,10}$`).MatchString(o.PIN):
		return o, errors.New("-pin must be 4 to 10 digits")
	case !regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`).MatchString(o.AppID):
		return o, errors.New("-app-id must be 1 to 64 letters, digits, _ or -")
	case !regexp.MustCompile(`^[!-~]{1,256}$`).MatchString(o.AppKey):
		return o, errors.New("-app-key must be 1 to 256 printable ASCII characters without spaces")
	}
	return o, checkExport(o.Export)
}

// checkExport finds out at the start, not after a day's work, that the export has no place to go to.
func checkExport(name string) error {
	if name == "" {
		return nil
	}
	if at, err := os.Stat(name); err == nil && at.IsDir() {
		return errors.New("-export must be a file, and is a folder")
	}
	folder, err := os.Stat(filepath.Dir(name))
	if err != nil || !folder.IsDir() {
		return errors.New("-export is in a folder that does not exist")
	}
	return nil
}
