package peercred

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// credentialsOf returns the credentials of the process at the other end
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

// groupsOf returns up to 16 groups of the process at the other end.
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
		return nil, errors.New("getsockopt LOCAL_PEERCRED returned an unknown structure version")
	}
	return got, nil
}
