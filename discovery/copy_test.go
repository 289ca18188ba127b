package discovery_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/testkit"
	"github.com/jackfield-go/jackfield/discovery/lockfile"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

func TestResolveDescribesACopyOfALockedPlugin(t *testing.T) {
	path := testkit.Place(t, t.TempDir(), "greet-plugin-where_v1.4.0")
	found := testkit.Find(t, filepath.Dir(path))
	resolver := discovery.Resolver{Lock: locked(t, found.Plugins...), Describer: &discovery.Describer{}}
	got, err := resolver.Resolve(testkit.Within(t), found, discovery.Request{Name: "where"})
	if err != nil || got.Description == nil {
		t.Fatalf("got %+v, %v", got, err)
	}
	if name := got.Description.Name; strings.HasPrefix(name, path+" ") || !strings.Contains(name, " "+path+" ") || got.Path != path {
		t.Errorf("it ran as %s", got.Description.Name)
	}
}

func TestDescribeSumLeavesNoCopy(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("TMP", os.Getenv("TMPDIR"))
	path := testkit.Place(t, t.TempDir(), "greet-plugin-where")
	sum, err := sums.OfFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, inMemory := range []bool{true, false} {
		if inMemory && runtime.GOOS != "linux" {
			continue
		}
		abandoned := filepath.Join(os.TempDir(), "jackfield-describe-1")
		if err := os.MkdirAll(filepath.Join(abandoned, "inside"), 0o700); err != nil {
			t.Fatal(err)
		}
		yesterday := time.Now().Add(-25 * time.Hour)
		if err := os.Chtimes(abandoned, yesterday, yesterday); err != nil {
			t.Fatal(err)
		}
		d, ran, err := discovery.Describer{}.DescribeCopy(testkit.Within(t), path, sum, inMemory)
		if err != nil || d.Version.String() != "1.4.0" || ran == path {
			t.Errorf("in memory %t: got %+v, ran %s, %v", inMemory, d, ran, err)
		}
		if _, err := os.Stat(ran); !inMemory && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the copy is still there: %v", err)
		}
		if _, err := os.Stat(abandoned); !inMemory && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("an abandoned copy is still there: %v", err)
		}
		_, _, err = discovery.Describer{}.DescribeCopy(testkit.Within(t), path, sums.Of(nil), inMemory)
		var mismatch *sums.MismatchError
		if !errors.As(err, &mismatch) || mismatch.Path != path || mismatch.Got != sum {
			t.Errorf("in memory %t: another sum: got %v", inMemory, err)
		}
		if left, err := filepath.Glob(filepath.Join(os.TempDir(), "jackfield-describe-*")); err != nil || !inMemory && len(left) > 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	}
}

// Another process puts its own program in the place of the locked one, again and
// again.
func TestResolveRunsNoProgramThatWasNotChecked(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("only where a program that runs can be replaced")
	}
	dir, marker := t.TempDir(), filepath.Join(t.TempDir(), "marker")
	good, evil := "#!/bin/sh\necho '{\"describe\": 1, \"version\": \"1.0.0\"}'\n", "#!/bin/sh\n: >"+marker+"\n"
	path := testkit.Put(t, dir, "greet-plugin-loud_v1.0.0", good)
	found := testkit.Find(t, dir)
	lock := new(lockfile.File)
	lock.Set(lockfile.Entry{
		Key: lockfile.Key{Name: "loud", Version: testkit.Version(t, "1.0.0"), Platform: discovery.ThisPlatform().String()}, Sum: sums.Of([]byte(good)),
	})
	ctx, stop := context.WithCancel(t.Context())
	swapped := make(chan struct{})
	go func() {
		defer close(swapped)
		for content := evil; ctx.Err() == nil; content = map[bool]string{true: evil, false: good}[content == good] {
			next := filepath.Join(dir, ".next")
			if os.WriteFile(next, []byte(content), 0o755) != nil || os.Rename(next, path) != nil {
				return
			}
		}
	}()
	resolver := discovery.Resolver{Lock: lock, Describer: &discovery.Describer{}}
	for range 40 {
		_, err := resolver.Resolve(testkit.Within(t), found, discovery.Request{Name: "loud"})
		var mismatch *sums.MismatchError
		var none *discovery.NoneError
		if err != nil && !errors.As(err, &mismatch) && !errors.As(err, &none) {
			t.Errorf("got %v", err)
		}
	}
	stop()
	<-swapped
	if _, err := os.Stat(marker); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a program that was not checked has run")
	}
}

func TestResolveSaysWhichPluginWasTooSlowAndAtWhat(t *testing.T) {
	path := testkit.Place(t, t.TempDir(), "greet-plugin-hang_v1.0.0")
	found := testkit.Find(t, filepath.Dir(path))
	for _, lock := range []*lockfile.File{nil, locked(t, found.Plugins...)} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		resolver := discovery.Resolver{Lock: lock, Describer: &discovery.Describer{}}
		_, err := resolver.Resolve(ctx, found, discovery.Request{Name: "hang"})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
		for _, part := range []string{"hang 1.0.0", path, "did not describe itself in time"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q is not in %v", part, err)
			}
		}
	}
}
