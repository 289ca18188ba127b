//go:build unix

package fileid

import (
	"os"
	"syscall"
)

func of(file *os.File) (ID, bool) {
	info, err := file.Stat()
	if err != nil {
		return ID{}, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ID{}, false
	}
	return ID{
		device:   uint64(stat.Dev), // its type differs between platforms
		file:     uint64(stat.Ino),
		size:     info.Size(),
		modified: info.ModTime().UnixNano(),
		change:   changeTime(stat),
	}, true
}
