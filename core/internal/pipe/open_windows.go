package pipe

import (
	"crypto/rand"
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// capacity is the size of a pipe's buffer, as on Linux. That of an anonymous pipe is 4 KiB.
const capacity = 64 << 10

// Open makes a pipe, the reading end first. It has a name, since anonymous pipes have no
// overlapped reading: there a Close misses a Read that is about to begin, and waits for it.
//
// Nobody else connects: the name is secret until this process has taken the single instance.
func Open() (r, w *os.File, err error) {
	name := `\\.\pipe\jackfield-` + rand.Text()
	path, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return nil, nil, err
	}
	const (
		access = windows.PIPE_ACCESS_INBOUND | windows.FILE_FLAG_OVERLAPPED | windows.FILE_FLAG_FIRST_PIPE_INSTANCE
		mode   = windows.PIPE_TYPE_BYTE | windows.PIPE_REJECT_REMOTE_CLIENTS
	)
	reading, err := windows.CreateNamedPipe(path, access, mode, 1, 0, capacity, 0, nil)
	if err != nil {
		return nil, nil, os.NewSyscallError("CreateNamedPipe", err)
	}
	writing, err := windows.CreateFile(path, windows.GENERIC_WRITE, 0, nil, windows.OPEN_EXISTING, 0, 0)
	if err != nil {
		err = os.NewSyscallError("CreateFile", err)
		return nil, nil, errors.Join(err, windows.CloseHandle(reading))
	}
	return os.NewFile(uintptr(reading), "|0"), os.NewFile(uintptr(writing), "|1"), nil
}
