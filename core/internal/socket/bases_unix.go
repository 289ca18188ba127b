//go:build unix && !linux

package socket

import "os"

func defaultBases() []string { return []string{os.TempDir(), "/tmp"} }
