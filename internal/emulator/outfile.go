package emulator

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// checkSeed refuses a path that there is nothing to read from. A pipe is read once, so it is not
// opened here. A seed that is also the export need not be there yet.
func checkSeed(name, export string) error {
	at, err := os.Stat(name)
	switch {
	case name == "" || sameFile(name, export) && errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return refusedFile("-seed", name, "the file does not exist")
	case err != nil:
		return refusedFile("-seed", name, "the path cannot be followed")
	case at.IsDir():
		return refusedFile("-seed", name, "it is a folder")
	case !at.Mode().IsRegular():
		return nil
	}
	file, err := os.Open(name)
	if err != nil {
		return refusedFile("-seed", name, "this user cannot read the file")
	}
	return file.Close()
}

// checkOutput finds out at the start, not after a day's work, that a flag's file cannot be written.
func checkOutput(flag, name string) error {
	if name == "" {
		return nil
	}
	at, err := os.Stat(name) // of what a link leads to
	switch {
	case err == nil && at.IsDir():
		return refusedFile(flag, name, "it is a folder")
	case err == nil && !at.Mode().IsRegular():
		return refusedFile(flag, name, "it is no plain file, but a device, a pipe or the like")
	case err == nil:
		file, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return refusedFile(flag, name, "this user cannot write the file")
		}
		return file.Close()
	case !errors.Is(err, fs.ErrNotExist): // links in a circle, a folder that is a file or is closed
		return refusedFile(flag, name, "the path cannot be followed")
	}
	if folder, err := os.Stat(filepath.Dir(target(name))); err != nil || !folder.IsDir() {
		return refusedFile(flag, name, "its folder does not exist")
	}
	file, err := os.CreateTemp(filepath.Dir(target(name)), ".kii-emulator-*")
	if err != nil {
		return refusedFile(flag, name, "this user cannot write its folder")
	}
	file.Close()
	return os.Remove(file.Name())
}

func refusedFile(flag, name, why string) error { return fmt.Errorf("%s %s: %s", flag, name, why) }

// sameFile reports whether two paths lead to one file, which may not exist yet.
func sameFile(a, b string) bool {
	a, errA := filepath.Abs(target(a))
	b, errB := filepath.Abs(target(b))
	return errA == nil && errB == nil && a == b
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

// writeFile writes a file with the mode. What was there before stays until the new one is whole,
// unless the file can only be written in place. If it fails, rescued is a copy in the folder for
// temporary files, which only this user can read, or empty if there is no room for one either.
func writeFile(name string, mode fs.FileMode, write func(io.Writer) error) (rescued string, err error) {
	err = replaceFile(target(name), mode, write)
	if err == nil {
		return "", nil
	}
	rescued, errRescue := writeTemporary("", "kii-emulator-*", 0o600, write)
	if unplaced(err) && (errRescue == nil || unplaced(errRescue)) { // an image may have no such folder
		err = overwriteFile(name, mode, write)
	}
	if err == nil {
		_ = os.Remove(rescued) // if there is one
		return "", nil
	}
	return rescued, err
}

// A placeError is that no other file can be made, or can take the place of the one that is there.
// It says nothing against writing into that one, as a full disk does.
type placeError struct{ err error }

func (e *placeError) Error() string { return e.err.Error() }
func (e *placeError) Unwrap() error { return e.err }

func unplaced(err error) bool {
	_, is := errors.AsType[*placeError](err)
	return is
}

// replaceFile writes a new file and puts it in the place of the old one.
func replaceFile(name string, mode fs.FileMode, write func(io.Writer) error) error {
	if at, err := os.Lstat(name); err == nil && !at.Mode().IsRegular() {
		return errors.New("it is not a plain file any more")
	}
	temporary, err := writeTemporary(filepath.Dir(name), ".kii-emulator-*", mode, write)
	if err != nil {
		return err
	}
	if err := os.Rename(temporary, name); err != nil {
		_ = os.Remove(temporary)
		return &placeError{err}
	}
	return nil
}

// writeTemporary writes a file with a name of its own. It leaves none that is not whole.
func writeTemporary(folder, pattern string, mode fs.FileMode, write func(io.Writer) error) (name string, err error) {
	file, err := os.CreateTemp(folder, pattern)
	if err != nil {
		return "", &placeError{err}
	}
	if err = file.Chmod(mode); err != nil { // before it holds anything
		err = &placeError{err}
	} else {
		err = write(file)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		_ = os.Remove(file.Name())
		return "", err
	}
	return file.Name(), nil
}

// overwriteFile writes into the file that is there: its folder cannot be written, or a container
// has the file itself mounted.
func overwriteFile(name string, mode fs.FileMode, write func(io.Writer) error) error {
	if at, err := os.Stat(name); err == nil && !at.Mode().IsRegular() {
		return errors.New("it is not a plain file any more")
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, mode)
	if err != nil {
		return err
	}
	_ = file.Chmod(mode) // refused if the file is somebody else's, who let this user write it; see warnOfReaders
	if err := file.Truncate(0); err != nil {
		return errors.Join(err, file.Close())
	}
	return errors.Join(write(file), file.Close())
}
