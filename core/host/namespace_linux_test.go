package host_test

import "syscall"

// inUserNamespace makes a process root of a user namespace in which nobody else
// is known, and which is another user outside.
func inUserNamespace(attr *syscall.SysProcAttr, uid int) bool {
	attr.Cloneflags = syscall.CLONE_NEWUSER
	attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
	return true
}
