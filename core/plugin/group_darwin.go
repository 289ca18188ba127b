package plugin

import "golang.org/x/sys/unix"

// zombie is the state of a process that has ended and is not collected (sys/proc.h, SZOMB).
const zombie = 5

// hasMembers reports whether a process group has a living member other than its leader. Where nobody
// can tell it is false.
func hasMembers(group int) bool {
	processes, err := unix.SysctlKinfoProcSlice("kern.proc.pgrp", group)
	if err != nil {
		return false
	}
	for _, process := range processes {
		if int(process.Proc.P_pid) != group && process.Proc.P_stat != zombie {
			return true
		}
	}
	return false
}
