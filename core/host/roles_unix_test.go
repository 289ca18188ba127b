//go:build unix

package host_test

import (
	"os"
	"syscall"
)

func dieBySignal() int {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

func raiseSegmentationFault() { _ = syscall.Kill(os.Getpid(), syscall.SIGSEGV) }
