package verify

import (
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/windows"

	"github.com/jackfield-go/jackfield/core/internal/sweep"
)

// claim does nothing: a directory with an open file, or a running program, cannot be removed.
func claim(*os.File) {}

// startSweep begins to remove the private directories in base left by ended processes.
func startSweep(base string) *sweep.Sweep { return sweep.Start(base, privatePattern, removeAbandoned) }

// abandonedAge is how old a private directory must be: a new one may be about to get its file.
const abandonedAge = time.Minute

// removeAbandoned removes an unused private directory. A directory with anything but the file of
// one copy is not a private directory, and stays.
func removeAbandoned(path string) {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() || time.Since(info.ModTime()) < abandonedAge {
		return
	}
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) > 1 {
		return
	}
	for _, entry := range entries {
		name := filepath.Join(path, entry.Name())
		// os.Remove first takes the read-only mark away, which a copy in use must keep.
		if entry.Type() != fs.FileMode(0) || isOpen(name) || os.Remove(name) != nil {
			return
		}
	}
	if name, err := windows.UTF16PtrFromString(path); err == nil {
		_ = windows.RemoveDirectory(name) // it takes an empty directory, and nothing else
	}
}

// isOpen reports whether any process has the file open, or this user may not remove it.
func isOpen(name string) bool {
	path, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return true
	}
	const shared = 0 // with nobody
	file, err := windows.CreateFile(path, windows.DELETE, shared, nil, windows.OPEN_EXISTING, windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
	if err != nil {
		return true
	}
	return windows.CloseHandle(file) != nil
}

// These bound the wait for a process that has just ended, or a virus scanner.
const (
	removeTries = 50
	removePause = 10 * time.Millisecond
)

// removeCopy removes a private directory. A copy that stays in use is left to a later sweep.
func removeCopy(dir string) error {
	pause := time.NewTicker(removePause)
	defer pause.Stop()
	for try := 1; ; try++ {
		err := os.RemoveAll(dir)
		if err == nil || try == removeTries {
			return err
		}
		<-pause.C
	}
}
