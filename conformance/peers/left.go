package peers

import (
	"os"
	"path/filepath"
	"testing"
)

// ShortDir returns a directory that the names of sockets fit below, and that is
// removed with the test.
func ShortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "jf") //nolint:usetesting // TempDir's paths are too long for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// ExpectEmpty expects that nothing was left in a directory for temporary files.
func ExpectEmpty(t testing.TB, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Error(err)
	}
	for _, entry := range entries {
		t.Errorf("left behind: %s", filepath.Join(dir, entry.Name()))
	}
}

// farewell is what the plugin programs write once they have served.
const farewell = "served to the end\n"

// WriteFarewell writes a plugin's farewell to a file.
func WriteFarewell(path string) error { return os.WriteFile(path, []byte(farewell), 0o600) }

// ExpectFarewell expects that the plugin came to an orderly end, or that it did
// not.
func ExpectFarewell(t testing.TB, path string, want bool) {
	t.Helper()
	text, err := os.ReadFile(path)
	if written := err == nil && string(text) == farewell; written != want {
		t.Errorf("farewell written: %v, expected %v (%v)", written, want, err)
	}
}
