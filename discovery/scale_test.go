package discovery_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/testkit"
	"github.com/jackfield-go/jackfield/discovery/lockfile"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

const (
	manyFiles = 10_000
	manyDirs  = 20
)

// many makes 20 directories of 500 files: 50 plugins in 10 versions each. Every
// second directory has every second plugin again, under another form of its name.
func many(t testing.TB) discovery.Search {
	t.Helper()
	root := t.TempDir()
	search := discovery.Search{Naming: discovery.Naming{App: "greet"}}
	platform := discovery.ThisPlatform()
	for i := range manyDirs {
		dir := filepath.Join(root, fmt.Sprint("dir", i))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		search.Dirs = append(search.Dirs, discovery.Dir{Path: dir, Origin: discovery.OriginUser})
		for j := range manyFiles / manyDirs {
			id := discovery.ID{
				Name:    fmt.Sprintf("name%d-%d", i%10, j/10),
				Version: testkit.Version(t, fmt.Sprintf("1.%d.%d", i, j%10)), Platform: platform, Exe: platform.OS == "windows",
			}
			if j%2 == 0 {
				id.Version = testkit.Version(t, fmt.Sprintf("2.0.%d-rc.1+b", j%10))
			}
			name, err := search.Naming.Format(id)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	return search
}

func TestFindSearchesTenThousandFiles(t *testing.T) {
	search := many(t)
	found, err := search.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// Half of the files of the second ten directories are there already.
	if shadowed := manyFiles / 4; len(found.Plugins) != manyFiles-shadowed || len(found.Problems) != shadowed {
		t.Errorf("%d plugins and %d problems", len(found.Plugins), len(found.Problems))
	}
	for _, problem := range found.Problems {
		if problem.Reason != discovery.ReasonShadowed {
			t.Fatal(problem)
		}
	}
	got, err := new(discovery.Resolver).Resolve(t.Context(), found, discovery.Request{Name: "name3-7", Version: testkit.Constraint(t, "~> 1.0")})
	if err != nil || got.Version.String() != "1.13.9" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// The figure to hold: under 50 ms.
func BenchmarkFindTenThousandFiles(b *testing.B) {
	search := many(b)
	if _, err := search.Find(b.Context()); err != nil { // warm
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := search.Find(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// The figure to hold: under 10 ms, for the search, the lock file, the cache and
// the choice of each of 50 plugins.
func BenchmarkResolveFiftyFromCache(b *testing.B) {
	const plugins = 50
	dir := b.TempDir()
	file, lockPath := filepath.Join(dir, "cache.json"), filepath.Join(dir, "lock.json")
	bin := filepath.Join(dir, "bin")
	var names []string
	for i := range plugins {
		name := fmt.Sprint("good-", i)
		testkit.Place(b, bin, "greet-plugin-"+name)
		names = append(names, name)
	}
	search := discovery.Search{Naming: discovery.Naming{App: "greet"}, Dirs: []discovery.Dir{{Path: bin, Origin: discovery.OriginUser}}}
	err := lockfile.Update(b.Context(), lockPath, func(lock *lockfile.File) error {
		for _, name := range names {
			sum, err := sums.OfFile(filepath.Join(bin, "greet-plugin-"+name))
			if err != nil {
				return err
			}
			lock.Set(lockfile.Entry{Key: lockfile.Key{Name: name, Version: testkit.Version(b, "1.4.0"), Platform: discovery.ThisPlatform().String()}, Sum: sum})
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	describer := discovery.Describer{}
	resolveAll := func() {
		cache, err := discovery.OpenCache(file)
		if err != nil {
			b.Fatal(err)
		}
		cache.InAnHour()
		lock, err := lockfile.Read(lockPath)
		if err != nil {
			b.Fatal(err)
		}
		found, err := search.Find(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		resolver := discovery.Resolver{Lock: lock, Cache: cache, Describer: &describer}
		for _, name := range names {
			got, err := resolver.Resolve(b.Context(), found, discovery.Request{Name: name, Version: testkit.Constraint(b, "~> 1.4"), AppVersions: []int{5}})
			if err != nil || got.Description == nil {
				b.Fatal(got, err)
			}
		}
		if err := cache.Save(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	resolveAll()
	describer.Timeout = 1 // nothing is run from here on
	b.ReportAllocs()
	for b.Loop() {
		resolveAll()
	}
}
