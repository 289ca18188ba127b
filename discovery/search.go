package discovery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
)

// Search is what to look for, and where. It is not changed, and may be used
// again.
type Search struct {
	// Naming is how plugins are called. Required.
	Naming Naming
	// Overrides are files for plugins that are used whatever is in Dirs.
	Overrides []Override
	// Dirs are the directories, the one that counts most first. See
	// [Places.Dirs].
	Dirs []Dir
	// Platform is the one that plugins must be built for. Zero: this one.
	Platform Platform
	// AllowWritable takes files that everybody may change, and those in
	// directories where everybody may make some. On Windows neither is looked
	// at.
	AllowWritable bool
	// Logger takes a warning for each development override. Nil: no log.
	Logger *slog.Logger
}

// Override is a file that is a certain plugin, whatever its name is and whatever
// else is found under that plugin's.
type Override struct {
	// Kind and Name are the plugin's. Name is required.
	Kind, Name string
	// Path is the file. A relative one is taken from the current directory.
	Path string
	// Origin is OriginExplicit or OriginDevelopment. Empty: OriginDevelopment.
	Origin Origin
}

// Dir is a directory to search. The files in it count, not the directories.
type Dir struct {
	// Path is where it is. Without an FS it must be absolute.
	Path string
	// Origin is what it is among the directories.
	Origin Origin
	// Required makes it a problem that the directory does not exist.
	Required bool
	// FS is a file system whose root is the directory: a test's, an archive.
	// What is found there can be listed, and not be run. Nil: the system's.
	FS fs.FS
}

// Plugin is a file that can be run as a plugin.
type Plugin struct {
	ID

	// Path is the file, absolute unless it is in a Dir's FS. A symbolic link is
	// named, not what it leads to.
	Path string `json:"path"`
	// Origin is where it was found.
	Origin Origin `json:"origin"`

	fsys fs.FS  // nil: the system's
	dir  string // where it was found; empty for an override
	base string // its name in fsys
}

// Found is what a search found, in the order of the search: overrides, then the
// directories, in each the files by name.
type Found struct {
	// Plugins are those that can be run. No two are the same plugin in the same
	// version.
	Plugins []Plugin `json:"plugins"`
	// Problems are the files and directories that are not used.
	Problems []*Problem `json:"problems"`

	platform Platform
}

// Find searches. What is wrong with a file or a directory is a problem in the
// result; an error is that of the settings, or of ctx.
func (s Search) Find(ctx context.Context) (*Found, error) {
	if err := s.Naming.validate(); err != nil {
		return nil, fmt.Errorf("search for plugins: %w", err)
	}
	if s.Platform.IsZero() {
		s.Platform = ThisPlatform()
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	scans := make([]*scan, len(s.Dirs))
	for i, dir := range s.Dirs {
		scans[i] = &scan{search: &s, dir: dir}
	}
	s.markRepeated(scans)
	if err := runScans(ctx, scans); err != nil {
		return nil, fmt.Errorf("search for plugins: %w", err)
	}
	plugins := len(s.Overrides)
	for _, scan := range scans {
		plugins += len(scan.plugins)
	}
	m := newMerge(s.Platform, plugins)
	for _, override := range s.Overrides {
		s.override(ctx, m, override)
	}
	for _, scan := range scans {
		m.problems(scan.problems)
		for i := range scan.plugins {
			m.add(&scan.plugins[i])
		}
	}
	return m.found, nil
}

// markRepeated finds directories that are in the list twice, under the same name
// or another.
func (s Search) markRepeated(scans []*scan) {
	type seen struct {
		info fs.FileInfo
		path string
	}
	var known []seen
	for _, scan := range scans {
		if scan.dir.FS != nil {
			continue
		}
		info, err := os.Stat(scan.dir.Path)
		if err != nil {
			continue
		}
		for _, before := range known {
			if os.SameFile(before.info, info) {
				scan.repeated = before.path
				break
			}
		}
		known = append(known, seen{info, scan.dir.Path})
	}
}

// runScans runs as many at once as there are processors.
func runScans(ctx context.Context, scans []*scan) error {
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(scans)) {
		group.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(scans) {
					return
				}
				scans[i].run(ctx)
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

// override adds a file that was named. One that cannot be used is a problem, and
// nothing takes its place.
func (s Search) override(ctx context.Context, m *merge, o Override) {
	o.Origin = cmp.Or(o.Origin, OriginDevelopment)
	plugin := &Plugin{ID: ID{Kind: o.Kind, Name: o.Name}, Path: o.Path, Origin: o.Origin}
	path, err := filepath.Abs(o.Path)
	if err != nil || o.Path == "" {
		m.override(plugin, &Problem{Reason: ReasonMissing, Err: err})
		return
	}
	plugin.Path = path
	if o.Origin == OriginDevelopment {
		s.Logger.WarnContext(ctx, "a development override is in use: neither its version nor its sum is checked",
			"plugin", o.Name, "path", path)
	}
	// The version and the platform may be in the name.
	if id, err := s.Naming.Parse(filepath.Base(path)); err == nil && id.Kind == o.Kind && id.Name == o.Name {
		plugin.ID = id
	}
	info, err := os.Stat(path)
	if err != nil {
		m.override(plugin, &Problem{Reason: linkReason(err), Err: err})
		return
	}
	plugin.Exe = filepath.Ext(path) == exeSuffix
	if reason := s.unusable(plugin.ID, info); reason != "" {
		m.override(plugin, &Problem{Reason: reason})
		return
	}
	m.override(plugin, nil)
}

// unusable says what keeps a file from being run, or nothing.
func (s Search) unusable(id ID, info fs.FileInfo) Reason {
	switch {
	case s.foreign(id):
		return ReasonForeign
	case !info.Mode().IsRegular():
		return ReasonNotRegular
	case s.Platform.exe() && !id.Exe, s.Platform.modes() && info.Mode().Perm()&0o111 == 0:
		return ReasonNotExecutable
	case s.openToAll(info):
		return ReasonWritable
	}
	return ""
}

// foreign tells whether a file is for another platform, as its name says.
func (s Search) foreign(id ID) bool {
	return !id.Platform.IsZero() && id.Platform != s.Platform || id.Exe && !s.Platform.exe()
}

// openToAll tells whether everybody may change what info describes.
func (s Search) openToAll(info fs.FileInfo) bool {
	return !s.AllowWritable && s.Platform.modes() && info.Mode().Perm()&0o002 != 0
}

// linkReason is why a file that was seen, or named, cannot be looked at.
func linkReason(err error) Reason {
	switch {
	case isLoop(err):
		return ReasonLoop
	case errors.Is(err, fs.ErrNotExist):
		return ReasonMissing
	default:
		return ReasonUnreadable
	}
}
