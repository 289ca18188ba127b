package verify

import (
	"os"
	"path/filepath"
	"strings"
)

// sameFileName compares names or paths of files without regard to case, as the
// platform does.
func sameFileName(a, b string) bool { return strings.EqualFold(a, b) }

// located returns the path of a clean name in a file in dir. A name such as `\x.exe` lies on
// the drive of dir.
func located(name, dir string) string {
	switch {
	case filepath.IsAbs(name):
		return name
	case os.IsPathSeparator(name[0]):
		return filepath.VolumeName(dir) + name
	}
	return filepath.Join(dir, name)
}
