package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
)

func Test18TheURLMustBeSafe(t *testing.T) {
	t.Parallel()
	tests := []struct {
		url         string
		cert, proxy bool
		ok          bool
	}{
		{"http://127.0.0.1:8080", false, false, true},
		{"http://localhost:8080/", false, false, true},
		{"http://[::1]:8080", false, false, true},
		{"http://0.0.0.0:8080", false, false, false},
		{"http://www.example.com", false, false, false},
		{"http://127.0.0.1.example.com", false, false, false},
		{"https://www.example.com", true, false, true},
		{"https://www.example.com", false, true, true},
		{"https://www.example.com", false, false, false},
		{"http://localhost:8080", false, true, false},
		{"https://www.example.com/app", true, false, false},
		{"https://user@www.example.com", true, false, false},
		{"www.example.com", true, false, false},
		{"", true, false, false},
		{"https://www.example.com:0", true, false, false},
		{"https://www.example.com:70000", true, false, false},
		{"https://bücher.example", true, false, false},
		{"https://xn--bcher-kva.example", true, false, true},
		{"https://*.example.com", true, false, false},
		{"https://:443", true, false, false},
		{"ftp://www.example.com", true, false, false},
		{"https://1.2.3", true, false, false}, // which browsers send as 1.2.0.3
		{"https://0x7f.1", true, false, false},
		{"https://www.example.123", true, false, false},
		{"https://192.0.2.1", true, false, true},
	}
	for _, tt := range tests {
		_, err := siteURL(tt.url, tt.cert, tt.proxy)
		assert.Equal(t, tt.ok, err == nil, "%s cert %v proxy %v", tt.url, tt.cert, tt.proxy)
		if err != nil {
			assert.Contains(t, err.Error(), "-url")
		}
	}
}

func Test18HostsAreComparedByWhatTheyMean(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"https://www.example.com:443":         "https://www.example.com",
		"https://www.example.com:8443":        "https://www.example.com:8443",
		"https://www.example.com:0443":        "https://www.example.com",
		"https://www.example.com:08443":       "https://www.example.com:8443",
		"HTTPS://WWW.Example.Com./":           "https://www.example.com",
		"https://www.example.com:":            "https://www.example.com",
		"http://localhost:80":                 "http://localhost",
		"http://[0:0:0:0:0:0:0:1]:8080":       "http://[::1]:8080",
		"http://[::1]:80":                     "http://[::1]",
		"https://app_1.internal.example:8443": "https://app_1.internal.example:8443",
	} {
		secure := strings.HasPrefix(want, "https")
		u, err := siteURL(given, secure, false)
		require.NoError(t, err, given)
		assert.Equal(t, want, u.String())
	}
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(cfg *config) { cfg.url, _ = siteURL("https://WWW.example.com:443", true, false) })
		r := httptest.NewRequest(http.MethodPost, "https://www.example.com/forgot", strings.NewReader("account=x"))
		r.Host = "www.example.com:443"
		r.Header.Set("Origin", origin) // of an old browser, which sends no Sec-Fetch-Site
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		assert.Equal(t, http.StatusUnprocessableEntity, w.Code, "served, and not taken for another site's")
	})
}

// realKii names a real Kii Cloud, of which a test asks nothing.
var realKii = map[string]string{"KII_APP_ID": "app", "KII_APP_KEY": "key", "KII_SITE": string(kii.SiteJP)}

// serve runs the program on a port of its own until the test ends, and returns its URL.
func serve(t *testing.T, env map[string]string, args ...string) string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, append([]string{"-listen", "127.0.0.1:0"}, args...), func(name string) string { return env[name] }, in, io.Discard)
		in.Close()
	}()
	lines := bufio.NewReader(out)
	url, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(<-ended)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	t.Cleanup(func() {
		stop()
		assert.NoError(t, <-ended)
	})
	return strings.TrimSpace(url)
}

func TestRunServesUntilItIsTold(t *testing.T) {
	t.Parallel()
	url := serve(t, realKii)
	for path, want := range map[string]int{"/login": http.StatusOK, "/forgot": http.StatusOK, "/none": http.StatusNotFound} {
		resp, err := http.Get(url + path)
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, want, resp.StatusCode, path)
	}
}

