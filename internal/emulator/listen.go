package emulator

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"syscall"
)

// A binding is where the emulator listens, and the names that it answers to.
type binding struct {
	listener net.Listener
	origin   string          // scheme and host, where the links in messages begin
	hosts    map[string]bool // the Host headers that it serves, in lower case
}

// listen opens the socket. Without -expose the address must be of this machine alone.
func (o Options) listen() (*binding, error) {
	address, err := net.ResolveTCPAddr("tcp", o.Addr)
	if err != nil {
		return nil, errors.New("-addr must be a host and a port, such as " + DefaultAddr)
	}
	if !address.IP.IsLoopback() && o.Expose == "" {
		return nil, errors.New("-addr is an address that other machines can reach. Choose one of loopback, such as " + DefaultAddr +
			", or add -expose with the host that they call it by")
	}
	host, port, err := splitHost(o.Expose)
	if err != nil {
		return nil, err
	}
	l, err := net.ListenTCP("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("port %d is in use, perhaps by another kii-emulator. Stop what uses it, or choose another port: -addr 127.0.0.1:0 takes a free one", address.Port)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("port %d is not for this user: ports below 1024 may need root. Choose another with -addr", address.Port)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on -addr: %w", err)
	}
	bound := l.Addr().(*net.TCPAddr)
	p := &binding{listener: l, hosts: make(map[string]bool)}
	own := strconv.Itoa(bound.Port)
	if bound.IP.IsLoopback() || bound.IP.IsUnspecified() {
		for _, name := range []string{"127.0.0.1", "localhost", "::1"} {
			p.allow(name, own)
		}
	}
	if !bound.IP.IsUnspecified() {
		p.allow(bound.IP.String(), own)
		p.origin = "http://" + bound.String()
	}
	if host != "" {
		if port == "" {
			port = own
		}
		p.allow(host, port)
		p.origin = "http://" + net.JoinHostPort(host, port)
	}
	return p, nil
}

// allow serves a Host. A client leaves port 80 out.
func (p *binding) allow(host, port string) {
	p.hosts[strings.ToLower(net.JoinHostPort(host, port))] = true
	if port == "80" {
		p.hosts[strings.ToLower(host)] = true
	}
}

// splitHost reads -expose: a host name or an IP address, with a port or without.
func splitHost(expose string) (host, port string, err error) {
	if expose == "" {
		return "", "", nil
	}
	wrong := errors.New("-expose must be a host that clients can call, with a port or without: 192.168.1.5, emulator:8484 or [fd00::5]:8484")
	u, err := url.Parse("http://" + expose)
	if err != nil || u.Host != expose || u.Hostname() == "" || strings.ContainsAny(u.Hostname(), "*_ %") {
		return "", "", wrong
	}
	if n, err := strconv.Atoi(u.Port()); u.Port() != "" && (err != nil || n < 1 || n > 65535) {
		return "", "", wrong
	}
	if ip := net.ParseIP(u.Hostname()); ip != nil && ip.IsUnspecified() {
		return "", "", wrong
	}
	return strings.ToLower(u.Hostname()), u.Port(), nil
}
