package emulator

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/go-kii/kii/kiitest"
)

const (
	maxSeed  = 1 << 30 // bytes: 10,000 users with 63 KB of fields each fit
	seedHelp = "settings, assumptions and users"
)

// A seed is what an emulator starts with, and returns to on reset.
type seed struct {
	kiitest.Snapshot
	name  string           // of the file
	data  []byte           // that stands in it
	lines map[string]int64 // where a value is: settings.pinValidity, users[3], users[3].email
}

// awaitSeed reads a seed file, unless the context ends first: what comes by a pipe may never end.
func awaitSeed(ctx context.Context, name string) (seed, error) {
	type result struct {
		start seed
		err   error
	}
	read := make(chan result, 1)
	go func() {
		start, err := loadSeed(name)
		read <- result{start, err}
	}()
	select {
	case r := <-read:
		return r.start, r.err
	case <-ctx.Done():
		return seed{}, errors.New("-seed: stopped before the file was read")
	}
}

// loadSeed reads a seed file. Without one the emulator starts empty, and so it does if the
// file is its export as well, which is not there before the first run.
func loadSeed(name string) (seed, error) {
	if name == "" {
		return readSeed(name, []byte("{}"))
	}
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return loadSeed("")
	}
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

// readSeed reads what stands in a seed file. What it leaves out is kiitest's default. A server
// tries it, so that a seed is valid if and only if the JSON API and the app's calls could lead to
// it.
func readSeed(name string, data []byte) (seed, error) {
	server := kiitest.NewServer(kiitest.WithoutSocket())
	defer server.Close()
	s := seed{server.Snapshot(), name, bytes.TrimPrefix(data, []byte(byteOrderMark)), make(map[string]int64)}
	if err := checkJSON(s.data); err != nil {
		bad, _ := errors.AsType[*jsonError](err)
		return s, s.errorAt(bad.offset, "%s", bad.text)
	}
	r := &seedReader{seed: &s, dec: json.NewDecoder(bytes.NewReader(s.data))}
	if err := r.read(); err != nil {
		return s, err
	}
	err := s.wrong(server.Restore(s.Snapshot))
	s.data = nil // the lines were needed until here
	return s, err
}

// wrong names the file and the line of the first thing that kiitest says about the seed.
func (s *seed) wrong(err error) error {
	all := kiitest.FieldErrors(err)
	if len(all) == 0 {
		return err
	}
	field := strings.Replace(jsonName(all[0].Field), "accounts[", "users[", 1)
	_, shown, _ := strings.Cut(field, ".") // settings.pinValidity, users[3].email
	at := int64(0)
	for path := field; path != ""; path = path[:max(0, strings.LastIndexAny(path, ".["))] {
		if line, known := s.lines[path]; known {
			at = line
			break
		}
	}
	return s.errorAt(at, "%s %s", shown, all[0].Reason)
}

func (s *seed) errorAt(at int64, format string, args ...any) error {
	line := 1 + bytes.Count(s.data[:at], []byte("\n"))
	return fmt.Errorf("%s:%d: "+format, append([]any{s.name, line}, args...)...)
}

// A seedReader goes through a seed file of checked syntax, and notes the line of each value.
// It reads token by token, because encoding/json does not give the line of an invalid value.
type seedReader struct {
	*seed
	dec *json.Decoder
}

func (r *seedReader) read() error {
	read := settingsOf(r.Settings)
	err := r.object("the seed", "", func(name string, at int64) error {
		switch name {
		case "settings":
			return r.object("settings", "settings.", func(name string, at int64) error {
				if name == "templates" {
					return r.templates(at, &read)
				}
				return r.value(name, at, &read)
			})
		case "assumptions":
			return r.object("assumptions", "assumptions.", r.assumption)
		case "users":
			return r.users(at)
		}
		return r.errorAt(at, "there is no field %q in a seed; it has %s", name, seedHelp)
	})
	r.Settings = read.kiitest()
	return err
}

