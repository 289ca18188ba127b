package socket

import (
	"bytes"
	"fmt"
	"os"
)

// isZombie reports whether a process has ended and nobody has asked how: in a
// container nobody may ever do that for one whose parent is gone (proc(5)).
func isZombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	// The name before the state is in parentheses and may have some in it.
	_, state, ok := bytes.Cut(stat[max(bytes.LastIndexByte(stat, ')'), 0):], []byte(") "))
	return ok && len(state) > 0 && (state[0] == 'Z' || state[0] == 'X')
}
