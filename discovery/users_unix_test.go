//go:build unix && !aix && !solaris

package discovery_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/testkit"
)

// It would take the place of a usable file.
func TestFileThatOnlyOthersMayRunShadowsNone(t *testing.T) {
	testkit.OfRoot(t)
	root := testkit.CommonDir(t)
	user, system := filepath.Join(root, "user"), filepath.Join(root, "system")
	theirs := testkit.Put(t, user, "greet-plugin-loud", "theirs")
	if err := os.Chmod(theirs, 0o700); err != nil {
		t.Fatal(err)
	}
	ours := testkit.Put(t, system, "greet-plugin-loud", "ours")
	if found := testkit.Find(t, user, system); found.Plugins[0].Path != theirs {
		t.Errorf("root finds %+v", found.Plugins)
	}
	testkit.AsAnotherUser(t)
	found := testkit.Find(t, user, system)
	if len(found.Plugins) != 1 || found.Plugins[0].Path != ours {
		t.Fatalf("found %+v", found.Plugins)
	}
	if len(found.Problems) != 1 || found.Problems[0].Reason != discovery.ReasonNotExecutable || found.Problems[0].Err == nil {
		t.Errorf("problems %v", found.Problems)
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
	// The lock ends with the last process with the file.
	free := make(chan error, 1)
	go func() { free <- syscall.Flock(int(file.Fd()), syscall.LOCK_EX) }()
	select {
	case err := <-free:
		if err != nil {
			t.Error(err)
		}
	case <-testkit.Within(t).Done():
		t.Error("a child stays")
	}
}

// A pipe without a writer would be waited for without end.
func TestOpenCacheOpensNoPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plugins.json")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip("needs: named pipes: ", err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := discovery.OpenCache(path)
		done <- err
	}()
	select {
	case err := <-done:
		var cacheErr *discovery.CacheError
		if !errors.As(err, &cacheErr) {
			t.Errorf("got %v", err)
		}
	case <-testkit.Within(t).Done():
		t.Fatal("it waits")
	}
}
