//go:build !unix

package socket

import "os"

func defaultBases(bool) []string { return []string{os.TempDir()} }
