//go:build unix

package plugin

import (
	"os"
	"syscall"
)

// descriptor is file descriptor 1 while something else stands behind it: C code,
// children and whoever took os.Stdout before have nothing but the number.
type descriptor struct {
	number int
	saved  *os.File
}

// save duplicates file's descriptor and returns the duplicate as a file.
func (d *descriptor) save(file *os.File) (*os.File, error) {
	d.number = int(file.Fd())
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := syscall.Dup(d.number)
	if err != nil {
		return nil, os.NewSyscallError("dup", err)
	}
	syscall.CloseOnExec(fd)
	d.saved = os.NewFile(uintptr(fd), file.Name())
	return d.saved, nil
}

// point puts target behind the number. Fd makes target blocking: C code does
// not expect otherwise.
func (d *descriptor) point(target *os.File) {
	if d.saved != nil {
		_ = dup2(int(target.Fd()), d.number)
	}
}

// restore puts back what was saved.
func (d *descriptor) restore() {
	if d.saved != nil {
		d.point(d.saved)
		_ = d.saved.Close()
		d.saved = nil
	}
}
