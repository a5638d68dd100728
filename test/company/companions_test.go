package company_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/gregjones/httpcache"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/icholy/digest"
	"github.com/sony/gobreaker/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"golang.org/x/oauth2"
	"gopkg.in/dnaeon/go-vcr.v4/pkg/recorder"
)

// tripper is a RoundTripper that is a function.
type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// A companion is a RoundTripper that a program puts between the library and the network.
type companion struct {
	name   string
	wrap   func(t *testing.T, next http.RoundTripper) http.RoundTripper
	breaks []exception
}

// An exception is a promise that a companion breaks by itself.
type exception struct {
	promise string
	lane    string // how the names of the lanes begin that it is broken on; empty: all
	why     string
}

const looksSent = "it is reported as unknown, because reading a whole request looks like sending it"

var companions = []companion{
	{name: "nothing between", wrap: func(_ *testing.T, next http.RoundTripper) http.RoundTripper { return next }},
	{name: "a dump of each request (httputil.DumpRequestOut)", wrap: func(_ *testing.T, next http.RoundTripper) http.RoundTripper {
		return tripper(func(req *http.Request) (*http.Response, error) {
			if _, err := httputil.DumpRequestOut(req, true); err != nil {
				return nil, err
			}
			return next.RoundTrip(req)
		})
	}, breaks: []exception{{promise: unsent, why: looksSent}}},
	{name: "a recorder (go-vcr v4)", wrap: func(t *testing.T, next http.RoundTripper) http.RoundTripper {
		rec, err := recorder.New(filepath.Join(t.TempDir(), "tape"),
			recorder.WithMode(recorder.ModeRecordOnly), recorder.WithRealTransport(next))
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, rec.Stop()) })
		return rec
	}, breaks: []exception{{promise: unsent, why: looksSent}}},
	{name: "a gateway's digest (icholy/digest)", wrap: func(_ *testing.T, next http.RoundTripper) http.RoundTripper {
		gateway := &digest.Transport{Username: "gateway-user", Password: "gateway-pass", Transport: next}
		return tripper(func(req *http.Request) (*http.Response, error) {
			if req.Header.Get("Authorization") != "" { // the session's token is in its place
				return next.RoundTrip(req)
			}
			req = req.Clone(req.Context())
			req.Header.Set("Gateway", "digest")
			return gateway.RoundTrip(req)
		})
	}},
	{name: "a signature of the body (AWS Signature Version 4)", wrap: signed, breaks: []exception{
		{promise: unsent, lane: "HTTP/3", why: looksSent},
	}},
	{name: "a gateway's token (x/oauth2)", wrap: func(_ *testing.T, next http.RoundTripper) http.RoundTripper {
		return &oauth2.Transport{Base: next, Source: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "gateway-token"})}
	}, breaks: []exception{
		{promise: session, why: "it puts its token in the place of the session's, so every session ends"},
	}},
	{name: "traces (otelhttp)", wrap: func(_ *testing.T, next http.RoundTripper) http.RoundTripper {
		return otelhttp.NewTransport(next)
	}},
	{name: "a cache (httpcache)", wrap: func(_ *testing.T, next http.RoundTripper) http.RoundTripper {
		cached := httpcache.NewMemoryCacheTransport()
		cached.Transport = next
		return cached
	}},
	{name: "an Idempotency-Key on each request", wrap: func(_ *testing.T, next http.RoundTripper) http.RoundTripper {
		return tripper(func(req *http.Request) (*http.Response, error) {
			req = req.Clone(req.Context())
			req.Header["Idempotency-Key"] = nil // enough for net/http
			req.Header.Set("X-Idempotency-Key", "7")
			return next.RoundTrip(req)
		})
	}},
	{name: "a circuit breaker (gobreaker v2)", wrap: func(_ *testing.T, next http.RoundTripper) http.RoundTripper {
		breaker := gobreaker.NewCircuitBreaker[*http.Response](gobreaker.Settings{})
		return tripper(func(req *http.Request) (*http.Response, error) {
			return breaker.Execute(func() (*http.Response, error) { return next.RoundTrip(req) })
		})
	}},
	{name: "a failover whose first host is down", wrap: func(t *testing.T, next http.RoundTripper) http.RoundTripper {
		down := closedAddress(t)
		return tripper(func(req *http.Request) (*http.Response, error) {
			first := req.Clone(req.Context())
			first.URL.Host, first.URL.Scheme = down, "http"
			resp, err := new(http.Transport).RoundTrip(first)
			if err == nil {
				return resp, nil
			}
			second := req.Clone(req.Context())
			if req.GetBody != nil {
				if second.Body, err = req.GetBody(); err != nil {
					return nil, err
				}
			}
			return next.RoundTrip(second)
		})
	}},
	{name: "retries (go-retryablehttp)", wrap: func(_ *testing.T, next http.RoundTripper) http.RoundTripper {
		c := retryablehttp.NewClient()
		c.HTTPClient = &http.Client{Transport: next}
		c.RetryWaitMin, c.RetryWaitMax, c.RetryMax = time.Microsecond, time.Microsecond, 2
		c.Logger = slog.New(slog.DiscardHandler)
		return &retryablehttp.RoundTripper{Client: c}
	}, breaks: []exception{
		{promise: once, why: "it sends again what was lost or answered with a 5xx: a second SMS, or a burnt PIN. It does so after a 429, too, and returns no answer unless it has a `PassthroughErrorHandler`"},
		{promise: unsent, lane: "HTTP/3", why: looksSent},
	}},
}

// signed signs what is sent, its body included, as AWS gateways ask.
func signed(_ *testing.T, next http.RoundTripper) http.RoundTripper {
	signer := v4.NewSigner()
	return tripper(func(req *http.Request) (*http.Response, error) {
		req = req.Clone(req.Context())
		token := req.Header.Get("Authorization")
		var body []byte
		if req.GetBody != nil {
			copied, err := req.GetBody()
			if err != nil {
				return nil, err
			}
			if body, err = io.ReadAll(copied); err != nil {
				return nil, err
			}
			req.Body = io.NopCloser(bytes.NewReader(body))
		}
		sum := sha256.Sum256(body)
		err := signer.SignHTTP(req.Context(), aws.Credentials{AccessKeyID: "id", SecretAccessKey: "secret"}, req,
			hex.EncodeToString(sum[:]), "execute-api", "ap-northeast-1", time.Now())
		if err == nil && req.Header.Get("Authorization") == "" {
			err = errors.New("nothing was signed")
		}
		if err != nil {
			return nil, err
		}
		if token != "" { // the gateway looks for its signature elsewhere then
			req.Header.Set("X-Signature", req.Header.Get("Authorization"))
			req.Header.Set("Authorization", token)
		}
		return next.RoundTrip(req)
	})
}
