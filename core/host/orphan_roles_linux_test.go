package host_test

import (
	"os"
	"syscall"

	"github.com/jackfield-go/jackfield/core/host"
)

// Only root makes such a namespace, and runs programs as another user.
func init() {
	if os.Geteuid() != 0 {
		return
	}
	wraps["a PID namespace"] = func(c *host.Cmd) {
		c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	}
}
