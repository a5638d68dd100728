// Package emulator tests the page of cmd/kii-emulator in a browser, with the program itself behind
// it.
package emulator