func TestRunRefusesBadSettings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, want string
		args       []string
		env        map[string]string
	}{
		{"short passwords", "-min-password", []string{"-min-password", "7"}, nil},
		{"every address, and none for browsers", "needs -url", []string{"-listen", ":0"}, realKii},
		{"plain http", "-url", []string{"-url", "http://www.example.com"}, nil},
		{"half of the app", "KII_APP_KEY", nil, map[string]string{"KII_APP_ID": "app"}},
		{"no certificate", "open none", []string{"-url", "https://www.example.com", "-cert", "none", "-key", "none"}, realKii},
		{"a certificate without its key", "-key", []string{"-url", "https://www.example.com", "-cert", "none"}, realKii},
		{"a key without its certificate", "-cert", []string{"-key", "none"}, realKii},
		{"unknown flag", "-nonsense", []string{"-nonsense"}, nil},
		{"a word that ends the flags", `"true"`, []string{"-proxy", "true", "-url", "https://www.example.com"}, realKii},
		{"a proxy that is no address", "-proxy", []string{"-proxy=localhost"}, nil},
		{"one proxy too little", "-proxy", []string{"-proxy=192.0.2.1,"}, nil},
		{"everybody as a proxy", "-proxy", []string{"-proxy=0.0.0.0/0"}, nil},
		{"a network of IPv4 that no address is in", "-proxy", []string{"-proxy=::ffff:192.0.2.0/120"}, nil},
		{"a network of no size", "-proxy", []string{"-proxy=192.0.2.0/33"}, nil},
		{"a calling code of no country", "-calling-code", []string{"-calling-code", "999"}, nil},
		{"a language without words", "-language", []string{"-language", "tlh"}, nil},
		{"a time zone of nowhere", "-time-zone", []string{"-time-zone", "Asia/Atlantis"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"-listen", "127.0.0.1:0"}, tt.args...)
			var printed strings.Builder
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			err := run(ctx, args, func(name string) string { return tt.env[name] }, &printed, io.Discard)
			assert.ErrorContains(t, err, tt.want)
			assert.Empty(t, printed.String(), "no URL is announced that nothing serves")
		})
	}
}

func TestARenewedCertificateIsServedWithoutARestart(t *testing.T) {
	t.Parallel()
	cert, key := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	var logged lockedBuffer
	log := slog.New(slog.NewTextHandler(&logged, nil))
	_, err := certificate(cert, key, log)
	require.Error(t, err)
	first, second := newCertificate(t), newCertificate(t)
	first.write(t, cert, key)
	get, err := certificate(cert, key, log)
	require.NoError(t, err)
	served := func() []byte {
		t.Helper()
		pair, err := get(nil)
		require.NoError(t, err)
		return pair.Certificate[0]
	}
	assert.Equal(t, first.der, served())
	require.NoError(t, os.WriteFile(cert, second.pem("CERTIFICATE", second.der), 0o600))
	assert.Empty(t, logged.String())
	assert.Equal(t, first.der, served(), "the key is still the old one")
	assert.Equal(t, first.der, served())
	assert.Equal(t, 1, strings.Count(logged.String(), "level=ERROR"))
	second.write(t, cert, key)
	assert.Equal(t, second.der, served())
	require.NoError(t, os.Remove(key))
	assert.Equal(t, second.der, served())
	assert.Equal(t, 2, strings.Count(logged.String(), "level=ERROR"))
}

type certified struct{ der, key []byte }

func newCertificate(t *testing.T) certified {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{}, key.Public(), key)
	require.NoError(t, err)
	return certified{der, private}
}

func (certified) pem(kind string, bytes []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes})
}

func (c certified) write(t *testing.T, cert, key string) {
	t.Helper()
	require.NoError(t, os.WriteFile(cert, c.pem("CERTIFICATE", c.der), 0o600))
	require.NoError(t, os.WriteFile(key, c.pem("PRIVATE KEY", c.key), 0o600))
}
