//go:build linux || darwin

package host

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// terminal is the controlling terminal of this process, lent to a plugin.
type terminal struct {
	fd     int
	modes  *unix.Termios // from before
	own    int32         // this process's group
	group  int32         // the plugin's group; own if it is the same
	plugin int           // process ID
	lent   bool          // the plugin's group is in the foreground
}

// lendTerminal opens the terminal and gives it to the plugin.
func (p *process) lendTerminal() (_ *terminal, err error) {
	pid, err := p.processID()
	if err != nil {
		return nil, err
	}
	t := &terminal{plugin: pid, own: int32(unix.Getpgrp())}
	if err := t.findGroup(); err != nil {
		return nil, err
	}
	// A raw descriptor: the poller has no use for it.
	t.fd, err = unix.Open("/dev/tty", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoTerminal, &os.PathError{Op: "open", Path: "/dev/tty", Err: err})
	}
	defer func() {
		if err != nil {
			_ = unix.Close(t.fd)
		}
	}()
	foreground, err := t.foreground()
	switch {
	case err != nil:
		return nil, err
	case foreground != t.own:
		return nil, fmt.Errorf("%w by process group %d: this process, of group %d, is in the background", ErrTerminalInUse, foreground, t.own)
	}
	if t.modes, err = unix.IoctlGetTermios(t.fd, getModes); err != nil {
		return nil, os.NewSyscallError("tcgetattr", err)
	}
	return t, t.give(nil)
}

// findGroup finds the plugin's process group. A group of another session cannot have the terminal.
func (t *terminal) findGroup() error {
	own, err := unix.Getsid(0)
	if err != nil {
		return os.NewSyscallError("getsid", err)
	}
	session, err := unix.Getsid(t.plugin)
	if errors.Is(err, unix.ESRCH) {
		return os.ErrProcessDone
	}
	if err != nil {
		return os.NewSyscallError("getsid", err)
	}
	group, err := unix.Getpgid(t.plugin)
	if err != nil {
		return os.NewSyscallError("getpgid", err)
	}
	if session != own {
		return fmt.Errorf("%w for a plugin in a session of its own (SysProcAttr.Setsid)", ErrNoTerminal)
	}
	t.group = int32(group)
	return nil
}

// attend waits for the end of f or of the plugin, and takes the terminal back. Meanwhile it does a
// shell's work for the plugin's group: it stops with it, and continues it.
func (t *terminal) attend(p *process, done <-chan struct{}) error {
	var changes chan os.Signal // nil with a group that the shell looks after
	if t.lent {
		changes = make(chan os.Signal, 1)
		signal.Notify(changes, syscall.SIGCHLD)
		defer signal.Stop(changes)
	}
	defer func() { _ = unix.Close(t.fd) }()
	for {
		if t.lent && hasStopped(t.plugin) {
			if err := t.pause(); err != nil {
				return errors.Join(err, t.takeBack())
			}
		}
		select {
		case <-changes:
		case <-done:
			return t.end()
		case <-p.ended:
			return t.takeBack()
		}
	}
}

// end takes the terminal back from a running plugin. Ctrl-Z may have come with the end of f, and the
// plugin would stay stopped. SIGCONT also discards stop signals not yet delivered.
func (t *terminal) end() error {
	lent := t.lent
	err := t.takeBack()
	if lent {
		_ = syscall.Kill(-int(t.group), syscall.SIGCONT)
	}
	return err
}

// pause stops this process's group together with the stopped plugin, until the shell continues it.
// A plugin stopped before it had the terminal, as by reading too early, is only continued.
func (t *terminal) pause() error {
	foreground, err := t.foreground()
	if err != nil {
		return err
	}
	if foreground != t.group {
		return t.give(nil)
	}
	theirs, err := unix.IoctlGetTermios(t.fd, getModes)
	if err != nil {
		return os.NewSyscallError("tcgetattr", err)
	}
	if err := t.takeBack(); err != nil {
		return err
	}
	if err := stopWithOwnGroup(); err != nil {
		return err
	}
	return t.give(theirs) // in the background the system stops this process again
}

// unshelled is how long the system may take to stop this process. It does not stop the group of a
// process without a shell to continue it.
const unshelled = 500 * time.Millisecond

// stopWithOwnGroup sends this process's group the signal of Ctrl-Z, for the shell to see, and
// returns once the group is continued.
func stopWithOwnGroup() error {
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, syscall.SIGCONT)
	defer signal.Stop(continued)
	if err := syscall.Kill(0, syscall.SIGTSTP); err != nil {
		return os.NewSyscallError("kill", err)
	}
	stopped := time.NewTimer(unshelled)
	defer stopped.Stop()
	select {
	case <-continued:
	case <-stopped.C:
	}
	return nil
}

// give puts the plugin's group into the foreground, in its own modes if it had some, and continues
// it: it may have waited for that.
func (t *terminal) give(modes *unix.Termios) error {
	if t.group == t.own {
		return nil
	}
	if modes != nil {
		if err := unix.IoctlSetTermios(t.fd, setModes, modes); err != nil {
			return os.NewSyscallError("tcsetattr", err)
		}
	}
	group := t.group
	err := t.control(unix.TIOCSPGRP, &group)
	t.lent = err == nil
	if gone := syscall.Kill(-int(t.group), syscall.SIGCONT); errors.Is(gone, syscall.ESRCH) {
		return nil // the plugin has ended, and that is noticed elsewhere
	}
	return os.NewSyscallError("tcsetpgrp", err)
}

// takeBack puts this process's group into the foreground, and restores the modes.
func (t *terminal) takeBack() error {
	if t.lent {
		t.lent = false
		if err := t.returnToForeground(); err != nil {
			return err
		}
	}
	if foreground, err := t.foreground(); err != nil || foreground != t.own {
		return err // in the background the modes are the shell's
	}
	return os.NewSyscallError("tcsetattr", unix.IoctlSetTermios(t.fd, setModes, t.modes))
}

// returnToForeground is for a process in the background. The system stops it for asking, with
// SIGTTOU, unless that signal is blocked. A Go program cannot block a signal on one thread of its
// choice everywhere, and to ignore it would be a setting of the whole process and of children
// started meanwhile. But between fork and exec all signals of a child are blocked, and there the
// standard library can ask on behalf of this group. The child runs nothing: "/" is no program.
func (t *terminal) returnToForeground() error {
	_, err := syscall.ForkExec("/", []string{"/"}, &syscall.ProcAttr{
		Sys: &syscall.SysProcAttr{Foreground: true, Pgid: int(t.own), Ctty: t.fd},
	})
	foreground, failure := t.foreground()
	if failure == nil && foreground != t.own {
		return os.NewSyscallError("tcsetpgrp", err)
	}
	return failure
}

// foreground returns the terminal's foreground group.
func (t *terminal) foreground() (group int32, err error) {
	if err := t.control(unix.TIOCGPGRP, &group); err != nil {
		return 0, os.NewSyscallError("tcgetpgrp", err)
	}
	return group, nil
}

// control is an ioctl with a number. Those of golang.org/x/sys v0.1.0 pass the address of a
// variable as a number, and lose it if the stack moves.
func (t *terminal) control(request uintptr, group *int32) error {
	for {
		_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(t.fd), request, uintptr(unsafe.Pointer(group))) //nolint:gosec // the ioctl reads or stores an int there
		switch errno {
		case 0:
			return nil
		case syscall.EINTR: // continued
		default:
			return errno
		}
	}
}
