package plugin

import (
	"bytes"
	"os"
	"strconv"
)

// hasMembers reports whether a process group has a living member other than its leader (proc(5),
// /proc/pid/stat). Where nobody can tell it is false.
func hasMembers(group int) bool {
	processes, err := os.ReadDir("/proc")
	if err != nil {
		return false
	}
	number := []byte(strconv.Itoa(group))
	for _, process := range processes {
		pid, err := strconv.Atoi(process.Name())
		if err != nil || pid == group {
			continue
		}
		stat, err := os.ReadFile("/proc/" + process.Name() + "/stat")
		if err != nil {
			continue
		}
		// The name may have anything in it, and is in parentheses: state, parent and group follow.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) > 2 && bytes.Equal(fields[2], number) && fields[0][0] != 'Z' && fields[0][0] != 'X' {
			return true
		}
	}
	return false
}
