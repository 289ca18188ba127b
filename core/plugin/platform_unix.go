//go:build unix

package plugin

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

const defaultNetwork = "unix"

// errAddressInUse is what the platform says beside EADDRINUSE.
var errAddressInUse error = syscall.EADDRINUSE

// shareDir lets a group into a directory (protocol §1).
func shareDir(dir, group string) error { return share(dir, group, 0o770) }

// shareSocket lets a group connect to a socket.
func shareSocket(path, group string) error { return share(path, group, 0o660) }

func share(path, group string, mode os.FileMode) error {
	if group == "" {
		return nil
	}
	gid, err := strconv.Atoi(group)
	if err != nil {
		found, err := user.LookupGroup(group)
		if err != nil {
			return fmt.Errorf("the group that may use the plugin's sockets: %w", err)
		}
		if gid, err = strconv.Atoi(found.Gid); err != nil {
			return fmt.Errorf("the group that may use the plugin's sockets: %w", err)
		}
	}
	if err := os.Chown(path, -1, gid); err != nil {
		return fmt.Errorf("give the plugin's sockets to group %s: %w", group, err)
	}
	if err := os.Chmod(path, mode); err != nil {
		return fmt.Errorf("let group %s use the plugin's sockets: %w", group, err)
	}
	return nil
}
