package socket

import (
	"net"
	"os"
	"syscall"
)

// backlog is how many connections wait to be accepted, at most. The system
// lowers it to its own limit.
const backlog = 4096

// listenFirst is net.ListenUnix without its look at the system's limit for the
// backlog, which is once in a process: reading that file starts a thread, for
// which a plugin's launch would wait.
func listenFirst(path string) (*net.UnixListener, error) {
	failed := func(call string, err error) error {
		return &net.OpError{
			Op: "listen", Net: "unix", Addr: &net.UnixAddr{Name: path, Net: "unix"},
			Err: os.NewSyscallError(call, err),
		}
	}
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, failed("socket", err)
	}
	socket := os.NewFile(uintptr(fd), path)
	defer socket.Close() // the listener has a copy
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}); err != nil {
		return nil, failed("bind", err)
	}
	if err := syscall.Listen(fd, backlog); err != nil {
		_ = os.Remove(path)
		return nil, failed("listen", err)
	}
	listener, err := net.FileListener(socket)
	if err != nil {
		_ = os.Remove(path)
		return nil, err
	}
	unix := listener.(*net.UnixListener) //nolint:errcheck,forcetypeassert // what the socket is
	unix.SetUnlinkOnClose(true)
	return unix, nil
}
