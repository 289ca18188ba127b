package discovery_test

import (
	"bytes"
	"os"
	"testing"
)

// Modules cannot import each other's tests, so each module has a copy.
func TestSumsReadersHaveTheSameVectors(t *testing.T) {
	ours, err := os.ReadFile("../../discovery/sums/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	hosts, err := os.ReadFile("../../core/verify/testdata/sums.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(ours, hosts) {
		t.Error("discovery/sums/testdata/vectors.json and core/verify/testdata/sums.json differ: copy the correct file")
	}
}
