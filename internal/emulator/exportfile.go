package emulator

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// checkExport finds out at the start, not after a day's work, that the export cannot be written.
func checkExport(name string) error {
	if name == "" {
		return nil
	}
	at, err := os.Stat(name) // of what a link leads to
	switch {
	case err == nil && at.IsDir():
		return errors.New("-export must be a file, and is a folder")
	case err == nil && !at.Mode().IsRegular():
		return errors.New("-export must be a plain file, and is a device, a pipe or the like")
	case err == nil:
		file, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return errors.New("-export is a file that this user cannot write")
		}
		return file.Close()
	case !errors.Is(err, fs.ErrNotExist): // links in a circle, a folder that is a file or is closed
		return errors.New("-export is a path that cannot be followed")
	}
	if folder, err := os.Stat(filepath.Dir(target(name))); err != nil || !folder.IsDir() {
		return errors.New("-export is in a folder that does not exist")
	}
	file, err := os.CreateTemp(filepath.Dir(target(name)), ".kii-emulator-*")
	if err != nil {
		return errors.New("-export is in a folder that this user cannot write")
	}
	file.Close()
	return os.Remove(file.Name())
}

// target follows the links of a name, to a file that may not exist yet.
func target(name string) string {
	for range 20 { // a circle ends too
		to, err := os.Readlink(name)
		if err != nil {
			return name
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(name), to)
		}
		name = to
	}
	return name
}

// exportTo writes the export to a file that only this user can read. What was there before stays
// until the new one is whole, unless the file can only be written in place. If nothing helps, the
// export goes to the folder for temporary files, and the error tells where it is.
func (e *emulator) exportTo(name string) error {
	if name == "" {
		return nil
	}
	x := e.export()
	err := x.replaceFile(target(name))
	if err != nil {
		err = x.overwriteFile(name)
	}
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

// replaceFile writes a new file and puts it in the place of the old one.
func (x export) replaceFile(name string) error {
	if at, err := os.Lstat(name); err == nil && !at.Mode().IsRegular() {
		return errors.New("it is not a plain file any more")
	}
	temporary, err := os.CreateTemp(filepath.Dir(name), ".kii-emulator-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name()) // of no effect once it is renamed
	if err := errors.Join(x.write(temporary), temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), name)
}

// overwriteFile writes into the file that is there: its folder cannot be written, or a container
// has the file itself mounted.
func (x export) overwriteFile(name string) error {
	if at, err := os.Stat(name); err == nil && !at.Mode().IsRegular() {
		return errors.New("it is not a plain file any more")
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(x.write(file), file.Close())
}
