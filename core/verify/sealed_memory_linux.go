package verify

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/jackfield-go/jackfield/core/internal/diagnose"
)

// Since Linux 6.3, and in later versions of package unix than this module requires.
const (
	memfdExec   = 0x10 // MFD_EXEC; the system may be told to refuse programs without it
	sealExecBit = 0x20 // F_SEAL_EXEC: against chmod +x and -x
)

// sealAll is against more seals, shrinking, growing and writing.
const sealAll = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE

// maxMemoryName bounds the name of a memory file; the system takes 249 bytes.
const maxMemoryName = 200

// runsFromMemory reports whether the system runs a program by itself: interpreters
// and emulators want a path.
func runsFromMemory(file io.ReaderAt) bool { return diagnose.IsNative(file) }

// sealInMemory copies a program into a memory file that nobody can change.
func sealInMemory(ctx context.Context, from Origin, content io.Reader) (*os.File, error) {
	name := filepath.Base(from.Path)
	writable, err := createMemory(name[:min(len(name), maxMemoryName)])
	if err != nil {
		return nil, err
	}
	defer writable.Close()
	if err := copyAll(ctx, writable, content); err != nil {
		return nil, err
	}
	if err := writable.Chmod(copyMode(from.Mode)); err != nil {
		return nil, err
	}
	if err := seal(writable); err != nil {
		return nil, err
	}
	// The descriptor to run cannot even be written to.
	return os.Open("/proc/self/fd/" + strconv.Itoa(int(writable.Fd())))
}

func createMemory(name string) (*os.File, error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate(name, flags|memfdExec)
	if errors.Is(err, unix.EINVAL) {
		fd, err = unix.MemfdCreate(name, flags)
	}
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// seal makes a memory file unchangeable, for good.
func seal(file *os.File) error {
	_, err := unix.FcntlInt(file.Fd(), unix.F_ADD_SEALS, sealAll|sealExecBit)
	if errors.Is(err, unix.EINVAL) {
		_, err = unix.FcntlInt(file.Fd(), unix.F_ADD_SEALS, sealAll)
	}
	return os.NewSyscallError("fcntl", err)
}
