package emulator

import "fmt"

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
