package main

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// client names the sender of a request, to count by: an address, or the network of an IPv6 one, of
// which one household has billions.
func (a *app) client(r *http.Request) string {
	if !a.cfg.proxy {
		return network(r.RemoteAddr)
	}
	all := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	last := strings.Trim(strings.TrimSpace(all[len(all)-1]), `"`) // the one that our proxy added
	if last == "" {
		a.log.Error("the proxy does not set X-Forwarded-For: all visitors are counted as one")
	}
	return network(last)
}

// network reads an address with or without a port and brackets. What is none of these is counted as
// it is.
func network(addr string) string {
	host := addr
	if h, _, err := net.SplitHostPort(addr); err == nil {
		host = h
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil {
		return addr
	}
	if ip = ip.Unmap(); ip.Is6() {
		network, _ := ip.WithZone("").Prefix(64)
		return network.String()
	}
	return ip.String()
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
