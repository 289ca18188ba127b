package discovery

import (
	"errors"
	"io/fs"
	"path"
	"strings"
)

// maxLinks is how many symbolic links one name may lead through. Systems have
// limits from 32 on.
const maxLinks = 40

// errLoop is a system's ELOOP for a file system that is none of a system's.
var errLoop = errors.New("too many levels of symbolic links")

// isLoop tells whether an error is that of a symbolic link that leads back to
// itself.
func isLoop(err error) bool {
	return errors.Is(err, errLoop) || errors.Is(err, eloop)
}

// follow describes the file that a name in a file system leads to. Not every
// file system survives a loop by itself, testing/fstest's ends the program; so
// the links are read one by one.
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
			return nil, &fs.PathError{Op: "stat", Path: name, Err: errLoop}
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
