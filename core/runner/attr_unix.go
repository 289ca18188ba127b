//go:build unix

package runner

import (
	"errors"
	"os"
	"syscall"
)

// isChrooted reports whether the process sees other files than this one.
func isChrooted(attr *syscall.SysProcAttr) bool { return attr != nil && attr.Chroot != "" }

// mayNotBecome reports whether a start failed because this process may not make
// another user of its child.
func mayNotBecome(attr *syscall.SysProcAttr, err error) bool {
	return attr != nil && attr.Credential != nil && errors.Is(err, syscall.EPERM) && os.Geteuid() != 0
}
