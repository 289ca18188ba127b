//go:build unix

package discovery

import (
	"os/exec"
	"syscall"
)

// isolate puts the child into a group of its own, so the whole group can be killed.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// killGroup kills the rest of the group once the child itself has been waited for.
// While the group has members, its number belongs to no other group. Afterwards it
// belongs to none until the system has given out all other numbers.
func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

func sameVariable(a, b string) bool { return a == b }
