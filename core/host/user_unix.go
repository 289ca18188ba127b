//go:build unix && !linux

package host

import "syscall"

// startsAs returns the user that a process with these attributes runs as; false if
// that is this process's own.
func startsAs(attr *syscall.SysProcAttr) (uid int, ok bool) {
	if attr == nil || attr.Credential == nil {
		return 0, false
	}
	return int(attr.Credential.Uid), true
}
