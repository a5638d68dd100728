package emulator

import (
	"fmt"
	"io"
	"os"
	"runtime"
)

// exportTo writes the export to a file that only this user can read. If nothing helps, the export
// goes to the folder for temporary files, and the error tells where it is.
func (e *emulator) exportTo(name string) error {
	if name == "" {
		return nil
	}
	rescued, err := writeFile(name, 0o600, e.export().write)
	switch {
	case err == nil:
		return nil
	case rescued == "":
		return fmt.Errorf("-export: %w", err)
	}
	return fmt.Errorf("-export: %w. The export is in %s", err, rescued)
}

// exportEarly exports what is there before the command ends. Its failure is told by the export that
// comes after it.
func (e *emulator) exportEarly() {
	if e.options.Export == "" {
		return
	}
	if copied, err := writeFile(e.options.Export, 0o600, e.export().write); err != nil {
		_ = os.Remove(copied)
	}
}

// warnOfReaders says so if others than this user can read the export after all.
func warnOfReaders(stderr io.Writer, name string) {
	at, err := os.Stat(name)
	if err != nil || at.Mode().Perm()&0o077 == 0 || runtime.GOOS == "windows" { // which has no such modes
		return
	}
	fmt.Fprintf(stderr, "kii-emulator: WARNING: others may read %s, which holds passwords: its mode cannot be made 0600 from %04o.\n", name, at.Mode().Perm())
}
