// Package testkit is shared by the tests of this module: plugins to find, and the
// binary of the test as a running plugin.
package testkit

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/semver"
)

// Patience bounds everything that must not hang.
const Patience = 20 * time.Second

// Stay is the argument that makes a plugin's child stay.
const Stay = "stay"

// Role returns the <role> of a test binary under a name greet-plugin-<role>: it is a
// plugin then, and behaves as the role.
func Role() (role string, ok bool) {
	base := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	if role, ok = strings.CutPrefix(base, "greet-plugin-"); !ok {
		return "", false
	}
	if slices.Equal(os.Args[1:], []string{Stay}) {
		select {}
	}
	role, _, _ = strings.Cut(role, "_")
	role, _, _ = strings.Cut(role, "-")
	return role, true
}

// Prepare sets the environment for processes of the test: those of the race detector
// take a second to end otherwise.
func Prepare() {
	if os.Getenv("GORACE") == "" {
		_ = os.Setenv("GORACE", "atexit_sleep_ms=0")
	}
}

// Within returns a context that ends with the Patience.
func Within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	t.Cleanup(cancel)
	return ctx
}

// Place puts this binary into a directory under the name of a role's plugin.
func Place(t testing.TB, dir, name string) string {
	t.Helper()
	if discovery.ThisPlatform().OS == "windows" {
		name += ".exe"
	}
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if os.Link(self, path) == nil || os.Symlink(self, path) == nil {
		return path
	}
	return Copy(t, dir, strings.TrimSuffix(name, ".exe"))
}

// Copy is Place without a link: the file has only this name.
func Copy(t testing.TB, dir, name string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	return Put(t, dir, name, string(data))
}

// Put writes an executable file that never runs.
func Put(t testing.TB, dir, name, content string) string {
	t.Helper()
	if discovery.ThisPlatform().OS == "windows" {
		name += ".exe"
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// Version parses a version.
func Version(t testing.TB, text string) semver.Version {
	t.Helper()
	v, err := semver.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Constraint parses a constraint.
func Constraint(t testing.TB, text string) semver.Constraint {
	t.Helper()
	c, err := semver.ParseConstraint(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Find searches directories of the greet application.
func Find(t testing.TB, dirs ...string) *discovery.Found {
	t.Helper()
	search := discovery.Search{Naming: discovery.Naming{App: "greet"}}
	for _, dir := range dirs {
		search.Dirs = append(search.Dirs, discovery.Dir{Path: dir, Origin: discovery.OriginUser})
	}
	found, err := search.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range found.Problems {
		t.Log(problem)
	}
	return found
}
