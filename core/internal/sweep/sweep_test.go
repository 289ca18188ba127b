package sweep

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

func TestSweepIgnoresOtherNames(t *testing.T) {
	base := t.TempDir()
	for _, name := range []string{"made-", "made-1a", "made-a1", "made-notes", "made--1", "made-other-1", "1", "remade-1", "Made-1"} {
		if err := os.WriteFile(filepath.Join(base, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var want []string
	for range 3 {
		dir, err := os.MkdirTemp(base, "made-") //nolint:usetesting // the test is about its names
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, dir)
	}
	var got []string
	<-Start(base, "made-", func(path string) { got = append(got, path) }).Done()
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A waiting caller does not wait for a directory of any size to be read.
func TestHurryLeavesTheRest(t *testing.T) {
	base := t.TempDir()
	const many = atLeast + 2*batch
	for i := range many {
		if err := os.Mkdir(filepath.Join(base, "made-"+strconv.Itoa(i)), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	hurried, looked := make(chan struct{}), 0
	s := Start(base, "made-", func(path string) {
		<-hurried
		if looked++; os.Remove(path) != nil {
			t.Errorf("%s cannot be removed", path)
		}
	})
	s.Hurry()
	close(hurried)
	<-s.Done()
	if looked < atLeast || looked > many-batch {
		t.Errorf("%d of %d were looked at", looked, many)
	}
	<-Start(base, "made-", func(path string) { _ = os.Remove(path) }).Done()
	if left, err := os.ReadDir(base); err != nil || len(left) > 0 {
		t.Errorf("%d are left, %v", len(left), err)
	}
}

// Each launch of a host with many plugins sweeps the directories of all of them.
func TestSweepInspectsFewOfManyInUse(t *testing.T) {
	base := t.TempDir()
	const abandoned = "made-4711"
	for i := range batch / 2 {
		if err := os.Mkdir(filepath.Join(base, "made-1"+strconv.Itoa(i)), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(base, abandoned), 0o700); err != nil {
		t.Fatal(err)
	}
	for sweeps := 1; ; sweeps++ {
		looked, cleared := 0, false
		<-Start(base, "made-", func(path string) {
			looked++
			if filepath.Base(path) == abandoned {
				cleared = true
				_ = os.Remove(path)
			}
		}).Done()
		if looked > 2*maxKept {
			t.Fatalf("%d entries were inspected", looked)
		}
		if cleared {
			return
		}
		if sweeps == 10_000 { // as good as impossible
			t.Fatal("the abandoned directory stays")
		}
	}
}

func TestSweepAcceptsAnEmptyOrMissingBase(t *testing.T) {
	<-Start(filepath.Join(t.TempDir(), "missing"), "made-", func(path string) { t.Error(path) }).Done()
	var none *Sweep
	none.Hurry()
	<-none.Done()
}
