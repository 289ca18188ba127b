package files

import (
	"errors"
	"fmt"
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

// These bound the wait for other users of a file. A reader or a replacement of a small
// file takes a millisecond, but with many of them a try may find the file held each time.
const (
	heldWait   = 2 * time.Second
	heldPause  = 2 * time.Millisecond
	deniedWait = 200 * time.Millisecond // of opening: a file that this user may not read is denied too
)

// whileHeld tries again while somebody has a file open, such as a reader or a virus
// scanner, and Windows refuses.
func whileHeld(deniedWait time.Duration, do func() error) error {
	begun := time.Now()
	pause := time.NewTicker(heldPause)
	defer pause.Stop()
	for {
		err := do()
		waited := time.Since(begun)
		held := errors.Is(err, windows.ERROR_SHARING_VIOLATION) && waited < heldWait
		denied := errors.Is(err, windows.ERROR_ACCESS_DENIED) && waited < deniedWait
		if !held && !denied {
			return err
		}
		<-pause.C
	}
}

// rename waits for readers of the target: Windows does not replace an open file, and
// no file that is marked as read-only.
func rename(from, to string) error {
	if info, err := os.Stat(to); err == nil && info.Mode().Perm()&0o200 == 0 {
		return &fs.PathError{Op: "replace", Path: to, Err: errReadOnly}
	}
	return whileHeld(heldWait, func() error { return os.Rename(from, to) })
}

var errReadOnly = fmt.Errorf("it is marked as read-only, so take the mark away: %w", fs.ErrPermission)

// replace moves a running program away, since Windows renames it and does not replace it.
func replace(from, path, aside string) error {
	err := os.Rename(from, path)
	if err == nil || !isHeld(err) || os.Rename(path, aside) != nil {
		return rename(from, path)
	}
	if err := rename(from, path); err != nil {
		return errors.Join(err, os.Rename(aside, path))
	}
	return nil
}

func isHeld(err error) bool {
	return errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED)
}

// Remove removes a file. Windows does not remove a running program, and its error says
// only that access is denied.
func Remove(path string) error {
	err := whileHeld(deniedWait, func() error { return os.Remove(path) })
	if isHeld(err) {
		return fmt.Errorf("%w (a program that runs cannot be removed: end it first)", err)
	}
	return err
}

// open waits while a file is being replaced: Windows refuses to open it in that
// moment, by an error that may also mean a file for other users alone.
func open(path string, flags int) (file *os.File, err error) {
	err = whileHeld(deniedWait, func() error {
		file, err = os.OpenFile(path, flags, 0)
		return err
	})
	return file, err
}

// syncDir does nothing: Windows flushes no directories.
func syncDir(string) error { return nil }

func (f Fingerprint) ofSystem(info fs.FileInfo) Fingerprint {
	if data, ok := info.Sys().(*syscall.Win32FileAttributeData); ok {
		f.Changed = data.CreationTime.Nanoseconds() // a file in another's place has its own
	}
	return f
}
