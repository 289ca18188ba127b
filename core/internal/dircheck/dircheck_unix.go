//go:build unix

package dircheck

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

const passableByOthers = 0o011

func resolve(dir string, forOthers bool) (string, error) {
	closed, err := check(dir)
	if errors.Is(err, syscall.ENOTDIR) { // otherwise there are no links, as a rule
		if dir, err = filepath.EvalSymlinks(dir); err == nil {
			closed, err = check(dir)
		}
	}
	if err == nil && forOthers && closed != "" {
		err = fmt.Errorf("only its own user can pass the directory %q, and another one has to get to what is made there: "+
			"let that one pass (chmod go+x, or g+x and its group), or choose another directory", closed)
	}
	return dir, err
}

// check looks at all directories above dir and then at dir: whoever owns one of them,
// or may write into it, can rename what is in there. In one with the sticky bit that
// takes the owner of what is renamed. The highest comes first, so that nobody can
// exchange a directory that is yet to be looked at. closed is the highest that other
// users cannot pass, if there is one; beneath it nothing is open to them.
func check(dir string) (closed string, err error) {
	if above := filepath.Dir(dir); above != dir {
		if closed, err = check(above); err != nil {
			return "", err
		}
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return "", &fs.PathError{Op: "lstat", Path: dir, Err: syscall.ENOTDIR}
	}
	uid, ok := OwnerOf(info)
	if !ok {
		return "", errors.ErrUnsupported
	}
	if !trusted(uid) {
		return "", fmt.Errorf("the directory %q belongs to another user, uid %d, who could exchange what is made in it: "+
			"choose one of this user's or of root's", dir, uid)
	}
	if closed == "" && info.Mode()&WritableByOthers != 0 && info.Mode()&fs.ModeSticky == 0 {
		return "", fmt.Errorf("other users (those of its group, or all) may rename what is in the directory %q "+
			"(mode %s, without the sticky bit): forbid it (chmod go-w, or chmod +t), or choose another directory", dir, info.Mode())
	}
	if closed == "" && info.Mode()&passableByOthers == 0 {
		closed = dir
	}
	return closed, nil
}

// trusted reports whether a user is one that can do all that this process can anyway:
// this user, root, and whoever owns "/". In a user namespace that does not know root,
// that is how root shows, and all other users that are not known there, who are
// trusted with it: nothing tells them from root, whose /tmp must be of use.
func trusted(uid int) bool {
	if uid == 0 || uid == os.Geteuid() {
		return true
	}
	info, err := os.Lstat("/")
	if err != nil {
		return false
	}
	root, ok := OwnerOf(info)
	return ok && uid == root
}

// OwnerOf returns the number of a file's user. ok is false where the platform has none.
func OwnerOf(info fs.FileInfo) (uid int, ok bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Uid), true
}
