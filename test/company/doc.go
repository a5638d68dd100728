// Package company tests kii in the company that programs keep: RoundTrippers that sign, record,
// retry, trace or cache, and callers that group, retry and count goroutines. It is a module of its
// own, so that none of these is a dependency of the library.
package company
