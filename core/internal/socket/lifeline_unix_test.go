//go:build unix && !aix && !solaris

package socket

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/jackfield-go/jackfield/core/internal/lifeline"
	"github.com/jackfield-go/jackfield/core/internal/testkit"
)

// lifelineOf makes a directory with a lifeline, and returns the file.
func lifelineOf(t *testing.T, access Access) (dir *Dir, file os.FileInfo) {
	t.Helper()
	base := testkit.ShortDir(t)
	if err := os.Chmod(base, 0o755); err != nil {
		t.Fatal(err)
	}
	dir = made(t, access, base)
	name, err := dir.Lifeline()
	if err != nil {
		t.Fatal(err)
	}
	if file, err = os.Lstat(filepath.Join(dir.Path, name)); err != nil {
		t.Fatal(err)
	}
	return dir, file
}

func TestLifelineEndsWithItsDirectory(t *testing.T) {
	dir, file := lifelineOf(t, Access{})
	if file.Mode() != os.ModeNamedPipe|0o600 {
		t.Errorf("mode %v", file.Mode())
	}
	line, err := lifeline.Take(lifeline.File, dir.Path)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- line.Wait() }()
	dir.Remove()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	line.Close()
	if exists(dir.Path) {
		t.Error("the directory is still there")
	}
}

func TestLifelineMayBeReadByTheGroup(t *testing.T) {
	gid := testkit.OtherGroup(t)
	access, err := NewAccess("", strconv.Itoa(gid))
	if err != nil {
		t.Fatal(err)
	}
	_, file := lifelineOf(t, access)
	if stat, ok := file.Sys().(*syscall.Stat_t); !ok || int(stat.Gid) != gid || file.Mode().Perm() != 0o640 {
		t.Errorf("group %v, mode %v", file.Sys(), file.Mode())
	}
}

func TestLifelineIsThePluginUsers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs: root, to give a file away")
	}
	const uid = 65534
	_, file := lifelineOf(t, Access{}.WithUser(uid))
	if stat, ok := file.Sys().(*syscall.Stat_t); !ok || stat.Uid != uid || file.Mode().Perm() != 0o600 {
		t.Errorf("owner %v, mode %v", file.Sys(), file.Mode())
	}
}
