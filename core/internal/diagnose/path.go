package diagnose

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// diagnoseStat explains why a path leads to no file.
func diagnoseStat(path string, statErr error) string {
	if reason := diagnoseWay(path); reason != "" {
		return reason
	}
	link, err := os.Readlink(path)
	switch {
	case err == nil && errors.Is(statErr, fs.ErrNotExist):
		return fmt.Sprintf("%q is a symbolic link to the missing file %q: install that file, or correct the link", path, link)
	case err == nil && isLinkLoop(statErr):
		return fmt.Sprintf("%q is a symbolic link that leads back to itself: correct the link", path)
	case errors.Is(statErr, fs.ErrNotExist):
		return fmt.Sprintf("%q does not exist, but its directory does: check the name, or build or install the plugin there", path)
	}
	return ""
}

// diagnoseWay inspects the directories of a path from the top.
func diagnoseWay(path string) string {
	var above string
	for _, dir := range parents(path) {
		info, err := os.Stat(dir)
		switch {
		case errors.Is(err, fs.ErrPermission):
			return unsearchable(path, above)
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Sprintf("%q does not exist, since the directory %q does not%s: check the path, "+
				"or build or install the plugin there", path, dir, upTo(above))
		case err != nil:
			return ""
		case !info.IsDir():
			return fmt.Sprintf("%q cannot exist, since %q is not a directory: check the path", path, dir)
		}
		above = dir
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrPermission) {
		return unsearchable(path, above)
	}
	return ""
}

func upTo(dir string) string {
	if dir == "" {
		return ""
	}
	return fmt.Sprintf(" (the path exists up to %q)", dir)
}

// unsearchable reports a directory without search permission. It reports only
// directories after a successful inspection.
func unsearchable(path, dir string) string {
	info, err := os.Stat(dir)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%q cannot be reached, since this user may not search the directory %q (mode %s): "+
		"give it search permission with chmod +x, or move the plugin", path, dir, info.Mode())
}

// parents returns the directories of a path, the topmost first.
func parents(path string) []string {
	var dirs []string
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		dirs = append([]string{dir}, dirs...)
		if dir == filepath.Dir(dir) {
			return dirs
		}
	}
}

// diagnoseLookup explains why a name was not found in PATH.
func diagnoseLookup(name string) string {
	dirs := filepath.SplitList(os.Getenv("PATH"))
	for _, dir := range dirs {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && !executableMode(info) {
			return fmt.Sprintf("%q is in the PATH directory %q, but %s", name, dir, notExecutable(info, file))
		}
	}
	if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
		return fmt.Sprintf("%q is not in PATH, the place for names without a path separator, but in the "+
			"current directory: name it %q", name, "."+string(filepath.Separator)+name)
	}
	if len(dirs) == 0 {
		return fmt.Sprintf("%q cannot be found in an empty PATH: give its path, or set PATH", name)
	}
	return fmt.Sprintf("%q is in none of the %d directories of PATH, the place for names without a path "+
		"separator: give its path, or install it in one of them", name, len(dirs))
}

// envKey returns the name in an environment entry.
func envKey(entry string) string {
	key, _, _ := strings.Cut(entry, "=")
	return key
}
