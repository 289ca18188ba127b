package socket

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/jackfield-go/jackfield/core/internal/dircheck"
)

// Handed is a directory handed over by a host, in its state when this process began. A later
// directory at its path says nothing of the host: another user may have put it there.
type Handed struct {
	path   string
	info   fs.FileInfo // nil: there was none
	owners []int
}

// HandedOver examines the directory handed over by a host.
func HandedOver(dir string) *Handed {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		return &Handed{path: dir}
	}
	return &Handed{path: dir, info: info, owners: ownersOf(dir, info)}
}

// Again makes a missing directory again, as after a cleaner of temporary files, or takes the
// directory made again by the host. It makes only a directory for this user and the group of
// access: it cannot make another user's. release ends the hold on it.
func (h *Handed) Again(access Access) (release func(), err error) {
	if h.Check() == nil {
		return func() {}, nil
	}
	if h.info == nil || h.info.Mode()&dircheck.WritableByOthers&^0o020 != 0 {
		return nil, h.Check()
	}
	_, shared := access.Group()
	isOther := func(uid int) bool { return !isSelf(uid) }
	if !exists(h.path) && !shared && slices.ContainsFunc(h.owners, isOther) {
		return nil, h.Check() // the host makes it again when it listens
	}
	info, hold, err := again(h.path, access, h.owners...)
	if err != nil {
		return nil, err
	}
	hold.serves(os.Getpid())
	h.info = info
	return hold.release, nil
}

// Owners returns the users who may have made the directory.
func (h *Handed) Owners() []int { return h.owners }

// Check returns an error if another directory is at the path.
func (h *Handed) Check() error {
	info, err := os.Stat(h.path)
	if err != nil {
		return err
	}
	if h.info == nil || !os.SameFile(info, h.info) {
		return errors.New("it is not the host's directory: another process has replaced it")
	}
	return nil
}

// ownersOf returns the makers of a directory: the owner of the directory, which may have been given
// away, and the owner of the host's file in it. If others can write to the directory (another
// library's host may hand over /tmp), the file says nothing. Members of the host's group are
// admitted without being known here.
func ownersOf(dir string, info fs.FileInfo) []int {
	uid, ok := dircheck.OwnerOf(info)
	if !ok {
		return nil
	}
	owners := []int{uid}
	if info.Mode()&dircheck.WritableByOthers != 0 {
		return owners
	}
	in, err := os.Lstat(filepath.Join(dir, ownerFile))
	if err != nil || !in.Mode().IsRegular() {
		return owners
	}
	if uid, ok := dircheck.OwnerOf(in); ok {
		owners = append(owners, uid)
	}
	return owners
}
