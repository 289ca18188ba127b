package peercred

import (
	"net"
	"os"
	"syscall"
)

// of asks for the credentials of the process at the other end (SO_PEERCRED,
// unix(7)), as this process's user namespace shows them.
func of(conn *net.UnixConn) (credentials, error) {
	var got *syscall.Ucred
	err := control(conn, func(fd int) (err error) {
		got, err = syscall.GetsockoptUcred(fd, syscall.SOL_SOCKET, syscall.SO_PEERCRED)
		return os.NewSyscallError("getsockopt SO_PEERCRED", err)
	})
	if err != nil {
		return credentials{}, err
	}
	return credentials{uid: int(got.Uid), gid: int(got.Gid), pid: int(got.Pid)}, nil
}
