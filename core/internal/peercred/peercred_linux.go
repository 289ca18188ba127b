package peercred

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxGroups is the limit of supplementary groups of a process (NGROUPS_MAX).
const maxGroups = 65536

// credentialsOf returns the credentials of the process at the other end
// (SO_PEERCRED, unix(7)), as seen in this process's user namespace.
func credentialsOf(fd int) (credentials, error) {
	got, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return credentials{}, os.NewSyscallError("getsockopt SO_PEERCRED", err)
	}
	return credentials{uid: int(got.Uid), gid: int(got.Gid), pid: int(got.Pid)}, nil
}

// groupsOf returns the supplementary groups of the process at the other end. It needs Linux 4.13.
func groupsOf(fd int) (groups []int, err error) {
	gids := make([]uint32, 64)
	for {
		n, errno := peerGroups(fd, gids)
		switch {
		case errno == 0:
			for _, gid := range gids[:n] {
				groups = append(groups, int(gid))
			}
			return groups, nil
		case errno != unix.ERANGE || n > maxGroups || n <= len(gids):
			return nil, os.NewSyscallError("getsockopt SO_PEERGROUPS", errno)
		}
		gids = make([]uint32, n)
	}
}

// peerGroups fills gids and returns the number of groups. Package unix has no
// getsockopt(2) for a list of numbers.
func peerGroups(fd int, gids []uint32) (int, syscall.Errno) {
	const size = unsafe.Sizeof(gids[0])
	length := uint32(uintptr(len(gids)) * size)
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_PEERGROUPS,
		uintptr(unsafe.Pointer(unsafe.SliceData(gids))), uintptr(unsafe.Pointer(&length)), 0) //nolint:gosec // required for a system call
	return int(uintptr(length) / size), errno
}
