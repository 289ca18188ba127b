package discovery_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/testkit"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

func openCache(t testing.TB, path string) *discovery.Cache {
	t.Helper()
	cache, err := discovery.OpenCache(path)
	if err != nil {
		t.Fatal(err)
	}
	cache.InAnHour()
	return cache
}

func TestCacheSparesReadingAndRunning(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "cache", "plugins.json")
	target := filepath.Join(dir, "greet-plugin-exit")
	testkit.Place(t, dir, "greet-plugin-exit")
	testkit.Place(t, dir, "greet-plugin-good")
	found := testkit.Find(t, dir)
	lock := locked(t, found.Plugins...)
	resolve := func(describer discovery.Describer) {
		t.Helper()
		cache := openCache(t, file)
		resolver := discovery.Resolver{Lock: lock, Cache: cache, Describer: &describer}
		got, err := resolver.Resolve(testkit.Within(t), found, discovery.Request{Name: "good"})
		if err != nil || got.Description == nil || got.Description.Name != "greeter" || got.Sum.IsZero() {
			t.Errorf("got %+v, %v", got, err)
		}
		got, err = resolver.Resolve(testkit.Within(t), found, discovery.Request{Name: "exit"})
		var why *discovery.DescribeError
		if err != nil || !errors.As(got.NoDescription, &why) || !strings.Contains(why.Error(), "exit status 3") {
			t.Errorf("got %+v, %v", got, err)
		}
		if err := cache.Save(t.Context()); err != nil {
			t.Error(err)
		}
	}
	resolve(discovery.Describer{})
	if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 && discovery.ThisPlatform().OS != "windows" {
		t.Errorf("%v, %v", info, err)
	}
	// A program run now would not answer in time.
	resolve(discovery.Describer{Timeout: 1})
	_ = target
}

