package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/testkit"
	"github.com/jackfield-go/jackfield/discovery/lockfile"
	"github.com/jackfield-go/jackfield/discovery/semver"
	"github.com/jackfield-go/jackfield/discovery/store"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

func newStore(t testing.TB) store.Store {
	return store.Store{Dir: filepath.Join(t.TempDir(), "user", "plugins"), Naming: discovery.Naming{App: "greet"}}
}

// suffix is the suffix of an installed file's name.
func suffix() string {
	platform := discovery.ThisPlatform()
	if platform.OS == "windows" {
		return "_" + platform.String() + ".exe"
	}
	return "_" + platform.String()
}

func install(t testing.TB, s store.Store, name, content string) *store.Item {
	t.Helper()
	item, err := s.Install(t.Context(), testkit.Put(t, t.TempDir(), name, content), store.InstallOptions{Undescribed: true})
	if err != nil {
		t.Fatal(err)
	}
	return item
}

// states lists a store as "loud 1.0.0 ok, ...".
func states(t testing.TB, s store.Store) string {
	t.Helper()
	items, err := s.List(t.Context())
	if err != nil {
		t.Error(err)
	}
	var states []string
	for _, item := range items {
		states = append(states, strings.TrimSpace(fmt.Sprint(item.Name, " ", item.Version, " ", item.State)))
	}
	return strings.Join(states, ", ")
}

func files(t testing.TB, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".lock") { // Windows keeps it
			names = append(names, entry.Name())
		}
	}
	return strings.Join(names, " ")
}

