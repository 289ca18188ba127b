//go:build unix

package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/testkit"
	"github.com/jackfield-go/jackfield/discovery/semver"
	"github.com/jackfield-go/jackfield/discovery/store"
)

// Partial success is recorded.
func TestRemoveGoesOnAfterAFileThatStays(t *testing.T) {
	testkit.OfRoot(t)
	root := testkit.CommonDir(t)
	s := store.Store{
		Dir: filepath.Join(root, "plugins"), Lock: filepath.Join(root, "lock", "lock.json"), Naming: discovery.Naming{App: "greet"},
	}
	if err := os.Mkdir(filepath.Dir(s.Lock), 0o755); err != nil {
		t.Fatal(err)
	}
	theirs, ours := install(t, s, "greet-plugin-loud_v2.0.0", "2"), install(t, s, "greet-plugin-loud_v1.0.0", "1")
	for _, path := range []string{ours.Path, filepath.Dir(s.Lock), s.Lock} {
		if err := os.Chown(path, testkit.Nobody, testkit.Nobody); err != nil {
			t.Fatal(err)
		}
	}
	// In a sticky directory one's own files can be removed, and no others.
	if err := os.Chmod(s.Dir, 0o775|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	testkit.AsAnotherUser(t)
	removed, err := s.Remove(t.Context(), "", "loud", semver.Constraint{})
	if err == nil || !strings.Contains(err.Error(), theirs.Path) || len(removed) != 1 || removed[0].Path != ours.Path {
		t.Errorf("removed %+v, %v", removed, err)
	}
	if got := states(t, s); got != "loud 2.0.0 ok" {
		t.Errorf("listed %s", got)
	}
}
