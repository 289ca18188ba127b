package runner

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"time"

	"github.com/jackfield-go/jackfield/core/internal/diagnose"
	"github.com/jackfield-go/jackfield/core/internal/pipe"
)

// A file can be "busy" a moment after this program wrote it: a child that another
// goroutine is forking holds the descriptor until it execs (golang.org/issue/22315).
// It passes in milliseconds; the last try comes about a quarter of a second after the
// first.
const (
	busyTries     = 8
	busyFirstWait = 2 * time.Millisecond
)

// streams are both ends of a process's standard streams.
type streams struct {
	child  []*os.File // stdin, stdout, stderr; nil is the null device
	owned  []*os.File // files of child that were made here
	stdin  *input
	stdout *pipe.Reader
	stderr *pipe.Reader
}

// startOwned starts a process and collects it at its end. The system takes the thread that starts
// a process for its parent, so where that matters the thread stays until then.
func startOwned(ctx context.Context, command Command) (*running, error) {
	release := func() {}
	if command.needsThread() {
		release = parent.hold()
	}
	run, err := start(ctx, command)
	if err != nil {
		release()
		return nil, err
	}
	go func() {
		defer release()
		run.reap()
	}()
	return run, nil
}

// start starts a process as command describes it, and leaves nothing behind on an
// error. The caller collects the process.
func start(ctx context.Context, command Command) (*running, error) {
	if ctx.Err() != nil {
		return nil, contextError(ctx)
	}
	s, err := openStreams(command)
	if err != nil {
		return nil, err
	}
	cmd, err := startSealed(ctx, command, s)
	s.closeChild()
	if err != nil {
		s.closeHost()
		return nil, err
	}
	if s.stdin != nil {
		go s.stdin.copy()
	}
	return &running{
		system: child{cmd, familyOf(cmd.Process, command)},
		pid:    cmd.Process.Pid,
		stdin:  s.stdin,
		stdout: s.stdout,
		stderr: s.stderr,
		done:   make(chan struct{}),
	}, nil
}

// startSealed starts the command's file, or its copy. A system may keep programs from
// running from memory (a security module, a missing /proc): then the copy runs from a
// file, from now on if that helps.
func startSealed(ctx context.Context, cmd Command, s *streams) (started *exec.Cmd, err error) {
	if cmd.Sealed == nil {
		return startRetrying(ctx, cmd, executable{path: cmd.Path}, s)
	}
	path, memory, err := cmd.Sealed.Executable()
	if err != nil {
		return nil, err
	}
	run := executable{path: path, memory: memory}
	started, err = startRetrying(ctx, cmd, run, s)
	if err == nil || run.memory == nil || ctx.Err() != nil || !mayBeMemory(cmd, err) {
		return started, err
	}
	tried := false
	fileErr := cmd.Sealed.InFile(ctx, func(path string) (err error) {
		tried = true
		started, err = startRetrying(ctx, cmd, executable{path: path}, s)
		return err
	})
	if fileErr != nil && !tried {
		return nil, errors.Join(err, fileErr)
	}
	return started, fileErr
}

// mayBeMemory reports whether a start may have failed because the program is in
// memory: the working directory and the rights of the process give the same
// errors.
func mayBeMemory(cmd Command, err error) bool {
	if !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if cmd.Dir != "" {
		if _, err := os.Stat(cmd.Dir + "/."); err != nil {
			return false
		}
	}
	return !mayNotBecome(cmd.SysProcAttr, err)
}

func startRetrying(ctx context.Context, cmd Command, run executable, s *streams) (*exec.Cmd, error) {
	wait := busyFirstWait
	for try := 1; ; try++ {
		started, err := startOnce(cmd, run, s)
		if err == nil || !diagnose.IsBusy(err) || try == busyTries {
			return started, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
			wait *= 2
		case <-ctx.Done():
			timer.Stop()
			return nil, contextError(ctx)
		}
	}
}

// startOnce gives the process raw files only, so os/exec starts no goroutine that
// would wait for descendants with these files.
func startOnce(cmd Command, run executable, s *streams) (*exec.Cmd, error) {
	c := cmd.execCmd(run)
	if s.child[0] != nil {
		c.Stdin = s.child[0]
	}
	c.Stdout, c.Stderr = s.child[1], s.child[2]
	var err error
	begin := func() {
		if run.memory != nil {
			err = startFromMemory(c, run.memory, s.child[2])
		} else {
			err = c.Start()
		}
	}
	if cmd.needsThread() {
		parent.do(begin)
	} else {
		begin()
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// openStreams makes the pipes between host and process.
func openStreams(cmd Command) (_ *streams, err error) {
	s := &streams{child: make([]*os.File, 3)}
	defer func() {
		if err != nil {
			s.closeChild()
			s.closeHost()
		}
	}()
	if s.stdout, err = s.openOutput(1, cmd); err != nil {
		return nil, err
	}
	if s.stderr, err = s.openOutput(2, cmd); err != nil {
		return nil, err
	}
	switch stdin := cmd.Stdin.(type) {
	case nil:
	case *os.File:
		s.child[0] = stdin
	default:
		r, w, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		s.child[0], s.owned = r, append(s.owned, r)
		s.stdin = &input{from: stdin, to: w}
	}
	return s, nil
}

func (s *streams) openOutput(number int, cmd Command) (*pipe.Reader, error) {
	r, w, err := pipe.Open()
	if err != nil {
		return nil, err
	}
	s.child[number], s.owned = w, append(s.owned, w)
	return pipe.NewReader(r, cmd.outputGrace()), nil
}

// closeChild closes the process's ends; the process has its own.
func (s *streams) closeChild() {
	for _, f := range s.owned {
		f.Close()
	}
}

// closeHost closes the host's ends after a start that failed.
func (s *streams) closeHost() {
	if s.stdout != nil {
		_ = s.stdout.Close()
	}
	if s.stderr != nil {
		_ = s.stderr.Close()
	}
	if s.stdin != nil {
		s.stdin.stop()
	}
}

// input copies a reader into the standard input of a process.
type input struct {
	from io.Reader
	to   *os.File
}

// copy ends with the reader, with the process, or when the process closes its input.
// None of these is an error: a program need not read all of its input.
func (in *input) copy() {
	// Hiding the other methods keeps io.Copy from handing the copy to the reader's
	// own WriteTo, which may not return when the pipe breaks.
	_, _ = io.Copy(struct{ io.Writer }{in.to}, struct{ io.Reader }{in.from})
	in.stop()
}

// stop closes the pipe, so a waiting write fails. It may be called more than once.
func (in *input) stop() { in.to.Close() }
