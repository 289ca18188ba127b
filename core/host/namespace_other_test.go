//go:build unix && !linux

package host_test

import "syscall"

func inUserNamespace(*syscall.SysProcAttr, int) bool { return false }
