//go:build unix

package socket

import (
	"fmt"
	"math"
	"os"
	"os/user"
	"strconv"
)

// shareDir lets group into a directory; with no group it stays as it is.
func shareDir(dir, group string) error { return share(dir, group, 0o770) }

// Share lets group, a name or a number, connect to the socket at path (mode
// 0660, protocol §1). With no group the socket stays as it is.
func Share(path, group string) error { return share(path, group, 0o660) }

func share(path, group string, mode os.FileMode) error {
	if group == "" {
		return nil
	}
	gid, err := groupID(group)
	if err != nil {
		return fmt.Errorf("the group that may use the plugin's sockets: %w", err)
	}
	// The group first: the mode must not open the file to another one.
	if err := os.Chown(path, -1, gid); err != nil {
		return fmt.Errorf("give the plugin's sockets to group %s: %w", group, err)
	}
	if err := os.Chmod(path, mode); err != nil {
		return fmt.Errorf("let group %s use the plugin's sockets: %w", group, err)
	}
	return nil
}

// groupID returns the number of a group that is given by number or name.
func groupID(group string) (int, error) {
	// The highest number is not one: chown(2) takes it for "leave the group".
	if gid, err := strconv.ParseUint(group, 10, 32); err == nil && gid != math.MaxUint32 {
		return int(gid), nil
	}
	found, err := user.LookupGroup(group)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(found.Gid)
}
