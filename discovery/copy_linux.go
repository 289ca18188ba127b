package discovery

import (
	"errors"
	"io"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	memfdExec     = 0x10 // since Linux 6.3, perhaps with an order to refuse programs without it
	memfdSeals    = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	memoryInChild = "/proc/self/fd/3" // the first of exec.Cmd's ExtraFiles
)

// sealInMemory makes the copy a memory file. Nobody can change it, and it ends with
// this process.
func sealInMemory(fill func(io.Writer) error) (*sealed, error) {
	const name = "jackfield-describe"
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|memfdExec)
	if errors.Is(err, unix.EINVAL) {
		fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	writable := os.NewFile(uintptr(fd), name)
	defer writable.Close()
	if err := errors.Join(fill(writable), writable.Chmod(0o500)); err != nil {
		return nil, err
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, memfdSeals); err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	// No program runs while it is open for writing.
	memory, err := os.Open("/proc/self/fd/" + strconv.Itoa(fd))
	if err != nil {
		return nil, err
	}
	return &sealed{path: memoryInChild, memory: memory}, nil
}
