// Package pages_test checks what the pages and the package documentation tell their readers: that
// Go blocks compile, shell lines name what is there, links lead somewhere and tables are true.
package pages_test

import (
	"fmt"
	"os"
	"testing"
)

// The pages name files from the root of the repository.
func TestMain(m *testing.M) {
	if err := os.Chdir("../.."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	m.Run()
}
