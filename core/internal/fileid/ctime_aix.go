package fileid

import (
	"syscall"
	"time"
)

func changeTime(stat *syscall.Stat_t) int64 {
	return stat.Ctim.Sec*int64(time.Second) + int64(stat.Ctim.Nsec)
}
