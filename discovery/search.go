package discovery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/jackfield-go/jackfield/discovery/internal/files"
)

// Search is the subject and the place of a search. It is not changed, and may be used
// again.
type Search struct {
	// Naming is how plugins are called. Required.
	Naming Naming
	// Overrides are files for plugins, used whatever is in Dirs.
	Overrides []Override
	// Dirs are the directories, in the order of their precedence. See [Places.Dirs].
	Dirs []Dir
	// Platform is the plugins' platform. Zero: this one.
	Platform Platform
	// AllowWritable takes files that everybody may change, and those in directories
	// where everybody may make some. On Windows neither is looked at.
	AllowWritable bool
	// Logger takes a warning for each development override. Nil: [slog.Default]; a
	// logger of [slog.DiscardHandler] is silent.
	Logger *slog.Logger
}

// Override is the file of a certain plugin, whatever its name is and whatever else is
// found under that plugin's.
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
	// Path is where it is. Without an FS it must be absolute, unless Origin is
	// OriginExplicit: then a relative path is taken from the current directory.
	Path string
	// Origin is its place among the directories. OriginExplicit means a directory
	// named for this run. Its plugins override none.
	Origin Origin
	// Required makes a missing directory a problem. One of OriginExplicit is
	// always required.
	Required bool
	// FS is a file system with the directory as its root: a test's, an archive. Its
	// files can be listed, and not be run. Nil: the system's.
	FS fs.FS
}

// Plugin is a file for a host to run as a plugin.
type Plugin struct {
	ID

	// Path is the file, absolute unless it is in a Dir's FS. A symbolic link is
	// named, not its target.
	Path string `json:"path"`
	// Origin is where it was found.
	Origin Origin `json:"origin"`

	from *Dir // where it was found; nil for an override
}

// fsys is the file system with the file under the name base; nil for the system's.
func (p *Plugin) fsys() fs.FS {
	if p.from == nil {
		return nil
	}
	return p.from.FS
}

// overrides tells whether the plugin is taken without a choice.
func (p *Plugin) overrides() bool { return p.from == nil && p.Origin.overrides() }

func (p *Plugin) base() string { return path.Base(p.Path) }

// Found is the result of a search, in its order: overrides, then the directories, in
// each the files by name.
type Found struct {
	// Plugins are the usable files. No two are the same plugin in the same version.
	Plugins []Plugin `json:"plugins"`
	// Problems are the files and directories out of use.
	Problems []*Problem `json:"problems"`

	platform Platform
	dirs     []Dir
}

// Glob returns the search of one directory for files with matching names (path.Match). A
// pattern with a slash is an error: plugin.Discover of go-plugin has the two arguments in
// the other order.
// A plugin is called like its file without .exe. A relative directory is taken from
// the current one. With an empty dir nothing is searched.
//
//	found, err := discovery.Glob("./plugins", "greeter-*").Find(ctx)
//
// Unlike filepath.Glob it leaves out files that cannot run, and files or directories
// that everybody may change: they are in [Found.Problems].
func Glob(dir, pattern string) Search {
	return Search{Naming: Naming{Glob: pattern}, Dirs: []Dir{{Path: dir, Origin: OriginExplicit}}}
}

// Find searches. The fault of a file or a directory is a problem in the result; an
// error is about the settings, or ctx.
func (s Search) Find(ctx context.Context) (*Found, error) {
	if err := s.Naming.validate(); err != nil {
		return nil, fmt.Errorf("search for plugins: %w", err)
	}
	if s.Platform.IsZero() {
		s.Platform = ThisPlatform()
	}
	if s.Logger == nil {
		s.Logger = slog.Default()
	}
	s.Dirs = located(s.Dirs)
	f := &finder{Search: s, naming: s.Naming.compile()}
	found, err := f.find(ctx)
	if err != nil {
		return nil, fmt.Errorf("search for plugins: %w", err)
	}
	return found, nil
}

// located returns the directories with absolute paths for those named for this run.
// An empty path, such as an unset flag's, stays as it is: it means no directory.
func located(dirs []Dir) []Dir {
	dirs = slices.Clone(dirs)
	for i := range dirs {
		dir := &dirs[i]
		if dir.Origin != OriginExplicit || dir.Path == "" || dir.FS != nil {
			continue
		}
		dir.Required = true
		if path, err := filepath.Abs(dir.Path); err == nil {
			dir.Path = path
		}
	}
	return dirs
}

// finder is a search with state shared by its parts.
type finder struct {
	Search

	naming compiled
	ways   ways
}

