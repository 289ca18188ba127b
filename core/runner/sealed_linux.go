package runner

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"
)

// memoryPath is where a process finds the memory file that it is to run: its
// own first descriptor beyond the standard ones. It inherits that descriptor
// (read-only), since anything else would depend on how its number is kept free
// between fork and exec.
const memoryPath = "/proc/self/fd/3"

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

// runsFromMemory reports whether a program has the format that the system runs by
// itself. For all others it asks an interpreter, most of which want a path.
func runsFromMemory(file io.ReaderAt) bool {
	var magic [4]byte
	_, err := file.ReadAt(magic[:], 0)
	return err == nil && string(magic[:]) == "\x7fELF"
}

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
	// What a plugin inherits is a descriptor that cannot even be written to.
	return os.Open("/proc/self/fd/" + strconv.Itoa(int(writable.Fd())))
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
