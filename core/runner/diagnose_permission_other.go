//go:build !unix

package runner

import "io/fs"

// Whether a file may be run is no property of its mode here.

func executableMode(fs.FileInfo) bool { return true }

func notExecutable(fs.FileInfo, string) string { return "" }

func (suspect) permission(fs.FileInfo) string { return "" }
