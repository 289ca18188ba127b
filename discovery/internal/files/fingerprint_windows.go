package files

import (
	"io/fs"
	"syscall"
)

func (f Fingerprint) ofSystem(info fs.FileInfo) Fingerprint {
	if data, ok := info.Sys().(*syscall.Win32FileAttributeData); ok {
		f.Changed = data.CreationTime.Nanoseconds() // a file that takes another's place has its own
	}
	return f
}
