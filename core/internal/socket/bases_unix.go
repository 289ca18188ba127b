//go:build unix

package socket

import "os"

func defaultBases() []string { return []string{os.TempDir(), "/tmp"} }
