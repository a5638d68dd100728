package emulator

import (
	"fmt"
	"net"
	"strconv"
)

// A binding is where the emulator listens, and the names that it answers to.
type binding struct {
	listeners []net.Listener
	address   *net.TCPAddr    // of the first listener
	origin    string          // scheme and host, where the links in messages begin
	hosts     map[string]bool // the hosts with their ports that it serves, as normalAddress writes them
	anyPort   map[string]bool // the hosts that it serves by whatever port, as normalHost writes them
	shared    bool            // another program has the port at ::1
}

// listen opens the socket. The options are valid.
func (o Options) listen() (*binding, error) {
	address, err := o.address()
	if err != nil {
		return nil, err
	}
	l, err := net.ListenTCP("tcp", address)
	if err != nil { // each system has its own words and numbers for a port that is in use, or not for this user
		return nil, fmt.Errorf("cannot serve at -addr: %w. If another kii-emulator has the port, stop that or choose another port: -addr 127.0.0.1:0 takes a free one", err)
	}
	bound := l.Addr().(*net.TCPAddr)
	p := &binding{listeners: []net.Listener{l}, address: bound, hosts: make(map[string]bool), anyPort: make(map[string]bool)}
	if bound.IP.Equal(net.IPv4(127, 0, 0, 1)) { // some programs try ::1 first for localhost, and others try only that
		if l, err := net.ListenTCP("tcp6", &net.TCPAddr{IP: net.IPv6loopback, Port: bound.Port}); err == nil {
			p.listeners = append(p.listeners, l)
		} else if l, err := net.ListenTCP("tcp6", &net.TCPAddr{IP: net.IPv6loopback}); err == nil {
			p.shared = true // there is IPv6, so the port is what cannot be had
			l.Close()
		}
	}
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
	for i, expose := range o.Expose {
		host, port, _ := splitHost(expose)
		if port == "0" {
			p.anyPort[host] = true
		}
		if port == "" || port == "0" {
			port = own
		}
		p.allow(host, port)
		if i == 0 {
			p.origin = "http://" + net.JoinHostPort(host, port)
		}
	}
	return p, nil
}

// allow serves a host.
func (p *binding) allow(host, port string) {
	p.hosts[normalAddress(net.JoinHostPort(host, port))] = true
}

// answersTo reports whether a Host header names the emulator. A client leaves port 80 out.
func (p *binding) answersTo(header string) bool {
	return p.hosts[normalAddress(header)] || p.byAnyPort(header)
}

// byAnyPort reports whether a Host header names the emulator by a port that it need not know.
func (p *binding) byAnyPort(header string) bool {
	host, port, err := splitHost(normalAddress(header))
	return err == nil && port != "0" && p.anyPort[host]
}
