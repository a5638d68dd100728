package emulator

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/go-kii/kii/kiitest"
)

// An export is what lives on after the emulator: a seed.
type export struct {
	Settings    settings                    `json:"settings"`
	Assumptions map[kiitest.Assumption]bool `json:"assumptions"` // those that were said at the start
	Users       []kiitest.Account           `json:"users"`
}

func (e *emulator) export() export {
	return export{settingsOf(e.srv.Settings()), e.start.assumptions, append([]kiitest.Account{}, e.srv.Accounts()...)}
}

// exportTo writes the export to a file that only this user can read. What was there before stays
// until the new one is whole.
func (e *emulator) exportTo(name string) error {
	if name == "" {
		return nil
	}
	data, err := json.MarshalIndent(e.export(), "", "  ")
	if err != nil {
		return fmt.Errorf("-export: %w", err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(name), ".kii-emulator-*") // mode 0600
	if err != nil {
		return fmt.Errorf("-export: %w", err)
	}
	defer os.Remove(temporary.Name()) // of no effect once it is renamed
	_, err = temporary.Write(append(data, '\n'))
	if closed := temporary.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temporary.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("-export: %w", err)
	}
	return nil
}
