//go:build !unix || aix || solaris

package socket

import (
	"errors"
	"io/fs"
	"os"

	"github.com/jackfield-go/jackfield/core/internal/sweep"
)

// errTaken does not come up here.
var errTaken = errors.New("the directory was taken away")

// hold is nothing: without locks it cannot be known what is in use, and so
// nothing is removed but by its owner.
type hold struct{}

func takeHold(*os.File) (*hold, error) { return nil, nil }

func (*hold) serves(int) {}

func (*hold) servesUnknown() {}

func (*hold) release() {}

// Hold does nothing.
func Hold(string) (release func(), err error) { return func() {}, nil }

func startSweep(string) *sweep.Sweep { return nil }

// A crowded place is as good as any where nothing is looked for in it.

func room(base string, _ Access) string { return base }

func isRoomGone(string, error) bool { return false }

func leaveRoom(string) {}

// again does not make a directory again: without locks no cleaner can be kept from it
// either.
func again(path string, _ Access, _ ...int) (fs.FileInfo, *hold, error) {
	return nil, nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
}
