package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
)

const (
	defaultAddr   = "127.0.0.1:8484"
	defaultAppID  = "emulator"
	defaultAppKey = "emulator-key"
)

// options are what the command line says.
type options struct {
	addr   string
	expose string // the host that other machines call the emulator by; empty: loopback alone
	seed   string
	export string
	pin    string
	appID  string
	appKey string
}

const usage = `kii-emulator is a Kii Cloud on your machine, with a page for the mail and SMS it would have sent.

usage: kii-emulator [flags]

`

// parseFlags reads the command line. Its errors repeat no value that may be secret.
func parseFlags(args []string, stderr io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("kii-emulator", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.addr, "addr", defaultAddr, "listen on this `address`; port 0 takes a free one")
	f.StringVar(&o.expose, "expose", "", "let other machines in, who call the emulator by this `host`, such as 192.168.1.5\n"+
		"or emulator:8484; everybody who can reach it sees and changes everything")
	f.StringVar(&o.seed, "seed", "", "start with the accounts and settings in this JSON `file`, and return to them on reset")
	f.StringVar(&o.export, "export", "", "on exit, write the accounts and settings to this `file`, passwords included,\nin the form that -seed reads")
	f.StringVar(&o.pin, "pin", "", "make every PIN and verification code these `digits`, 4 to 10 of them")
	f.StringVar(&o.appID, "app-id", defaultAppID, "the app's `ID`")
	f.StringVar(&o.appKey, "app-key", defaultAppKey, "the app's `key`; like Kii Cloud, the emulator checks it for anonymous logins alone")
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
	case o.pin != "" && !regexp.MustCompile(`^[0-9]{4,10}$`).MatchString(o.pin):
		return o, errors.New("-pin must be 4 to 10 digits")
	case !regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`).MatchString(o.appID):
		return o, errors.New("-app-id must be 1 to 64 letters, digits, _ or -")
	case !regexp.MustCompile(`^[!-~]{1,256}$`).MatchString(o.appKey):
		return o, errors.New("-app-key must be 1 to 256 printable ASCII characters without spaces")
	}
	return o, o.checkExport()
}

// checkExport finds out at the start, not after a day's work, that the export has no place to go to.
func (o options) checkExport() error {
	if o.export == "" {
		return nil
	}
	if at, err := os.Stat(o.export); err == nil && at.IsDir() {
		return errors.New("-export must be a file, and is a folder")
	}
	folder, err := os.Stat(filepath.Dir(o.export))
	if err != nil || !folder.IsDir() {
		return errors.New("-export is in a folder that does not exist")
	}
	return nil
}
