//go:build unix && !aix && !solaris

package socket

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/jackfield-go/jackfield/core/internal/testkit"
)

// sweptAway removes a directory as a cleaner of temporary files does.
func sweptAway(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

// listens checks that a socket can be made.
func listens(t *testing.T, dir *Dir) {
	t.Helper()
	listener, err := dir.Listen(&Namer{Prefix: "h"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
}

func TestListenMakesASweptDirectoryAgain(t *testing.T) {
	for name, many := range map[string]int{"in its base": 0, "in a crowded place": 6_000} {
		t.Run(name, func(t *testing.T) {
			base := testkit.ShortDir(t)
			if many > 0 {
				crowd(t, base, "foreign-", many)
			}
			dir := made(t, Access{}, base)
			dir.Serves(os.Getpid())
			for range 2 {
				sweptAway(t, dir.Path)
				if parent := filepath.Dir(dir.Path); parent != base {
					sweptAway(t, parent)
				}
				listens(t, dir)
			}
			if info, err := os.Lstat(dir.Path); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("%v, %v", info, err)
			}
			next(t, base)
			if !exists(dir.Path) {
				t.Fatal("the next launch removed it")
			}
			dir.Remove()
			if exists(dir.Path) {
				t.Error("it is still there")
			}
			if _, err := dir.Listen(new(Namer)); err == nil {
				t.Error("it listens after its end")
			}
		})
	}
}

// A sweep, perhaps this process's own, takes a directory without a mark for an abandoned one.
func TestListenMakesASweptDirectoryAgainDuringASweep(t *testing.T) {
	dir := made(t, Access{}, testkit.ShortDir(t))
	ended := make(chan struct{})
	var sweeping sync.WaitGroup
	sweeping.Go(func() {
		for {
			select {
			case <-ended:
				return
			default:
				clearAway(dir.Path)
			}
		}
	})
	t.Cleanup(sweeping.Wait)
	t.Cleanup(func() { close(ended) })
	for range 100 {
		sweptAway(t, dir.Path)
		listens(t, dir)
	}
}

func TestAgainTakesTheDirectoryOfTheOtherSide(t *testing.T) {
	base := testkit.ShortDir(t)
	host := made(t, Access{}, base)
	plugin := HandedOver(host.Path)
	sweptAway(t, host.Path)
	release, err := plugin.Again(Access{})
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if err := plugin.Check(); err != nil {
		t.Error(err)
	}
	before := statOf(t, host.Path)
	listens(t, host)
	if after := statOf(t, host.Path); after.Ino != before.Ino {
		t.Error("the host made another")
	}

	sweptAway(t, host.Path)
	listens(t, host)
	again, err := plugin.Again(Access{})
	if err != nil {
		t.Fatal(err)
	}
	defer again()
	if err := plugin.Check(); err != nil {
		t.Error(err)
	}

	sweptAway(t, host.Path)
	last, err := plugin.Again(Access{})
	if err != nil {
		t.Fatal(err)
	}
	defer last()
	host.Remove()
	if exists(host.Path) {
		t.Error("the plugin's is still there")
	}
}

func TestAgainRefusesAReplacementOfASweptDirectory(t *testing.T) {
	puts := map[string]func(place string) error{
		"a directory of nobody's": func(place string) error { return os.Mkdir(place, 0o700) },
		"a link":                  func(place string) error { return os.Symlink(testkit.ShortDir(t), place) },
		"a directory open to all": func(place string) error {
			owner := filepath.Join(place, ownerFile)
			return errors.Join(os.Mkdir(place, 0o700), os.WriteFile(owner, nil, 0o600), os.Chmod(place, 0o777))
		},
	}
	if os.Geteuid() == 0 {
		puts["another user's directory"] = func(place string) error {
			owner := filepath.Join(place, ownerFile)
			return errors.Join(os.Mkdir(place, 0o700), os.WriteFile(owner, nil, 0o600), os.Chown(place, 65533, 65533))
		}
		puts["another user's owner's file"] = func(place string) error {
			owner := filepath.Join(place, ownerFile)
			return errors.Join(os.Mkdir(place, 0o700), os.WriteFile(owner, nil, 0o600), os.Chown(owner, 65533, 65533))
		}
	}
	for name, put := range puts {
		t.Run(name, func(t *testing.T) {
			dir := made(t, Access{}, testkit.ShortDir(t))
			handed := HandedOver(dir.Path)
			sweptAway(t, dir.Path)
			if err := put(dir.Path); err != nil {
				t.Fatal(err)
			}
			if listener, err := dir.Listen(new(Namer)); err == nil {
				_ = listener.Close()
				t.Error("the host listens there")
			}
			if release, err := handed.Again(Access{}); err == nil {
				release()
				t.Error("the plugin takes it")
			}
			dir.Remove()
			if !exists(dir.Path) {
				t.Error("it was removed")
			}
		})
	}
}

// systemd-tmpfiles passes over a directory that it cannot lock for itself alone.
func TestCleanersThatHeedLocksAreKeptFromADirectory(t *testing.T) {
	dir := made(t, Access{}, testkit.ShortDir(t))
	release, err := Hold(dir.Path)
	if err != nil {
		t.Fatal(err)
	}
	cleaner, err := os.Open(dir.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer cleaner.Close()
	locked := func() bool { return errors.Is(flock(cleaner, unix.LOCK_EX), unix.EWOULDBLOCK) }
	if !locked() {
		t.Error("nothing keeps a cleaner off")
	}
	dir.abandon()
	if !locked() {
		t.Error("nothing keeps a cleaner off once the host has ended")
	}
	release()
	if locked() {
		t.Error("the lock outlives both sides")
	}
}
