package emulator

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/go-kii/kii/kiitest"
)

// An export is what lives on after the emulator: a seed.
type export struct {
	Settings    settings                    `json:"settings"`
	Assumptions map[kiitest.Assumption]bool `json:"assumptions"` // those that do not hold
	Users       []kiitest.Account           `json:"users"`
}

// export is the state between two calls.
func (e *emulator) export() export {
	s := e.srv.Snapshot()
	return export{settingsOf(s.Settings), turnedOff(s.Assumptions), append([]kiitest.Account{}, s.Accounts...)}
}

// write writes the export for a person: the settings in lines, and a user a line. What an app keeps
// in a user's fields is not spread out or escaped, so that it stays below the bound of such fields.
func (x export) write(w io.Writer) error {
	var b bytes.Buffer
	encode := func(value any, prefix string) {
		data := encodeJSON(value)
		if prefix != "" {
			_ = json.Indent(&b, data, prefix, "  ") // its own JSON
			return
		}
		b.Write(data)
	}
	b.WriteString("{\n  \"settings\": ")
	encode(x.Settings, "  ")
	b.WriteString(",\n  \"assumptions\": ")
	encode(x.Assumptions, "  ")
	b.WriteString(",\n  \"users\": [")
	for i, a := range x.Users {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n    ")
		encode(a, "")
	}
	b.WriteString("\n  ]\n}\n")
	_, err := w.Write(b.Bytes())
	return err
}

// encodeJSON encodes a value of the emulator's own. It does not escape < and >, which nobody reads
// as HTML, and which would make what an app sent longer.
func encodeJSON(value any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
