// Package e2e holds the browser tests of the example web app and of the emulator, and a run of
// Kii's JavaScript SDK against the emulator. It is a module of its own so that what drives a
// browser is no dependency of the library.
package e2e
