package emulator

import (
	"errors"
	"fmt"
	"os"
)

// checkAddrFile refuses what a rename would do harm to.
func checkAddrFile(name string) error {
	if name == "" {
		return nil
	}
	if at, err := os.Lstat(name); err == nil && !at.Mode().IsRegular() {
		return errors.New("-addr-file must be a plain file, and is a folder, a link, a device or the like")
	}
	return nil
}

// writeAddrFile writes where the emulator listens, whole or not at all.
func writeAddrFile(name, address string) error {
	temporary := fmt.Sprintf("%s.%d.tmp", name, os.Getpid())
	if err := os.WriteFile(temporary, []byte(address+"\n"), 0o644); err != nil {
		return fmt.Errorf("-addr-file: %w", err)
	}
	if err := os.Rename(temporary, name); err != nil {
		os.Remove(temporary)
		return fmt.Errorf("-addr-file: %w", err)
	}
	return nil
}

// removeAddrFile removes the file, unless another emulator has written it since.
func removeAddrFile(name, address string) {
	if text, err := os.ReadFile(name); err == nil && string(text) == address+"\n" {
		os.Remove(name)
	}
}
