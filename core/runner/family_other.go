//go:build !unix && !windows

package runner

import (
	"os"
	"syscall"
)

// family is a process alone: these systems have nothing to keep it together with its children.
type family struct{ process *os.Process }

func familyOf(process *os.Process, _ Command) *family { return &family{process} }

func (Command) setFamily(*syscall.SysProcAttr) {}

func (Command) needsThread() bool { return false }

func (f *family) signal(sig os.Signal) error { return f.process.Signal(sig) }

func (*family) release() {}

func (*family) bury(collect func()) { collect() }
