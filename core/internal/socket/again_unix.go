//go:build unix && !aix && !solaris

package socket

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/jackfield-go/jackfield/core/internal/dircheck"
)

// again makes a missing directory again: a cleaner of temporary files may have swept it away while
// it was in use. If the other side, one of owners, has made it already, again takes it. Anything
// else at the path is an error. A sweep takes a directory that is not marked yet for an abandoned
// one.
func again(path string, access Access, owners ...int) (made fs.FileInfo, held *hold, err error) {
	err = errTaken
	for tries := 0; tries < maxTries && errors.Is(err, errTaken); tries++ {
		made, held, err = tryAgain(path, access, owners)
	}
	return made, held, err
}

func tryAgain(path string, access Access, owners []int) (fs.FileInfo, *hold, error) {
	if err := makeRoomAgain(path, access); err != nil {
		return nil, nil, err
	}
	base := filepath.Dir(path)
	if resolved, err := dircheck.Resolve(base, access.mustPass()); err != nil || resolved != base {
		return nil, nil, fmt.Errorf("%q is not fit for it any more: %w", base, errors.Join(err, errMoved(resolved, base)))
	}
	err := os.Mkdir(path, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return adopt(path, access, owners)
	}
	if err != nil {
		return nil, nil, err
	}
	dir := &Dir{Path: path}
	if err := dir.claim(access); err != nil {
		dir.Remove()
		return nil, nil, err
	}
	return dir.made, dir.hold, nil
}

func errMoved(resolved, base string) error {
	if resolved == base {
		return nil
	}
	return fmt.Errorf("it leads to %q", resolved)
}

// makeRoomAgain makes a directory's room in a crowded place, if the room is gone too.
func makeRoomAgain(path string, access Access) error {
	dir := filepath.Dir(path)
	if filepath.Base(dir) != roomName() {
		return nil
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return makeRoom(dir, access)
}

// adopt takes a directory made again by the other side: it and its owner's file belong to owners or
// this user, and nobody else may write to it.
func adopt(path string, access Access, owners []int) (fs.FileInfo, *hold, error) {
	owners = append(owners, os.Geteuid())
	foreign := &fs.PathError{Op: "open", Path: path, Err: errExchanged}
	dir, err := openDir(path)
	if err != nil {
		return nil, nil, err
	}
	defer dir.Close()
	info, err := dir.Stat()
	if err != nil {
		return nil, nil, err
	}
	file, err := os.Lstat(filepath.Join(path, ownerFile))
	if err != nil || !file.Mode().IsRegular() || !isAt(path, info) {
		return nil, nil, foreign
	}
	writable := fs.FileMode(dircheck.WritableByOthers)
	if _, ok := access.Group(); ok {
		writable = 0o002
	}
	if !belongsTo(info, owners) || !belongsTo(file, owners) || info.Mode()&writable != 0 {
		return nil, nil, foreign
	}
	hold, err := join(dir)
	return info, hold, err
}

func belongsTo(info fs.FileInfo, owners []int) bool {
	uid, ok := dircheck.OwnerOf(info)
	return ok && slices.Contains(owners, uid)
}
