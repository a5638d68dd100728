package emulator

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// What the emulator uses if the options leave it out.
const (
	DefaultAddr     = "127.0.0.1:8484"
	DefaultAppID    = "emulator"
	DefaultAppKey   = "emulator-key"
	DefaultClientID = "emulator-admin"
	DefaultSecret   = "emulator-admin-secret"
)

// Options are what the command line chooses.
type Options struct {
	Addr         string   // where to listen; port 0 takes a free one
	AddrFile     string   // the file to write that address to; empty: none
	Expose       []string // the hosts that other machines call the emulator by; none: only loopback
	Seed         string   // the file to start with; empty: no users, default settings
	Export       string   // the file to write on exit; empty: none
	PIN          string   // every PIN and verification code; empty: random ones
	AppID        string
	AppKey       string   // shown nowhere unless it is DefaultAppKey
	ClientID     string   // of an administrator
	ClientSecret string   // shown nowhere unless it is DefaultSecret
	Ready        bool     // only report whether an emulator serves at Addr
	Command      []string // what to run while the emulator serves; empty: it serves until it is stopped
}

var (
	appIDs  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	appKeys = regexp.MustCompile(`^[!-~]{1,256}$`)
	hosts   = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`) // with _, as a service of a compose file has
)

// Validate reports which option makes no sense. It repeats no value that may be secret, and opens
// nothing but the files, to find out that they can be read or written.
func (o Options) Validate() error {
	switch {
	case o.PIN != "" && !regexp.MustCompile(`^[0-9]{4,10}$`).MatchString(o.PIN):
		return errors.New("-pin must be 4 to 10 digits")
	case !appIDs.MatchString(o.AppID):
		return errors.New("-app-id must be 1 to 64 letters, digits, _ or -")
	case !appKeys.MatchString(o.AppKey):
		return errors.New("-app-key must be 1 to 256 printable ASCII characters without spaces")
	case !appKeys.MatchString(o.ClientID):
		return errors.New("-client-id must be 1 to 256 printable ASCII characters without spaces")
	case !appKeys.MatchString(o.ClientSecret):
		return errors.New("-client-secret must be 1 to 256 printable ASCII characters without spaces")
	case o.ClientID == o.AppID:
		return errors.New("-client-id must differ from -app-id, which names no administrator")
	}
	for _, expose := range o.Expose {
		if _, _, err := splitHost(expose); err != nil {
			return err
		}
	}
	if _, err := o.address(); err != nil {
		return err
	}
	if o.AddrFile != "" && (sameFile(o.AddrFile, o.Seed) || sameFile(o.AddrFile, o.Export)) {
		return refusedFile("-addr-file", o.AddrFile, "it is the seed or the export too, which the address would overwrite")
	}
	return cmp.Or(checkSeed(o.Seed, o.Export), checkOutput("-addr-file", o.AddrFile), checkOutput("-export", o.Export))
}

// address is where to listen. Without -expose it must be one of loopback.
func (o Options) address() (*net.TCPAddr, error) {
	address, err := net.ResolveTCPAddr("tcp", o.Addr)
	if err != nil || o.Addr == "" {
		return nil, errors.New("-addr must be a host and a port, such as " + DefaultAddr)
	}
	if !address.IP.IsLoopback() && len(o.Expose) == 0 {
		return nil, errors.New("-addr is an address that other machines can reach. Choose one of loopback, such as " + DefaultAddr +
			", or add -expose with the host that they call it by")
	}
	return address, nil
}

// splitHost reads -expose: a host name or an IP address, with a port or without. Port 0 stands for
// any, as a container does not know the port that it is published by.
func splitHost(expose string) (host, port string, err error) {
	wrong := errors.New("-expose must be a host that clients can call, with a port or without: 192.168.1.5, emulator:8484 or [fd00::5]:8484. Port 0 stands for any")
	u, err := url.Parse("http://" + expose)
	if err != nil || u.Host != expose {
		return "", "", wrong
	}
	ip := net.ParseIP(u.Hostname())
	if ip == nil && !hosts.MatchString(u.Hostname()) || ip.IsUnspecified() || ip.IsMulticast() {
		return "", "", wrong
	}
	if strings.HasSuffix(expose, ":") {
		return "", "", wrong
	}
	if n, _ := strconv.Atoi(u.Port()); n > 65535 { // url.Parse takes digits only; too many give the greatest number
		return "", "", wrong
	}
	return normalHost(u.Hostname()), u.Port(), nil
}

// normalHost writes a host name or an IP address in the one way that hosts are compared by.
func normalHost(host string) string {
	if ip := net.ParseIP(strings.Trim(host, "[]")); ip != nil {
		return ip.String()
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

// normalAddress does the same for a Host header, and keeps its port.
func normalAddress(header string) string {
	host, port, err := net.SplitHostPort(header)
	if err != nil {
		host, port = header, "80"
	}
	if n, err := strconv.Atoi(port); err == nil {
		port = fmt.Sprint(n)
	}
	return net.JoinHostPort(normalHost(host), port)
}
