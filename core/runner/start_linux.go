package runner

import (
	"os"
	"os/exec"
	"strconv"

	"golang.org/x/sys/unix"
)

// descriptor is where a process finds one of its descriptors.
func descriptor(fd uintptr) string { return "/proc/self/fd/" + strconv.Itoa(int(fd)) }

// maxStandard is the highest descriptor with another target in a child process than
// here.
const maxStandard = 2

// startFromMemory runs a memory file by the child's descriptor of it. That is closed
// when the program begins, so no process started by it gets it. Between fork and exec
// package syscall moves descriptors, to numbers above all of the given ones. The
// error output, one of these, is therefore above the memory file's, and the memory
// file's is the lowest free one: it may have been made when only the last ones were
// free, with none above.
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
	err = conn.Control(func(fd uintptr) { // reserved until it returns
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
