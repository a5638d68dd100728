//go:build !plan9 && !windows

package kiitest

import "syscall"

// What a system says of a connection that was refused or that broke.
const (
	errRefused = syscall.ECONNREFUSED
	errReset   = syscall.ECONNRESET
)
