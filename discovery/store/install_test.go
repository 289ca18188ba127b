package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/testkit"
	"github.com/jackfield-go/jackfield/discovery/lockfile"
	"github.com/jackfield-go/jackfield/discovery/semver"
	"github.com/jackfield-go/jackfield/discovery/store"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

func reason(err error) discovery.Reason {
	var problem *discovery.Problem
	if !errors.As(err, &problem) {
		return ""
	}
	return problem.Reason
}

// A plugin beyond a search is not installed.
func TestInstallRefusesAPluginThatNoSearchFinds(t *testing.T) {
	s := newStore(t)
	source := testkit.Put(t, t.TempDir(), "greet-plugin-loud_v1.0.0_vms_vax", "x")
	if _, err := s.Install(t.Context(), source, store.InstallOptions{Undescribed: true}); reason(err) != discovery.ReasonForeign {
		t.Errorf("another platform's: %v", err)
	}
	if _, err := os.Stat(s.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a directory: %v", err)
	}
	install(t, s, "greet-plugin-loud_v1.0.0", "x")
	if _, err := s.Install(t.Context(), testkit.Put(t, t.TempDir(), "greet-plugin-Loud_v1.1.0", "y"), store.InstallOptions{Undescribed: true}); reason(err) != discovery.ReasonCollision || !strings.Contains(err.Error(), "loud 1.0.0") {
		t.Errorf("other capitals: %v", err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	if err := os.Chmod(s.Dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Install(t.Context(), testkit.Put(t, t.TempDir(), "greet-plugin-soft", "y"), store.InstallOptions{Undescribed: true}); reason(err) != discovery.ReasonWritable {
		t.Errorf("a directory of everybody's: %v", err)
	}
	if got := files(t, s.Dir); strings.Contains(got, "soft") || strings.Contains(got, "Loud") {
		t.Errorf("there are %s", got)
	}
}

func TestInstallRefusesAFileThatIsWrittenToMeanwhile(t *testing.T) {
	s := newStore(t)
	path := testkit.Put(t, t.TempDir(), "greet-plugin-loud", strings.Repeat("x", 1<<20))
	written := false
	progress := func(p store.Progress) {
		if written || p.Stage != "copy" || p.Done >= p.Total {
			return
		}
		written = true
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = file.WriteString("another beginning")
		_ = file.Close()
		if err := os.Chtimes(path, time.Now(), time.Now()); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Install(t.Context(), path, store.InstallOptions{Undescribed: true, Progress: progress}); !written || !errors.Is(err, discovery.ErrChanged) {
		t.Errorf("written %t, got %v", written, err)
	}
	if got := files(t, s.Dir); got != "" {
		t.Errorf("there are %s", got)
	}
}

// The lock file decides, also while the file is away.
func TestInstallReplacesAMissingPluginOnlyByItselfUnlessAskedFor(t *testing.T) {
	s := newStore(t)
	item := install(t, s, "greet-plugin-loud_v1.0.0", "agreed")
	if err := os.Remove(item.Path); err != nil {
		t.Fatal(err)
	}
	other := testkit.Put(t, t.TempDir(), "greet-plugin-loud_v1.0.0", "other")
	var mismatch *sums.MismatchError
	if _, err := s.Install(t.Context(), other, store.InstallOptions{Undescribed: true}); !errors.As(err, &mismatch) || mismatch.Want != item.Sum {
		t.Errorf("got %v", err)
	}
	install(t, s, "greet-plugin-loud_v1.0.0", "agreed")
	if got := states(t, s); got != "loud 1.0.0 ok" {
		t.Errorf("listed %s", got)
	}
	if err := os.Remove(item.Path); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Install(t.Context(), other, store.InstallOptions{Undescribed: true, Replace: true}); err != nil {
		t.Error(err)
	}
}

// Where the new sum cannot be recorded the old plugin is there, with its own.
func TestInstallUndoesAReplacementThatCannotBeRecorded(t *testing.T) {
	s := newStore(t)
	item := install(t, s, "greet-plugin-loud_v1.0.0", "one")
	_, err := s.InstallFrom(t.Context(), strings.NewReader("two"), store.InstallOptions{
		Undescribed: true,
		ID:          item.ID, Replace: true, Source: strings.Repeat("x", 10_000), // no entry can have it
	})
	if err == nil {
		t.Fatal("installed")
	}
	if got := states(t, s); got != "loud 1.0.0 ok" {
		t.Errorf("listed %s, after %v", got, err)
	}
	if got := files(t, s.Dir); strings.Contains(got, "tmp") {
		t.Errorf("there are %s", got)
	}
}

func TestInstallOfTheSameAgainRepairsItsMode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes say nothing there")
	}
	s := newStore(t)
	item := install(t, s, "greet-plugin-loud", "one")
	for _, mode := range []os.FileMode{0o644, 0o777} {
		if err := os.Chmod(item.Path, mode); err != nil {
			t.Fatal(err)
		}
		if got := states(t, s); got != "loud  unusable" {
			t.Errorf("%v: listed %s", mode, got)
		}
		install(t, s, "greet-plugin-loud", "one")
		if got := states(t, s); got != "loud  ok" {
			t.Errorf("%v: listed %s", mode, got)
		}
	}
}

func TestInstallSweepsUpAfterAKilledInstallation(t *testing.T) {
	s := newStore(t)
	install(t, s, "greet-plugin-loud", "one")
	old, recent := testkit.Put(t, s.Dir, ".jackfield-tmp-1", "x"), testkit.Put(t, s.Dir, ".jackfield-tmp-2", "x")
	longAgo := time.Now().Add(-48 * time.Hour)
	if err := os.Chtimes(old, longAgo, longAgo); err != nil {
		t.Fatal(err)
	}
	install(t, s, "greet-plugin-soft", "two")
	if got := files(t, s.Dir); strings.Contains(got, filepath.Base(old)) || !strings.Contains(got, filepath.Base(recent)) {
		t.Errorf("there are %s", got)
	}
}

func TestItemHasAnAbsolutePath(t *testing.T) {
	t.Chdir(t.TempDir())
	s := store.Store{Dir: "plugins", Naming: discovery.Naming{App: "greet"}}
	if item := install(t, s, "greet-plugin-loud", "one"); !filepath.IsAbs(item.Path) {
		t.Errorf("got %s", item.Path)
	}
}

// Its name begins as a plugin's does; it is not ours for that.
func TestRemoveLeavesFilesThatAreNoPlugins(t *testing.T) {
	s := newStore(t)
	install(t, s, "greet-plugin-loud", "one")
	notes := testkit.Put(t, s.Dir, "greet-plugin-loud_notes", "dear diary")
	if removed, err := s.Remove(t.Context(), "", "loud", semver.Constraint{}); err != nil || len(removed) != 1 {
		t.Errorf("removed %+v, %v", removed, err)
	}
	if _, err := os.Stat(notes); err != nil {
		t.Error(err)
	}
	if _, err := s.Remove(t.Context(), "", "loud", semver.Constraint{}); !errors.Is(err, store.ErrNotInstalled) {
		t.Errorf("got %v", err)
	}
}

func TestListShowsAMissingPluginBesideAMisnamedFile(t *testing.T) {
	s := newStore(t)
	item := install(t, s, "greet-plugin-loud", "one")
	testkit.Put(t, s.Dir, "greet-plugin-loud_notes", "dear diary")
	if err := os.Remove(item.Path); err != nil {
		t.Fatal(err)
	}
	if got := states(t, s); got != "loud  unusable, loud  missing" && got != "loud  missing, loud  unusable" {
		t.Errorf("listed %s", got)
	}
}

// Nothing is known of its content, so nothing is missing, and nothing forgotten.
func TestUnusableDirectoryLosesNoEntry(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes say nothing there")
	}
	s := newStore(t)
	item := install(t, s, "greet-plugin-loud", "one")
	if err := os.Chmod(s.Dir, 0o777); err != nil {
		t.Fatal(err)
	}
	items, err := s.List(t.Context())
	if err != nil || len(items) != 2 {
		t.Fatalf("listed %+v, %v", items, err)
	}
	for _, item := range items {
		if item.State != store.StateUnusable || reason(item.Err) != discovery.ReasonWritable {
			t.Errorf("listed %+v", item)
		}
	}
	if removed, err := s.Remove(t.Context(), "", "loud", semver.Constraint{}); len(removed) != 0 || reason(err) != discovery.ReasonWritable {
		t.Errorf("removed %+v, %v", removed, err)
	}
	lock, err := lockfile.Read(s.LockPath())
	if err != nil || len(lock.Entries()) != 1 || lock.Entries()[0].Sum != item.Sum {
		t.Errorf("%v, %v", lock.Entries(), err)
	}
}

func TestRemoveDoesNotTakeADirectoryForAPlugin(t *testing.T) {
	s := newStore(t)
	install(t, s, "greet-plugin-soft", "one")
	if err := os.Mkdir(filepath.Join(s.Dir, "greet-plugin-loud"), 0o755); err != nil {
		t.Fatal(err)
	}
	if removed, err := s.Remove(t.Context(), "", "loud", semver.Constraint{}); len(removed) != 0 || err == nil {
		t.Errorf("removed %+v, %v", removed, err)
	}
	if _, err := os.Stat(filepath.Join(s.Dir, "greet-plugin-loud")); err != nil {
		t.Error(err)
	}
}

// Nobody reads as much.
func TestReadingEndsWithTheContext(t *testing.T) {
	s := newStore(t)
	path := testkit.Put(t, s.Dir, "greet-plugin-loud_v1.0.0", "")
	if err := os.Truncate(path, 1<<40); err != nil || runtime.GOOS == "windows" {
		t.Skip("no file with a hole: ", err)
	}
	brief := func() context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		t.Cleanup(cancel)
		return ctx
	}
	if items, err := s.List(brief()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("listed %+v, %v", items, err)
	}
	found := testkit.Find(t, s.Dir)
	lock := new(lockfile.File)
	lock.Set(lockfile.Entry{Key: lockfile.Key{Name: "loud", Version: testkit.Version(t, "1.0.0")}, Sum: sums.Of(nil)})
	if _, err := (&discovery.Resolver{Lock: lock}).Resolve(brief(), found, discovery.Request{Name: "loud"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestStrayFileWithOtherCapitalsHidesNoInstalledPlugin(t *testing.T) {
	dir := t.TempDir()
	plugins := store.Store{Dir: filepath.Join(dir, "store"), Naming: discovery.Naming{App: "greet"}}
	item, err := plugins.Install(testkit.Within(t), testkit.Put(t, dir, "greet-plugin-loud_v1.0.0", "loud"), store.InstallOptions{Undescribed: true})
	if err != nil {
		t.Fatal(err)
	}
	stray := testkit.Put(t, plugins.Dir, "greet-plugin-LOUD_v2.0.0", "stray")
	if there, err := os.Stat(filepath.Join(plugins.Dir, strings.ToLower(filepath.Base(stray)))); err == nil {
		t.Skipf("only where capitals count: %s is there", there.Name())
	}
	items, err := plugins.List(t.Context())
	if err != nil || len(items) != 2 || items[0].State != store.StateUnlocked || items[1].State != store.StateOK || items[1].Path != item.Path {
		t.Errorf("got %+v, %v", items, err)
	}
	lock, err := lockfile.Read(plugins.LockPath())
	if err != nil {
		t.Fatal(err)
	}
	got, err := (&discovery.Resolver{Lock: lock}).Resolve(t.Context(), testkit.Find(t, plugins.Dir), discovery.Request{Name: "loud"})
	if err != nil || got.Path != item.Path {
		t.Errorf("got %+v, %v", got, err)
	}
}
