//go:build unix

package socket

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/user"
	"strconv"
)

// open gives a directory to those who have access.
func (a Access) open(dir string) error { return a.grant(dir, 0o770) }

// Share lets those who have access connect to the socket at path (protocol §1).
func (a Access) Share(path string) error { return a.grant(path, 0o660) }

// grant gives a file its user and group, and with a group the mode.
func (a Access) grant(path string, mode os.FileMode) error {
	if !a.shared() {
		return nil
	}
	uid, _ := a.User()
	gid, hasGroup := a.Group()
	// The owner first: the mode must not open the file to another group.
	err := os.Chown(path, uid, gid)
	if errors.Is(err, fs.ErrPermission) && hasGroup {
		// Only root gives files away. The group may be what both have in common.
		err = os.Chown(path, nobody, gid)
	}
	if err != nil {
		return fmt.Errorf("let %s use the plugin's sockets: %w", a.who(), err)
	}
	if !hasGroup {
		return nil
	}
	if err := os.Chmod(path, mode); err != nil {
		return fmt.Errorf("let %s use the plugin's sockets: %w", a.who(), err)
	}
	return nil
}

func (a Access) who() string {
	if gid, ok := a.Group(); ok {
		return "group " + strconv.Itoa(gid)
	}
	uid, _ := a.User()
	return "user " + strconv.Itoa(uid)
}

func isSelf(uid int) bool { return uid == os.Geteuid() }

// userID returns the number of a user who is given by number or name.
func userID(name string) (int, error) {
	if uid, ok := number(name); ok {
		return uid, nil
	}
	found, err := user.Lookup(name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(found.Uid)
}

// groupID returns the number of a group that is given by number or name.
func groupID(name string) (int, error) {
	if gid, ok := number(name); ok {
		return gid, nil
	}
	found, err := user.LookupGroup(name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(found.Gid)
}

// number reads a number of a user or group. The highest is none: chown(2) takes it
// for "leave it as it is".
func number(text string) (int, bool) {
	n, err := strconv.ParseUint(text, 10, 32)
	return int(n), err == nil && n != math.MaxUint32
}
