package emulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/go-kii/kii/kiitest"
)

const (
	maxSeed  = 16 << 20 // bytes
	seedHelp = "settings, assumptions and users"
)

// A seed is what an emulator starts with, and returns to on reset.
type seed struct {
	settings    kiitest.Settings
	assumptions map[kiitest.Assumption]bool
	accounts    []seedAccount
}

// A seedAccount knows where it stands in the file.
type seedAccount struct {
	kiitest.Account
	where string
}

func (a seedAccount) wrong(err error) error { return errors.New(a.where + userText(err)) }

// reader goes through a seed file and knows the line that it is at.
type reader struct {
	name string
	data []byte
	dec  *json.Decoder
	seed seed
}

// loadSeed reads a seed file; without one the emulator starts empty.
func loadSeed(name string) (seed, error) {
	if name == "" {
		return readSeed(name, []byte("{}"))
	}
	file, err := os.Open(name)
	if err != nil {
		return seed{}, fmt.Errorf("-seed: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxSeed+1))
	switch {
	case err != nil:
		return seed{}, fmt.Errorf("-seed: %w", err)
	case len(data) > maxSeed:
		return seed{}, fmt.Errorf("%s: a seed is at most %d MB", name, maxSeed>>20)
	}
	return readSeed(name, data)
}

// readSeed reads what stands in a seed file. What it leaves out is kiitest's default.
func readSeed(name string, data []byte) (seed, error) {
	server := kiitest.NewServer(kiitest.WithoutSocket())
	defer server.Close()
	r := &reader{name: name, data: data, seed: seed{settings: server.Settings(), assumptions: make(map[kiitest.Assumption]bool)}}
	err := r.read()
	return r.seed, err
}

func (r *reader) read() error {
	if err := json.Unmarshal(r.data, new(json.RawMessage)); err != nil {
		syntax, ok := errors.AsType[*json.SyntaxError](err)
		if !ok {
			return r.wrong(0, "this is no JSON")
		}
		return r.wrong(syntax.Offset, "this is no JSON: %v", syntax)
	}
	r.dec = json.NewDecoder(bytes.NewReader(r.data))
	err := r.object("the seed", func(name string, at int64) error {
		switch name {
		case "settings":
			return r.readSettings(at)
		case "assumptions":
			return r.readAssumptions()
		case "users":
			return r.readUsers(at)
		}
		return r.wrong(at, "there is no field %q in a seed; it has %s", name, seedHelp)
	})
	return err
}

// object goes through a JSON object, with each field's name and where it is. A field that is there
// twice is a mistake that JSON lets pass.
func (r *reader) object(what string, field func(name string, at int64) error) error {
	if open, _ := r.dec.Token(); open != json.Delim('{') {
		return r.wrong(r.dec.InputOffset(), "%s must be a JSON object: { … }", what)
	}
	seen := make(map[string]bool)
	for r.dec.More() {
		key, _ := r.dec.Token() // the syntax was checked
		name, at := key.(string), r.dec.InputOffset()
		if seen[name] {
			return r.wrong(at, "%q is there twice", name)
		}
		seen[name] = true
		if err := field(name, at); err != nil {
			return err
		}
	}
	r.dec.Token()
	return nil
}

// value decodes the field's value over what is there.
func (r *reader) value(name string, at int64, into any) error {
	var raw json.RawMessage
	if err := r.dec.Decode(&raw); err != nil {
		return r.wrong(at, "%v", describeJSON(err))
	}
	quoted, _ := json.Marshal(name) // a string always encodes
	if err := decodeStrict(slices.Concat([]byte("{"), quoted, []byte(":"), raw, []byte("}")), into); err != nil {
		return r.wrong(at, "%s: %v", name, err)
	}
	return nil
}

func (r *reader) readSettings(start int64) error {
	read := settingsOf(r.seed.settings)
	err := r.object("settings", func(name string, at int64) error {
		if err := r.value(name, at, &read); err != nil {
			return err
		}
		if err := read.validate(); err != nil { // after each field, so that the line is its own
			return r.wrong(at, "%s", userText(err))
		}
		return nil
	})
	r.seed.settings = read.kiitest()
	return err
}

func (r *reader) readAssumptions() error {
	return r.object("assumptions", func(name string, at int64) error {
		if !slices.Contains(kiitest.Assumptions(), kiitest.Assumption(name)) {
			return r.wrong(at, "there is no assumption of that name; there are %s", joinWords(kiitest.Assumptions()))
		}
		var holds bool
		if err := r.dec.Decode(&holds); err != nil {
			return r.wrong(at, "%s must be true or false", name)
		}
		r.seed.assumptions[kiitest.Assumption(name)] = holds
		return nil
	})
}

func (r *reader) readUsers(start int64) error {
	if open, _ := r.dec.Token(); open != json.Delim('[') {
		return r.wrong(start, "users must be an array: [ … ]")
	}
	for r.dec.More() {
		at := r.skipTo('{')
		if len(r.seed.accounts) == maxUsers {
			return r.wrong(at, "a seed has at most %d users", maxUsers)
		}
		var a kiitest.Account
		if err := r.object("each of the users", func(name string, at int64) error { return r.value(name, at, &a) }); err != nil {
			return err
		}
		if a.Email == "" && a.Phone == "" && a.LoginName == "" {
			return r.wrong(at, "a user needs an email, a phone or a loginName")
		}
		if err := a.Validate(); err != nil {
			return r.wrong(at, "%s", userText(err))
		}
		if a.ID == "" {
			a.ID = stableID(a)
		}
		r.seed.accounts = append(r.seed.accounts, seedAccount{a, r.where(at)})
	}
	r.dec.Token()
	return r.unique()
}

// unique refuses the second user of an ID or an address, which would replace the first.
func (r *reader) unique() error {
	seen := make(map[string]bool)
	for _, a := range r.seed.accounts {
		if seen[a.ID] {
			return a.wrong(errors.New("a user above has the same id, or the same addresses"))
		}
		seen[a.ID] = true
	}
	return nil
}

// skipTo returns where the next value starts.
func (r *reader) skipTo(open byte) int64 {
	from := r.dec.InputOffset()
	if i := bytes.IndexByte(r.data[from:], open); i >= 0 {
		return from + int64(i)
	}
	return from
}

// stableID is the ID of a user whom the seed gives none: the same in every run, wherever in the file
// the user stands.
func stableID(a kiitest.Account) string {
	b := sha256.Sum256([]byte(strings.Join([]string{a.LoginName, a.Email, a.Phone}, "\x00")))
	b[6] = b[6]&0x0f | 0x80 // a UUID of version 8: made as its maker likes
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

func (r *reader) where(at int64) string {
	return fmt.Sprintf("%s:%d: ", r.name, 1+bytes.Count(r.data[:min(at, int64(len(r.data)))], []byte("\n")))
}

// wrong is an error that says where and what is wanted.
func (r *reader) wrong(at int64, format string, args ...any) error {
	return fmt.Errorf("%s"+format, append([]any{r.where(at)}, args...)...)
}
