//go:build !unix || aix || solaris

package socket

import (
	"errors"
	"io/fs"
	"os"

	"github.com/jackfield-go/jackfield/core/internal/sweep"
)

// errTaken does not occur here.
var errTaken = errors.New("the directory was taken away")

// hold is empty: without locks the use of a directory is unknown, so only its
// owner removes it.
type hold struct{}

func takeHold(*os.File) (*hold, error) { return nil, nil }

func (*hold) serves(int) {}

func (*hold) servesUnknown() {}

func (*hold) release() {}

// Hold does nothing.
func Hold(string) (release func(), err error) { return func() {}, nil }

// ClearAway does nothing.
func ClearAway(string) {}

func startSweep(string) *sweep.Sweep { return nil }

// Without a sweep, a crowded place is as good as any.

func room(base string, _ Access) string { return base }

func isRoomGone(string, error) bool { return false }

func leaveRoom(string) {}

// again does not make a directory again: without locks a cleaner would remove it again.
func again(path string, _ Access, _ ...int) (fs.FileInfo, *hold, error) {
	return nil, nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
}
