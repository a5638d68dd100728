package emulator

import (
	"fmt"
	"io"
	"os"
)

// writeAddrFile writes where the emulator listens.
func writeAddrFile(name, address string) error {
	copied, err := writeFile(name, 0o644, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, address)
		return err
	})
	if err != nil {
		_ = os.Remove(copied) // nobody looks for the address there
		return fmt.Errorf("-addr-file: %w", err)
	}
	return nil
}

// removeAddrFile removes the file, unless another emulator has written it since.
func removeAddrFile(name, address string) {
	if text, err := os.ReadFile(name); err != nil || string(text) != address+"\n" {
		return
	}
	if os.Remove(target(name)) != nil {
		_ = os.Truncate(name, 0) // a container may have the file itself mounted
	}
}
