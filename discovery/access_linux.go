package discovery

import "syscall"

// What faccessat takes: execution, as the effective user.
const (
	accessExecute = 1
	atEAccess     = 0x200
	atCurrentDir  = -100
)

// mayExecute asks whether this user may execute a file, of which the mode says
// that some may.
func mayExecute(path string) error {
	return syscall.Faccessat(atCurrentDir, path, accessExecute, atEAccess)
}
