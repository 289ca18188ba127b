package files

import (
	"io/fs"
	"syscall"
)

func (f Fingerprint) ofSystem(info fs.FileInfo) Fingerprint {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		f.Changed = stat.Ctim.Nano()
		f.Device, f.Inode = uint64(stat.Dev), uint64(stat.Ino) //nolint:unconvert // not everywhere 64 bits
	}
	return f
}
