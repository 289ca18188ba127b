package socket

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"unicode"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/internal/dircheck"
	"github.com/jackfield-go/jackfield/core/internal/sweep"
)

// nameRoom is the length of a socket's name beneath its directory, separator
// included. Names of other libraries are as long.
const nameRoom = 24

// dirPattern names the directories. The random part has ten digits at the most.
const (
	dirPattern = "jackfield-"
	dirRoom    = len(dirPattern) + 10
)

// maxTries limits how often a directory is made again because another process
// took it for an abandoned directory.
const maxTries = 100

// ownerFile is in each directory on systems with locks. It belongs to the directory's maker. Its
// lock marks the directory as in use. It names the plugin's process, which may outlive its host and
// knows nothing of locks.
const ownerFile = ".owner"

// Dir is a private directory for sockets. Its maker removes it. If the maker
// was killed, the next process of the same user that sweeps the same place
// removes it.
type Dir struct {
	// Path is its absolute path, short enough for sockets beneath it.
	Path string

	access   Access
	removing sync.Once

	mu      sync.Mutex
	made    fs.FileInfo // identifies the directory at its path
	hold    *hold
	serves  func(*hold)  // records the directory's user in the hold; nil: no record
	removed bool         // or about to be
	sweep   *sweep.Sweep // nil before it has begun

	lifeline *os.File // nil: none was made
}

// MakeDir makes a directory for the users with access: this user alone (mode
// 0700), another user, or a group as well (mode 0770). It takes the first of
// bases where the path of a socket stays short enough, no other user could
// replace the directory, and a socket can be made. Without bases it takes the
// platform's.
func MakeDir(access Access, bases ...string) (*Dir, error) {
	setting := "choose a shorter directory for sockets"
	if len(bases) == 0 {
		bases = defaultBases(access.shared())
		setting = "set TMPDIR to a shorter directory"
	}
	var failed []error
	for _, base := range bases {
		base, err := fit(base, setting, access.mustPass())
		if err == nil {
			var dir *Dir
			if dir, err = makeIn(base, access); err == nil {
				return dir, nil
			}
		}
		failed = append(failed, err)
	}
	return nil, fmt.Errorf("make a private directory for sockets: %w", errors.Join(failed...))
}

// makeIn makes a directory in a base with room for a socket.
func makeIn(base string, access Access) (*Dir, error) {
	err := errTaken
	for tries := 0; tries < maxTries && errors.Is(err, errTaken); tries++ {
		var path string
		if path, err = os.MkdirTemp(room(base, access), dirPattern); err != nil {
			if isRoomGone(base, err) {
				err = errTaken
			}
			continue
		}
		dir := &Dir{Path: path, access: access}
		if err = dir.claim(access); err == nil {
			return dir, nil
		}
		if !errors.Is(err, errTaken) {
			dir.Remove()
		}
	}
	return nil, err
}

// claim marks a newly made directory as this process's, and admits the users
// with access.
func (d *Dir) claim(access Access) error {
	made, err := openMade(d.Path)
	if err != nil {
		return err
	}
	defer made.Close()
	if d.made, err = made.Stat(); err != nil {
		return err
	}
	if d.hold, err = takeHold(made); err != nil {
		return err
	}
	// The base may have room for a directory and a file alone.
	if err := tryListen(d.Path); err != nil {
		return err
	}
	return access.open(made)
}

// Serves records the PID of the directory's plugin. The directory stays while that process runs,
// even without its host.
func (d *Dir) Serves(pid int) {
	d.note(func(h *hold) { h.serves(pid) })
}

// ServesUnknown records that no PID of the directory's plugin is known here, as with a container.
// The directory stays, without its host, until the next boot of the machine: its use cannot be
// ruled out earlier.
func (d *Dir) ServesUnknown() {
	d.note((*hold).servesUnknown)
}

func (d *Dir) note(serves func(*hold)) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.serves = serves
	serves(d.hold)
}

