package emulator

import (
	"fmt"
	"os"
)

// exportTo writes the export to a file that only this user can read. If nothing helps, the export
// goes to the folder for temporary files, and the error tells where it is.
func (e *emulator) exportTo(name string) error {
	if name == "" {
		return nil
	}
	x := e.export()
	err := writeFile(name, 0o600, x.write)
	if err == nil {
		return nil
	}
	rescued, errTemp := os.CreateTemp("", "kii-emulator-export-*.json") // mode 0600
	if errTemp != nil {
		return fmt.Errorf("-export: %w", err)
	}
	defer rescued.Close()
	if errTemp := x.write(rescued); errTemp != nil {
		return fmt.Errorf("-export: %w", err)
	}
	return fmt.Errorf("-export: %w. The export is in %s", err, rescued.Name())
}
