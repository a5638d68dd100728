package kiitest

import "syscall"

// Plan 9 says it in words.
var (
	errRefused = syscall.NewError("connection refused")
	errReset   = syscall.NewError("connection reset")
)
