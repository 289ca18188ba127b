package socket

import (
	"os"
	"path/filepath"
)

// defaultBases prefers what the user has chosen, then what the system keeps in
// memory: a socket in a directory on disk takes several times as long to make,
// which is a good part of a plugin's launch.
func defaultBases() []string {
	var bases []string
	for _, variable := range []string{"TMPDIR", "XDG_RUNTIME_DIR"} {
		if dir := os.Getenv(variable); filepath.IsAbs(dir) {
			bases = append(bases, dir)
		}
	}
	return append(bases, "/dev/shm", "/tmp")
}
