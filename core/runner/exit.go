package runner

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// ExitUnknown is the [Exit.Code] of a plugin without a known status: a signal ended
// it, or another part of this program collected it.
const ExitUnknown = -1

// Exit says how a plugin ended. The zero value is an orderly end, status 0.
type Exit struct {
	// Code is the exit status, or [ExitUnknown].
	Code int

	// Signal is the signal that ended the plugin, or nil. Windows has none.
	Signal os.Signal

	// CoreDumped reports whether the signal left a core dump.
	CoreDumped bool
}

// Success reports whether the plugin ended by itself with status 0.
func (e Exit) Success() bool { return e.Code == 0 && e.Signal == nil }

// String describes the end, as in "exit status 3" or "killed by signal 9
// (killed)".
func (e Exit) String() string {
	switch {
	case e.Signal != nil:
		return "killed by " + signalText(e.Signal) + e.coreText()
	case e.Code == ExitUnknown:
		return "exit status unknown"
	case uint(e.Code) >= 1<<16:
		// Windows reports crashes as status codes; their known form, for looking them
		// up, is hexadecimal.
		return fmt.Sprintf("exit status %#x", uint32(e.Code))
	default:
		return "exit status " + strconv.Itoa(e.Code)
	}
}

func (e Exit) coreText() string {
	if e.CoreDumped {
		return ", core dumped"
	}
	return ""
}

func signalText(s os.Signal) string {
	number, ok := s.(syscall.Signal)
	if !ok {
		return "signal (" + s.String() + ")"
	}
	return fmt.Sprintf("signal %d (%s)", int(number), s)
}

// exitOf reads a process state. A nil state belongs to an ended process that another
// part of the program collected (a host that ignores SIGCHLD, for example).
func exitOf(state *os.ProcessState) Exit {
	if state == nil {
		return Exit{Code: ExitUnknown}
	}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return exitOfStatus(status)
	}
	return Exit{Code: state.ExitCode()}
}

func exitOfStatus(status syscall.WaitStatus) Exit {
	if status.Signaled() {
		return Exit{Code: ExitUnknown, Signal: status.Signal(), CoreDumped: status.CoreDump()}
	}
	return Exit{Code: status.ExitStatus()}
}
