package runner

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"

	"github.com/jackfield-go/jackfield/core/internal/diagnose"
)

// descriptor is where a process finds one of its descriptors.
func descriptor(fd uintptr) string { return "/proc/self/fd/" + strconv.Itoa(int(fd)) }

// The flags of memfd_create(2), and the seals of fcntl(2), which syscall lacks.
const (
	memfdCloexec      = 0x1
	memfdAllowSealing = 0x2
	memfdExec         = 0x10 // since Linux 6.3, which may be told to refuse programs that lack it

	addSeals    = 1033
	sealAll     = 0x1 | 0x2 | 0x4 | 0x8 // against more seals, shrinking, growing, writing
	sealExecBit = 0x20                  // against chmod +x and -x, since Linux 6.3
)

// memfdCreateNumbers are the numbers of memfd_create(2) by architecture.
var memfdCreateNumbers = map[string]uintptr{
	"386": 356, "amd64": 319, "arm": 385, "arm64": 279, "loong64": 279,
	"mips": 4354, "mipsle": 4354, "mips64": 5314, "mips64le": 5314,
	"ppc64": 360, "ppc64le": 360, "riscv64": 279, "s390x": 350,
}

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
	var duplicate uintptr
	var errno syscall.Errno
	err = conn.Control(func(fd uintptr) {
		duplicate, _, errno = syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_DUPFD_CLOEXEC, number+1)
	})
	if err != nil {
		return nil, err
	}
	if errno != 0 {
		return nil, os.NewSyscallError("fcntl", errno)
	}
	return os.NewFile(duplicate, file.Name()), nil
}

func createMemory(name string) (*os.File, error) {
	number, ok := memfdCreateNumbers[runtime.GOARCH]
	if !ok {
		return nil, errors.ErrUnsupported
	}
	text, err := syscall.BytePtrFromString(name)
	if err != nil {
		return nil, err
	}
	flags := uintptr(memfdCloexec | memfdAllowSealing | memfdExec)
	fd, _, errno := syscall.Syscall(number, uintptr(unsafe.Pointer(text)), flags, 0) //nolint:gosec // the name of the file
	if errno == syscall.EINVAL {
		fd, _, errno = syscall.Syscall(number, uintptr(unsafe.Pointer(text)), flags&^memfdExec, 0) //nolint:gosec // as above
	}
	if errno != 0 {
		return nil, os.NewSyscallError("memfd_create", errno)
	}
	return os.NewFile(fd, name), nil
}

// seal makes a memory file unchangeable, for good.
func seal(file *os.File) error {
	_, _, errno := syscall.Syscall(syscall.SYS_FCNTL, file.Fd(), addSeals, sealAll|sealExecBit)
	if errno == syscall.EINVAL {
		_, _, errno = syscall.Syscall(syscall.SYS_FCNTL, file.Fd(), addSeals, sealAll)
	}
	if errno != 0 {
		return os.NewSyscallError("fcntl", errno)
	}
	return nil
}
