package discovery

import (
	"io/fs"
	"syscall"
)

func (f fingerprint) ofSystem(info fs.FileInfo) fingerprint {
	if data, ok := info.Sys().(*syscall.Win32FileAttributeData); ok {
		f.Changed = data.CreationTime.Nanoseconds() // a file that takes another's place has its own
	}
	return f
}
