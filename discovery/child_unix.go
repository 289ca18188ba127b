//go:build unix

package discovery

import (
	"os/exec"
	"syscall"
)

// isolate puts the child into a group of its own, which can be killed as a
// whole.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// killGroup kills what is left of the group once the child itself has been waited
// for. While anything is left the group's number is nobody else's; afterwards it
// is that of no group for as long as it takes the system to give out all others.
func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

func sameVariable(a, b string) bool { return a == b }
