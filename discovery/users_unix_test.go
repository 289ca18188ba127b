//go:build unix

package discovery_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/semver"
)

// nobody is a user that owns nothing.
const nobody = 65534

// asAnotherUser goes on as a user that is not allowed everything, to the end of
// the test. A test that is not run by root is that already.
func asAnotherUser(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	if err := syscall.Seteuid(nobody); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() {
		if err := syscall.Seteuid(0); err != nil {
			t.Fatal(err)
		}
	})
}

// ofRoot skips a test that needs files of two users.
func ofRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can make files of others")
	}
}

// commonDir is a directory that other users can reach, unlike t.TempDir's.
func commonDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "discovery") //nolint:usetesting // t.TempDir's is for this user alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// It would take the place of one that can be run.
func TestAFileThatOnlyOthersMayRunShadowsNone(t *testing.T) {
	ofRoot(t)
	root := commonDir(t)
	user, system := filepath.Join(root, "user"), filepath.Join(root, "system")
	theirs := put(t, user, "greet-plugin-loud", "theirs")
	if err := os.Chmod(theirs, 0o700); err != nil {
		t.Fatal(err)
	}
	ours := put(t, system, "greet-plugin-loud", "ours")
	if found := find(t, user, system); found.Plugins[0].Path != theirs {
		t.Errorf("root finds %+v", found.Plugins)
	}
	asAnotherUser(t)
	found := find(t, user, system)
	if len(found.Plugins) != 1 || found.Plugins[0].Path != ours {
		t.Fatalf("found %+v", found.Plugins)
	}
	if len(found.Problems) != 1 || found.Problems[0].Reason != discovery.ReasonNotExecutable || found.Problems[0].Err == nil {
		t.Errorf("problems %v", found.Problems)
	}
}

// What was done is recorded, also if not all could be.
func TestRemoveGoesOnAfterAFileThatStays(t *testing.T) {
	ofRoot(t)
	root := commonDir(t)
	s := discovery.Store{
		Dir: filepath.Join(root, "plugins"), Lock: filepath.Join(root, "lock", "lock.json"), Naming: discovery.Naming{App: "greet"},
	}
	if err := os.Mkdir(filepath.Dir(s.Lock), 0o755); err != nil {
		t.Fatal(err)
	}
	theirs, ours := install(t, s, "greet-plugin-loud_v2.0.0", "2"), install(t, s, "greet-plugin-loud_v1.0.0", "1")
	for _, path := range []string{ours.Path, filepath.Dir(s.Lock), s.Lock} {
		if err := os.Chown(path, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	// In a sticky directory one's own files can be removed, and no others.
	if err := os.Chmod(s.Dir, 0o775|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	asAnotherUser(t)
	removed, err := s.Remove(t.Context(), "", "loud", semver.Constraint{})
	if err == nil || !strings.Contains(err.Error(), theirs.Path) || len(removed) != 1 || removed[0].Path != ours.Path {
		t.Errorf("removed %+v, %v", removed, err)
	}
	if got := states(t, s); got != "loud 2.0.0 ok" {
		t.Errorf("listed %s", got)
	}
}

// It would stay for as long as it likes, for each search.
func TestDescribeLeavesNoChildren(t *testing.T) {
	if _, err := exec.LookPath("flock"); err != nil {
		t.Skip(err)
	}
	path := filepath.Join(t.TempDir(), "lock")
	t.Setenv(lockVariable, path)
	if d, err := describe(t, "orphan", discovery.Describer{}); err != nil || d.Name != "done" {
		t.Fatalf("got %+v, %v", d, err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	// The lock ends with the last process that has the file.
	free := make(chan error, 1)
	go func() { free <- syscall.Flock(int(file.Fd()), syscall.LOCK_EX) }()
	select {
	case err := <-free:
		if err != nil {
			t.Error(err)
		}
	case <-within(t).Done():
		t.Error("a child stays")
	}
}

// A pipe that nobody writes to would be waited for without end.
func TestAPipeIsNotOpened(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "greet-plugin-loud")
	if err := syscall.Mkfifo(path, 0o755); err != nil {
		t.Skip(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var cacheErr *discovery.CacheError
		if _, err := discovery.OpenCache(path); !errors.As(err, &cacheErr) {
			t.Errorf("as a cache: %v", err)
		}
		s := store(t)
		if _, err := s.Install(t.Context(), path, discovery.Install{}); reason(err) != discovery.ReasonNotRegular {
			t.Errorf("installed: %v", err)
		}
		// Where the plugin should lie.
		if err := os.MkdirAll(s.Dir, 0o755); err != nil {
			t.Error(err)
		}
		if err := os.Rename(path, filepath.Join(s.Dir, "greet-plugin-loud"+suffix())); err != nil {
			t.Error(err)
		}
		if _, err := s.Install(t.Context(), put(t, dir, "greet-plugin-loud", "x"), discovery.Install{}); err == nil {
			t.Error("installed over it")
		}
	}()
	select {
	case <-done:
	case <-within(t).Done():
		t.Fatal("it waits")
	}
}
