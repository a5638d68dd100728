package promises_test

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http/httptrace"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/internal/peer"
)

// An unsentRow is one thing that goes wrong before a connection stands.
type unsentRow struct {
	name     string
	at       func(*testing.T, matrixOp) place
	attempts int // if it is proved that nothing was sent; else there is one
	proof    proof
	met      string // is in the text of the error, which shows that the fault was met
}

// A place is what a call is sent to.
type place struct {
	site     string
	server   *peer.Server
	attempts func() int // as the other side counts them
	timeout  time.Duration
}

// A proof is what shows that nothing was sent.
type proof int

const (
	chance  proof = iota // the body, if the connection broke before it was read; else it cannot be known
	witness              // the request's body, which was not read; without a body, net/http's hooks
	dial                 // the error, too
)

const refusing = "127.0.0.1:1"

// unsentRows returns the table. Read a row as: this fault, at this place, then so many attempts.
func unsentRows() []unsentRow {
	rows := []unsentRow{
		// Connecting.
		{name: "refused dial", at: site("https://" + refusing), attempts: 3, proof: dial, met: "refused"},
		{name: "refused dial, no TLS", at: site("http://" + refusing), attempts: 3, proof: dial, met: "refused"},
		{name: "refused dial of a proxy", at: site("http://kii.test"), attempts: 3, proof: dial, met: "refused"},

		// Looking up.
		{name: "NXDOMAIN", at: site("https://nxdomain.dns.test"), attempts: 3, proof: dial, met: "no such host"},
		{name: "SERVFAIL", at: site("https://servfail.dns.test"), attempts: 3, proof: dial, met: "server misbehaving"},
		{name: "REFUSED", at: site("https://refused.dns.test"), attempts: 3, proof: dial, met: "lookup"},
		{name: "a name without an address", at: site("https://nodata.dns.test"), attempts: 3, proof: dial, met: "no such host"},
		{name: "a silent name server", at: hurried(site("https://silent.dns.test")), attempts: 1, proof: witness, met: "deadline exceeded"},

		// TLS.
		{name: "unknown CA", at: certified(func(c *tls.Config) { c.Certificates[0] = peer.Stranger }), attempts: 1, proof: witness, met: "unknown authority"},
		{name: "another host's certificate", at: certified(func(c *tls.Config) { c.Certificates[0] = peer.Elsewhere }), attempts: 1, proof: witness, met: "IP SANs"},
		{name: "an expired certificate", at: certified(func(c *tls.Config) { c.Certificates[0] = peer.Expired }), attempts: 1, proof: witness, met: "expired"},
		{name: "a client certificate demanded, TLS 1.2", at: certified(mutual(tls.VersionTLS12)), attempts: 1, proof: witness, met: "remote error: tls"},
		{name: "a client certificate demanded, TLS 1.3", at: certified(mutual(tls.VersionTLS13)), attempts: 1, proof: chance, met: ""}, // told after the handshake
		{name: "a version that is too old", at: certified(func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11 }), attempts: 1, proof: witness, met: "protocol version"},
		{name: "TLS alert", at: greeted(func(c *peer.Conn) { _ = c.Raw("\x15\x03\x03\x00\x02\x02\x28") }), attempts: 1, proof: witness, met: "handshake failure"},
		{name: "plain HTTP to TLS", at: greeted(func(c *peer.Conn) { _ = c.Raw("HTTP/1.1 400 " + everySecret + "\r\n\r\n") }), attempts: 1, proof: witness, met: "HTTP response to HTTPS client"},
		{name: "garbage to TLS", at: greeted(func(c *peer.Conn) { _ = c.Raw(everySecret) }), attempts: 1, proof: witness, met: "not look like a TLS handshake"},
		{name: "closed in the handshake", at: greeted(func(*peer.Conn) {}), attempts: 1, proof: witness, met: "EOF"},
		{name: "reset in the handshake", at: greeted((*peer.Conn).Reset), attempts: 1, proof: witness, met: "reset"},
		{name: "hanging handshake", at: hurried(greeted((*peer.Conn).Hang)), attempts: 1, proof: witness, met: "deadline exceeded"},

		// A proxy.
		{name: "proxy 407", at: proxied("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"), attempts: 3, proof: witness, met: "Authentication Required"},
		{name: "proxy 407 that echoes", at: proxied("HTTP/1.1 407 No ECHO\r\n\r\n"), attempts: 3, proof: witness, met: "[redacted]"},
		{name: "proxy 502", at: proxied("HTTP/1.1 502 Bad Gateway\r\nX-Echo: ECHO\r\n\r\nECHO"), attempts: 3, proof: witness, met: "Bad Gateway"},
		{name: "proxy that closes", at: proxied(""), attempts: 3, proof: witness, met: "EOF"},
		{name: "proxy garbage", at: proxied("ECHO\r\n\r\n"), attempts: 3, proof: witness, met: "malformed HTTP"},
		{name: "proxy 200, then garbage", at: proxied("HTTP/1.1 200 OK\r\n\r\nECHO"), attempts: 1, proof: witness, met: ""},
		{name: "proxy 200, then closed", at: proxied("HTTP/1.1 200 OK\r\n\r\n"), attempts: 1, proof: witness, met: "EOF"},
	}
	if runtime.GOOS != "linux" {
		return rows
	}
	rows = append(rows, unsentRow{name: "black-holed dial", at: hurried(blackHole), attempts: 1, proof: witness, met: "deadline exceeded"})
	if fullMatrix {
		rows = append(rows, unsentRow{name: "black-holed dial, to the dial's own limit", at: blackHole, attempts: 3, proof: dial, met: "i/o timeout"})
	}
	return rows
}

