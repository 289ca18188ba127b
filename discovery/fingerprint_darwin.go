package discovery

import (
	"io/fs"
	"syscall"
)

func (f fingerprint) ofSystem(info fs.FileInfo) fingerprint {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		f.Changed = stat.Ctimespec.Nano()
		f.Device, f.Inode = uint64(stat.Dev), stat.Ino
	}
	return f
}
