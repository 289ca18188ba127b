package socket

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackfield-go/jackfield/core/internal/testkit"
)

// mount mounts a file system in memory with room for so many files beside its root.
func mount(t *testing.T, at string, files int) {
	t.Helper()
	if err := syscall.Mount("tmpfs", at, "tmpfs", 0, "mode=0700,size=64k,nr_inodes="+strconv.Itoa(files+1)); err != nil {
		t.Skip("needs: the right to mount a file system: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(at, 0) })
}

// The directory, the owner's file, and a socket each need one.
func TestMakeDirSkipsABaseWithoutRoomForASocket(t *testing.T) {
	for files := range 4 {
		t.Run(strconv.Itoa(files)+" files", func(t *testing.T) {
			full, base := testkit.ShortDir(t), testkit.ShortDir(t)
			mount(t, full, files)
			want := base
			if files == 3 {
				want = full
			}
			dir := made(t, Access{}, full, base)
			if filepath.Dir(dir.Path) != want {
				t.Errorf("made %s", dir.Path)
			}
			dir.Remove()
			if left, err := os.ReadDir(full); err != nil || len(left) > 0 {
				t.Errorf("%d are left, %v", len(left), err)
			}
			if files == 3 {
				return
			}
			if dir, err := MakeDir(Access{}, full); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), full) {
				t.Errorf("got %v, %v", dir, err)
			}
		})
	}
}

// A directory that cannot be emptied is left to a later launch, with its owner's file.
func TestRemoveKeepsTheOwnersFileOfAFullDirectory(t *testing.T) {
	dir := made(t, Access{}, testkit.ShortDir(t))
	busy := filepath.Join(dir.Path, "z")
	if err := os.Mkdir(busy, 0o700); err != nil {
		t.Fatal(err)
	}
	mount(t, busy, 1)
	dir.Remove()
	if !exists(filepath.Join(dir.Path, ownerFile)) {
		t.Error("the rest is nobody's")
	}
}
