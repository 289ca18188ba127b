package fileid

import (
	"os"
	"syscall"
)

const openWithoutWaiting = 0

func of(file *os.File) (ID, bool) {
	conn, err := file.SyscallConn()
	if err != nil {
		return ID{}, false
	}
	var info syscall.ByHandleFileInformation
	var infoErr error
	err = conn.Control(func(handle uintptr) {
		infoErr = syscall.GetFileInformationByHandle(syscall.Handle(handle), &info)
	})
	if err != nil || infoErr != nil {
		return ID{}, false
	}
	return ID{
		device:   uint64(info.VolumeSerialNumber),
		file:     uint64(info.FileIndexHigh)<<32 | uint64(info.FileIndexLow),
		size:     int64(info.FileSizeHigh)<<32 | int64(info.FileSizeLow),
		modified: info.LastWriteTime.Nanoseconds(),
	}, true
}
