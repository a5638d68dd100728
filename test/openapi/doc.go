// Package openapi holds the test of the emulator's OpenAPI description against the emulator itself,
// by the rules of a library that knows OpenAPI. It is a module of its own so that this library is
// no dependency of kii.
package openapi
