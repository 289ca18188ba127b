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
)

// scan is the search of one directory. Several run at the same time, each with
// its own results.
type scan struct {
	search   *Search
	dir      Dir
	repeated string // the directory as which it is searched already

	prefix   string            // the directory's path with a separator
	checked  map[string]string // directories that links lead to, and what is open to all in their path
	plugins  []Plugin
	problems []*Problem
}

func (s *scan) run(ctx context.Context) {
	if problem := s.open(); problem != nil {
		problem.Path, problem.Origin = s.dir.Path, s.dir.Origin
		s.problems = append(s.problems, problem)
		return
	}
	s.prefix = strings.TrimSuffix(filepath.Clean(s.dir.Path), string(filepath.Separator)) + string(filepath.Separator)
	entries, err := s.read()
	if err != nil {
		// What could be read counts.
		s.problems = append(s.problems, &Problem{Path: s.dir.Path, Origin: s.dir.Origin, Reason: ReasonUnreadable, Err: err})
	}
	s.plugins = slices.Grow(s.plugins, min(len(entries), 1024))
	for _, entry := range entries {
		if ctx.Err() != nil {
			return
		}
		s.look(entry)
	}
}

// entry is a name in the directory.
type entry struct {
	name string
	dir  fs.DirEntry // nil in the system's file system
}

// read returns the directory's entries, sorted by name.
func (s *scan) read() ([]entry, error) {
	if s.dir.FS == nil {
		return s.readNames()
	}
	files, err := fs.ReadDir(s.dir.FS, ".")
	entries := make([]entry, len(files))
	for i, file := range files {
		entries[i] = entry{file.Name(), file}
	}
	return entries, err
}

// readNames reads no more than names, of which there may be many, and few
// plugins'.
func (s *scan) readNames() ([]entry, error) {
	dir, err := os.Open(s.dir.Path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil // it need not be there, or is gone since
		}
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	slices.Sort(names)
	entries := make([]entry, len(names))
	for i, name := range names {
		entries[i].name = name
	}
	return entries, err
}

// open looks at the directory itself.
func (s *scan) open() *Problem {
	if s.dir.FS != nil {
		if info, err := fs.Stat(s.dir.FS, "."); err == nil && s.search.openToAll(info) {
			return &Problem{Reason: ReasonWritable}
		}
		return nil
	}
	if !filepath.IsAbs(s.dir.Path) {
		return &Problem{Reason: ReasonRelative}
	}
	if s.repeated != "" {
		return &Problem{Reason: ReasonRepeated, By: s.repeated}
	}
	info, err := os.Stat(s.dir.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !s.dir.Required:
		return nil
	case err != nil:
		return &Problem{Reason: linkReason(err), Err: err}
	case !info.IsDir():
		return &Problem{Reason: ReasonNotDirectory}
	}
	switch by := s.search.openPath(s.dir.Path, info); by {
	case "":
		return nil
	case s.dir.Path:
		return &Problem{Reason: ReasonWritable}
	default:
		return &Problem{Reason: ReasonWritable, By: by}
	}
}

// openPath returns the directory on the way to path, which info describes, that
// lets everybody put something else in its place, or nothing. A sticky directory
// on the way does not: only what is one's own can be renamed there.
func (s Search) openPath(path string, info fs.FileInfo) string {
	if s.AllowWritable || !s.Platform.modes() {
		return ""
	}
	if s.openToAll(info) {
		return path
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		target = path
	}
	for {
		parent := filepath.Dir(target)
		if parent == target {
			return ""
		}
		target = parent
		if info, err := os.Stat(target); err == nil && s.openToAll(info) && info.Mode()&fs.ModeSticky == 0 {
			return target
		}
	}
}

// look looks at one file in the directory.
func (s *scan) look(entry entry) {
	name := entry.name
	if sideFile(name) {
		return
	}
	id, err := s.search.Naming.parse(name)
	if errors.Is(err, ErrNoPlugin) {
		return
	}
	if err != nil {
		s.problem(ID{Kind: id.Kind, Name: id.Name}, name, &Problem{Reason: ReasonName, Err: err})
		return
	}
	if s.search.foreign(id) {
		s.problem(id, name, &Problem{Reason: ReasonForeign})
		return
	}
	path := s.path(name)
	info, problem := s.stat(entry, path)
	if problem != nil {
		s.problem(id, name, problem)
		return
	}
	if info.IsDir() && s.search.Naming.Glob != "" {
		return // a pattern such as * matches them, and does not mean them
	}
	if reason := s.search.unusable(id, info); reason != "" {
		s.problem(id, name, &Problem{Reason: reason})
		return
	}
	s.plugins = append(s.plugins, Plugin{
		ID: id, Path: path, Origin: s.dir.Origin, fsys: s.dir.FS, dir: s.dir.Path, base: name,
	})
}

// stat describes the file that an entry is or, being a link, leads to.
func (s *scan) stat(entry entry, path string) (info fs.FileInfo, problem *Problem) {
	var err error
	if entry.dir != nil {
		info, err = entry.dir.Info()
	} else {
		info, err = os.Lstat(path)
	}
	if err != nil {
		return nil, &Problem{Reason: linkReason(err), Err: err}
	}
	if info.Mode()&fs.ModeSymlink == 0 {
		return info, nil
	}
	if entry.dir != nil {
		info, err = follow(s.dir.FS, entry.name)
	} else {
		info, err = os.Stat(path)
	}
	if err != nil {
		reason := linkReason(err)
		if reason == ReasonMissing {
			reason = ReasonDangling
		}
		return nil, &Problem{Reason: reason, Err: err}
	}
	if by := s.openTarget(path); by != "" {
		return nil, &Problem{Reason: ReasonWritable, By: by}
	}
	return info, nil
}

// openTarget is openPath of the directory to which a link leads.
func (s *scan) openTarget(path string) string {
	if s.dir.FS != nil {
		return ""
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ""
	}
	dir := filepath.Dir(target)
	by, known := s.checked[dir]
	if !known {
		if info, err := os.Stat(dir); err == nil {
			by = s.search.openPath(dir, info)
		}
		if s.checked == nil {
			s.checked = make(map[string]string)
		}
		s.checked[dir] = by
	}
	return by
}

func (s *scan) problem(id ID, name string, problem *Problem) {
	problem.Path, problem.Origin, problem.Plugin = s.path(name), s.dir.Origin, id
	s.problems = append(s.problems, problem)
}

// path is the whole path of a file in the directory.
func (s *scan) path(name string) string {
	if s.dir.FS != nil {
		return path.Join(s.dir.Path, name)
	}
	return s.prefix + name
}
