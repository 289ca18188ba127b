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

	"golang.org/x/sys/unix"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/internal/dircheck"
)

// open gives a newly made directory to the users with access.
func (a Access) open(dir *os.File) error {
	if !a.shared() {
		return nil // it is this user's as it is
	}
	return a.give(dir, 0o700, 0o770)
}

// Share lets the users with access connect to the socket at path (protocol §1),
// which this process has just made. If one of them owns the socket's directory,
// it may have replaced the socket: the replacement stays unchanged, and is an
// error. Without other users the socket is for this user, whatever the umask.
func (a Access) Share(path string) error {
	if !a.shared() && isUsable(path) {
		return nil
	}
	made, err := openSocket(path)
	if err != nil {
		return a.failed(err)
	}
	defer func() { _ = made.Close() }()
	return a.give(made, 0o600, 0o660)
}

// isUsable reports whether this user can connect to a socket.
func isUsable(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&0o600 == 0o600
}

// givable is a file of this process.
type givable interface {
	Chown(uid, gid int) error
	Chmod(mode os.FileMode) error
}

// give gives a file its group and then its mode, which must not open it to another group: private
// for this user alone, common for the group as well. Its user comes last: the owner of a directory
// can replace its content.
func (a Access) give(file givable, private, common os.FileMode) error {
	mode := private
	gid, hasGroup := a.Group()
	if hasGroup {
		mode = common
		if err := file.Chown(nobody, gid); err != nil {
			return a.failed(err)
		}
	}
	if err := file.Chmod(mode); err != nil {
		return a.failed(err)
	}
	uid, hasUser := a.User()
	if !hasUser {
		return nil
	}
	err := file.Chown(uid, nobody)
	switch {
	case !errors.Is(err, fs.ErrPermission):
		return a.failed(err)
	case hasGroup:
		return nil // only root gives files away; the group may be what both have in common
	}
	return a.failed(core.WithHint(fmt.Errorf("%w (only root gives files away)", err), "name a group that both are in, in Config.Sockets.Group"))
}

func (a Access) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("let %s use the plugin's sockets: %w", a.who(), err)
}

// errExchanged reports a replaced file.
var errExchanged = errors.New("another process has replaced the newly made file or directory")

// checkMade returns an error unless a file can be the socket just made by this process: it is a
// socket, it is this user's, and it has no other name (another program's socket could have been
// given this name).
func checkMade(info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if ok && isMine(info, fs.ModeSocket) && stat.Nlink == 1 {
		return nil
	}
	return errExchanged
}

// isMine reports whether a file of that kind is this user's.
func isMine(info fs.FileInfo, kind fs.FileMode) bool {
	uid, ok := dircheck.OwnerOf(info)
	return ok && info.Mode().Type() == kind && isSelf(uid)
}

// openMade opens a directory just made by this process, for this user alone
// whatever the umask. It does not touch a replacement at its path.
func openMade(path string) (_ *os.File, err error) {
	defer func() {
		if err != nil {
			_ = syscall.Rmdir(path) // removes a replacement too, if it is empty
		}
	}()
	made, err := openDir(path)
	if errors.Is(err, fs.ErrPermission) { // the umask takes reading from the owner
		if err = openUp(path); err == nil {
			made, err = openDir(path)
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errTaken // an empty directory is nobody's
	}
	if err != nil {
		return nil, err
	}
	info, err := made.Stat()
	if err == nil && !isMine(info, fs.ModeDir) {
		err = &fs.PathError{Op: "open", Path: path, Err: errExchanged}
	}
	if err == nil && info.Mode() != fs.ModeDir|0o700 { // the umask usually leaves this mode alone
		err = made.Chmod(0o700)
	}
	if err != nil {
		made.Close()
		return nil, err
	}
	return made, nil
}

// openDir opens a directory, but not behind a link.
func openDir(path string) (*os.File, error) {
	return os.OpenFile(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
}

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

// userID returns the ID of a user given by ID or name.
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

// groupID returns the ID of a group given by ID or name.
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

// number reads the ID of a user or group. The highest ID is invalid: chown(2) takes it for "leave
// it as it is".
func number(text string) (int, bool) {
	n, err := strconv.ParseUint(text, 10, 32)
	return int(n), err == nil && n != math.MaxUint32
}