// Listen listens on a new socket in the directory. If a cleaner of temporary files has swept the
// directory away, Listen first makes it again, by the same rules.
func (d *Dir) Listen(namer *Namer) (*net.UnixListener, error) {
	if err := d.stay(); err != nil {
		return nil, err
	}
	return namer.Listen(d.Path)
}

// stay makes the directory again if it is gone.
func (d *Dir) stay() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.removed {
		return fmt.Errorf("the directory %q for sockets has been removed: %w", d.Path, fs.ErrClosed)
	}
	if isAt(d.Path, d.made) {
		return nil
	}
	made, hold, err := again(d.Path, d.access, d.others()...)
	if err != nil {
		return fmt.Errorf("make the removed directory for sockets again: %w", err)
	}
	d.hold.release()
	d.made, d.hold = made, hold
	if d.serves != nil {
		d.serves(hold)
	}
	return nil
}

// others returns the other user, who may have made the directory again.
func (d *Dir) others() []int {
	if uid, ok := d.access.User(); ok {
		return []int{uid}
	}
	return nil
}

// Sweep starts to remove the directories beside this one abandoned by other
// processes of this user. It may be called again, and on a nil Dir.
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

// Remove removes the directory with its content, and hastens the end of the sweep and waits for it.
// Later calls of Sweep do nothing. Remove may be called again, and on a nil Dir.
func (d *Dir) Remove() {
	if d == nil {
		return
	}
	d.removing.Do(func() {
		swept := d.retire()
		swept.Hurry()
		if isAt(d.Path, d.made) { // not a replacement by a user with access
			removeDir(d.Path)
		}
		d.hold.release()
		_ = d.lifeline.Close() // may be nil
		<-swept.Done()
		leaveRoom(d.Path)
	})
}

// Leave ends this process's use of the directory, and leaves it to the plugin in it and to a later
// sweep. Afterwards Remove does nothing. Leave may be called on a nil Dir.
func (d *Dir) Leave() {
	if d == nil {
		return
	}
	d.removing.Do(func() {
		d.mu.Lock()
		d.removed = true
		swept := d.sweep
		d.mu.Unlock()
		swept.Hurry()
		d.hold.release()
		_ = d.lifeline.Close() // may be nil
		<-swept.Done()
	})
}

// IsPrivate reports whether a path has the name of a private directory.
func IsPrivate(path string) bool {
	random, ok := strings.CutPrefix(filepath.Base(path), dirPattern)
	return ok && random != "" && strings.Trim(random, "0123456789") == ""
}

// retire ends the use of the directory, even if the other side made it again, and returns the
// sweep.
func (d *Dir) retire() *sweep.Sweep {
	d.mu.Lock()
	made := d.made != nil
	d.mu.Unlock()
	if made && exists(d.Path) {
		_ = d.stay()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.removed = true
	return d.sweep
}

// removeDir removes a directory with its content, and the owner's file last: if this process is
// killed in between, the rest still counts as abandoned. A socket made meanwhile by a plugin takes
// another turn.
func removeDir(path string) {
	for range maxTurns {
		entries, err := os.ReadDir(path)
		if err != nil {
			return
		}
		for _, entry := range entries {
			if entry.Name() != ownerFile && os.RemoveAll(filepath.Join(path, entry.Name())) != nil {
				return
			}
		}
		_ = os.Remove(filepath.Join(path, ownerFile))
		if os.Remove(path) == nil {
			return
		}
	}
}

// maxTurns limits how often a refilled directory is cleared.
const maxTurns = 3

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// isAt reports whether a directory is at path, and not behind a link.
func isAt(path string, dir fs.FileInfo) bool {
	there, err := os.Lstat(path)
	return err == nil && os.SameFile(there, dir)
}

// fit returns the path of a base in its announced form, if directories can be
// made there. setting is the remedy for a path that is too long.
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
