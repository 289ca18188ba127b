package socket

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/jackfield-go/jackfield/core/internal/dircheck"
)

// Handed is a directory that a host handed over, as it was when this process began.
// What is at its path later says nothing of the host: whoever could put it there
// may be somebody else.
type Handed struct {
	path   string
	info   fs.FileInfo // nil: there was none
	owners []int
}

// HandedOver looks at the directory that a host handed over.
func HandedOver(dir string) *Handed {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		return &Handed{path: dir}
	}
	return &Handed{path: dir, info: info, owners: ownersOf(dir, info)}
}

// Again makes the directory again if it has been swept away, as by a cleaner of
// temporary files, or takes the one that the host has made again. The first is for a
// directory that only this user and the group of access may use: another user's cannot
// be made here. release ends the hold on it.
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

// Owners returns the users who made it.
func (h *Handed) Owners() []int { return h.owners }

// Check returns an error if there is another directory at the path by now.
func (h *Handed) Check() error {
	info, err := os.Stat(h.path)
	if err != nil {
		return err
	}
	if h.info == nil || !os.SameFile(info, h.info) {
		return errors.New("it is not the directory that the host handed over: somebody has put another one in its place")
	}
	return nil
}

// ownersOf returns the users who made a directory: that of the directory, which may
// have been given away, and that of what the host put in it. Where others can put
// something too (another library's host may hand over /tmp), that says nothing; and
// the members of the group that a host names need not be known to be let in.
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
