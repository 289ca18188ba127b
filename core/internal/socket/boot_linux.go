package socket

import (
	"strings"
	"syscall"
)

// bootID tells this boot of the machine from others (proc_sys_kernel(5)). Empty: it is
// not known.
func bootID() string {
	fd, err := open("/proc/sys/kernel/random/boot_id", syscall.O_RDONLY)
	if err != nil {
		return ""
	}
	defer syscall.Close(fd) //nolint:errcheck // it was read
	text := make([]byte, 64)
	n, err := syscall.Read(fd, text)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text[:n]))
}
