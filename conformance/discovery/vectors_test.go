package discovery_test

import (
	"bytes"
	"os"
	"testing"
)

// Modules cannot import each other's tests, so each module has a copy.
func TestModulesHaveTheSameVectors(t *testing.T) {
	for discovery, core := range map[string]string{
		"discovery/sums/testdata/vectors.json":   "core/verify/testdata/sums.json",
		"discovery/semver/testdata/vectors.json": "core/internal/semver/testdata/vectors.json",
	} {
		if !bytes.Equal(read(t, discovery), read(t, core)) {
			t.Errorf("%s and %s differ: copy the correct file", discovery, core)
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile("../../" + path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
