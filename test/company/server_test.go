package company_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/stretchr/testify/require"
)

// A cloud answers as the user name in a request's path asks it to, and counts what arrives.
type cloud struct {
	mu      sync.Mutex
	arrived map[string]int // requests with a whole body, by user name
}

// Users of the cloud, by what becomes of a request about them.
const (
	accepted = "accepted" // 204
	nobody   = "nobody"   // 404 USER_NOT_FOUND
	lost     = "lost"     // read, and the connection is closed without an answer
	failed   = "failed"   // 503
	silent   = "silent"   // read, and never answered
	me       = "me"       // the owner of a token: 200 with a profile, or 403 WRONG_TOKEN for a dead one
)

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Gateway") == "digest" && !strings.HasPrefix(r.Header.Get("Authorization"), "Digest ") {
		w.Header().Set("WWW-Authenticate", `Digest realm="gateway", qop="auth", nonce="1", algorithm=SHA-256`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return
	}
	user, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/apps/app/users/"), "/")
	c.mu.Lock()
	c.arrived[user]++
	c.mu.Unlock()
	switch user {
	case nobody:
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"errorCode":"USER_NOT_FOUND"}`)
	case lost:
		panic(http.ErrAbortHandler)
	case failed:
		w.WriteHeader(http.StatusServiceUnavailable)
	case silent:
		<-r.Context().Done()
	case me:
		if r.Header.Get("Authorization") != "Bearer live-token" {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"errorCode":"WRONG_TOKEN"}`)
			return
		}
		w.Header().Set("Cache-Control", "max-age=60") // of a proxy that means well
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"userID":"alice-id"}`)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// count returns how many requests about user have arrived.
func (c *cloud) count(user string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.arrived[user]
}

// A lane is a protocol that the cloud speaks.
type lane struct {
	name  string
	start func(t *testing.T, c *cloud) (url string, rt http.RoundTripper)
}

var lanes = []lane{
	{"HTTP/1", func(t *testing.T, c *cloud) (string, http.RoundTripper) {
		srv := httptest.NewServer(c)
		t.Cleanup(srv.Close)
		return srv.URL, new(http.Transport)
	}},
	{"HTTP/1 TLS", func(t *testing.T, c *cloud) (string, http.RoundTripper) {
		srv := httptest.NewTLSServer(c)
		t.Cleanup(srv.Close)
		return srv.URL, srv.Client().Transport
	}},
	{"HTTP/2", func(t *testing.T, c *cloud) (string, http.RoundTripper) {
		srv := httptest.NewUnstartedServer(c)
		srv.EnableHTTP2 = true
		srv.StartTLS()
		t.Cleanup(srv.Close)
		return srv.URL, srv.Client().Transport
	}},
	{"HTTP/3", startHTTP3},
}

// startHTTP3 serves HTTP/3 with the certificate of httptest.
func startHTTP3(t *testing.T, c *cloud) (string, http.RoundTripper) {
	lender := httptest.NewTLSServer(c)
	t.Cleanup(lender.Close)
	conn, err := new(net.ListenConfig).ListenPacket(context.Background(), "udp", "127.0.0.1:0")
	require.NoError(t, err)
	srv := &http3.Server{Handler: c, TLSConfig: http3.ConfigureTLSConfig(&tls.Config{Certificates: lender.TLS.Certificates})}
	var serving sync.WaitGroup
	serving.Go(func() { _ = srv.Serve(conn) })
	t.Cleanup(func() {
		_ = srv.Close()
		serving.Wait()
		_ = conn.Close()
	})
	roots := x509.NewCertPool()
	roots.AddCert(lender.Certificate())
	rt := &http3.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "example.com"},
		QUICConfig:      &quic.Config{HandshakeIdleTimeout: 3 * time.Second}, // a dead port answers nothing, and a busy machine pauses
	}
	t.Cleanup(func() { _ = rt.Close() })
	return "https://" + conn.LocalAddr().String(), rt
}
