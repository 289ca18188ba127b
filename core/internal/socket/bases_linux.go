package socket

import (
	"os"
	"path/filepath"
)

// defaultBases prefers what the user has chosen, then what the system keeps in
// memory: a socket in a directory on disk takes several times as long to make,
// which is a good part of a plugin's launch. What is to be shared cannot be in
// XDG_RUNTIME_DIR, which is its user's alone.
func defaultBases(shared bool) []string {
	variables := []string{"TMPDIR", "XDG_RUNTIME_DIR"}
	if shared {
		variables = variables[:1]
	}
	var bases []string
	for _, variable := range variables {
		if dir := os.Getenv(variable); filepath.IsAbs(dir) {
			bases = append(bases, dir)
		}
	}
	return append(bases, "/dev/shm", "/tmp")
}
