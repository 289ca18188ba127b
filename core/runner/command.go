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

// DefaultOutputGrace is the default of [Command.OutputGrace].
const DefaultOutputGrace = 500 * time.Millisecond

// A Command describes a plugin to run. It is never modified and holds no state
// of a run, so one Command serves any number of starts, also at the same time
// (as far as its Stdin can be shared).
type Command struct {
	// Path is the program. Without a path separator it is looked up in the
	// PATH of this process, as [exec.LookPath] does; otherwise, if relative, it
	// is relative to Dir.
	Path string

	// Sealed runs in place of the file at Path. Argument 0 of the process and errors
	// keep Path. Nil: the file at Path runs.
	//
	// For a process in memory the link /proc/self/exe leads to no file of the file
	// system; a script is told the path of its copy. A runner of another kind must
	// not ignore Sealed: if it needs a path, it asks [verify.Sealed.Path].
	Sealed *verify.Sealed

	// Args are the arguments, without the program's name.
	Args []string

	// Dir is the working directory. Empty: the working directory of this process.
	Dir string

	// Env is the complete environment, as "KEY=value". Nothing is inherited:
	// nil and empty both mean an empty environment (on Windows SYSTEMROOT is
	// always added, since hardly anything runs without it). Of several entries
	// with one key the last one counts.
	Env []string

	// Stdin is the standard input. Nil: the null device. An *os.File is handed to the
	// process as it is. A goroutine copies any other reader through a pipe, and ends
	// when the reader or the process does. A Read that blocks for ever keeps that
	// goroutine, since nothing can interrupt it.
	Stdin io.Reader

	// SysProcAttr are attributes of the platform, optional. They are copied.
	SysProcAttr *syscall.SysProcAttr

	// Group makes the process the leader of a process group of its own. Kill and
	// Terminate then go to the whole group, and at the end of the process the
	// group's other members are killed. A terminal's Ctrl-C does not reach the group.
	// On Windows the process gets a job for it. False: the process is in this
	// process's group, and its own children are not touched.
	Group bool

	// Outlive lets the process live on after this one, or the program that this one
	// becomes by exec(3). False: the system ends it with
	// this process, where it can. On Linux it sends SIGTERM, or the signal of
	// SysProcAttr.Pdeathsig; a program that changes its user when it starts, as sudo
	// does, is excepted. On Windows it ends the process and its children. On other
	// systems nothing happens.
	//
	// On Linux a process that does not outlive this one is started by another thread, the
	// same for all, and so does not get the namespaces of the calling thread.
	Outlive bool

	// SocketDir is the directory with the sockets of host and plugin, or empty. A
	// process needs nothing to see it; a runner with an isolated plugin must make it
	// visible there.
	SocketDir string

	// OutputGrace bounds how long a read of an empty output waits for more after the
	// process has ended, while a descendant still holds the pipe. Only platforms
	// without interruptible reads need it (Windows); on Unix an empty pipe ends at
	// once. Zero: [DefaultOutputGrace].
	OutputGrace time.Duration
}

// Open opens the program for a check before the start. The name of the file is its
// absolute path. If the program cannot run, Open fails with a *[StartError], as Start
// does.
func (c Command) Open() (*os.File, error) {
	file, err := c.open()
	if err != nil {
		return nil, &StartError{Path: c.Path, Reason: c.diagnosed().Start(err), Err: err}
	}
	return file, nil
}

// errChrooted refuses to open a program in another root directory.
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
	// As at a start, this user must have the right to run the file where it is.
	path, err := exec.LookPath(path)
	if err != nil {
		return nil, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	return fileid.Open(path)
}

// clone returns a copy. It shares only Stdin with c.
func (c Command) clone() Command {
	c.Args = slices.Clone(c.Args)
	c.Env = slices.Clone(c.Env)
	if c.SysProcAttr != nil {
		attr := *c.SysProcAttr
		c.SysProcAttr = &attr
	}
	return c
}

// diagnosed returns the command in the form for a diagnosis.
func (c Command) diagnosed() diagnose.Command {
	return diagnose.Command{Path: c.Path, Args: c.Args, Dir: c.Dir, Env: c.Env, Chrooted: isChrooted(c.SysProcAttr)}
}

// executable is a program for the system to run.
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
	cmd.SysProcAttr = new(syscall.SysProcAttr)
	if c.SysProcAttr != nil {
		*cmd.SysProcAttr = *c.SysProcAttr
	}
	c.setFamily(cmd.SysProcAttr)
	return cmd
}

func (c Command) outputGrace() time.Duration {
	if c.OutputGrace > 0 {
		return c.OutputGrace
	}
	return DefaultOutputGrace
}
