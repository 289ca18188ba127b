package discovery

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/jackfield-go/jackfield/discovery/internal/files"
)

// ways remembers the directories on the ways; most ways share the beginning. Several
// goroutines may use it.
type ways struct {
	mu   sync.Mutex
	seen map[string]step // by path, without links in it
}

// step is one file on a way.
type step struct {
	mode   fs.FileMode
	target string // of a link
}

// openWay returns the first directory on the way to path, links followed, in which
// everybody can exchange the next step, or nothing. In a sticky directory everybody
// can rename only files of their own. The end of path itself is not looked at.
func (f *finder) openWay(path string) string {
	_, by := f.walk(path)
	return by
}

// openTarget is openWay for a link to a file. Everybody must not be able to exchange
// the file itself either, sticky or not, as in a searched directory.
func (f *finder) openTarget(path string) string {
	target, by := f.walk(path)
	if by != "" || target == "" {
		return by
	}
	dir := filepath.Dir(target)
	if step, ok := f.ways.look(dir); ok && f.openToAll(step.mode) {
		return dir
	}
	return ""
}

// walk goes a way step by step. It returns its end, or nothing where it does not get
// there; that shows elsewhere.
func (f *finder) walk(path string) (end, open string) {
	if f.AllowWritable || !f.Platform.modes() {
		return "", ""
	}
	const separator = string(filepath.Separator)
	root := filepath.VolumeName(path) + separator
	at, rest := root, strings.TrimPrefix(path, root)
	for links := 0; rest != ""; {
		if here, ok := f.ways.look(at); ok && f.openToAll(here.mode) && here.mode&fs.ModeSticky == 0 {
			return "", at
		}
		var name string
		name, rest, _ = strings.Cut(rest, separator)
		next := filepath.Join(at, name) // nothing in at is a link, so a .. in name leads back on it
		step, ok := f.ways.look(next)
		switch {
		case !ok:
			return "", ""
		case step.mode&fs.ModeSymlink == 0:
			at = next
			continue
		}
		if links++; links > maxLinks {
			return "", ""
		}
		if filepath.IsAbs(step.target) {
			at = root
		}
		rest = strings.TrimPrefix(step.target, root) + separator + rest
	}
	return at, ""
}

// look returns the kind of a file.
func (w *ways) look(path string) (step, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if known, ok := w.seen[path]; ok {
		return known, true
	}
	info, err := os.Lstat(path)
	if err != nil {
		return step{}, false
	}
	s := step{mode: info.Mode()}
	if s.mode&fs.ModeSymlink != 0 {
		if s.target, err = os.Readlink(path); err != nil {
			return step{}, false
		}
	}
	if w.seen == nil {
		w.seen = make(map[string]step)
	}
	w.seen[path] = s
	return s, true
}

// maxLinks is how many symbolic links one name may lead through. Systems have
// limits from 32 on.
const maxLinks = 40

// follow describes the file to which a name in a file system leads. Not every file
// system survives a loop by itself, testing/fstest's ends the program; so the links
// are read one by one.
func follow(fsys fs.FS, name string) (fs.FileInfo, error) {
	links, ok := fsys.(fs.ReadLinkFS)
	if !ok {
		return fs.Stat(fsys, name)
	}
	done, rest := ".", name
	for count := 0; ; {
		var part string
		part, rest, _ = strings.Cut(rest, "/")
		at := path.Join(done, part)
		if !fs.ValidPath(at) {
			return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist} // out of the file system
		}
		info, err := links.Lstat(at)
		if err != nil {
			return nil, err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			if rest == "" {
				return info, nil
			}
			done = at
			continue
		}
		if count++; count > maxLinks {
			return nil, &fs.PathError{Op: "stat", Path: name, Err: files.ErrLoop}
		}
		target, err := links.ReadLink(at)
		if err != nil {
			return nil, err
		}
		if path.IsAbs(target) {
			return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
		}
		rest = strings.TrimSuffix(target+"/"+rest, "/")
	}
}
