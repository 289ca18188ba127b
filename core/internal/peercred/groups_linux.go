//go:build linux && !386

package peercred

import (
	"net"
	"os"
	"syscall"
	"unsafe"
)

// soPeerGroups is SO_PEERGROUPS, since Linux 4.13 (socket(7)). Package syscall
// does not have it.
const soPeerGroups = 59

// maxGroups is how many supplementary groups a process can have (NGROUPS_MAX).
const maxGroups = 65536

// groupsOf returns the supplementary groups of the process at the other end.
func groupsOf(conn *net.UnixConn) (groups []int, err error) {
	err = control(conn, func(fd int) error {
		gids := make([]uint32, 64)
		for {
			n, errno := peerGroups(fd, gids)
			switch {
			case errno == 0:
				for _, gid := range gids[:n] {
					groups = append(groups, int(gid))
				}
				return nil
			case errno != syscall.ERANGE || n > maxGroups || n <= len(gids):
				return os.NewSyscallError("getsockopt SO_PEERGROUPS", errno)
			}
			gids = make([]uint32, n)
		}
	})
	return groups, err
}

// peerGroups fills gids, and returns how many there are.
func peerGroups(fd int, gids []uint32) (int, syscall.Errno) {
	const size = unsafe.Sizeof(gids[0])
	length := uint32(uintptr(len(gids)) * size)
	_, _, errno := syscall.Syscall6(syscall.SYS_GETSOCKOPT, uintptr(fd), syscall.SOL_SOCKET, soPeerGroups,
		uintptr(unsafe.Pointer(unsafe.SliceData(gids))), uintptr(unsafe.Pointer(&length)), 0) //nolint:gosec // the way to make a system call
	return int(uintptr(length) / size), errno
}
