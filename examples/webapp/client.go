package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// client names the sender of a request, to count by: an address, or the network of an IPv6 one, of
// which one household has billions.
func (a *app) client(r *http.Request) string {
	at := address(r.RemoteAddr)
	if !a.throughProxy(r) {
		return network(at)
	}
	// Each proxy adds whom it was reached by at the end. What is in front of a stranger's address,
	// the stranger wrote.
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		before := address(strings.Trim(strings.TrimSpace(hop), `"`))
		if !before.IsValid() {
			a.log.Error("a proxy does not add an address to X-Forwarded-For: its visitors are counted as one")
			break
		}
		if at = before; !a.cfg.isProxy(at) {
			break
		}
	}
	return network(at)
}

// throughProxy reports whether r comes from a proxy of the site's own, whose headers are believed.
func (a *app) throughProxy(r *http.Request) bool {
	return a.cfg.proxy && (len(a.cfg.proxies) == 0 || a.cfg.isProxy(address(r.RemoteAddr)))
}

func (c config) isProxy(ip netip.Addr) bool {
	return slices.ContainsFunc(c.proxies, func(of netip.Prefix) bool { return of.Contains(ip) })
}

// readProxies reads the value of -proxy: "true" if there is none, or else networks.
func (c *config) readProxies(list string) error {
	if c.proxy, c.proxies = true, nil; list == "true" {
		return nil
	}
	for one := range strings.SplitSeq(list, ",") {
		one = strings.TrimSpace(one)
		of, err := netip.ParsePrefix(one)
		if ip, notNetwork := netip.ParseAddr(one); notNetwork == nil {
			of, err = ip.Prefix(ip.BitLen())
		}
		if err != nil || of.Addr().Is4In6() || of.Addr().Zone() != "" {
			return fmt.Errorf("%q is not an address or network like 192.0.2.1 or 2001:db8::/32", one)
		}
		if of.Bits() == 0 {
			return fmt.Errorf("with %s all visitors would be proxies, and choose what they are counted as", one)
		}
		c.proxies = append(c.proxies, of)
	}
	return nil
}

// address reads an address with or without a port, a zone and brackets. It is invalid if addr is
// none of these.
func address(addr string) netip.Addr {
	host := addr
	if h, _, err := net.SplitHostPort(addr); err == nil {
		host = h
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return ip.Unmap().WithZone("")
}

// nat64 is what IPv4 visitors of a site with IPv6 only come from (RFC 6052): they are not one
// household.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

func network(ip netip.Addr) string {
	if !ip.Is6() || nat64.Contains(ip) {
		return ip.String()
	}
	of, _ := ip.Prefix(64)
	return of.String()
}

// normalHost is a host as another one that means the same: in lower case, without the scheme's own
// port and without the dot that ends a full name.
func normalHost(host, scheme string) string {
	name, port := host, ""
	if h, p, err := net.SplitHostPort(host); err == nil {
		name, port = h, p
	}
	name = strings.TrimSuffix(strings.ToLower(strings.Trim(name, "[]")), ".")
	if ip, err := netip.ParseAddr(name); err == nil {
		name = ip.String()
	}
	port = strings.TrimLeft(port, "0") // which browsers leave out
	if port != "" && port != map[string]string{"http": "80", "https": "443"}[scheme] {
		return net.JoinHostPort(name, port)
	}
	if strings.Contains(name, ":") {
		return "[" + name + "]"
	}
	return name
}

// endsInNumber matches a host that browsers take for an IPv4 address, whole or not.
var endsInNumber = regexp.MustCompile(`(?i)(^|\.)([0-9]+|0x[0-9a-f]*)\.?$`)

// siteURL reads where browsers find the site, and refuses what no browser's request can match.
// Passwords travel by plain http to this machine only.
func siteURL(site string, cert, proxy bool) (*url.URL, error) {
	u, err := url.Parse(site)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Path != "" && u.Path != "/") {
		return nil, errors.New("-url must be like https://www.example.com")
	}
	if strings.ContainsFunc(u.Host, func(r rune) bool { return r > '~' }) {
		return nil, errors.New("-url must have its host as browsers send it: in punycode, like xn--bcher-kva.example")
	}
	if endsInNumber.MatchString(u.Hostname()) && net.ParseIP(u.Hostname()) == nil {
		return nil, errors.New("-url has an IP address in a form that browsers rewrite: give all four numbers, in decimal")
	}
	if port, err := strconv.Atoi(u.Port()); u.Port() != "" && (err != nil || port < 1 || port > 65535) {
		return nil, errors.New("-url has a port that no browser can reach")
	}
	site = u.Scheme + "://" + normalHost(u.Host, u.Scheme)
	if u, err = url.Parse(site); err != nil || u.Hostname() == "" || strings.ContainsAny(u.Hostname(), "%* ,") {
		return nil, errors.New("-url must have a host that browsers can send")
	}
	switch ip := net.ParseIP(u.Hostname()); {
	case u.Scheme == "https" && cert != proxy:
		return u, nil
	case u.Scheme == "https":
		return nil, errors.New("-url with https needs either -cert and -key, or -proxy")
	case u.Scheme == "http" && !cert && !proxy && (u.Hostname() == "localhost" || ip.IsLoopback()):
		return u, nil
	}
	return nil, errors.New("-url must start with https:// unless it is on loopback")
}
