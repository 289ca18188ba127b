package discovery

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jackfield-go/jackfield/discovery/internal/files"
)

// scan is the search of one directory: read, then look. Several run at the same
// time, each with its own results.
type scan struct {
	search   *finder
	dir      *Dir        // a copy; plugins point to it
	repeated string      // the directory already searched under another name
	info     fs.FileInfo // the directory, nil with an FS or an err
	err      error

	prefix   string        // the directory's path with a separator
	files    []string      // the paths of possible plugins
	entries  []fs.DirEntry // those files; only with an FS
	plugins  []Plugin      // there is room for each of the files
	problems []*Problem
	done     chan struct{} // closed once plugins and problems are complete
}

// read finds files by their names.
func (s *scan) read() {
	problem := s.open()
	if problem == nil && s.err == nil {
		read := s.readSystem
		if s.dir.FS != nil {
			read = s.readFS
		}
		if err := read(); err != nil {
			problem = &Problem{Reason: ReasonUnreadable, Err: err} // the readable part counts
		}
	}
	if problem != nil {
		problem.Path, problem.Origin = s.dir.Path, s.dir.Origin
		s.problems = append(s.problems, problem)
	}
}

// open looks at the directory itself.
func (s *scan) open() *Problem {
	if s.dir.FS != nil {
		if info, err := fs.Stat(s.dir.FS, "."); err == nil && s.search.openToAll(info.Mode()) {
			return &Problem{Reason: ReasonWritable}
		}
		return nil
	}
	switch {
	case !filepath.IsAbs(s.dir.Path):
		return &Problem{Reason: ReasonRelative}
	case s.repeated != "":
		return &Problem{Reason: ReasonRepeated, By: s.repeated}
	case errors.Is(s.err, fs.ErrNotExist) && !s.dir.Required:
		return nil
	case s.err != nil:
		return &Problem{Reason: linkReason(s.err), Err: s.err}
	case !s.info.IsDir():
		return &Problem{Reason: ReasonNotDirectory}
	case s.search.openToAll(s.info.Mode()):
		return &Problem{Reason: ReasonWritable}
	}
	if by := s.search.openWay(s.dir.Path); by != "" {
		return &Problem{Reason: ReasonWritable, By: by}
	}
	return nil
}

// readSystem reads names only; of the many there may be, few are plugins'.
func (s *scan) readSystem() error {
	dir, err := files.OpenDir(s.dir.Path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil // it is gone since
		}
		return err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	names = slices.DeleteFunc(names, func(name string) bool { return !s.search.naming.matches(name) })
	slices.Sort(names)
	s.prefix = strings.TrimSuffix(filepath.Clean(s.dir.Path), string(filepath.Separator)) + string(filepath.Separator)
	s.files = join(s.prefix, names)
	return err
}

// join puts the prefix before each name, in one piece of memory for all.
func join(prefix string, names []string) []string {
	size := len(names) * len(prefix)
	for _, name := range names {
		size += len(name)
	}
	var all strings.Builder
	all.Grow(size)
	for i, name := range names {
		all.WriteString(prefix)
		all.WriteString(name)
		names[i] = all.String()[all.Len()-len(prefix)-len(name):]
	}
	return names
}

func (s *scan) readFS() error {
	entries, err := fs.ReadDir(s.dir.FS, ".") // sorted
	if dir := path.Clean(s.dir.Path); dir != "." {
		s.prefix = strings.TrimSuffix(dir, "/") + "/"
	}
	for _, entry := range entries {
		if name := entry.Name(); s.search.naming.matches(name) {
			s.files, s.entries = append(s.files, s.prefix+name), append(s.entries, entry)
		}
	}
	return err
}

// look looks at the files.
func (s *scan) look(ctx context.Context) {
	lstat := func(i int) (fs.FileMode, error) { return modeOf(s.entries[i].Info()) }
	if s.dir.FS == nil && len(s.files) > 0 {
		folder, err := files.OpenFolder(s.dir.Path, s.prefix)
		if err != nil {
			s.problem(ID{}, s.dir.Path, &Problem{Reason: linkReason(err), Err: err})
			return
		}
		defer folder.Close()
		lstat = func(i int) (fs.FileMode, error) { return folder.Lstat(s.files[i][len(s.prefix):]) }
	}
	for i := range s.files {
		if ctx.Err() != nil {
			return
		}
		s.file(i, lstat)
	}
}

// file looks at one file. lstat gives its kind, links not followed.
func (s *scan) file(i int, lstat func(i int) (fs.FileMode, error)) {
	path := s.files[i]
	id, err := s.search.naming.parse(path[len(s.prefix):])
	if err != nil {
		s.problem(ID{Kind: id.Kind, Name: id.Name}, path, &Problem{Reason: ReasonName, Err: err})
		return
	}
	if s.search.foreign(id) {
		s.problem(id, path, &Problem{Reason: ReasonForeign})
		return
	}
	mode, err := lstat(i)
	if err != nil {
		s.problem(id, path, &Problem{Reason: linkReason(err), Err: err})
		return
	}
	var problem *Problem
	if mode&fs.ModeSymlink != 0 {
		mode, problem = s.follow(path)
	}
	if mode.IsDir() && s.search.Naming.Glob != "" {
		return // a pattern such as * matches them, and does not mean them
	}
	if problem == nil {
		problem = s.search.unusable(id, mode)
	}
	if problem == nil && s.dir.FS == nil {
		problem = s.search.denied(mode, path)
	}
	if problem != nil {
		s.problem(id, path, problem)
		return
	}
	s.plugins = append(s.plugins, Plugin{ID: id, Path: path, Origin: s.dir.Origin, from: s.dir})
}

// follow returns the target of a symbolic link.
func (s *scan) follow(path string) (mode fs.FileMode, problem *Problem) {
	var err error
	if s.dir.FS != nil {
		mode, err = modeOf(follow(s.dir.FS, path[len(s.prefix):]))
	} else {
		mode, err = modeOf(os.Stat(path))
	}
	if err != nil {
		reason := linkReason(err)
		if reason == ReasonMissing {
			reason = ReasonDangling
		}
		return 0, &Problem{Reason: reason, Err: err}
	}
	if s.dir.FS == nil {
		if by := s.search.openTarget(path); by != "" {
			return 0, &Problem{Reason: ReasonWritable, By: by}
		}
	}
	return mode, nil
}

func modeOf(info fs.FileInfo, err error) (fs.FileMode, error) {
	if err != nil {
		return 0, err
	}
	return info.Mode(), nil
}

func (s *scan) problem(id ID, path string, problem *Problem) {
	problem.Path, problem.Origin, problem.Plugin, problem.from = path, s.dir.Origin, id, s.dir
	s.problems = append(s.problems, problem)
}