func TestCacheForgetsAChangedFile(t *testing.T) {
	dir := t.TempDir()
	testkit.Put(t, dir, "greet-plugin-loud", "one")
	found := testkit.Find(t, dir)
	cache := openCache(t, filepath.Join(dir, "cache.json"))
	resolver := discovery.Resolver{Lock: locked(t, found.Plugins...), Cache: cache}
	if _, err := resolver.Resolve(t.Context(), found, discovery.Request{Name: "loud"}); err != nil || cache.Len() != 1 {
		t.Fatal(err)
	}
	// The same length and the same time of modification.
	info, err := os.Stat(found.Plugins[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(found.Plugins[0].Path); err != nil {
		t.Fatal(err)
	}
	testkit.Put(t, dir, "greet-plugin-loud", "two")
	if discovery.ThisPlatform().OS != "windows" {
		if err := os.Chtimes(found.Plugins[0].Path, info.ModTime(), info.ModTime()); err != nil {
			t.Fatal(err)
		}
	}
	var mismatch *sums.MismatchError
	if _, err := resolver.Resolve(t.Context(), found, discovery.Request{Name: "loud"}); !errors.As(err, &mismatch) {
		t.Errorf("got %v", err)
	}
}

// A change within the same tick of the clock would not show.
func TestCacheSkipsAFileChangedJustNow(t *testing.T) {
	dir := t.TempDir()
	testkit.Put(t, dir, "greet-plugin-loud", "one")
	found := testkit.Find(t, dir)
	cache := new(discovery.Cache)
	resolver := discovery.Resolver{Lock: locked(t, found.Plugins...), Cache: cache}
	if _, err := resolver.Resolve(t.Context(), found, discovery.Request{Name: "loud"}); err != nil || cache.Len() != 0 {
		t.Errorf("%d files, %v", cache.Len(), err)
	}
	if err := cache.Save(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestOpenCacheReportsABrokenFileAndSaveReplacesIt(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "cache.json")
	testkit.Put(t, dir, "greet-plugin-loud", "one")
	found := testkit.Find(t, dir)
	for _, content := range []string{"", "garbage", `{"version": 1, "files": {"x": {"sha256": "12"}}}`, `{"version": 1, "files": 7}`} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		cache, err := discovery.OpenCache(file)
		var wrong *discovery.CacheError
		if !errors.As(err, &wrong) || wrong.Path != file || cache == nil {
			t.Fatalf("%q: %v", content, err)
		}
		cache.InAnHour()
		resolver := discovery.Resolver{Lock: locked(t, found.Plugins...), Cache: cache}
		if _, err := resolver.Resolve(t.Context(), found, discovery.Request{Name: "loud"}); err != nil {
			t.Error(err)
		}
		if err := cache.Save(t.Context()); err != nil {
			t.Error(err)
		}
		if openCache(t, file).Len() != 1 {
			t.Error("it was not replaced")
		}
	}
	if err := os.WriteFile(file, []byte(`{"version": 9, "files": 7}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := discovery.OpenCache(file); err == nil {
		t.Log("another release's cache is left alone")
	}
	if discovery.ThisPlatform().OS == "windows" {
		return
	}
	if err := os.Chmod(file, 0o666); err != nil {
		t.Fatal(err)
	}
	var wrong *discovery.CacheError
	if _, err := discovery.OpenCache(file); !errors.As(err, &wrong) {
		t.Errorf("a cache that everybody may write: %v", err)
	}
}

func TestCacheSavesAtOnceLoseNothing(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "cache.json")
	const writers = 8
	for i := range writers {
		testkit.Put(t, dir, "greet-plugin-p"+string(rune('a'+i)), "content")
	}
	found := testkit.Find(t, dir)
	lock := locked(t, found.Plugins...)
	var group sync.WaitGroup
	for _, plugin := range found.Plugins {
		cache := openCache(t, file)
		group.Go(func() {
			resolver := discovery.Resolver{Lock: lock, Cache: cache}
			if _, err := resolver.Resolve(t.Context(), found, discovery.Request{Name: plugin.Name}); err != nil {
				t.Error(err)
			}
			if err := cache.Save(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := openCache(t, file).Len(); n != writers {
		t.Errorf("%d files, want %d", n, writers)
	}
}

func TestCacheKeepsTheMostRecentlyUsed(t *testing.T) {
	used := map[string]int64{"a": 3, "b": 1, "c": 2, "d": 3}
	discovery.Prune(used, 3)
	if got := slices.Sorted(maps.Keys(used)); !slices.Equal(got, []string{"a", "c", "d"}) {
		t.Errorf("kept %q", got)
	}
}

// It is kept while others are dropped.
func TestCacheNotesTheUseOfAFileOnceADay(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "cache.json")
	testkit.Put(t, dir, "greet-plugin-loud", "one")
	found := testkit.Find(t, dir)
	lock := locked(t, found.Plugins...)
	resolve := func(now time.Duration) int64 {
		t.Helper()
		cache, err := discovery.OpenCache(file)
		if err != nil {
			t.Fatal(err)
		}
		cache.In(now)
		resolver := discovery.Resolver{Lock: lock, Cache: cache}
		if _, err := resolver.Resolve(t.Context(), found, discovery.Request{Name: "loud"}); err != nil {
			t.Fatal(err)
		}
		if err := cache.Save(t.Context()); err != nil {
			t.Fatal(err)
		}
		return openCache(t, file).Used(found.Plugins[0].Path)
	}
	first := resolve(time.Hour)
	if again := resolve(2 * time.Hour); again != first {
		t.Errorf("written anew after %d s", again-first)
	}
	if later := resolve(48 * time.Hour); later < first+46*3600 {
		t.Errorf("used at %d, noted %d", first+47*3600, later)
	}
}

func TestOpenCacheReportsAPathThatIsNoFile(t *testing.T) {
	var wrong *discovery.CacheError
	if _, err := discovery.OpenCache(t.TempDir()); !errors.As(err, &wrong) || !strings.Contains(err.Error(), "regular") {
		t.Errorf("got %v", err)
	}
}
