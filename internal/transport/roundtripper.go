package transport

import (
	"net"
	"net/http"
	"time"
)

// DialTimeout bounds one dial of [DefaultTransport].
const DialTimeout = 5 * time.Second

// DefaultTransport returns a transport for a busy server. A dial fails long before the call's
// deadline, so that a black hole leaves time to try again; and as many connections stay idle as
// callers are likely to come at once, where net/http keeps two. They are closed sooner than most
// servers and load balancers close them, which is after 60 seconds or more: a request that is sent
// at that moment is lost, and its outcome unknown. The transport does not ask for compression:
// replies are a few hundred bytes, and asking costs more than it saves. A reply that is compressed
// without being asked for is still read.
func DefaultTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: DialTimeout}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second, WriteByteTimeout: 5 * time.Second},
		MaxIdleConns:           128,
		MaxIdleConnsPerHost:    128,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}