// find reads the names in all directories, then looks at the files, and puts
// those of the first directories together while it looks at those of the others.
func (f *finder) find(ctx context.Context) (*Found, error) {
	scans := f.scans()
	inParallel(ctx, scans, func(s *scan) { s.read() })()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	m := f.newMerge(scans)
	for _, override := range f.Overrides {
		f.override(ctx, m, override)
	}
	wait := inParallel(ctx, scans, func(s *scan) {
		s.look(ctx)
		close(s.done)
	})
	defer wait()
	for _, scan := range scans {
		select {
		case <-scan.done:
			m.scan(scan)
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return m.result(), nil
}

// scans makes a scan of each directory, and finds those twice in the list, under the
// same name or another.
func (f *finder) scans() []*scan {
	scans := make([]*scan, len(f.Dirs))
	for i, dir := range f.Dirs {
		s := &scan{search: f, dir: &dir, done: make(chan struct{})}
		scans[i] = s
		if dir.FS != nil || !filepath.IsAbs(dir.Path) {
			continue // the latter is not searched, so no other one repeats it
		}
		if s.info, s.err = os.Stat(dir.Path); s.err != nil {
			continue
		}
		for _, before := range scans[:i] {
			if before.info != nil && os.SameFile(before.info, s.info) {
				s.repeated = before.dir.Path
				break
			}
		}
	}
	return scans
}

// inParallel goes through the scans with as many goroutines as there are
// processors. The function waits for these.
func inParallel(ctx context.Context, scans []*scan, do func(*scan)) (wait func()) {
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(scans)) {
		group.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(scans) {
					return
				}
				do(scans[i])
			}
		})
	}
	return group.Wait
}

// override adds a named file. If it cannot be used it is a problem, and nothing takes
// its place.
func (f *finder) override(ctx context.Context, m *merge, o Override) {
	o.Origin = cmp.Or(o.Origin, OriginDevelopment)
	plugin := &Plugin{ID: ID{Kind: o.Kind, Name: o.Name}, Path: o.Path, Origin: o.Origin}
	path, err := filepath.Abs(o.Path)
	if err != nil || o.Path == "" {
		m.override(plugin, &Problem{Reason: ReasonMissing, Err: err})
		return
	}
	plugin.Path = path
	if o.Origin == OriginDevelopment {
		f.Logger.WarnContext(ctx, "a development override is in use: neither its version nor its sum is checked",
			"plugin", o.Name, "path", path)
	}
	// The version and the platform may be in the name.
	if id, err := f.Naming.Parse(filepath.Base(path)); err == nil && id.Kind == o.Kind && id.Name == o.Name {
		plugin.ID = id
	}
	info, err := os.Stat(path)
	if err != nil {
		m.override(plugin, &Problem{Reason: linkReason(err), Err: err})
		return
	}
	plugin.Exe = isExe(path)
	problem := f.unusable(plugin.ID, info.Mode())
	if problem == nil {
		problem = f.denied(info.Mode(), path)
	}
	m.override(plugin, problem)
}

const executable = 0o111

// unusable returns why nobody can run a file, or nothing.
func (f *finder) unusable(id ID, mode fs.FileMode) *Problem {
	switch {
	case f.foreign(id):
		return &Problem{Reason: ReasonForeign}
	case !mode.IsRegular():
		return &Problem{Reason: ReasonNotRegular}
	case f.Platform.exe() && !id.Exe, f.Platform.modes() && mode&executable == 0:
		return &Problem{Reason: ReasonNotExecutable}
	case f.openToAll(mode):
		return &Problem{Reason: ReasonWritable}
	}
	return nil
}

// denied returns why this user may not run a file that some may run. The system
// knows; there may be an access list.
func (f *finder) denied(mode fs.FileMode, path string) *Problem {
	if !f.Platform.modes() || mode&executable == executable {
		return nil
	}
	if err := files.MayExecute(path); err != nil {
		return &Problem{Reason: ReasonNotExecutable, Err: &fs.PathError{Op: "execute", Path: path, Err: err}}
	}
	return nil
}

// foreign tells whether a file is for another platform, as its name says.
func (f *finder) foreign(id ID) bool {
	return !id.Platform.IsZero() && id.Platform != f.Platform || id.Exe && !f.Platform.exe()
}

// openToAll reports whether everybody may change a file with that mode.
func (f *finder) openToAll(mode fs.FileMode) bool {
	return !f.AllowWritable && f.Platform.modes() && mode&0o002 != 0
}

// linkReason is why a file of a directory or an override cannot be looked at.
func linkReason(err error) Reason {
	switch {
	case errors.Is(err, files.ErrLoop):
		return ReasonLoop
	case errors.Is(err, fs.ErrNotExist):
		return ReasonMissing
	default:
		return ReasonUnreadable
	}
}
