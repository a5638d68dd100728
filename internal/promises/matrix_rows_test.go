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
		{name: "204", serve: replies(204, ""), want: want{done: true, status: 204}},
		{name: "200 without a body", serve: replies(200, ""), want: want{done: true, status: 200}},
		{name: "202 without a body", serve: replies(202, ""), want: want{done: true, status: 202}},
		{name: "204 with a body", serve: replies(204, "marker"), want: want{done: true, status: 204}, only: http1, loud: true},
		{name: "204 that announces a body", serve: rawOpen("HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\nmarker"), want: want{done: true, status: 204}, only: http1, loud: true},
		{name: "200 with JSON that says nothing", serve: replies(200, "{}", "Content-Type", "application/json"), want: want{code: kii.ErrUnexpectedReply, status: 200, object: true}},
		{name: "200 with an errorCode", serve: replies(200, kiiError("USER_NOT_FOUND")), want: unexpected(200)},
		{name: "200 captive portal", serve: replies(200, "<html>Welcome to the hotel", "Content-Type", "text/html"), want: unexpected(200)},
		{name: "200 null", serve: replies(200, "null"), want: unexpected(200)},
		{name: "200 array", serve: replies(200, "[]"), want: unexpected(200)},
		{name: "200 fields of the wrong type", serve: replies(200, `{"id":1,"userID":{},"access_token":[]}`), want: want{code: kii.ErrUnexpectedReply, status: 200, object: true}},
		{name: "200 another user's", serve: replies(200, `{"id":"x","userID":"x","access_token":""}`), want: want{code: kii.ErrUnexpectedReply, status: 200, object: true, record: true}},
		{name: "200 broken JSON", serve: replies(200, `{"id":"x"`), want: unexpected(200)},
		{name: "201 with a token", serve: replies(201, `{"id":"user-marker-id","userID":"user-marker-id","access_token":"t"}`), want: unexpected(201)},
		{name: "206", serve: replies(206, "part"), want: unexpected(206)},
		{name: "200 up to the close, cut before the body", serve: raw("HTTP/1.1 200 OK\r\n\r\n"), want: unexpected(200), only: http1},
		{name: "200 of HTTP/1.0, cut before the body", serve: raw("HTTP/1.0 200 OK\r\n\r\n"), want: unexpected(200), only: http1},

		// Answers of Kii Cloud.
		{name: "404 USER_NOT_FOUND", serve: replies(404, kiiError("USER_NOT_FOUND"), "Content-Type", kiiJSON), want: want{code: kii.ErrUserNotFound, status: 404}},
		{name: "409 INVALID_STATUS", serve: replies(409, kiiError("INVALID_STATUS")), want: want{code: kii.ErrAddressNotVerified, status: 409}},
		{name: "409 OPERATION_NOT_ALLOWED", serve: replies(409, kiiError("OPERATION_NOT_ALLOWED")), want: want{code: kii.ErrNoPassword, status: 409}},
		{name: "401 USER_DISABLED", serve: replies(401, kiiError("USER_DISABLED")), want: want{code: kii.ErrUserDisabled, status: 401}},
		{name: "401 WRONG_PASSWORD", serve: replies(401, kiiError("WRONG_PASSWORD")), want: want{code: kii.ErrWrongPassword, status: 401}},
		{name: "403 INVALID_VERIFICATION_CODE", serve: replies(403, kiiError("INVALID_VERIFICATION_CODE")), want: want{code: kii.ErrWrongPIN, status: 403}},
		{name: "410 PIN_CODE_EXPIRED", serve: replies(410, kiiError("PIN_CODE_EXPIRED")), want: want{code: kii.ErrPINExpired, status: 410}},
		{name: "400 PASSWORD_TOO_SHORT", serve: replies(400, kiiError("PASSWORD_TOO_SHORT")), want: want{code: kii.ErrPasswordTooShort, status: 400}},
		{name: "400 a code that is new", serve: replies(400, kiiError("SOMETHING_NEW")), want: want{code: "SOMETHING_NEW", status: 400}},
		{name: "403 WRONG_TOKEN", serve: replies(403, kiiError("WRONG_TOKEN")), want: want{code: kii.ErrWrongToken, status: 403, dead: true}},
		{name: "401 UNAUTHORIZED", serve: replies(401, kiiError("UNAUTHORIZED")), want: want{code: kii.ErrUnauthorized, status: 401, dead: true}},
		{name: "401 AUTHENTICATION_FAILED", serve: replies(401, kiiError("AUTHENTICATION_FAILED")), want: want{code: kii.ErrAuthenticationFailed, status: 401, dead: true}},
		{name: "401 invalid_token", serve: replies(401, `{"error":"invalid_token"}`), want: want{code: "invalid_token", status: 401, dead: true, oauth: true}},
		{name: "403 WRONG_REFRESH_TOKEN", serve: replies(403, kiiError("WRONG_REFRESH_TOKEN")), want: want{code: kii.ErrWrongRefreshToken, status: 403, ended: true}},
		{name: "400 invalid_grant", serve: replies(400, `{"error":"invalid_grant"}`), want: want{code: kii.ErrWrongCredentials, status: 400, ended: true, oauth: true}},
		{name: "404 WRONG_TOKEN", serve: replies(404, kiiError("WRONG_TOKEN")), want: want{code: kii.ErrWrongToken, status: 404}},
		{name: "503 UNAUTHORIZED", serve: replies(503, kiiError("UNAUTHORIZED")), want: want{code: kii.ErrUnauthorized, status: 503}},
		{name: "503 WRONG_REFRESH_TOKEN", serve: replies(503, kiiError("WRONG_REFRESH_TOKEN")), want: want{code: kii.ErrWrongRefreshToken, status: 503}},
		{name: "500 with a code", serve: replies(500, kiiError("UNDEFINED_ERROR")), want: want{code: "UNDEFINED_ERROR", status: 500}},
		{name: "429 without a body", serve: replies(429, ""), want: want{code: kii.ErrRateLimited, status: 429}},
		{name: "429 with HTML and a wait", serve: replies(429, "<html>", "Retry-After", "3600"), want: want{code: kii.ErrRateLimited, status: 429}},
		{name: "429 up to the close", serve: raw("HTTP/1.1 429 Too Many Requests\r\n\r\n"), want: want{code: kii.ErrRateLimited, status: 429}, only: http1},

		// Answers that Kii Cloud does not give.
		{name: "401 without a code", serve: replies(401, ""), want: unexpected(401)},
		{name: "403 with HTML", serve: replies(403, "<html>Forbidden", "Content-Type", "text/html"), want: unexpected(403)},
		{name: "404 with HTML", serve: replies(404, "<html>nginx"), want: unexpected(404)},
		{name: "404 with a code that is no string", serve: replies(404, `{"errorCode":404}`), want: unexpected(404)},
		{name: "404 with an empty code", serve: replies(404, `{"errorCode":""}`), want: unexpected(404)},
		{name: "404 with a code in words", serve: replies(404, kiiError("no such user")), want: unexpected(404)},
		{name: "404 with a code of 65 letters", serve: replies(404, kiiError(strings.Repeat("A", 65))), want: unexpected(404)},
		{name: "404 with an array", serve: replies(404, `["USER_NOT_FOUND"]`), want: unexpected(404)},
		{name: "404 with JSON 20,000 deep", serve: replies(404, strings.Repeat(`{"errorCode":`, 20000)), want: unexpected(404)},
		{name: "407", serve: replies(407, "<html>"), want: unexpected(407)},
		{name: "500 with HTML", serve: replies(500, "<html>"), want: unexpected(500)},
		{name: "502 with HTML", serve: replies(502, "<html>Bad Gateway"), want: unexpected(502)},
		{name: "503 without a body", serve: replies(503, ""), want: unexpected(503)},
		{name: "504 without a body", serve: replies(504, ""), want: unexpected(504)},
		{name: "999", serve: replies(999, ""), want: unexpected(999)},
		{name: "999 with a code", serve: replies(999, kiiError("USER_NOT_FOUND")), want: unexpected(999)},
		{name: "a wrong content type", serve: replies(200, "{}", "Content-Type", "image/png; x=\"y"), want: want{code: kii.ErrUnexpectedReply, status: 200, object: true}},

		// Redirects lead nowhere.
		{name: "304", serve: replies(304, ""), want: unexpected(304)},
		{name: "307 without a Location", serve: replies(307, ""), want: unexpected(307)},
		{name: "302 to a broken Location", serve: replies(302, "", "Location", "http://[::1:%zz/marker"), want: unexpected(302)},
		{name: "308 to a broken Location", serve: replies(308, "", "Location", "::%"), want: unexpected(308)},
		{name: "302 to two Locations", serve: replies(302, "", "Location", "/a", "Location", "/b"), want: unexpected(302)},

		// Odd.
		{name: "gzip that is none", serve: replies(404, kiiError("USER_NOT_FOUND"), "Content-Encoding", "gzip"), want: unexpected(404)},
		{name: "br", serve: replies(404, "\x8b\x02", "Content-Encoding", "br"), want: unexpected(404)},
		{name: "some 1xx, then 204", serve: each(func(c *peer.Conn) {
			if c.HTTP2 {
				c.Headers(false, 103, "link", "x")
			} else {
				_ = c.Raw("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
			}
			c.Answer(204, nil)
		}), want: want{done: true, status: 204}},
		{name: "101", serve: raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), want: unexpected(101), only: http1},

		{name: "101, open for ever", serve: rawOpen("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), want: unexpected(101), only: http1},
		{name: "200 that says HTTP/2.0, cut before the body", serve: raw("HTTP/2.0 200 OK\r\n\r\n"), want: unexpected(200), only: http1},
		{name: "429 with gzip of nothing", serve: each(func(c *peer.Conn) {
			if c.HTTP2 {
				c.Headers(true, 429, "content-encoding", "gzip")
				return
			}
			_ = c.Raw("HTTP/1.1 429 Too Many Requests\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
		}), want: want{code: kii.ErrRateLimited, status: 429}},

		// Cut short.
		{name: "closed without an answer", serve: func(c *peer.Conn) { c.Next() }, want: lost},
		{name: "reset without an answer", serve: func(c *peer.Conn) { c.Next(); c.Reset() }, want: lost},
		{name: "reset in the body", serve: func(c *peer.Conn) {
			c.Next()
			if c.HTTP2 {
				c.Headers(false, 404)
				c.Data([]byte(`{"errorCode":"USER`), false)
			} else {
				_ = c.Raw("HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\n{\"errorCode\":\"USER")
			}
			c.Reset()
		}, want: lost},
		{name: "chunked, cut", serve: raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"id\""), want: lost, only: http1},
		{name: "chunked, cut before the last chunk", serve: raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"), want: lost, only: http1},
		{name: "chunked, cut before any chunk", serve: raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), want: lost, only: http1},
		{name: "chunk size that is none", serve: raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nmarker\r\n"), want: lost, only: http1},
		{name: "gzip, cut", serve: replies(404, gzipped(1)[:10], "Content-Encoding", "gzip"), want: lost},

		// Garbage.
		{name: "garbage", serve: raw("marker \x00\xff"), want: lost, only: http1},
		{name: "a malformed status line", serve: raw("HTTP/1.1 " + everySecret + "\r\n\r\n"), want: lost, only: http1},
		{name: "a status that is no number", serve: raw("HTTP/1.1 2x4 " + everySecret + "\r\n\r\n"), want: lost, only: http1},
		{name: "a version that is none", serve: raw("HTTP/" + everySecret + " 204\r\n\r\n"), want: lost, only: http1},
		{name: "a malformed header", serve: raw("HTTP/1.1 204 No Content\r\n" + everySecret + "\r\n\r\n"), want: lost, only: http1},
		{name: "a header name that is none", serve: raw("HTTP/1.1 204 No Content\r\nX \x01" + everySecret + ": x\r\n\r\n"), want: lost, only: http1},
		{name: "a header value that is none", serve: raw("HTTP/1.1 204 No Content\r\nX-Marker: \x00" + everySecret + "\r\n\r\n"), want: lost, only: http1},
		{name: "two Content-Lengths", serve: raw("HTTP/1.1 204 No Content\r\nContent-Length: 4711\r\nContent-Length: 5\r\n\r\n"), want: lost, only: http1},
		{name: "a Content-Length that is none", serve: raw("HTTP/1.1 200 OK\r\nContent-Length: " + everySecret + "\r\n\r\n"), want: lost, only: http1},
		{name: "a Transfer-Encoding that is none", serve: raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: " + everySecret + "\r\n\r\n"), want: lost, only: http1},
		{name: "HTTP/2 without being asked", serve: raw("\x00\x00\x00\x04\x00\x00\x00\x00\x00"), want: lost, only: http1},
		{name: "an HTTP/2 header name that is none", serve: each(func(c *peer.Conn) { c.Headers(true, 204, "x marker\x01"+everySecret, "x") }), want: lost, only: http2},
		{name: "an HTTP/2 header value that is none", serve: each(func(c *peer.Conn) { c.Headers(true, 204, "x-marker", "\x00"+everySecret) }), want: lost, only: http2},
		{name: "an HTTP/2 pseudo-header that is none", serve: each(func(c *peer.Conn) { c.Headers(true, 204, ":"+everySecret, "x") }), want: lost, only: http2},
		{name: "HTTP/2 DATA before HEADERS", serve: each(func(c *peer.Conn) { c.Data([]byte(everySecret), true) }), want: lost, only: http2, loud: true},
		{name: "an HTTP/2 frame that is too large", serve: each(func(c *peer.Conn) { c.Frame(1, 5, 1, make([]byte, 1<<20)) }), want: lost, only: http2},
		{name: "HTTP/1 to an HTTP/2 client", serve: each(func(c *peer.Conn) { _ = c.Raw("HTTP/1.1 400 Bad Request\r\n\r\n" + everySecret); c.Close() }), want: lost, only: http2},

		// HTTP/2 refusals.
		{name: "a 103, then RST_STREAM", serve: each(func(c *peer.Conn) { c.Headers(false, 103, "link", "x"); c.RST(7) }), want: lost, only: http2},
		{name: "RST_STREAM in the body", serve: each(func(c *peer.Conn) {
			c.Headers(false, 200)
			c.Data([]byte("{"), false)
			c.RST(8)
		}), want: lost, only: http2},
		{name: "GOAWAY 0, last 0, with debug data", serve: each(func(c *peer.Conn) { c.GoAway(0, 0, everySecret) }), want: lost, only: http2},
		{name: "GOAWAY 0, last 1, and closed", serve: func(c *peer.Conn) { c.Next(); c.GoAway(1, 0, everySecret); c.Close() }, want: lost, only: http2},
		{name: "GOAWAY 11, with debug data", serve: func(c *peer.Conn) { c.Next(); c.GoAway(0, 11, everySecret); c.Close() }, want: lost, only: http2},
		{name: "GOAWAY, then the answer", serve: each(func(c *peer.Conn) { c.GoAway(1, 0, ""); c.Answer(204, nil) }), want: want{done: true, status: 204}, only: http2},

		// Echoes of what was sent.
		{name: "403 that echoes in the message", serve: replies(403, `{"errorCode":"INVALID_VERIFICATION_CODE","message":"`+everySecret+`"}`), want: want{code: kii.ErrWrongPIN, status: 403}},
		{name: "401 that echoes in other fields", serve: replies(401, `{"errorCode":"WRONG_PASSWORD","principalID":"`+everySecret+`","`+everySecret+`":1}`), want: want{code: kii.ErrWrongPassword, status: 401}},
		{name: "400 that echoes in OAuth's description", serve: replies(400, `{"error":"invalid_request","error_description":"`+everySecret+`"}`), want: want{code: "invalid_request", status: 400, oauth: true}},
		{name: "an errorCode that echoes", serve: replies(403, kiiError(everySecret)), want: unexpected(403)},
		{name: "headers that echo", serve: replies(404, kiiError("USER_NOT_FOUND"), "X-Echo", everySecret, "Retry-After", everySecret, "Set-Cookie", "marker="+everySecret, "WWW-Authenticate", everySecret), want: want{code: kii.ErrUserNotFound, status: 404}},
		{name: "a redirect that echoes", serve: replies(307, "", "Location", "https://elsewhere.invalid/?"+strings.ReplaceAll(everySecret, " ", "+")), want: unexpected(307)},
		{name: "a reason phrase that echoes", serve: raw("HTTP/1.1 500 " + everySecret + "\r\nContent-Length: 0\r\n\r\n"), want: unexpected(500), only: http1},
		{name: "a content type that echoes", serve: replies(404, "{", "Content-Type", everySecret), want: unexpected(404)},
		{name: "trailers that echo", serve: raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + everySecret + "\r\n\r\n"), want: lost, only: http1},
	}
	for _, status := range []int{300, 301, 302, 303, 305, 306, 307, 308, 399} {
		rows = append(rows, faultRow{name: fmt.Sprint(status), serve: replies(status, "", "Location", "https://elsewhere.invalid/marker"), want: unexpected(status)})
	}
	for code := range uint32(15) {
		rows = append(rows, faultRow{name: fmt.Sprintf("RST_STREAM %#x", code), serve: each(func(c *peer.Conn) { c.RST(code) }), want: lost, only: http2})
	}
	return rows
}
