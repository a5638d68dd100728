package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"time"
)

// roleEnv makes this program, or its test, the server.
const roleEnv = "KII_BENCHMARKS_SERVER"

// firebaseHost is where the Firebase client insists on going; its dial is led to loopback.
const firebaseHost = "identitytoolkit.googleapis.com"

// A server is the other process, as its parent sees it.
type server struct {
	HTTP1, HTTP2 string // host:port that speak TLS
	Control      string // host:port; see count

	stdin io.Closer // the server ends when it is closed, by this process's end at the latest
}

// A count is what reached a server since it was last asked.
type count struct{ Requests, Connections int64 }

// startServer runs this program once more as the server, which ends with ctx or with this process.
// From then on this process trusts only the server's certificate.
func startServer(ctx context.Context) (*server, error) {
	dir, err := os.MkdirTemp("", "kii-benchmarks")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	certificate, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := writeCertificate(certificate, key); err != nil {
		return nil, err
	}
	os.Setenv("SSL_CERT_FILE", certificate)
	os.Setenv("SSL_CERT_DIR", dir)
	if _, err := x509.SystemCertPool(); err != nil { // read now, once and for all
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), roleEnv+"=1")
	cmd.Args = []string{self, certificate, key}
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("the server did not start: %w", err)
	}
	s := server{stdin: stdin}
	return &s, json.Unmarshal(line, &s)
}

// take returns what reached the server since the last take.
func (s *server) take() (count, error) {
	resp, err := control.Get("http://" + s.Control)
	if err != nil {
		return count{}, err
	}
	defer resp.Body.Close()
	var c count
	return c, json.NewDecoder(resp.Body).Decode(&c)
}

var control = &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}

// serve is the server's main: os.Args[1] and os.Args[2] are the files of its certificate and key.
func serve() {
	pair, err := tls.LoadX509KeyPair(os.Args[1], os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	var requests, connections atomic.Int64
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		dialectOf(r).answer(w)
	})
	secure := func(protocols ...string) string {
		listener := listen()
		srv := &http.Server{
			Handler:  handler,
			ErrorLog: log.New(io.Discard, "", 0), // clients that close early are no news here
			ConnState: func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					connections.Add(1)
				}
			},
			TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: protocols},
		}
		if len(protocols) == 1 {
			srv.Protocols = new(http.Protocols)
			srv.Protocols.SetHTTP1(true)
		}
		go func() { log.Fatal(srv.ServeTLS(listener, "", "")) }()
		return listener.Addr().String()
	}
	s := server{HTTP1: secure("http/1.1"), HTTP2: secure("h2", "http/1.1")}
	ctl := listen()
	s.Control = ctl.Addr().String()
	go func() {
		log.Fatal(http.Serve(ctl, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(count{requests.Swap(0), connections.Swap(0)})
		})))
	}()
	_ = json.NewEncoder(os.Stdout).Encode(s)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func listen() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	return l
}

func writeCertificate(certificate, key string) error {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "benchmarks"},
		DNSNames:              []string{firebaseHost},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	if err := os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}
