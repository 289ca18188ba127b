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
	if errors.Is(err, syscall.ENOTDIR) { // otherwise the path rarely has links
		if dir, err = filepath.EvalSymlinks(dir); err == nil {
			closed, err = check(dir)
		}
	}
	if err == nil && forOthers && closed != "" {
		err = fmt.Errorf("only its owner can pass the directory %q, and another user has to reach the files in it: "+
			"let that user pass (chmod go+x, or g+x and its group), or choose another directory", closed)
	}
	return dir, err
}

// check inspects all directories above dir and then dir. The owner of a directory, and every user
// with write access, can rename its content. With the sticky bit, only the owner of the renamed
// file can. The topmost directory comes first, so that nobody can replace a directory before its
// check. closed is the topmost directory that other users cannot pass, if any; everything below is
// closed to them.
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
		return "", fmt.Errorf("the directory %q belongs to another user, uid %d, and that user can replace files in it: "+
			"choose a directory of this user or of root", dir, uid)
	}
	if closed == "" && info.Mode()&WritableByOthers != 0 && info.Mode()&fs.ModeSticky == 0 {
		return "", fmt.Errorf("other users (its group, or all) can rename files in the directory %q "+
			"(mode %s, without the sticky bit): protect it (chmod go-w, or chmod +t), or choose another directory", dir, info.Mode())
	}
	if closed == "" && info.Mode()&passableByOthers == 0 {
		closed = dir
	}
	return closed, nil
}

// trusted reports whether a user can do everything this process can: this user, root, and the owner
// of "/". In a user namespace without root, root appears under the owner of "/". So do all other
// unmapped users: nothing distinguishes them from root, so they are trusted too. Otherwise root's
// /tmp would be unusable.
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

// OwnerOf returns the user ID of a file's owner. ok is false on platforms without user IDs.
func OwnerOf(info fs.FileInfo) (uid int, ok bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Uid), true
}
