package runner

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/jackfield-go/jackfield/core/internal/diagnose"
)

// descriptor is where a process finds one of its descriptors.
func descriptor(fd uintptr) string { return "/proc/self/fd/" + strconv.Itoa(int(fd)) }

// Since Linux 6.3, and in later versions of package unix than this module requires.
const (
	memfdExec   = 0x10 // MFD_EXEC; the system may be told to refuse programs that lack it
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
	// What runs is a descriptor that cannot even be written to.
	readable, err := os.Open(descriptor(writable.Fd()))
	if err != nil {
		return nil, err
	}
	defer readable.Close()
	return duplicateAbove(readable, maxStandard)
}

// maxStandard is the highest descriptor that leads elsewhere in a child process
// than in this one.
const maxStandard = 2

// startFromMemory runs a memory file by the descriptor that a child has of it
// until its program begins: that is closed then, so that nothing the process
// starts gets it. Between fork and exec package syscall moves descriptors, to
// numbers above all of those that it was given. One of these, the error output,
// is therefore above the memory file's, and that is the lowest which is free: it may
// have been made when only the last ones were, above which there are none.
func startFromMemory(c *exec.Cmd, memory, stderr *os.File) error {
	memory, err := duplicateAbove(memory, maxStandard)
	if err != nil {
		return err
	}
	defer memory.Close()
	conn, err := memory.SyscallConn()
	if err != nil {
		return err
	}
	var startErr error
	err = conn.Control(func(fd uintptr) { // which is nothing else's number until it returns
		above, err := duplicateAbove(stderr, fd)
		if err != nil {
			startErr = err
			return
		}
		defer above.Close()
		c.Path = descriptor(fd)
		c.Stderr = above
		startErr = c.Start()
	})
	if err != nil {
		return err
	}
	return startErr
}

// duplicateAbove returns a file's duplicate with a descriptor above another one.
func duplicateAbove(file *os.File, number uintptr) (*os.File, error) {
	conn, err := file.SyscallConn()
	if err != nil {
		return nil, err
	}
	var duplicate int
	var failed error
	err = conn.Control(func(fd uintptr) {
		duplicate, failed = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, int(number)+1)
	})
	if err != nil {
		return nil, err
	}
	if failed != nil {
		return nil, os.NewSyscallError("fcntl", failed)
	}
	return os.NewFile(uintptr(duplicate), file.Name()), nil
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
