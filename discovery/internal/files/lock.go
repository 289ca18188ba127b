package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// The wait for a lock: short at first, since a holder only rewrites a file.
const (
	minPause = time.Millisecond
	maxPause = 25 * time.Millisecond
)

// Lock waits until no other process, and no other goroutine of this one, holds the
// lock of the file path, or until ctx ends. The function ends the lock. The lock is
// on a hidden file beside path, so a replacement of path does not disturb it.
func Lock(ctx context.Context, path string) (unlock func(), err error) {
	name := lockName(path)
	pause := minPause
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the lock of %s: %w", path, context.Cause(ctx))
		case <-timer.C:
		}
		file, err := tryLock(name)
		if err != nil {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if file != nil {
			return func() { release(file) }, nil
		}
		timer.Reset(pause)
		pause = min(2*pause, maxPause)
	}
}

// TryLock is Lock without a wait: ok is false where somebody else holds the lock, or
// the lock cannot be had.
func TryLock(path string) (unlock func(), ok bool) {
	file, err := tryLock(lockName(path))
	if err != nil || file == nil {
		return nil, false
	}
	return func() { release(file) }, true
}

// lockName is the hidden file that stands for path.
func lockName(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".lock")
}

// openLock opens the file, and makes it if need be. Reading is enough to wait for
// another user's.
func openLock(name string) (*os.File, error) {
	const tries = 10
	for try := 1; ; try++ {
		file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|notWaiting, 0o666)
		if !errors.Is(err, fs.ErrPermission) {
			return file, err
		}
		theirs, readErr := Open(name)
		if readErr == nil {
			return theirs, nil
		}
		// Either nobody may make one here, or it was removed just now.
		if !errors.Is(readErr, fs.ErrNotExist) || try == tries {
			return nil, err
		}
	}
}

// tryLock returns the locked file, or nil if another one has it.
func tryLock(name string) (*os.File, error) {
	file, err := openLock(name)
	if err != nil {
		return nil, err
	}
	mine, err := file.Stat()
	if err == nil && !mine.Mode().IsRegular() {
		err = &fs.PathError{Op: "lock", Path: name, Err: errNotRegular}
	}
	locked := false
	if err == nil {
		locked, err = lockFile(file)
	}
	if err != nil || !locked {
		_ = file.Close()
		return nil, err
	}
	// Its last holder may have removed it between the opening and the locking.
	if mine, err = file.Stat(); err == nil {
		var there os.FileInfo
		if there, err = os.Stat(name); err == nil && os.SameFile(mine, there) {
			return file, nil
		}
	}
	_ = file.Close()
	if os.IsNotExist(err) {
		err = nil
	}
	return nil, err
}
