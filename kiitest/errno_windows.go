package kiitest

import "syscall"

// Windows has numbers of its own for it, which package syscall names in part.
const (
	errRefused = syscall.Errno(10061) // WSAECONNREFUSED
	errReset   = syscall.WSAECONNRESET
)
