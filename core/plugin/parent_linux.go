package plugin

import (
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/jackfield-go/jackfield/core/handshake"
)

// A host has the system send SIGTERM when it dies, for plugins without a lifeline. The signal comes
// before the end of the lifeline, so a plugin with both could not tell it from a host's request. The
// setting belongs to the main thread, where only initialisation is sure to run: it keeps the main
// goroutine there until Serve.
func init() {
	if hasLifeline() {
		runtime.LockOSThread()
	}
}

func hasLifeline() bool { return os.Getenv(handshake.EnvLifeline) != "" }

// preferLifeline turns the host's SIGTERM off. It is called before the variables are unset. A signal
// of the application's choice stays, and so does any in a program that serves from another goroutine
// than main's.
func preferLifeline() {
	if !hasLifeline() || unix.Gettid() != os.Getpid() {
		return
	}
	var sig int32
	err := unix.Prctl(unix.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(&sig)), 0, 0, 0) //nolint:gosec // the kernel writes to it
	if err == nil && syscall.Signal(sig) == syscall.SIGTERM {
		_ = unix.Prctl(unix.PR_SET_PDEATHSIG, 0, 0, 0, 0)
	}
	runtime.UnlockOSThread()
}
