package peercred

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// credentialsOf asks for the credentials of the process at the other end
// (LOCAL_PEERCRED, unix(4)).
func credentialsOf(fd int) (credentials, error) {
	got, err := peerCred(fd)
	if err != nil {
		return credentials{}, err
	}
	peer := credentials{uid: int(got.Uid), gid: int(got.Groups[0])}
	if pid, err := unix.GetsockoptInt(fd, unix.SOL_LOCAL, unix.LOCAL_PEERPID); err == nil {
		peer.pid = pid
	}
	return peer, nil
}

// groupsOf returns the groups of the process at the other end, up to 16 of them.
func groupsOf(fd int) (groups []int, err error) {
	got, err := peerCred(fd)
	if err != nil {
		return nil, err
	}
	for _, gid := range got.Groups[:got.Ngroups] {
		groups = append(groups, int(gid))
	}
	return groups, nil
}

func peerCred(fd int) (*unix.Xucred, error) {
	got, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return nil, os.NewSyscallError("getsockopt LOCAL_PEERCRED", err)
	}
	if got.Version != 0 || got.Ngroups < 1 || int(got.Ngroups) > len(got.Groups) {
		return nil, errors.New("the answer to getsockopt LOCAL_PEERCRED is of an unknown form")
	}
	return got, nil
}
