package promises_test

import (
	"fmt"
	"strings"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/internal/peer"
)

// A faultRow is one thing that goes wrong once a connection stands.
type faultRow struct {
	name  string
	serve func(*peer.Conn)
	want  want
	only  func(peer.Kind) bool // nil: both protocols
	loud  bool                 // net/http itself logs that the server broke the protocol
}

func http1(k peer.Kind) bool { return !k.HTTP2 }
func http2(k peer.Kind) bool { return k.HTTP2 }

// replies gives every request the same reply, in the protocol that was negotiated.
func replies(status int, body string, header ...string) func(*peer.Conn) {
	return func(c *peer.Conn) {
		for c.Next() {
			c.Answer(status, []byte(body), header...)
		}
	}
}

// raw answers the first request by bytes and closes.
func raw(text string) func(*peer.Conn) {
	return func(c *peer.Conn) {
		c.Next()
		_ = c.Raw(text)
		c.Close()
	}
}

// rawOpen answers by bytes and leaves the connection open.
func rawOpen(text string) func(*peer.Conn) {
	return func(c *peer.Conn) {
		c.Next()
		_ = c.Raw(text)
		c.Hang()
	}
}

// each serves every request of a connection by f.
func each(f func(*peer.Conn)) func(*peer.Conn) {
	return func(c *peer.Conn) {
		for c.Next() {
			f(c)
		}
	}
}

const kiiJSON = "application/vnd.kii.AnyException+json"

func kiiError(code string) string {
	return `{"errorCode":"` + code + `","message":"m","suppressed":[]}`
}

// everySecret is all that a server could repeat.
var everySecret = strings.Join([]string{
	markerKey, markerPIN, markerOld, markerNew, markerToken.UserID, markerToken.AccessToken, markerToken.RefreshToken,
	markerClientID, markerClientSecret, markerAdminToken,
	"marker@example.com", "EMAIL:marker@example.com", "marker%40example.com", "+819099887766", "9099887766", "marker-login",
}, " ")