// object goes through a JSON object, with each field's name and where it is.
func (r *seedReader) object(what, path string, field func(name string, at int64) error) error {
	if open, _ := r.dec.Token(); open != json.Delim('{') {
		return r.errorAt(r.dec.InputOffset(), "%s must be a JSON object: { … }", what)
	}
	for r.dec.More() {
		key, _ := r.dec.Token()
		name, at := key.(string), r.dec.InputOffset()
		r.lines[path+name] = at
		if err := field(name, at); err != nil {
			return err
		}
	}
	_, _ = r.dec.Token()
	return nil
}

// value decodes a field over what is there.
func (r *seedReader) value(name string, at int64, into any) error {
	var raw json.RawMessage
	_ = r.dec.Decode(&raw)          // the syntax was checked
	quoted, _ := json.Marshal(name) // a string always encodes
	if err := decodeStrict(slices.Concat([]byte("{"), quoted, []byte(":"), raw, []byte("}")), into); err != nil {
		return r.errorAt(at, "%s", strings.Replace(err.Error(), "the value", "the field "+name, 1)) // see describeJSON
	}
	return nil
}

func (r *seedReader) assumption(name string, at int64) error {
	if !slices.Contains(kiitest.Assumptions(), kiitest.Assumption(name)) {
		return r.errorAt(at, "there is no assumption of that name; there are %s", joinWords(kiitest.Assumptions()))
	}
	var holds bool
	if err := r.dec.Decode(&holds); err != nil {
		return r.errorAt(at, "%s must be true or false", name)
	}
	r.Assumptions[kiitest.Assumption(name)] = holds
	return nil
}

func (r *seedReader) templates(start int64, read *settings) error {
	var all []kiitest.Template
	err := array(r, "templates", "settings.templates", start, maxTemplates, func(t kiitest.Template) { all = append(all, t) })
	read.Templates = all
	return err
}

func (r *seedReader) users(start int64) error {
	alike := make(map[[3]string]int) // how many users have these names and addresses
	return array(r, "users", "users", start, maxUsers, func(a kiitest.Account) {
		names := [3]string{a.LoginName, a.Email, a.Phone}
		if a.ID == "" {
			a.ID = stableID(names, alike[names])
		}
		alike[names]++
		r.Accounts = append(r.Accounts, a)
	})
}

// array goes through a JSON array of objects, and adds each.
func array[T any](r *seedReader, name, path string, start int64, most int, add func(T)) error {
	if open, _ := r.dec.Token(); open != json.Delim('[') {
		return r.errorAt(start, "%s must be an array: [ … ]", name)
	}
	for i := 0; r.dec.More(); i++ {
		at := r.skipTo('{')
		if i == most {
			return r.errorAt(at, "%s are too many: at most %d are kept", name, most)
		}
		one := fmt.Sprintf("%s[%d]", path, i)
		r.lines[one] = at
		var value T
		if err := r.object("each of the "+name, one+".", func(name string, at int64) error { return r.value(name, at, &value) }); err != nil {
			return err
		}
		add(value)
	}
	_, _ = r.dec.Token()
	return nil
}

// skipTo returns where the next value starts.
func (r *seedReader) skipTo(open byte) int64 {
	from := r.dec.InputOffset()
	if i := bytes.IndexByte(r.data[from:], open); i >= 0 {
		return from + int64(i)
	}
	return from
}

// stableID is the ID of a user to whom the seed gives none: the same in every run, wherever in the
// file the user stands. Users who share all names and addresses are told apart by their number.
func stableID(names [3]string, number int) string {
	parts := names[:]
	if number > 0 {
		parts = append(parts, fmt.Sprint(number))
	}
	b := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	b[6] = b[6]&0x0f | 0x80 // UUIDv8, the vendor-defined version
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// turnedOff are the assumptions that do not hold.
func turnedOff(assumed map[kiitest.Assumption]bool) map[kiitest.Assumption]bool {
	off := maps.Clone(assumed)
	maps.DeleteFunc(off, func(_ kiitest.Assumption, holds bool) bool { return holds })
	return off
}