func TestInstalledPluginIsThereWithItsSum(t *testing.T) {
	s := newStore(t)
	source := testkit.Put(t, t.TempDir(), "greet-plugin-loud_v1.4.0", "one")
	item, err := s.Install(t.Context(), source, store.InstallOptions{Undescribed: true, Want: sums.Of([]byte("one"))})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(s.Dir, "greet-plugin-loud_v1.4.0"+suffix())
	if item.Path != path || item.State != store.StateOK || item.Sum != sums.Of([]byte("one")) || item.Source != source {
		t.Errorf("got %+v", item)
	}
	if got, want := files(t, s.Dir), filepath.Base(path)+" "+store.LockFile; got != want {
		t.Errorf("there are %s, want %s", got, want)
	}
	lock, err := lockfile.Read(s.LockPath())
	if err != nil {
		t.Fatal(err)
	}
	got, err := (&discovery.Resolver{Lock: lock}).Resolve(t.Context(), testkit.Find(t, s.Dir), discovery.Request{Name: "loud", Version: testkit.Constraint(t, "~> 1.4")})
	if err != nil || got.Path != path || got.Sum != item.Sum {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestInstallRefusesAWrongSum(t *testing.T) {
	s := newStore(t)
	_, err := s.Install(t.Context(), testkit.Put(t, t.TempDir(), "greet-plugin-loud_v1.4.0", "one"), store.InstallOptions{Undescribed: true, Want: sums.Of([]byte("two"))})
	var mismatch *sums.MismatchError
	if !errors.As(err, &mismatch) || mismatch.Got != sums.Of([]byte("one")) || mismatch.Want != sums.Of([]byte("two")) {
		t.Errorf("got %v", err)
	}
	if got := files(t, s.Dir); got != "" {
		t.Errorf("there are %s", got)
	}
}

func TestInstallReplacesAnotherFileOnlyOnRequest(t *testing.T) {
	s := newStore(t)
	install(t, s, "greet-plugin-loud_v1.4.0", "one")
	install(t, s, "greet-plugin-loud_v1.4.0", "one") // the same one again is no matter
	source := testkit.Put(t, t.TempDir(), "greet-plugin-loud_v1.4.0", "other")
	if _, err := s.Install(t.Context(), source, store.InstallOptions{Undescribed: true}); !errors.Is(err, store.ErrInstalled) {
		t.Errorf("got %v", err)
	}
	if got := states(t, s); got != "loud 1.4.0 ok" {
		t.Errorf("listed %s", got)
	}
	item, err := s.Install(t.Context(), source, store.InstallOptions{Undescribed: true, Replace: true, Source: "https://example.com"})
	if err != nil || item.Sum != sums.Of([]byte("other")) || item.Source != "https://example.com" {
		t.Errorf("got %+v, %v", item, err)
	}
	if err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestInstallTakesTheCallersID(t *testing.T) {
	s := newStore(t)
	path := testkit.Put(t, t.TempDir(), "download", "one")
	var wrong *discovery.NameError
	if _, err := s.Install(t.Context(), path, store.InstallOptions{Undescribed: true}); !errors.Is(err, discovery.ErrNotPluginName) || !strings.Contains(err.Error(), "greet-plugin-<name>") {
		t.Errorf("got %v", err)
	}
	if _, err := s.Install(t.Context(), path, store.InstallOptions{Undescribed: true, ID: discovery.ID{Name: "../up"}}); !errors.As(err, &wrong) {
		t.Errorf("got %v", err)
	}
	item, err := s.Install(t.Context(), path, store.InstallOptions{Undescribed: true, ID: discovery.ID{Name: "loud", Version: testkit.Version(t, "2.0.0")}})
	if err != nil || filepath.Base(item.Path) != "greet-plugin-loud_v2.0.0"+suffix() {
		t.Errorf("got %+v, %v", item, err)
	}
	item, err = s.InstallFrom(t.Context(), strings.NewReader("web"), store.InstallOptions{Undescribed: true, ID: discovery.ID{Name: "web"}, Source: "https://example.com"})
	if err != nil || item.Sum != sums.Of([]byte("web")) {
		t.Errorf("got %+v, %v", item, err)
	}
	if got := states(t, s); got != "loud 2.0.0 ok, web  ok" {
		t.Errorf("listed %s", got)
	}
}

func TestInstallFromABrokenSourceLeavesNothing(t *testing.T) {
	s := newStore(t)
	broken := errors.New("connection lost")
	_, err := s.InstallFrom(t.Context(), io.MultiReader(strings.NewReader("half"), failing{broken}), store.InstallOptions{Undescribed: true, ID: discovery.ID{Name: "loud"}})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "loud") {
		t.Errorf("got %v", err)
	}
	if got := files(t, s.Dir); got != "" {
		t.Errorf("there are %s", got)
	}
	// And where the sum cannot be recorded the plugin does not stay either.
	if err := os.WriteFile(s.LockPath(), []byte("garbage"), 0o644); err != nil {
		t.Fatal(err)
	}
	var wrong *lockfile.ParseError
	if _, err := s.InstallFrom(t.Context(), strings.NewReader("x"), store.InstallOptions{Undescribed: true, ID: discovery.ID{Name: "loud"}}); !errors.As(err, &wrong) {
		t.Errorf("got %v", err)
	}
	if got := files(t, s.Dir); got != store.LockFile {
		t.Errorf("there are %s", got)
	}
	if _, err := s.Install(t.Context(), s.Dir, store.InstallOptions{Undescribed: true, ID: discovery.ID{Name: "loud"}}); err == nil {
		t.Error("a directory is installed")
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestListSaysHowEachPluginIs(t *testing.T) {
	s := newStore(t)
	install(t, s, "greet-plugin-a_v1.0.0", "a")
	changed := install(t, s, "greet-plugin-b_v1.0.0", "b")
	missing := install(t, s, "greet-plugin-c_v1.0.0", "c")
	install(t, s, "greet-plugin-a_v1.10.0", "a10")
	testkit.Put(t, s.Dir, "greet-plugin-d_v1.0.0", "d")
	testkit.Put(t, s.Dir, "greet-plugin-e_v1.0.0_vms_vax", "e")
	if err := os.WriteFile(changed.Path, []byte("B"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(missing.Path); err != nil {
		t.Fatal(err)
	}
	if got, want := states(t, s), "a 1.10.0 ok, a 1.0.0 ok, b 1.0.0 changed, c 1.0.0 missing, d 1.0.0 unlocked, e 1.0.0 unusable"; got != want {
		t.Errorf("listed %s\nwant   %s", got, want)
	}
	err := s.Verify(t.Context())
	var mismatch *sums.MismatchError
	var problem *discovery.Problem
	if !errors.As(err, &mismatch) || mismatch.Want != sums.Of([]byte("b")) || mismatch.Got != sums.Of([]byte("B")) {
		t.Errorf("got %v", err)
	}
	if !errors.Is(err, os.ErrNotExist) || !errors.Is(err, discovery.ErrUnlocked) || !errors.As(err, &problem) || problem.Reason != discovery.ReasonForeign {
		t.Errorf("got %v", err)
	}
}

func TestRemoveTakesFilesAndEntries(t *testing.T) {
	s := newStore(t)
	if _, err := s.Remove(t.Context(), "", "loud", semver.Constraint{}); !errors.Is(err, store.ErrNotInstalled) {
		t.Errorf("got %v", err)
	}
	for _, v := range []string{"1.0.0", "1.1.0-rc.1", "2.0.0"} {
		install(t, s, "greet-plugin-loud_v"+v, v)
	}
	install(t, s, "greet-plugin-soft", "soft")
	testkit.Put(t, s.Dir, "greet-plugin-loud_v1.5.0_vms_vax", "foreign")
	removed, err := s.Remove(t.Context(), "", "loud", testkit.Constraint(t, "~> 1.0"))
	if err != nil || len(removed) != 3 {
		t.Errorf("removed %+v, %v", removed, err)
	}
	if got := states(t, s); got != "loud 2.0.0 ok, soft  ok" {
		t.Errorf("listed %s", got)
	}
	if _, err := s.Remove(t.Context(), "", "loud", testkit.Constraint(t, "~> 1.0")); !errors.Is(err, store.ErrNotInstalled) {
		t.Errorf("got %v", err)
	}
	for _, name := range []string{"loud", "soft"} {
		if _, err := s.Remove(t.Context(), "", name, semver.Constraint{}); err != nil {
			t.Error(err)
		}
	}
	if got := files(t, s.Dir); got != store.LockFile {
		t.Errorf("there are %s", got)
	}
	lock, err := lockfile.Read(s.LockPath())
	if err != nil || len(lock.Entries()) != 0 {
		t.Errorf("%v, %v", lock.Entries(), err)
	}
}

func TestInstallationsAtOnceLoseNothing(t *testing.T) {
	s := newStore(t)
	const writers = 12
	var group sync.WaitGroup
	for i := range writers {
		group.Go(func() {
			id := discovery.ID{Name: fmt.Sprint("p", i/2), Version: testkit.Version(t, fmt.Sprintf("1.%d.0", i%2))}
			if _, err := s.InstallFrom(t.Context(), strings.NewReader(id.String()), store.InstallOptions{Undescribed: true, ID: id, Source: "test"}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := states(t, s); strings.Count(got, " ok") != writers {
		t.Errorf("listed %s", got)
	}
}

func ExampleStore() {
	dir, err := os.MkdirTemp("", "greet-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	plugins := store.Store{
		Dir:      dir,
		Naming:   discovery.Naming{App: "greet"},
		Platform: discovery.Platform{OS: "linux", Arch: "amd64"},
	}
	id, err := plugins.Naming.Parse("greet-plugin-loud_v1.4.0")
	if err != nil {
		fmt.Println(err)
		return
	}
	item, err := plugins.InstallFrom(context.Background(), strings.NewReader("#!/bin/sh\n"), store.InstallOptions{Undescribed: true, ID: id, Source: "https://example.com"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(filepath.Base(item.Path), item.State)
	fmt.Println(item.Sum)
	// Output:
	// greet-plugin-loud_v1.4.0_linux_amd64 ok
	// a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf
}
