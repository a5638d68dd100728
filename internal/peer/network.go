package peer

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
)

// Resolver returns a resolver that asks a name server on loopback, which finds nobody: the first
// label of a name says how it puts it.
func Resolver() (*net.Resolver, error) {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() {
		query := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(query)
			if err != nil {
				return
			}
			if answer := nobody(query[:n]); answer != nil {
				_, _ = server.WriteTo(answer, from)
			}
		}
	}()
	var dialer net.Dialer
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, "udp", server.LocalAddr().String())
	}}, nil
}

// nobody answers a query without a record, RFC 1035, 4.1; nil is silence.
func nobody(query []byte) []byte {
	const header = 12
	end := header
	for end < len(query) && query[end] != 0 {
		end += 1 + int(query[end])
	}
	end += 5 // the root label, type and class
	if end > len(query) || end == header+5 {
		return nil
	}
	answer := append([]byte(nil), query[:end]...)
	answer[2] |= 0x80 // a response
	copy(answer[6:header], make([]byte, header-6))
	switch string(query[header+1 : header+1+int(query[header])]) {
	case "silent":
		return nil
	case "servfail":
		answer[3] = 0x82
	case "refused":
		answer[3] = 0x85
	case "nodata":
		answer[3] = 0x80
	default:
		answer[3] = 0x83 // NXDOMAIN
	}
	return answer
}

// A Proxy lets nothing through.
type Proxy struct {
	addr    string
	mu      sync.Mutex
	answers map[string]string // by the host that a CONNECT names
	asked   map[string]int
}

// NewProxy returns a proxy on loopback.
func NewProxy() (*Proxy, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{addr: ln.Addr().String(), answers: map[string]string{}, asked: map[string]int{}}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p, nil
}

func (p *Proxy) serve(conn net.Conn) {
	defer conn.Close()
	req, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil || req.Method != http.MethodConnect {
		return
	}
	p.mu.Lock()
	p.asked[req.URL.Hostname()]++
	answer := p.answers[req.URL.Hostname()]
	p.mu.Unlock()
	_, _ = conn.Write([]byte(answer))
	// Closed at once, the connection would be reset by what the client writes next: its
	// ClientHello.
	_ = conn.(*net.TCPConn).CloseWrite()
	_ = discard(conn)
}

// Host returns a new host. A CONNECT to it is answered by these bytes, and closed.
func (p *Proxy) Host(answer string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	host := fmt.Sprintf("host%d.proxied.test", len(p.answers))
	p.answers[host] = answer
	return host
}

// Asked returns how many times a CONNECT named the host.
func (p *Proxy) Asked(host string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[host]
}

// setenv returns a function that gives a variable back its value, so that children of this process
// see what was.
func setenv(name, value string) (back func()) {
	before, had := os.LookupEnv(name)
	_ = os.Setenv(name, value) // fails for an impossible name or value only
	return func() {
		if had {
			_ = os.Setenv(name, before)
		} else {
			_ = os.Unsetenv(name)
		}
	}
}

// UseBySystem makes this process send its https requests through p, but those to loopback and to
// the domain direct, and its plain ones through a proxy that refuses. It must come before the first
// request.
func (p *Proxy) UseBySystem(direct string) error {
	for name, value := range map[string]string{"HTTPS_PROXY": p.addr, "HTTP_PROXY": "127.0.0.1:1", "NO_PROXY": direct} {
		defer setenv(name, value)()
	}
	req, err := http.NewRequest(http.MethodGet, "https://any.test", nil)
	if err == nil {
		_, err = http.ProxyFromEnvironment(req) // which reads the environment once
	}
	return err
}
