package files

import (
	"io/fs"
	"syscall"
)

func (f Fingerprint) ofSystem(info fs.FileInfo) Fingerprint {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		f.Changed = stat.Ctimespec.Nano()
		f.Device, f.Inode = uint64(stat.Dev), stat.Ino
	}
	return f
}
