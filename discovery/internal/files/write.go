package files

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// TempPrefix begins the names of temporary files. They are hidden, so no search takes
// one for a plugin.
const TempPrefix = ".jackfield-tmp-"

// Write makes path a file with that content and mode, atomically. On an error the
// file is as before.
func Write(path string, data []byte, mode fs.FileMode) error {
	temp, err := Create(filepath.Dir(path), mode)
	if err != nil {
		return err
	}
	defer temp.Discard()
	if _, err := temp.Write(data); err != nil {
		return err
	}
	return temp.Commit(path)
}

// Rewrite is Write for a file of perhaps another user: its mode is kept, and mode is
// for a new file.
func Rewrite(path string, data []byte, mode fs.FileMode) error {
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		mode = info.Mode().Perm()
	}
	return Write(path, data, mode)
}

// maxLinks is how many symbolic links Target follows.
const maxLinks = 40

// Target returns the path of the file to which path leads, through symbolic links,
// whether it exists or not: a write there does not replace a link.
func Target(path string) string {
	at := path
	for range maxLinks {
		target, err := os.Readlink(at)
		if err != nil {
			return at // it is no link
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(at), target)
		}
		at = target
	}
	return path
}

// Sweep removes temporary files without a write for that long from dir: those of
// killed processes.
func Sweep(dir string, age time.Duration) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), TempPrefix) {
			continue
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > age {
			_ = os.Remove(filepath.Join(dir, entry.Name()))
		}
	}
}

// Temp is a file without its final name. It ends with Commit or Discard.
type Temp struct {
	file *os.File
	mode fs.FileMode
	kept bool
}

var _ io.Writer = (*Temp)(nil)

// Create makes a temporary file in dir, for only this user to read. Its final mode is
// mode, whatever the umask says.
func Create(dir string, mode fs.FileMode) (*Temp, error) {
	file, err := os.CreateTemp(dir, TempPrefix+"*")
	if err != nil {
		return nil, err
	}
	return &Temp{file: file, mode: mode}, nil
}

// Write appends to the file.
func (t *Temp) Write(p []byte) (int, error) { return t.file.Write(p) }

// Commit flushes the file to the disk and gives it the name path, in the same
// directory. A file of that name is replaced.
func (t *Temp) Commit(path string) error {
	err := errors.Join(t.file.Chmod(t.mode), t.file.Sync())
	// Not every system renames an open file.
	if err := errors.Join(err, t.file.Close()); err != nil {
		return err
	}
	if err := Rename(t.file.Name(), path); err != nil {
		return err
	}
	t.kept = true
	return nil
}

// Rename gives a file on the disk the name path, on the same file system. A file of
// that name is replaced.
func Rename(from, path string) error {
	if err := rename(from, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// Replace is Rename for a program. Windows does not replace one that runs: it then gets
// the name aside, and is for the caller to remove after its end.
func Replace(from, path, aside string) error {
	if err := replace(from, path, aside); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// Discard removes the file, unless it was committed.
func (t *Temp) Discard() {
	if t.kept {
		return
	}
	_ = t.file.Close()
	_ = os.Remove(t.file.Name())
}
