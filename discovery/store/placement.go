package store

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/files"
	"github.com/jackfield-go/jackfield/discovery/lockfile"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// placement puts a file and its entry where they belong.
type placement struct {
	staging *staging
	program string // the file in it
	path    string
	id      discovery.ID
	entry   lockfile.Entry
	replace bool

	placed bool   // the file has its name
	backup string // the earlier file; empty if there was none
}

// place runs under the lock file's lock, so of two installations of the same plugin
// one comes second.
func (p *placement) place(lock *lockfile.File) error {
	if by, collides := p.collision(lock); collides {
		return &discovery.Problem{Path: p.path, Origin: discovery.OriginUser, Reason: discovery.ReasonCollision, Plugin: p.id, By: by}
	}
	there, err := sums.OfFile(p.path)
	isNew := errors.Is(err, fs.ErrNotExist)
	known, locked := lock.Lookup(p.entry.Key)
	switch {
	case err != nil && !isNew:
		return err
	case !isNew && there == p.entry.Sum:
		lock.Set(p.entry)
		return p.repair() // it may be running, and Windows would not replace it
	case p.replace:
	case !isNew:
		return fmt.Errorf("%w (%s, SHA-256 %v)", ErrInstalled, p.path, there)
	case locked && known.Sum != p.entry.Sum:
		return &sums.MismatchError{Path: cmp.Or(p.entry.Source, p.path), Want: known.Sum, Got: p.entry.Sum}
	}
	if !isNew {
		if err := p.keep(); err != nil {
			return err
		}
	}
	// A program that runs stays there until a later installation sweeps.
	if err := files.Replace(p.staging.path(p.program), p.path, p.staging.path("running")); err != nil {
		return err
	}
	p.placed = true
	lock.Set(p.entry)
	return nil
}

// collision finds an installed plugin with the same name in other capitals.
func (p *placement) collision(lock *lockfile.File) (by string, collides bool) {
	for _, entry := range lock.Entries() {
		if entry.Kind == p.id.Kind && entry.Name != p.id.Name && strings.EqualFold(entry.Name, p.id.Name) {
			return entry.Key.String(), true
		}
	}
	return "", false
}

// repair gives a good file the right mode. Where modes say nothing, as on Windows, it
// changes nothing.
func (p *placement) repair() error {
	const executable = 0o111
	info, err := os.Lstat(p.path)
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	if info.Mode()&executable == executable && info.Mode()&0o002 == 0 {
		return nil
	}
	return os.Chmod(p.path, 0o755)
}

// keep gives the earlier file another name too, to find it again if its successor
// does not stay.
func (p *placement) keep() error {
	backup := p.staging.path("old")
	if os.Link(p.path, backup) != nil { // not every file system can
		if err := os.Rename(p.path, backup); err != nil {
			return err
		}
	}
	p.backup = backup
	return nil
}

// undo takes the file away, and brings back the earlier one.
func (p *placement) undo() {
	switch {
	case p.backup != "":
		if os.Rename(p.backup, p.path) == nil {
			p.backup = ""
		}
	case p.placed:
		_ = os.Remove(p.path)
	}
}
