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
	"syscall"
)

// open gives a directory that has just been made to those who have access.
func (a Access) open(dir madeDir) error {
	if !a.shared() {
		return nil // it is this user's as it is
	}
	return a.give(dir, 0o700, 0o770)
}

// Share lets those who have access connect to the socket at path (protocol §1),
// which this process has just made. One of them may own the directory that it is
// in, and so may have put something else there: that stays as it is, and is an
// error. Without others it is for this user, whatever the umask.
func (a Access) Share(path string) error {
	if !a.shared() && isUsable(path) {
		return nil
	}
	made, err := openSocket(path)
	if err != nil {
		return a.failed(err)
	}
	defer made.close()
	return a.give(made, 0o600, 0o660)
}

// isUsable reports whether this user can connect to a socket.
func isUsable(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&0o600 == 0o600
}

// givable is a file of this process's.
type givable interface {
	chown(uid, gid int) error
	chmod(mode os.FileMode) error
}

// give gives a file its group and then its mode, which must not open it to another
// group: the one for this user alone, or the one for the group as well. Its user
// comes last: whoever owns a directory can put something else in its place.
func (a Access) give(file givable, private, common os.FileMode) error {
	mode := private
	gid, hasGroup := a.Group()
	if hasGroup {
		mode = common
		if err := file.chown(nobody, gid); err != nil {
			return a.failed(err)
		}
	}
	if err := file.chmod(mode); err != nil {
		return a.failed(err)
	}
	uid, hasUser := a.User()
	if !hasUser {
		return nil
	}
	err := file.chown(uid, nobody)
	switch {
	case !errors.Is(err, fs.ErrPermission):
		return a.failed(err)
	case hasGroup:
		return nil // only root gives files away; the group may be what both have in common
	}
	return a.failed(fmt.Errorf("%w (only root gives files away: name a group that both are in, in Config.SocketGroup)", err))
}

func (a Access) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("let %s use the plugin's sockets: %w", a.who(), err)
}

// errExchanged says that at a path there is something else by now.
var errExchanged = errors.New("somebody has put something else in the place of what was just made there")

// checkMade returns an error unless a file can be the socket that this process has
// just made: it is one, it is this user's, and it has no other name (a socket of
// another program's could have been given this one).
func checkMade(stat *syscall.Stat_t) error {
	if isMine(stat, syscall.S_IFSOCK) && stat.Nlink == 1 {
		return nil
	}
	return errExchanged
}

// isMine reports whether a file of that kind is this user's.
func isMine(info *syscall.Stat_t, kind uint32) bool {
	return isOf(info, kind) && isSelf(int(info.Uid))
}

func isOf(info *syscall.Stat_t, kind uint32) bool {
	return uint32(info.Mode)&syscall.S_IFMT == kind // 16 bits on macOS
}

// modeOf returns who may do what with a file, as chmod(2) takes it.
func modeOf(info *syscall.Stat_t) uint32 { return uint32(info.Mode) & 0o7777 }

// idOf returns what identifies a directory.
func idOf(info *syscall.Stat_t) dirID { return dirID{uint64(info.Dev), uint64(info.Ino)} }

func (a Access) who() string {
	if gid, ok := a.Group(); ok {
		return "group " + strconv.Itoa(gid)
	}
	if uid, ok := a.User(); ok {
		return "user " + strconv.Itoa(uid)
	}
	return "this user"
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
