package emulator

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/go-kii/kii/kiitest"
)

// A duration is written as people write it: "10m", "1h30m", "0s".
type duration time.Duration

func (d duration) String() string {
	text := time.Duration(d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func (d duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalJSON reads a text such as "10m", or a number of seconds.
func (d *duration) UnmarshalJSON(data []byte) error {
	text := string(data)
	if data[0] == '"' {
		_ = json.Unmarshal(data, &text) // the decoder has checked the syntax
	}
	parsed, err := parseDuration(text)
	if err != nil {
		return &json.UnmarshalTypeError{Value: "value", Type: reflect.TypeFor[duration]()} // encoding/json adds the field up to Go 1.26
	}
	*d = duration(parsed)
	return nil
}

// durationForm continues the name of a field that is not a time.
const durationForm = "must be a time such as 90s, 10m or 24h, or a number of seconds"

// parseDuration reads a time as people write it. A bare number counts seconds.
func parseDuration(text string) (time.Duration, error) {
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		text += "s"
	}
	return time.ParseDuration(text)
}

// settings are kiitest.Settings as JSON.
type settings struct {
	ResetFlow         kiitest.ResetFlow  `json:"resetFlow"`
	LinkValidity      duration           `json:"linkValidity"`
	PINValidity       duration           `json:"pinValidity"`
	CodeValidity      duration           `json:"codeValidity"`
	TokenValidity     duration           `json:"tokenValidity"`
	MinPasswordLength int                `json:"minPasswordLength"`
	RefreshTokens     bool               `json:"refreshTokens"`
	VerifyEmail       bool               `json:"verifyEmail"`
	VerifyPhone       bool               `json:"verifyPhone"`
	SuccessURL        string             `json:"successURL"`
	FailureURL        string             `json:"failureURL"`
	HomeURL           string             `json:"homeURL"`
	Templates         []kiitest.Template `json:"templates"`
}

// maxTemplates is more than Kii Cloud has: each purpose, channel and language that anybody tests.
const maxTemplates = 200

func settingsOf(s kiitest.Settings) settings {
	return settings{
		s.ResetFlow, duration(s.LinkValidity), duration(s.PINValidity), duration(s.CodeValidity), duration(s.TokenValidity), s.MinPasswordLength,
		s.RefreshTokens, s.VerifyEmail, s.VerifyPhone, s.SuccessURL, s.FailureURL, s.HomeURL, append([]kiitest.Template{}, s.Templates...),
	}
}

func (s settings) kiitest() kiitest.Settings {
	return kiitest.Settings{
		ResetFlow:    s.ResetFlow,
		LinkValidity: time.Duration(s.LinkValidity), PINValidity: time.Duration(s.PINValidity),
		CodeValidity: time.Duration(s.CodeValidity), TokenValidity: time.Duration(s.TokenValidity),
		MinPasswordLength: s.MinPasswordLength, RefreshTokens: s.RefreshTokens,
		VerifyEmail: s.VerifyEmail, VerifyPhone: s.VerifyPhone,
		SuccessURL: s.SuccessURL, FailureURL: s.FailureURL, HomeURL: s.HomeURL, Templates: s.Templates,
	}
}

// validateSettings reports what is wrong with settings, or nil.
func validateSettings(s kiitest.Settings) error {
	if len(s.Templates) > maxTemplates {
		return fieldProblemf("templates", "are too many: at most %d are kept", maxTemplates)
	}
	if err := s.Validate(); err != nil {
		return invalid(err)
	}
	return nil
}

// patch changes what the JSON object names, and nothing else. An array replaces the array: decoded
// over it, its objects would keep fields of those that stood in their place.
func (s *settings) patch(data []byte) error {
	var named map[string]json.RawMessage
	if err := json.Unmarshal(data, &named); err != nil {
		return problemf(http.StatusBadRequest, "the settings must be a JSON object")
	}
	changed := *s
	for name := range named {
		if strings.EqualFold(name, "templates") { // as the decoder compares names
			changed.Templates = nil
		}
	}
	if err := decodeStrict(data, &changed); err != nil {
		return problemf(http.StatusBadRequest, "%v", err)
	}
	*s = changed
	return nil
}

// A fault is a kiitest.Fault as JSON.
type fault struct {
	ID        int               `json:"id,omitempty"` // the emulator sets it
	Operation kiitest.Operation `json:"operation,omitempty"`
	Nth       int               `json:"nth,omitempty"`
	Times     int               `json:"times,omitempty"`
	Always    bool              `json:"always,omitempty"` // in place of times: without an end
	User      string            `json:"user,omitempty"`
	Kind      kiitest.FaultKind `json:"kind"`
	Delay     duration          `json:"delay,omitzero"`
	Handled   bool              `json:"handled,omitempty"`
	Status    int               `json:"status,omitempty"`
	ErrorCode string            `json:"errorCode,omitempty"`
	Location  string            `json:"location,omitempty"`
	RetryIn   duration          `json:"retryIn,omitzero"`
}

func faultOf(f kiitest.Fault) fault {
	out := fault{
		f.ID, f.Operation, f.Nth, f.Times, f.Times == kiitest.EveryTime, f.User, f.Kind, duration(f.Delay), f.Handled, f.Status, f.ErrorCode, f.Location, duration(f.RetryIn),
	}
	if out.Always {
		out.Times = 0
	}
	return out
}

func (f fault) kiitest() kiitest.Fault {
	times := f.Times
	if f.Always {
		times = kiitest.EveryTime
	}
	return kiitest.Fault{
		Operation: f.Operation, Nth: f.Nth, Times: times, User: f.User, Kind: f.Kind, Delay: time.Duration(f.Delay), Handled: f.Handled,
		Status: f.Status, ErrorCode: f.ErrorCode, Location: f.Location, RetryIn: time.Duration(f.RetryIn),
	}
}
