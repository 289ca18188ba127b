//go:build unix

package plugin

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// number is the descriptor of the standard output, read by the host whatever os.Stdout
// is.
const number = 1

// descriptor is file descriptor 1 while it writes elsewhere: C code, children
// and earlier copies of os.Stdout have nothing but the number.
type descriptor struct{ saved *os.File }

// save duplicates the descriptor and returns the duplicate as a file.
func (d *descriptor) save() (*os.File, error) {
	var stat unix.Stat_t
	if err := unix.Fstat(number, &stat); err != nil {
		return nil, fmt.Errorf("the standard output is closed: %w", os.NewSyscallError("fstat", err))
	}
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := unix.Dup(number)
	if err != nil {
		return nil, os.NewSyscallError("dup", err)
	}
	unix.CloseOnExec(fd)
	d.saved = os.NewFile(uintptr(fd), "/dev/stdout")
	return d.saved, nil
}

// point puts target behind the number. Fd makes target blocking: C code does
// not expect otherwise.
func (d *descriptor) point(target *os.File) {
	if d.saved != nil {
		_ = unix.Dup2(int(target.Fd()), number)
	}
}

// restore puts back the saved file.
func (d *descriptor) restore() {
	if d.saved != nil {
		d.point(d.saved)
		_ = d.saved.Close()
		d.saved = nil
	}
}

// redirect ends the source after the output written so far, and sends later
// output to target. A child that still has the other end does not keep it open.
func (c *captured) redirect(target *os.File) {
	_ = unix.Dup2(int(target.Fd()), int(c.write.Fd()))
	c.source.Finish()
}

// restoreVariables does nothing: the variables write to the process's own
// outputs again.
func (o *output) restoreVariables() {}
