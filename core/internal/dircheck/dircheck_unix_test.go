//go:build unix

package dircheck

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const stranger = 65533

// tree makes nested directories below a base open to other users.
func tree(t *testing.T, modes ...os.FileMode) (paths []string) {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "d") //nolint:usetesting // other users can enter it, also on macOS
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	paths = append(paths, dir)
	for _, mode := range modes {
		dir = filepath.Join(dir, "d")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, dir)
	}
	return paths
}

func TestResolveRefusesDirectoriesOthersCanRename(t *testing.T) {
	for name, test := range map[string]struct {
		modes []os.FileMode
		fit   bool
	}{
		"this user's alone":                     {[]os.FileMode{0o700}, true},
		"open to all":                           {[]os.FileMode{0o755}, true},
		"everybody's with the sticky bit":       {[]os.FileMode{0o777 | os.ModeSticky}, true},
		"below a directory with the sticky bit": {[]os.FileMode{0o777 | os.ModeSticky, 0o755}, true},
		"everybody's":                           {[]os.FileMode{0o777}, false},
		"its group's":                           {[]os.FileMode{0o775}, false},
		"its group's with the sticky bit":       {[]os.FileMode{0o775 | os.ModeSticky}, true},
		"beneath everybody's":                   {[]os.FileMode{0o777, 0o700}, false},
		"its group's in this user's alone":      {[]os.FileMode{0o700, 0o775}, true}, // testing.TB.TempDir with the umask 002
		"everybody's far beneath this user's":   {[]os.FileMode{0o700, 0o755, 0o777}, true},
		"its group's where its group may pass":  {[]os.FileMode{0o710, 0o775}, false},
		"writable by all, entered by none":      {[]os.FileMode{0o766}, false},
	} {
		t.Run(name, func(t *testing.T) {
			dirs := tree(t, test.modes...)
			dir := dirs[len(dirs)-1]
			got, err := Resolve(dir, false)
			if test.fit && (err != nil || got != dir) {
				t.Errorf("got %q, %v", got, err)
			}
			if !test.fit && (err == nil || !strings.Contains(err.Error(), "chmod go-w") || !strings.Contains(err.Error(), dirs[1])) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestResolveForOthersRefusesClosedDirectories(t *testing.T) {
	for name, test := range map[string]struct {
		modes  []os.FileMode
		closed int // 0: all may pass
	}{
		"open to all":             {[]os.FileMode{0o755, 0o755}, 0},
		"to be passed":            {[]os.FileMode{0o711, 0o711}, 0},
		"to be passed by a group": {[]os.FileMode{0o710, 0o750}, 0},
		"this user's alone":       {[]os.FileMode{0o755, 0o700}, 2},
		"beneath this user's":     {[]os.FileMode{0o700, 0o755}, 1},
		"to be read alone":        {[]os.FileMode{0o744}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			dirs := tree(t, test.modes...)
			dir := dirs[len(dirs)-1]
			if _, err := Resolve(dir, false); err != nil {
				t.Errorf("for this user: %v", err)
			}
			_, err := Resolve(dir, true)
			if test.closed == 0 && err != nil {
				t.Errorf("for others: %v", err)
			}
			if test.closed > 0 && (err == nil || !strings.Contains(err.Error(), fmt.Sprintf("can pass the directory %q", dirs[test.closed]))) {
				t.Errorf("for others: %v", err)
			}
		})
	}
}

func TestResolveRefusesAnotherUsersDirectory(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only as root: other users cannot give files away")
	}
	dirs := tree(t, 0o755, 0o755, 0o755)
	if err := os.Chown(dirs[2], stranger, stranger); err != nil {
		t.Fatal(err)
	}
	for i, dir := range dirs {
		_, err := Resolve(dir, false)
		if fit := i < 2; fit != (err == nil) || !fit && !strings.Contains(err.Error(), "uid 65533") {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

func TestResolveFollowsLinks(t *testing.T) {
	dirs := tree(t, 0o700)
	link := filepath.Join(dirs[0], "link")
	if err := os.Symlink("d", link); err != nil {
		t.Fatal(err)
	}
	if got, err := Resolve(link, false); err != nil || got != dirs[1] {
		t.Errorf("got %q, %v", got, err)
	}
	if err := os.Chmod(dirs[1], 0o777); err != nil {
		t.Fatal(err)
	}
	if got, err := Resolve(link, false); err == nil {
		t.Errorf("the link leads to a directory writable by all: got %q", got)
	}
}

func TestResolveRefusesAFile(t *testing.T) {
	dirs := tree(t)
	file := filepath.Join(dirs[0], "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var failed *fs.PathError
	if _, err := Resolve(file, false); !errors.As(err, &failed) || failed.Path != file {
		t.Errorf("got %v", err)
	}
	if _, err := Resolve(filepath.Join(dirs[0], "missing"), false); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
