package socket

import "syscall"

// bootID tells this boot of the machine from others (sysctl(3)). Empty: it is not
// known.
func bootID() string {
	id, err := syscall.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return ""
	}
	return id
}
