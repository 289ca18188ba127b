package files

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// renameTries and renamePause bound the wait for readers: together a second, and a
// reader of a small file takes a millisecond.
const (
	renameTries = 100
	renamePause = 10 * time.Millisecond
)

// rename tries again while somebody has the target open, which Windows does not
// let replace: a reader, a virus scanner.
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
