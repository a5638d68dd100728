package e2e_test

import (
	"net"
	"testing"

	"github.com/go-kii/kii/test/e2e"
)

func TestAnAddressIsGivenToNobodyElse(t *testing.T) {
	t.Parallel()
	address := e2e.Address(t)
	for range 3 {
		program, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		program.Close()
		for range 20_000 { // each port that is given comes several times
			other, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			other.Close()
			if other.Addr().String() == address {
				t.Fatal("the address was given to another")
			}
		}
	}
}
