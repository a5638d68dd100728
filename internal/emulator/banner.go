package emulator

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"strings"
	"text/tabwriter"

	"github.com/go-kii/kii/kiitest"
)

const exposedWarning = "kii-emulator: WARNING: other machines can reach this emulator. Everybody who does sees every message\n" +
	"and account and can change them. Use no real password, address or app key in it.\n"

const sharedWarning = "kii-emulator: WARNING: another program serves port %d of ::1, which localhost means to some programs.\n" +
	"Point your app to 127.0.0.1, or choose another port.\n"

// What stands for an app key and a client secret that the user chose, which may be real ones.
const (
	ownKey    = "THE-APP-KEY"
	ownSecret = "THE-CLIENT-SECRET"
)

// A snippet is what an app's developer pastes.
type snippet struct {
	Name string
	Code string
}

// shownKey is the app's key, unless it may be a real one.
func (e *emulator) shownKey() string {
	if e.options.AppKey == DefaultAppKey {
		return e.options.AppKey
	}
	return ownKey
}

// shownSecret is the administrator's secret, or empty if it may be a real one.
func (e *emulator) shownSecret() string {
	if e.options.ClientSecret == DefaultSecret {
		return e.options.ClientSecret
	}
	return ""
}

// snippets point an app to the emulator.
func (e *emulator) snippets() []snippet {
	id, key, site := e.srv.AppID(), e.shownKey(), string(e.srv.Site())
	insecure := ""
	if !e.onLoopback() {
		insecure = ", kii.WithInsecureHTTP()"
	}
	return []snippet{
		{"Go", fmt.Sprintf(`client, err := kii.New(%q, %q, kii.Site(%q)%s)`, id, key, site, insecure)},
		{"JavaScript", fmt.Sprintf(`Kii.initializeWithSite(%q, %q, %q);`, id, key, site)},
		{"Unity", fmt.Sprintf(`Kii.Initialize(%q, %q, %q);`, id, key, site)},
		{"REST", e.curl()},
	}
}

// curl is a first reset, of a user that there is.
func (e *emulator) curl() string {
	user, body := "EMAIL:alice@example.com", `{"notificationMethod":"EMAIL"}`
	for _, a := range e.srv.Accounts() {
		if a.PhoneVerified && a.Password != "" && !a.Disabled {
			user, body = "PHONE:"+a.Phone, `{"notificationMethod":"SMS","smsResetMethod":"PIN"}`
			break
		}
		if a.EmailVerified && a.Password != "" && !a.Disabled {
			user = "EMAIL:" + a.Email
			break
		}
	}
	return fmt.Sprintf("curl -i -H 'X-Kii-AppID: %s' -H 'X-Kii-AppKey: %s' \\\n  -H 'Content-Type: application/vnd.kii.ResetPasswordRequest+json' \\\n  -d '%s' \\\n  '%s/apps/%s/users/%s/password/request-reset'",
		e.srv.AppID(), e.shownKey(), body, e.srv.Site(), e.srv.AppID(), url.PathEscape(user))
}

func (e *emulator) onLoopback() bool {
	host, _, _ := net.SplitHostPort(strings.TrimPrefix(e.bound.origin, "http://"))
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// banner is what the program prints when it is ready.
func (e *emulator) banner() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Kii emulator: nothing is sent. What would have been is at %s/\n\n", e.bound.origin)
	if !e.onLoopback() {
		fmt.Fprintf(&b, "Listens at %s\n\n", e.bound.address)
	}
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "Site\tkii.Site(%q)\n", string(e.srv.Site()))
	for _, s := range e.snippets() {
		fmt.Fprintf(w, "%s\t%s\n", s.Name, strings.ReplaceAll(s.Code, "\n", "\n\t"))
	}
	fmt.Fprintf(w, "JSON API\t%s%s/openapi.json\n", e.bound.origin, apiRoot)
	fmt.Fprintf(w, "Administrator\tclient ID %s, client secret %s\n", e.srv.ClientID(), cmp.Or(e.shownSecret(), ownSecret))
	fmt.Fprintf(w, "Instance\t%s\n", e.instance)
	w.Flush()
	b.WriteString("\n" + e.contents() + "Ctrl-C stops it.\n")
	return b.String()
}

// contents says what the emulator starts with.
func (e *emulator) contents() string {
	if e.start.name == "" {
		return "There are no users yet: add one on the page, or start with -seed FILE. "
	}
	flow := "the link or the PIN sends a generated password"
	if e.srv.Settings().ResetFlow == kiitest.InputPassword {
		flow = "users choose their new password"
	}
	users := fmt.Sprintf("%d users", len(e.start.Accounts))
	if len(e.start.Accounts) == 1 {
		users = "1 user"
	}
	return fmt.Sprintf("From the seed: %s; %s. ", users, flow)
}
