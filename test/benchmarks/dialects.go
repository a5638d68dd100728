package main

import (
	"fmt"
	"net/http"
	"strings"
)

// A dialect is how one service answers that a reset was accepted.
type dialect struct {
	status int
	body   string // JSON; empty: none
}

var (
	kiiDialect      = dialect{http.StatusNoContent, ""}
	gotrueDialect   = dialect{http.StatusOK, `{}`}
	cognitoDialect  = dialect{http.StatusOK, `{"CodeDeliveryDetails":{"AttributeName":"email","DeliveryMedium":"EMAIL","Destination":"a***@e***"}}`}
	firebaseDialect = dialect{http.StatusOK, `{"kind":"identitytoolkit#GetOobConfirmationCodeResponse","email":"alice@example.com","oobLink":"https://example.com/reset?oobCode=code"}`}
	refused         = dialect{http.StatusNotFound, `{"errorCode":"NOT_A_RESET"}`}
)

// dialectOf tells by method and path who is asking.
func dialectOf(r *http.Request) dialect {
	switch path := r.URL.Path; {
	case r.Method != http.MethodPost:
		return refused
	case strings.HasPrefix(path, "/api/apps/app/users/") && strings.HasSuffix(path, "/password/request-reset"):
		return kiiDialect
	case path == "/auth/v1/recover":
		return gotrueDialect
	case path == "/" && strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".ForgotPassword"):
		return cognitoDialect
	case strings.HasSuffix(path, "/accounts:sendOobCode"):
		return firebaseDialect
	}
	return refused
}

func (d dialect) answer(w http.ResponseWriter) {
	if d.body != "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(d.status)
	if d.body != "" {
		_, _ = w.Write([]byte(d.body))
	}
}

// raw is the answer as it comes over an HTTP/1.1 connection.
func (d dialect) raw() []byte {
	head := fmt.Sprintf("HTTP/1.1 %d %s\r\nDate: Tue, 24 Nov 2026 12:00:00 GMT\r\n", d.status, http.StatusText(d.status))
	if d.body == "" {
		return []byte(head + "\r\n")
	}
	return fmt.Appendf(nil, "%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", head, len(d.body), d.body)
}
