//go:build !linux

package diagnose

import "io/fs"

// isNoexec is only known on Linux.
func isNoexec(string) bool { return false }

// writerOf is only known on Linux.
func writerOf(fs.FileInfo) string { return "" }
