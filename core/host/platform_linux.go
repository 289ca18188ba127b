package host

import (
	"syscall"
)

const usesUnixSockets = true

// sameVariable compares the names of environment variables.
func sameVariable(a, b string) bool { return a == b }

// startsAs returns the user of a process with these attributes, with the ID in
// this process's user namespace; false if that is this process's own.
func startsAs(attr *syscall.SysProcAttr) (uid int, ok bool) {
	if attr == nil || attr.Credential == nil {
		return 0, false // also in a user namespace: nothing has changed its user
	}
	uid = int(attr.Credential.Uid)
	if attr.Cloneflags&syscall.CLONE_NEWUSER == 0 {
		return uid, true
	}
	for _, m := range attr.UidMappings {
		if uid >= m.ContainerID && uid-m.ContainerID < m.Size {
			return m.HostID + uid - m.ContainerID, true
		}
	}
	return 0, false // not a user that the process can become
}

// runsAsAnother reports whether a process may run as another user.
func runsAsAnother(attr *syscall.SysProcAttr) bool {
	return attr != nil && (attr.Credential != nil || attr.UidMappings != nil)
}
