package peer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"time"
)

var certificate, root = makeCertificate(nil, nil)

// Certificates that no client should accept.
var (
	Stranger, _  = makeCertificate(nil, nil) // signed by nobody that is trusted
	Elsewhere, _ = makeCertificate(&certificate, func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"other.test"} })
	Expired, _   = makeCertificate(&certificate, func(c *x509.Certificate) { c.NotAfter = c.NotBefore.AddDate(1, 0, 0) })
)

// Roots returns a pool that trusts the servers of this package.
func Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(root)
	return pool
}

// TrustBySystem makes this process trust the servers of this package if a client names no roots.
// It must come before the first handshake: Go reads the roots once. On macOS it reads them
// elsewhere.
func TrustBySystem() error {
	file, err := os.CreateTemp("", "peer-*.pem")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if err := pem.Encode(file, &pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}); err != nil {
		return err
	}
	defer setenv("SSL_CERT_FILE", file.Name())()
	_, err = x509.SystemCertPool()
	return err
}

func serverTLS(kind Kind) *tls.Config {
	// Without tickets a handshake does not fail on this side if the client closes right after it.
	cfg := &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"http/1.1"}, CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256}, SessionTicketsDisabled: true}
	if kind.HTTP2 {
		cfg.NextProtos = []string{"h2"}
	}
	if kind.Config != nil {
		kind.Config(cfg)
	}
	return cfg
}

// makeCertificate returns a certificate signed by signer, or by itself.
func makeCertificate(signer *tls.Certificate, change func(*x509.Certificate)) (tls.Certificate, *x509.Certificate) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "peer"},
		// A synctest bubble lives in the year 2000.
		NotBefore: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Now().AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"kii.test"},
	}
	if change != nil {
		change(template)
	}
	parent, parentKey := template, any(key)
	if signer != nil {
		parent, parentKey = signer.Leaf, signer.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, leaf
}
