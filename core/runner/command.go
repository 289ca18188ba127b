package runner

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/jackfield-go/jackfield/core/internal/diagnose"
	"github.com/jackfield-go/jackfield/core/internal/fileid"
	"github.com/jackfield-go/jackfield/core/verify"
)

// DefaultOutputGrace is what a zero [Command.OutputGrace] stands for.
const DefaultOutputGrace = 500 * time.Millisecond

// A Command describes a plugin to run. It is never modified and holds no state
// of a run, so one Command serves any number of starts, also at the same time
// (as far as its Stdin can be shared).
type Command struct {
	// Path is the program. Without a path separator it is looked up in the
	// PATH of this process, as [exec.LookPath] does; otherwise, if relative, it
	// is relative to Dir.
	Path string

	// Sealed is what runs in place of the file at Path, which stays the name that
	// the process gets (argument 0) and that errors mention. Nil: that file.
	//
	// For a process that runs from memory the link /proc/self/exe leads to no file
	// of the file system; a script is told the path of its copy. A runner of
	// another kind must not ignore it: if it needs a path, that is [verify.Sealed.Path].
	Sealed *verify.Sealed

	// Args are the arguments, without the program's name.
	Args []string

	// Dir is the working directory. Empty: that of this process.
	Dir string

	// Env is the complete environment, as "KEY=value". Nothing is inherited:
	// nil and empty both mean an empty environment (on Windows SYSTEMROOT is
	// always added, since hardly anything runs without it). Of several entries
	// with one key the last one counts.
	Env []string

	// Stdin is the standard input. Nil: none, the null device. An *os.File is
	// handed to the process as it is. Anything else is copied through a pipe by
	// a goroutine, which ends when the reader or the process does; a Read of
	// the given reader that blocks for ever keeps that goroutine, since nothing
	// can interrupt it.
	Stdin io.Reader

	// SysProcAttr are attributes of the platform, optional. They are copied.
	SysProcAttr *syscall.SysProcAttr

	// SocketDir is the directory that host and plugin share for their sockets,
	// or empty. A process needs nothing to see it; a runner that isolates its
	// plugin must make it visible there.
	SocketDir string

	// OutputGrace bounds how long the read that finds an output empty waits for
	// more after the process has ended, where a descendant still holds the
	// pipe. Only platforms that cannot interrupt such a read need it (Windows);
	// on Unix an empty pipe ends at once. Zero: [DefaultOutputGrace].
	OutputGrace time.Duration
}

// Open opens the program that a start of the command would run, and says where
// it found it. What could not be run is a *[StartError], as from Start.
func (c Command) Open() (*os.File, error) {
	file, err := c.open()
	if err != nil {
		return nil, &StartError{Path: c.Path, Reason: c.diagnosed().Start(err), Err: err}
	}
	return file, nil
}

// errChrooted is why a command has no program that could be looked at.
var errChrooted = errors.New("the process is to run in another root directory (SysProcAttr.Chroot), " +
	"where its program cannot be told beforehand")

func (c Command) open() (*os.File, error) {
	if isChrooted(c.SysProcAttr) {
		return nil, errChrooted
	}
	path := c.Path
	if filepath.Base(path) != path {
		path = diagnose.InDir(c.Dir, path)
	}
	// It checks what a start would: that this user may run the file, where it is.
	path, err := exec.LookPath(path)
	if err != nil {
		return nil, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	return fileid.Open(path)
}

// clone returns a copy that shares nothing changeable with c but Stdin.
func (c Command) clone() Command {
	c.Args = slices.Clone(c.Args)
	c.Env = slices.Clone(c.Env)
	if c.SysProcAttr != nil {
		attr := *c.SysProcAttr
		c.SysProcAttr = &attr
	}
	return c
}

// diagnosed is what a diagnosis of the command looks at.
func (c Command) diagnosed() diagnose.Command {
	return diagnose.Command{Path: c.Path, Args: c.Args, Dir: c.Dir, Env: c.Env, Chrooted: isChrooted(c.SysProcAttr)}
}

// executable is what the system is asked to run.
type executable struct {
	path   string
	memory *os.File // not nil: this memory file, and no path
}

// execCmd makes the exec.Cmd of one attempt to start, without its streams.
func (c Command) execCmd(run executable) *exec.Cmd {
	cmd := exec.Command(run.path, c.Args...) //nolint:noctx // the plugin outlives the context of its start
	cmd.Args[0] = c.Path
	cmd.Dir = c.Dir
	// A nil Env would make os/exec inherit this process's environment.
	cmd.Env = append([]string{}, c.Env...)
	if c.SysProcAttr != nil {
		attr := *c.SysProcAttr
		cmd.SysProcAttr = &attr
	}
	return cmd
}

func (c Command) outputGrace() time.Duration {
	if c.OutputGrace > 0 {
		return c.OutputGrace
	}
	return DefaultOutputGrace
}
