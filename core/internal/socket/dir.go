package socket

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"unicode"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/internal/dircheck"
	"github.com/jackfield-go/jackfield/core/internal/sweep"
)

// nameRoom is what a socket's name takes beneath its directory, separator
// included. Those of other libraries are as long as this.
const nameRoom = 24

// dirPattern names the directories. The random part has ten digits at the most.
const (
	dirPattern = "jackfield-"
	dirRoom    = len(dirPattern) + 10
)

// maxTries bounds how often a directory is made anew because another process
// took it for one that was left behind.
const maxTries = 100

// ownerFile is in each directory where there are locks. It belongs to the user who
// made the directory; its lock says that the directory is in use; and it says
// which process the plugin is, which may outlive its host and knows nothing of
// locks.
const ownerFile = ".owner"

// Dir is a private directory for sockets. Whoever made it removes it; if that
// does not happen, as the process was killed, the next one of the same user who
// sweeps the same place does.
type Dir struct {
	// Path is its absolute path, short enough for sockets beneath it.
	Path string

	made     fs.FileInfo // tells the directory from any other at its path
	owner    *owner
	removing sync.Once

	mu      sync.Mutex
	removed bool         // or about to be
	sweep   *sweep.Sweep // nil before it has begun
}

// MakeDir makes a directory for those who have access: this user alone (mode
// 0700), another one, or a group as well (mode 0770). It is in the first of bases
// in which the path of a socket stays short enough, where no other user could
// exchange it, and that lets it. Without bases these are the platform's.
func MakeDir(access Access, bases ...string) (*Dir, error) {
	for range maxTries {
		path, err := makeDir(access, bases)
		if err != nil {
			return nil, fmt.Errorf("make a private directory for sockets: %w", err)
		}
		dir := &Dir{Path: path}
		err = dir.claim(access)
		if errors.Is(err, errTaken) {
			continue
		}
		if err != nil {
			dir.Remove()
			return nil, fmt.Errorf("make a private directory for sockets: %w", err)
		}
		return dir, nil
	}
	return nil, errors.New("make a private directory for sockets: each one was taken away at once")
}

// claim makes a directory that has just been made this process's, and lets those
// who have access into it.
func (d *Dir) claim(access Access) error {
	made, err := openMade(d.Path)
	if err != nil {
		return err
	}
	defer made.Close()
	if d.made, err = made.Stat(); err != nil {
		return err
	}
	if d.owner, err = own(made); err != nil {
		return err
	}
	return access.open(made)
}

// Serves notes which process the directory was made for, by its number, so that it
// stays while that process runs, even without its host.
func (d *Dir) Serves(pid int) {
	if d != nil {
		d.owner.serves(pid)
	}
}

// ServesUnknown notes that the directory was made for something of which no number
// of a process is known here, such as a container. It stays, without its host, until
// the machine has been booted: nobody can tell any sooner that it is not in use.
func (d *Dir) ServesUnknown() {
	if d != nil {
		d.owner.servesUnknown()
	}
}

// Sweep begins to remove the directories beside this one that other processes of
// this user have left behind. It may be called again, and on a nil Dir.
func (d *Dir) Sweep() {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.removed && d.sweep == nil {
		d.sweep = startSweep(filepath.Dir(d.Path))
	}
}

// Remove removes the directory and all in it, and hastens the end of the sweep, for
// which it waits. After that there is none. It may be called again, and on a nil Dir.
func (d *Dir) Remove() {
	if d == nil {
		return
	}
	d.removing.Do(func() {
		d.mu.Lock()
		d.removed = true
		swept := d.sweep
		d.mu.Unlock()
		swept.Hurry()
		if isAt(d.Path, d.made) { // not what a user with access to it put there
			// The sockets are gone as a rule, and then two removals are all it takes.
			_ = os.Remove(filepath.Join(d.Path, ownerFile))
			if os.Remove(d.Path) != nil {
				_ = os.RemoveAll(d.Path)
			}
		}
		d.owner.release()
		<-swept.Done()
	})
}

// isAt reports whether a directory is at path, and not behind a link.
func isAt(path string, dir fs.FileInfo) bool {
	there, err := os.Lstat(path)
	return err == nil && os.SameFile(there, dir)
}

func makeDir(access Access, bases []string) (string, error) {
	setting := "choose a shorter directory for sockets"
	if len(bases) == 0 {
		bases = defaultBases(access.shared())
		setting = "set TMPDIR to a shorter directory"
	}
	var failed []error
	for _, base := range bases {
		base, err := fit(base, setting, access.mustPass())
		var dir string
		if err == nil {
			dir, err = os.MkdirTemp(base, dirPattern)
		}
		if err == nil {
			return dir, nil
		}
		failed = append(failed, err)
	}
	return "", errors.Join(failed...)
}

// fit returns the path of a base as it is announced, if directories can be made
// there. setting is what to do if it is too long.
func fit(base, setting string, forOthers bool) (string, error) {
	base, err := filepath.Abs(base) // the plugin may have another working directory
	if err == nil {
		err = announceable(base, setting)
	}
	if err != nil {
		return "", err
	}
	resolved, err := dircheck.Resolve(base, forOthers)
	if err != nil {
		return "", fmt.Errorf("%q is not fit for it: %w", base, err)
	}
	return resolved, announceable(resolved, setting)
}

func announceable(base, setting string) error {
	if strings.ContainsFunc(base, func(r rune) bool { return r == '|' || unicode.IsControl(r) }) {
		return fmt.Errorf("%q cannot be announced to the other side: it has a %q or a control character in it", base, "|")
	}
	longest := filepath.Join(base, dirPattern+strings.Repeat("0", dirRoom-len(dirPattern)), strings.Repeat("s", nameRoom-1))
	if len(longest) > maxPath {
		return &core.SocketPathError{Path: longest, Limit: maxPath, Advice: setting}
	}
	return nil
}
