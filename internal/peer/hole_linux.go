package peer

import (
	"errors"
	"net"
	"sync"
	"syscall"
	"time"
)

// BlackHole returns an address on loopback where every packet of a dial is dropped: the queue of
// what nobody accepts is full.
var BlackHole = sync.OnceValues(blackHole)

func blackHole() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	raw, err := ln.(*net.TCPListener).SyscallConn()
	if err != nil {
		return "", err
	}
	var short error
	if err := raw.Control(func(fd uintptr) { short = syscall.Listen(int(fd), 0) }); err != nil || short != nil {
		return "", errors.Join(err, short)
	}
	holes = append(holes, ln)
	for range 8 {
		conn, err := net.DialTimeout("tcp", ln.Addr().String(), 300*time.Millisecond)
		if err != nil {
			return ln.Addr().String(), nil
		}
		holes = append(holes, conn)
	}
	return "", errors.New("the queue of a listener does not fill")
}

var holes []any // kept from the garbage collector, which would close them