func site(url string) func(*testing.T, matrixOp) place {
	return func(*testing.T, matrixOp) place { return place{site: url} }
}

// hurried gives the call a time-out that is nearer than any other limit, and further than a busy
// machine's pause: a call that has none of it left makes no attempt.
func hurried(at func(*testing.T, matrixOp) place) func(*testing.T, matrixOp) place {
	return func(t *testing.T, op matrixOp) place {
		p := at(t, op)
		p.timeout = 3 * time.Second
		return p
	}
}

func blackHole(t *testing.T, _ matrixOp) place {
	addr, err := peer.BlackHole()
	require.NoError(t, err)
	return place{site: "http://" + addr}
}

// certified is a server whose TLS is changed.
func certified(change func(*tls.Config)) func(*testing.T, matrixOp) place {
	return func(t *testing.T, _ matrixOp) place {
		return served(peer.Start(t, peer.Kind{TLS: true, Config: change}, (*peer.Conn).Hang))
	}
}

func mutual(version uint16) func(*tls.Config) {
	return func(c *tls.Config) { c.MaxVersion, c.ClientAuth = version, tls.RequireAnyClientCert }
}

// greeted is a server that does so after the first record of the handshake.
func greeted(then func(*peer.Conn)) func(*testing.T, matrixOp) place {
	return func(t *testing.T, _ matrixOp) place {
		p := served(peer.Start(t, peer.Kind{}, func(c *peer.Conn) { c.Hello(); then(c) }))
		p.site = strings.Replace(p.site, "http:", "https:", 1)
		return p
	}
}

func served(s *peer.Server) place { return place{site: s.URL(), server: s, attempts: s.Connections} }

// proxied is a host behind a proxy that answers so, ECHO being the call's secrets.
func proxied(answer string) func(*testing.T, matrixOp) place {
	return func(_ *testing.T, op matrixOp) place {
		host := proxy.Host(strings.ReplaceAll(answer, "ECHO", strings.Join(op.secrets, " ")))
		return place{site: "https://" + host, attempts: func() int { return proxy.Asked(host) }}
	}
}

var unsentLanes = []lane{
	{name: "library", opts: noOptions},
	{name: "caller", opts: through(callers)},
	{name: "caller without hooks", opts: through(muted), muted: true},
}

// Each row meets one operation on each lane; with KII_FULL_MATRIX set it meets all. All calls run
// at once, for most of them wait to try again.
func TestFaultMatrixBeforeAConnectionStands(t *testing.T) {
	t.Parallel()
	rows := unsentRows()
	share := len(matrixOps)
	if fullMatrix {
		share = 1
	}
	var figures tally
	figures.log(t, "%d faults before a connection stands x %d operations x %d transports", len(rows), len(matrixOps), len(unsentLanes))
	var calls sync.WaitGroup
	defer calls.Wait()
	for l, lane := range unsentLanes {
		for r, row := range rows {
			for o, op := range matrixOps {
				if (o+r+l)%share == 0 {
					p := row.at(t, op)
					calls.Go(func() { figures.miss(t, lane, row, op, p) })
				}
			}
		}
	}
}

type attemptsKey struct{} // of a context: its attempts, for a RoundTripper that fires no hooks

// miss lets the operation meet the row's fault at p.
func (y *tally) miss(t *testing.T, lane lane, row unsentRow, op matrixOp, p place) {
	what := lane.name + ", " + row.name + ", " + op.name
	var log strings.Builder
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug - 100}))
	opts := append(lane.opts(), kii.WithLogger(logger), kii.WithInsecureHTTP())
	if p.timeout > 0 {
		opts = append(opts, kii.WithTimeout(p.timeout))
	}
	client, err := kii.New("app", markerKey, kii.Site(p.site), opts...)
	if !assert.NoError(t, err) {
		return
	}
	var attempts atomic.Int64
	ctx := context.WithValue(t.Context(), attemptsKey{}, &attempts)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GetConn: func(string) { attempts.Add(1) }})
	err = op.call(ctx, client.User)
	y.calls.Add(1)

	failure, ok := err.(*kii.TransportError)
	if !assert.True(t, ok, "%s: %T", what, err) {
		return
	}
	notSent := row.proof == dial || row.proof == witness && !(lane.muted && (op.repeats || op.empty)) || row.proof == chance && failure.NotSent
	assert.Equal(t, notSent, failure.NotSent, "%s: %v", what, err)
	assert.Equal(t, !notSent, kii.OutcomeUnknown(err), what)
	assert.Equal(t, strings.Fields(op.name)[0], failure.Op)
	assert.Contains(t, err.Error(), row.met, what)
	if p.timeout == 0 {
		assert.NotContains(t, err.Error(), "deadline exceeded", "%s did not end by itself", what)
	}
	made := 1
	if row.proof == dial || row.proof == witness && !lane.muted {
		made = row.attempts
	}
	assert.Equal(t, int64(made), attempts.Load(), what)
	if p.attempts != nil {
		assert.Equal(t, made, p.attempts(), what)
	}
	if p.server != nil {
		p.server.Close()
		assert.Zero(t, p.server.Requests(), what)
	}
	assert.NotEmpty(t, log.String(), what)
	requireNoLeak(t, what+" log", log.String())
	y.forms.Add(requireErrorKeepsSecrets(t, op, err))
}
