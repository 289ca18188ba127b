package files

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/windows"
)

func lockFile(file *os.File) (bool, error) {
	const exclusive = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err := windows.LockFileEx(windows.Handle(file.Fd()), exclusive, 0, 1, 0, new(windows.Overlapped))
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, windows.ERROR_LOCK_VIOLATION), errors.Is(err, windows.ERROR_IO_PENDING):
		return false, nil
	default:
		return false, err
	}
}

// release leaves the file where it is: Windows removes no file that is open in
// another process, and a name under removal cannot be opened.
func release(file *os.File) { _ = file.Close() }

// Named pipes of Windows lie in no directory, and a directory opens as a file does.
const notWaiting, onlyDirectory = 0, 0

var (
	// ErrLoop is in the error for a symbolic link that leads back to itself.
	ErrLoop error = syscall.ELOOP
	// ErrBusy is in the error for a program that is open for writing and cannot run.
	ErrBusy error = syscall.ETXTBSY
)

func lstat(_ *os.File, path, _ string) (fs.FileMode, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, err
	}
	return info.Mode(), nil
}

// renameTries and renamePause bound the wait for readers: together a second, and a
// reader of a small file takes a millisecond.
const (
	renameTries = 100
	renamePause = 10 * time.Millisecond
)

// rename tries again while somebody has the target open, such as a reader or a virus
// scanner: Windows does not let it be replaced.
func rename(from, to string) error {
	pause := time.NewTicker(renamePause)
	defer pause.Stop()
	for try := 1; ; try++ {
		err := os.Rename(from, to)
		held := errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED)
		if !held || try == renameTries {
			return err
		}
		<-pause.C
	}
}

// syncDir does nothing: Windows flushes no directories.
func syncDir(string) error { return nil }

func (f Fingerprint) ofSystem(info fs.FileInfo) Fingerprint {
	if data, ok := info.Sys().(*syscall.Win32FileAttributeData); ok {
		f.Changed = data.CreationTime.Nanoseconds() // a file in another's place has its own
	}
	return f
}
