//go:build unix

package host_test

import (
	"errors"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/internal/testkit"
)

func TestSocketsOfBothSidesAdmitTheGroup(t *testing.T) {
	gid := testkit.OtherGroup(t)
	cfg := config(t, "serve", "")
	cfg.Sockets.Group = strconv.Itoa(gid)
	bases := openDir(t)
	cfg.Sockets.Dirs = []string{bases}
	listener, err := launchLinked(t, cfg).Listen(within(t))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()

	dirs, err := filepath.Glob(filepath.Join(bases, "*"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("the directories are %q, %v", dirs, err)
	}
	mayBeUsed(t, dirs[0], gid, 0o770)
	sockets, err := filepath.Glob(filepath.Join(dirs[0], "[hp]*"))
	if err != nil || len(sockets) != 2 {
		t.Fatalf("the sockets are %q, %v", sockets, err)
	}
	for _, path := range sockets {
		mayBeUsed(t, path, gid, 0o660)
	}
}

func mayBeUsed(t *testing.T, path string, gid int, mode os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(stat.Gid) != gid || info.Mode().Perm() != mode {
		t.Errorf("%s: group %d, mode %v; want %d, %v", path, stat.Gid, info.Mode().Perm(), gid, mode)
	}
}

func TestWithoutAGroupTheSocketsAreTheUsersAlone(t *testing.T) {
	cfg := config(t, "serve", "")
	bases := openDir(t)
	cfg.Sockets.Dirs = []string{bases}
	launch(t, cfg)
	dirs, err := filepath.Glob(filepath.Join(bases, "*"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("the directories are %q, %v", dirs, err)
	}
	if info, err := os.Stat(dirs[0]); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestLaunchRefusesAnUnknownGroup(t *testing.T) {
	cfg := config(t, "serve", "")
	cfg.Sockets.Group = "no-such-group"
	failure := fail(t, within(t), cfg)
	var unknown user.UnknownGroupError
	if failure.Stage != host.StageConfigure || !errors.As(failure, &unknown) {
		t.Errorf("stage %s, %v", failure.Stage, failure)
	}
}

// What both have in common is the group, when a wrapper changes the user and the
// host cannot tell. Its members are accepted whoever they are.
func TestSocketsReachAnotherUsersPluginByGroup(t *testing.T) {
	const uid, gid = 65534, 12345
	cfg := asUser(t, config(t, "serve", ""), uid, gid)
	cfg.Sockets.User = "0" // so that nothing is known of the user
	cfg.Sockets.Group = strconv.Itoa(gid)
	if got := call(t, launch(t, cfg), "echo", "hello"); got != "hello" {
		t.Errorf("got %q", got)
	}
}

// copyForAll copies a program to where every user may run it.
func copyForAll(t *testing.T, program string) string {
	t.Helper()
	dir := openDir(t)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	from, err := os.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	path := filepath.Join(dir, "plugin")
	to, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(to, from)
	if err := errors.Join(err, to.Close()); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o755); err != nil { // whatever the umask says
		t.Fatal(err)
	}
	return path
}
