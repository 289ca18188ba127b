package peercred

import (
	"errors"
	"net"
	"os"
	"syscall"
	"unsafe"
)

// From sys/un.h, which package syscall does not have.
const (
	solLocal      = 0
	localPeerCred = 1
	localPeerPID  = 2
)

// xucred is struct xucred of sys/ucred.h: version 0.
type xucred struct {
	Version uint32
	UID     uint32
	NGroups int16
	_       [2]byte
	Groups  [16]uint32
}

// of asks for the credentials of the process at the other end (LOCAL_PEERCRED,
// unix(4)).
func of(conn *net.UnixConn) (peer credentials, err error) {
	err = control(conn, func(fd int) error {
		got, err := peerCred(fd)
		if err != nil {
			return err
		}
		peer.uid, peer.gid = int(got.UID), int(got.Groups[0])
		var pid int32
		if getsockopt(fd, localPeerPID, unsafe.Pointer(&pid), unsafe.Sizeof(pid)) == nil { //nolint:gosec // what the call takes
			peer.pid = int(pid)
		}
		return nil
	})
	return peer, err
}

// groupsOf returns the groups of the process at the other end, up to 16 of them.
func groupsOf(conn *net.UnixConn) (groups []int, err error) {
	err = control(conn, func(fd int) error {
		got, err := peerCred(fd)
		for _, gid := range got.Groups[:got.NGroups] {
			groups = append(groups, int(gid))
		}
		return err
	})
	return groups, err
}

func peerCred(fd int) (xucred, error) {
	var got xucred
	if err := getsockopt(fd, localPeerCred, unsafe.Pointer(&got), unsafe.Sizeof(got)); err != nil { //nolint:gosec // what the call takes
		return xucred{}, os.NewSyscallError("getsockopt LOCAL_PEERCRED", err)
	}
	if got.Version != 0 || got.NGroups < 1 || int(got.NGroups) > len(got.Groups) {
		return xucred{}, errors.New("the answer to getsockopt LOCAL_PEERCRED is of an unknown form")
	}
	return got, nil
}

// getsockopt fills value, which has length bytes.
func getsockopt(fd, option int, value unsafe.Pointer, length uintptr) error {
	size := uint32(length)
	_, _, errno := syscall.Syscall6(syscall.SYS_GETSOCKOPT, uintptr(fd), solLocal, uintptr(option),
		uintptr(value), uintptr(unsafe.Pointer(&size)), 0) //nolint:gosec // the way to make a system call
	if errno != 0 {
		return errno
	}
	if uintptr(size) != length {
		return errors.New("the system's answer has another length")
	}
	return nil
}
