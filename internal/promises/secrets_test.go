package promises_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-kii/kii"
	"github.com/go-kii/kii/internal/peer"
)

// requireNoLeak does not print text, so that a failure leaks no more than the sink did.
func requireNoLeak(t *testing.T, sink, text string) {
	t.Helper()
	text = strings.ToLower(text)
	for _, marker := range []string{"marker", "99887766", "6d61726b6572"} { // the last is hexadecimal
		if at := strings.Index(text, marker); at >= 0 {
			t.Errorf("%s holds a secret at %d of %d bytes: %q…", sink, at, len(text), text[max(0, at-40):at])
		}
	}
}

// requireErrorKeepsSecrets looks for op's secrets in all that err prints, and in its Message. It
// returns how many forms it saw.
func requireErrorKeepsSecrets(t *testing.T, op matrixOp, err error) (forms int64) {
	t.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		seen := map[string]bool{}
		for sink, text := range printed(e) {
			forms++
			if !seen[text] {
				seen[text] = true
				requireNoLeak(t, op.name+" "+sink, text)
			}
		}
		if e, ok := e.(*kii.APIError); ok {
			message := strings.ToLower(e.Message)
			for _, secret := range append(op.secrets, markerKey) {
				if strings.Contains(message, strings.ToLower(secret)) {
					t.Errorf("%s: the Message repeats a secret of the call", op.name)
				}
			}
		}
	}
	return forms
}

// printed returns every form in which a program may print v.
func printed(v any) map[string]string {
	forms := map[string]string{}
	values := []any{v}
	switch e := v.(type) {
	case *kii.APIError:
		values = append(values, *e)
	case *kii.TransportError:
		values = append(values, *e)
	case *kii.SessionError:
		values = append(values, *e)
	case *kii.ArgumentError:
		values = append(values, *e)
	case *kii.Profile:
		values = append(values, *e)
	case *kii.Token:
		values = append(values, *e)
	}
	for _, value := range values {
		for _, verb := range "vsqdxXobcUeEfFgGtOT" {
			for _, flags := range []string{"", "+", "#", "-60", ".2"} {
				format := "%" + flags + string(verb)
				forms[fmt.Sprintf("%s of %T", format, value)] = fmt.Sprintf(format, value)
			}
		}
		forms[fmt.Sprintf("%%v of a slice of %T", value)] = fmt.Sprintf("%+v", []any{value})
		forms[fmt.Sprintf("an extra %T", value)] = fmt.Sprintf(fmt.Sprint(), value) // no verb for it
		var text, json strings.Builder
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", "v", value)
		slog.New(slog.NewJSONHandler(&json, nil)).Info("m", "v", value)
		forms[fmt.Sprintf("slog text of %T", value)] = text.String()
		forms[fmt.Sprintf("slog JSON of %T", value)] = json.String()
	}
	if err, ok := v.(error); ok {
		forms["Error"] = err.Error()
		forms["a wrapped error"] = fmt.Sprintf("%+v", fmt.Errorf("wrapped: %w", err))
		forms["a joined error"] = fmt.Sprintf("%#v", errors.Join(err, err).Error())
	}
	return forms
}

func TestWhatAUserHoldsPrintsRedacted(t *testing.T) {
	t.Parallel()
	client, err := kii.New("app", markerKey, kii.SiteUS)
	require.NoError(t, err)
	token := markerToken
	profile := kii.Profile{
		UserID: "marker", LoginName: "marker", DisplayName: "marker", Email: "marker", Phone: "99887766",
		Country: "marker", Locale: "marker",
	}
	session := resumed(client.User)
	for _, v := range []any{token, &token, profile, &profile, session, client, client.User, *client, *client.User, administrator(client.User)} {
		for sink, text := range printed(v) {
			requireNoLeak(t, sink, text)
		}
	}
}

func TestAPanicPrintsNoSecret(t *testing.T) {
	t.Parallel()
	if what := os.Getenv("KII_TEST_PANIC"); what != "" {
		token := markerToken
		panic(map[string]any{
			"token":   token,
			"profile": kii.Profile{UserID: "marker"},
			"session": &kii.SessionError{UserID: "marker"},
			"answer":  &kii.APIError{Op: "Login", Message: "marker"},
		}[what])
	}
	for _, what := range []string{"token", "profile", "session", "answer"} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAPanicPrintsNoSecret$")
		cmd.Env = append(os.Environ(), "KII_TEST_PANIC="+what)
		out, err := cmd.CombinedOutput()
		require.Error(t, err)
		require.Contains(t, string(out), "panic: ")
		requireNoLeak(t, "panic("+what+")", string(out))
	}
}

// The library's transport meets every fault in a process of its own, whose stderr must stay empty.
// Left out are the rows at which net/http itself logs; see SECURITY.md.
func TestNothingIsWrittenToStderr(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("repeats a part of the matrix")
	}
	var stderr strings.Builder
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFaultMatrix(BeforeAConnectionStands|OfFloods)?$/^library")
	cmd.Env = append(os.Environ(), "KII_QUIET_ROWS=1")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "PASS")
	assert.Empty(t, stderr.String())
}

// A Token is marshalled to be kept, so its JSON, and nothing else, holds the secrets.
func TestOnlyATokensJSONHoldsItsSecrets(t *testing.T) {
	t.Parallel()
	kept, err := json.Marshal(markerToken)
	require.NoError(t, err)
	var back kii.Token
	require.NoError(t, json.Unmarshal(kept, &back))
	assert.True(t, back == markerToken)
}

// A web form may hand over megabytes. What Kii Cloud could take is sent, and then the server
// repeats it in the forms in which it may; the rest is refused.
func TestASecretOfAnyLengthIsBlankedOrRefused(t *testing.T) {
	t.Parallel()
	for name, pin := range map[string]string{
		"1 byte": "7", "2 bytes": "7<", "with < > &": "<marker>&1", "1,000 bytes": strings.Repeat("<marker>&7", 100),
		"100,000 bytes": strings.Repeat("<marker>&7", 10_000), "megabytes": strings.Repeat("é<marker>", 200_000),
	} {
		form, _ := json.Marshal(pin)
		var loose strings.Builder
		encoder := json.NewEncoder(&loose)
		encoder.SetEscapeHTML(false)
		require.NoError(t, encoder.Encode(pin))
		for _, echo := range []string{pin, strings.Trim(string(form), `"`), strings.Trim(loose.String(), "\"\n"), url.QueryEscape(pin), url.PathEscape(pin)} {
			message, _ := json.Marshal("PIN " + echo + " is not right")
			s := peer.Start(t, peer.Kind{}, replies(403, `{"errorCode":"INVALID_VERIFICATION_CODE","message":`+string(message)+`}`))
			client, err := kii.New("app", markerKey, kii.Site(s.URL()))
			require.NoError(t, err)
			err = client.User.CompleteResetPassword(t.Context(), "user-marker-id", pin, nil)
			if len(pin) > 1000 {
				refused, ok := err.(*kii.ArgumentError)
				require.True(t, ok, "%s: %T", name, err)
				assert.Equal(t, "pin", refused.Name)
				assert.Zero(t, s.Requests(), name)
			} else {
				require.ErrorIs(t, err, kii.ErrWrongPIN, name)
				if len(pin) > 1 { // text without one character would tell it
					assert.NotContains(t, err.(*kii.APIError).Message, echo, name)
				}
			}
			for _, text := range printed(err) {
				requireNoLeak(t, "the error", text)
				if len(pin) > 1 {
					assert.NotContains(t, text, echo)
				}
			}
		}
	}
}
