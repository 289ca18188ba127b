package peers

import (
	"os"
	"path/filepath"
	"testing"
)

// ShortDir returns a directory with a path short enough for sockets. The end of the test
// removes it.
func ShortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "jf") //nolint:usetesting // TempDir's paths are too long for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// ExpectEmpty checks that a directory for temporary files is empty.
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

// farewell is the text that plugin programs write after serving.
const farewell = "served to the end\n"

// WriteFarewell writes a plugin's farewell to a file.
func WriteFarewell(path string) error { return os.WriteFile(path, []byte(farewell), 0o600) }

// ExpectFarewell checks whether the plugin came to an orderly end.
func ExpectFarewell(t testing.TB, path string, want bool) {
	t.Helper()
	text, err := os.ReadFile(path)
	if written := err == nil && string(text) == farewell; written != want {
		t.Errorf("farewell written: %v, expected %v (%v)", written, want, err)
	}
}
