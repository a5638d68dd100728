package kiitest

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
)

const (
	minPassword = 4  // the shortest password that Kii Cloud takes
	maxPassword = 50 // and the longest

	pinDigits         = 6
	generatedPassword = 6 // letters in a password that the server makes, unless the app's minimum is higher
)

// A generator makes what must not be guessed: random by default, the same in every run with a seed.
// Callers hold the server's lock.
type generator struct {
	random *rand.Rand
	pin    string // what every PIN is; empty: made
	pins   int    // how many PINs were made
}

// newGenerator seeds from the runtime's own source, which cannot be predicted either: crypto/rand
// panics in a bubble of synctest in FIPS mode.
func newGenerator(cfg config) generator {
	var key [32]byte
	if cfg.seed != nil {
		binary.LittleEndian.PutUint64(key[:], *cfg.seed)
	} else {
		for i := 0; i < len(key); i += 8 {
			binary.LittleEndian.PutUint64(key[i:], rand.Uint64())
		}
	}
	return generator{random: rand.New(rand.NewChaCha8(key)), pin: cfg.pin}
}

func (g *generator) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(g.random.UintN(256)) //nolint:gosec // no more than a byte
	}
	return b
}

func (g *generator) hex(digits int) string { return hex.EncodeToString(g.bytes(digits / 2)) }

// token makes 43 URL-safe characters, as Kii Cloud's tokens are.
func (g *generator) token() string { return base64.RawURLEncoding.EncodeToString(g.bytes(32)) }

// userID makes a UUID of version 4.
func (g *generator) userID() string {
	b := g.bytes(16)
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// nextPIN makes six digits other than the given PIN. The first one of a server starts with a zero,
// so that a program which keeps PINs as numbers fails in its first test.
func (g *generator) nextPIN(not string) string {
	if g.pin != "" {
		return g.pin
	}
	limit := 1_000_000
	if g.pins == 0 {
		limit = 100_000
	}
	g.pins++
	for {
		if pin := fmt.Sprintf("%0*d", pinDigits, g.random.IntN(limit)); pin != not && !looksMadeUp(pin) {
			return pin
		}
	}
}

// looksMadeUp reports whether pin looks like one that a test would hard-code as wrong: 000000,
// 123456, 987654.
func looksMadeUp(pin string) bool {
	step := int(pin[1]) - int(pin[0])
	for i := 2; i < len(pin); i++ {
		if int(pin[i])-int(pin[i-1]) != step {
			return false
		}
	}
	return true // six digits leave no room for larger steps
}

// password makes letters, as Kii Cloud's generated passwords are, other than the given password.
func (g *generator) password(least int, not string) string {
	const letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz" // without those that look alike
	b := make([]byte, max(generatedPassword, least))
	for {
		for i := range b {
			b[i] = letters[g.random.IntN(len(letters))]
		}
		if string(b) != not {
			return string(b)
		}
	}
}
