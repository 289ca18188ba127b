//go:build unix

package fileid

import (
	"os"

	"golang.org/x/sys/unix"
)

const openWithoutWaiting = unix.O_NONBLOCK

func of(file *os.File) (ID, bool) {
	conn, err := file.SyscallConn()
	if err != nil {
		return ID{}, false
	}
	var stat unix.Stat_t
	var statErr error
	err = conn.Control(func(fd uintptr) { statErr = unix.Fstat(int(fd), &stat) })
	if err != nil || statErr != nil {
		return ID{}, false
	}
	return ID{
		device:   uint64(stat.Dev), // the type differs between platforms
		file:     uint64(stat.Ino),
		size:     stat.Size,
		modified: stat.Mtim.Nano(),
		change:   stat.Ctim.Nano(),
	}, true
}