// faultRows returns the table. Read a row as: this fault, then what the call must return.
func faultRows() []faultRow {
	rows := []faultRow{
		// Success, and what looks like it.
		{"204", replies(204, ""), want{done: true, status: 204}, nil, false},
		{"200 without a body", replies(200, ""), want{done: true, status: 200}, nil, false},
		{"202 without a body", replies(202, ""), want{done: true, status: 202}, nil, false},
		{"204 with a body", replies(204, "marker"), want{done: true, status: 204}, http1, true},
		{"204 that announces a body", rawOpen("HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\nmarker"), want{done: true, status: 204}, http1, true},
		{"200 with JSON that says nothing", replies(200, "{}", "Content-Type", "application/json"), want{code: kii.ErrUnexpectedReply, status: 200, object: true}, nil, false},
		{"200 with an errorCode", replies(200, kiiError("USER_NOT_FOUND")), unexpected(200), nil, false},
		{"200 captive portal", replies(200, "<html>Welcome to the hotel", "Content-Type", "text/html"), unexpected(200), nil, false},
		{"200 null", replies(200, "null"), unexpected(200), nil, false},
		{"200 array", replies(200, "[]"), unexpected(200), nil, false},
		{"200 fields of the wrong type", replies(200, `{"id":1,"userID":{},"access_token":[]}`), want{code: kii.ErrUnexpectedReply, status: 200, object: true}, nil, false},
		{"200 another user's", replies(200, `{"id":"x","userID":"x","access_token":""}`), want{code: kii.ErrUnexpectedReply, status: 200, object: true, record: true}, nil, false},
		{"200 broken JSON", replies(200, `{"id":"x"`), unexpected(200), nil, false},
		{"201 with a token", replies(201, `{"id":"user-marker-id","userID":"user-marker-id","access_token":"t"}`), unexpected(201), nil, false},
		{"206", replies(206, "part"), unexpected(206), nil, false},
		{"200 up to the close, cut before the body", raw("HTTP/1.1 200 OK\r\n\r\n"), unexpected(200), http1, false},
		{"200 of HTTP/1.0, cut before the body", raw("HTTP/1.0 200 OK\r\n\r\n"), unexpected(200), http1, false},

		// Answers of Kii Cloud.
		{"404 USER_NOT_FOUND", replies(404, kiiError("USER_NOT_FOUND"), "Content-Type", kiiJSON), want{code: kii.ErrUserNotFound, status: 404}, nil, false},
		{"409 INVALID_STATUS", replies(409, kiiError("INVALID_STATUS")), want{code: kii.ErrAddressNotVerified, status: 409}, nil, false},
		{"409 OPERATION_NOT_ALLOWED", replies(409, kiiError("OPERATION_NOT_ALLOWED")), want{code: kii.ErrNoPassword, status: 409}, nil, false},
		{"401 USER_DISABLED", replies(401, kiiError("USER_DISABLED")), want{code: kii.ErrUserDisabled, status: 401}, nil, false},
		{"401 WRONG_PASSWORD", replies(401, kiiError("WRONG_PASSWORD")), want{code: kii.ErrWrongPassword, status: 401}, nil, false},
		{"403 INVALID_VERIFICATION_CODE", replies(403, kiiError("INVALID_VERIFICATION_CODE")), want{code: kii.ErrWrongPIN, status: 403}, nil, false},
		{"410 PIN_CODE_EXPIRED", replies(410, kiiError("PIN_CODE_EXPIRED")), want{code: kii.ErrPINExpired, status: 410}, nil, false},
		{"400 PASSWORD_TOO_SHORT", replies(400, kiiError("PASSWORD_TOO_SHORT")), want{code: kii.ErrPasswordTooShort, status: 400}, nil, false},
		{"400 a code that is new", replies(400, kiiError("SOMETHING_NEW")), want{code: "SOMETHING_NEW", status: 400}, nil, false},
		{"403 WRONG_TOKEN", replies(403, kiiError("WRONG_TOKEN")), want{code: kii.ErrWrongToken, status: 403, dead: true}, nil, false},
		{"401 UNAUTHORIZED", replies(401, kiiError("UNAUTHORIZED")), want{code: kii.ErrUnauthorized, status: 401, dead: true}, nil, false},
		{"401 AUTHENTICATION_FAILED", replies(401, kiiError("AUTHENTICATION_FAILED")), want{code: kii.ErrAuthenticationFailed, status: 401, dead: true}, nil, false},
		{"401 invalid_token", replies(401, `{"error":"invalid_token"}`), want{code: "invalid_token", status: 401, dead: true, oauth: true}, nil, false},
		{"403 WRONG_REFRESH_TOKEN", replies(403, kiiError("WRONG_REFRESH_TOKEN")), want{code: kii.ErrWrongRefreshToken, status: 403, ended: true}, nil, false},
		{"400 invalid_grant", replies(400, `{"error":"invalid_grant"}`), want{code: kii.ErrWrongCredentials, status: 400, ended: true, oauth: true}, nil, false},
		{"404 WRONG_TOKEN", replies(404, kiiError("WRONG_TOKEN")), want{code: kii.ErrWrongToken, status: 404}, nil, false},
		{"503 UNAUTHORIZED", replies(503, kiiError("UNAUTHORIZED")), want{code: kii.ErrUnauthorized, status: 503}, nil, false},
		{"503 WRONG_REFRESH_TOKEN", replies(503, kiiError("WRONG_REFRESH_TOKEN")), want{code: kii.ErrWrongRefreshToken, status: 503}, nil, false},
		{"500 with a code", replies(500, kiiError("UNDEFINED_ERROR")), want{code: "UNDEFINED_ERROR", status: 500}, nil, false},
		{"429 without a body", replies(429, ""), want{code: kii.ErrRateLimited, status: 429}, nil, false},
		{"429 with HTML and a wait", replies(429, "<html>", "Retry-After", "3600"), want{code: kii.ErrRateLimited, status: 429}, nil, false},
		{"429 up to the close", raw("HTTP/1.1 429 Too Many Requests\r\n\r\n"), want{code: kii.ErrRateLimited, status: 429}, http1, false},

		// Answers that Kii Cloud does not give.
		{"401 without a code", replies(401, ""), unexpected(401), nil, false},
		{"403 with HTML", replies(403, "<html>Forbidden", "Content-Type", "text/html"), unexpected(403), nil, false},
		{"404 with HTML", replies(404, "<html>nginx"), unexpected(404), nil, false},
		{"404 with a code that is no string", replies(404, `{"errorCode":404}`), unexpected(404), nil, false},
		{"404 with an empty code", replies(404, `{"errorCode":""}`), unexpected(404), nil, false},
		{"404 with a code in words", replies(404, kiiError("no such user")), unexpected(404), nil, false},
		{"404 with a code of 65 letters", replies(404, kiiError(strings.Repeat("A", 65))), unexpected(404), nil, false},
		{"404 with an array", replies(404, `["USER_NOT_FOUND"]`), unexpected(404), nil, false},
		{"404 with JSON 20,000 deep", replies(404, strings.Repeat(`{"errorCode":`, 20000)), unexpected(404), nil, false},
		{"407", replies(407, "<html>"), unexpected(407), nil, false},
		{"500 with HTML", replies(500, "<html>"), unexpected(500), nil, false},
		{"502 with HTML", replies(502, "<html>Bad Gateway"), unexpected(502), nil, false},
		{"503 without a body", replies(503, ""), unexpected(503), nil, false},
		{"504 without a body", replies(504, ""), unexpected(504), nil, false},
		{"999", replies(999, ""), unexpected(999), nil, false},
		{"999 with a code", replies(999, kiiError("USER_NOT_FOUND")), unexpected(999), nil, false},
		{"a wrong content type", replies(200, "{}", "Content-Type", "image/png; x=\"y"), want{code: kii.ErrUnexpectedReply, status: 200, object: true}, nil, false},

		// Redirects lead nowhere.
		{"304", replies(304, ""), unexpected(304), nil, false},
		{"307 without a Location", replies(307, ""), unexpected(307), nil, false},
		{"302 to a broken Location", replies(302, "", "Location", "http://[::1:%zz/marker"), unexpected(302), nil, false},
		{"308 to a broken Location", replies(308, "", "Location", "::%"), unexpected(308), nil, false},
		{"302 to two Locations", replies(302, "", "Location", "/a", "Location", "/b"), unexpected(302), nil, false},

		// Odd.
		{"gzip that is none", replies(404, kiiError("USER_NOT_FOUND"), "Content-Encoding", "gzip"), unexpected(404), nil, false},
		{"br", replies(404, "\x8b\x02", "Content-Encoding", "br"), unexpected(404), nil, false},
		{"some 1xx, then 204", each(func(c *peer.Conn) {
			if c.HTTP2 {
				c.Headers(false, 103, "link", "x")
			} else {
				_ = c.Raw("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
			}
			c.Answer(204, nil)
		}), want{done: true, status: 204}, nil, false},
		{"101", raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), unexpected(101), http1, false},

		// Cut short.
		{"closed without an answer", func(c *peer.Conn) { c.Next() }, lost, nil, false},
		{"reset without an answer", func(c *peer.Conn) { c.Next(); c.Reset() }, lost, nil, false},
		{"reset in the body", func(c *peer.Conn) {
			c.Next()
			if c.HTTP2 {
				c.Headers(false, 404)
				c.Data([]byte(`{"errorCode":"USER`), false)
			} else {
				_ = c.Raw("HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\n{\"errorCode\":\"USER")
			}
			c.Reset()
		}, lost, nil, false},
		{"chunked, cut", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"id\""), lost, http1, false},
		{"chunked, cut before the last chunk", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"), lost, http1, false},
		{"chunked, cut before any chunk", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), lost, http1, false},
		{"chunk size that is none", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nmarker\r\n"), lost, http1, false},
		{"gzip, cut", replies(404, gzipped(1)[:10], "Content-Encoding", "gzip"), lost, nil, false},

		// Garbage.
		{"garbage", raw("marker \x00\xff"), lost, http1, false},
		{"a malformed status line", raw("HTTP/1.1 " + everySecret + "\r\n\r\n"), lost, http1, false},
		{"a status that is no number", raw("HTTP/1.1 2x4 " + everySecret + "\r\n\r\n"), lost, http1, false},
		{"a version that is none", raw("HTTP/" + everySecret + " 204\r\n\r\n"), lost, http1, false},
		{"a malformed header", raw("HTTP/1.1 204 No Content\r\n" + everySecret + "\r\n\r\n"), lost, http1, false},
		{"a header name that is none", raw("HTTP/1.1 204 No Content\r\nX \x01" + everySecret + ": x\r\n\r\n"), lost, http1, false},
		{"a header value that is none", raw("HTTP/1.1 204 No Content\r\nX-Marker: \x00" + everySecret + "\r\n\r\n"), lost, http1, false},
		{"two Content-Lengths", raw("HTTP/1.1 204 No Content\r\nContent-Length: 4711\r\nContent-Length: 5\r\n\r\n"), lost, http1, false},
		{"a Content-Length that is none", raw("HTTP/1.1 200 OK\r\nContent-Length: " + everySecret + "\r\n\r\n"), lost, http1, false},
		{"a Transfer-Encoding that is none", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: " + everySecret + "\r\n\r\n"), lost, http1, false},
		{"HTTP/2 without being asked", raw("\x00\x00\x00\x04\x00\x00\x00\x00\x00"), lost, http1, false},
		{"an HTTP/2 header name that is none", each(func(c *peer.Conn) { c.Headers(true, 204, "x marker\x01"+everySecret, "x") }), lost, http2, false},
		{"an HTTP/2 header value that is none", each(func(c *peer.Conn) { c.Headers(true, 204, "x-marker", "\x00"+everySecret) }), lost, http2, false},
		{"an HTTP/2 pseudo-header that is none", each(func(c *peer.Conn) { c.Headers(true, 204, ":"+everySecret, "x") }), lost, http2, false},
		{"HTTP/2 DATA before HEADERS", each(func(c *peer.Conn) { c.Data([]byte(everySecret), true) }), lost, http2, true},
		{"an HTTP/2 frame that is too large", each(func(c *peer.Conn) { c.Frame(1, 5, 1, make([]byte, 1<<20)) }), lost, http2, false},
		{"HTTP/1 to an HTTP/2 client", each(func(c *peer.Conn) { _ = c.Raw("HTTP/1.1 400 Bad Request\r\n\r\n" + everySecret); c.Close() }), lost, http2, false},

		// HTTP/2 refusals.
		{"RST_STREAM in the body", each(func(c *peer.Conn) {
			c.Headers(false, 200)
			c.Data([]byte("{"), false)
			c.RST(8)
		}), lost, http2, false},
		{"GOAWAY 0, last 0, with debug data", each(func(c *peer.Conn) { c.GoAway(0, 0, everySecret) }), lost, http2, false},
		{"GOAWAY 0, last 1, and closed", func(c *peer.Conn) { c.Next(); c.GoAway(1, 0, everySecret); c.Close() }, lost, http2, false},
		{"GOAWAY 11, with debug data", func(c *peer.Conn) { c.Next(); c.GoAway(0, 11, everySecret); c.Close() }, lost, http2, false},
		{"GOAWAY, then the answer", each(func(c *peer.Conn) { c.GoAway(1, 0, ""); c.Answer(204, nil) }), want{done: true, status: 204}, http2, false},

		// Echoes of what was sent.
		{"403 that echoes in the message", replies(403, `{"errorCode":"INVALID_VERIFICATION_CODE","message":"`+everySecret+`"}`), want{code: kii.ErrWrongPIN, status: 403}, nil, false},
		{"401 that echoes in other fields", replies(401, `{"errorCode":"WRONG_PASSWORD","principalID":"`+everySecret+`","`+everySecret+`":1}`), want{code: kii.ErrWrongPassword, status: 401}, nil, false},
		{"400 that echoes in OAuth's description", replies(400, `{"error":"invalid_request","error_description":"`+everySecret+`"}`), want{code: "invalid_request", status: 400, oauth: true}, nil, false},
		{"an errorCode that echoes", replies(403, kiiError(everySecret)), unexpected(403), nil, false},
		{"headers that echo", replies(404, kiiError("USER_NOT_FOUND"), "X-Echo", everySecret, "Retry-After", everySecret, "Set-Cookie", "marker="+everySecret, "WWW-Authenticate", everySecret), want{code: kii.ErrUserNotFound, status: 404}, nil, false},
		{"a redirect that echoes", replies(307, "", "Location", "https://elsewhere.invalid/?"+strings.ReplaceAll(everySecret, " ", "+")), unexpected(307), nil, false},
		{"a reason phrase that echoes", raw("HTTP/1.1 500 " + everySecret + "\r\nContent-Length: 0\r\n\r\n"), unexpected(500), http1, false},
		{"a content type that echoes", replies(404, "{", "Content-Type", everySecret), unexpected(404), nil, false},
		{"trailers that echo", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + everySecret + "\r\n\r\n"), lost, http1, false},
	}
	for _, status := range []int{300, 301, 302, 303, 305, 306, 307, 308, 399} {
		rows = append(rows, faultRow{fmt.Sprintf("%d", status), replies(status, "", "Location", "https://elsewhere.invalid/marker"), unexpected(status), nil, false})
	}
	for code := range uint32(15) {
		rows = append(rows, faultRow{fmt.Sprintf("RST_STREAM %#x", code), each(func(c *peer.Conn) { c.RST(code) }), lost, http2, false})
	}
	return rows
}
