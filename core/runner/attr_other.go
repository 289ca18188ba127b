//go:build !unix

package runner

import "syscall"

// isChrooted reports whether the process sees other files than this one.
func isChrooted(*syscall.SysProcAttr) bool { return false }

// mayNotBecome reports whether a start failed because this process may not make
// another user of its child.
func mayNotBecome(*syscall.SysProcAttr, error) bool { return false }
