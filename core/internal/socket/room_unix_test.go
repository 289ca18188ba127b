//go:build unix && !aix && !solaris

package socket

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/jackfield-go/jackfield/core/internal/testkit"
)

// crowd fills a directory with names that are not ours.
func crowd(t testing.TB, base, prefix string, many int) {
	t.Helper()
	for i := range many {
		if err := os.WriteFile(filepath.Join(base, prefix+strconv.Itoa(i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Lstat(base); err != nil || info.Size() < crowded {
		t.Skipf("needs: a file system whose directories grow with their names: %v, %v", info, err)
	}
}

func TestSweepClearsACrowdedPlace(t *testing.T) {
	base := testkit.ShortDir(t)
	crowd(t, base, "foreign-", 6_000)
	dir, _, kill := process(t, "owner", base)
	kill()
	if !exists(dir) {
		t.Fatal("nothing was left")
	}
	following := made(t, Access{}, base)
	following.Sweep()
	following.Remove() // at once, so that the sweep is cut short
	if exists(dir) {
		t.Error("it is still there")
	}
	if exists(filepath.Join(base, roomName())) {
		t.Error("the room in the crowded place outlives its last directory")
	}
}

func TestRoomInACrowdedPlaceIsItsUsersAlone(t *testing.T) {
	base := testkit.ShortDir(t)
	crowd(t, base, "foreign-", 6_000)
	other := 65533
	for _, test := range []struct {
		access Access
		mode   os.FileMode
	}{{Access{}, 0o700}, {Access{group: &other}, 0o711}} {
		if info, err := os.Lstat(room(base, test.access)); err != nil || info.Name() != roomName() || info.Mode().Perm() != test.mode {
			t.Errorf("%v, %v", info, err)
		}
	}
	if os.Geteuid() != 0 {
		return
	}
	if err := os.Chown(filepath.Join(base, roomName()), other, other); err != nil {
		t.Fatal(err)
	}
	if dir := made(t, Access{}, base); filepath.Dir(dir.Path) != base {
		t.Errorf("another user's room was taken: %s", dir.Path)
	}
}

// A plugin may have made its socket in a directory that was just being removed.
func TestSweepClearsADirectoryWithDeadSocketsAlone(t *testing.T) {
	_, ended, kill := process(t, "owner", testkit.ShortDir(t))
	kill()
	self := strconv.Itoa(os.Getpid())
	for name, test := range map[string]struct {
		sockets []string
		cleared bool
	}{
		"of an ended process": {[]string{"p" + strconv.Itoa(ended) + "-1", "h" + strconv.Itoa(ended) + "-12"}, true},
		"of a running one":    {[]string{"p" + strconv.Itoa(ended) + "-1", "p" + self + "-1"}, false},
		"of another name":     {[]string{"plugin123"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			base := testkit.ShortDir(t)
			dir := filepath.Join(base, dirPattern+"1")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			for _, name := range test.sockets {
				listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, name), Net: "unix"})
				if err != nil {
					t.Fatal(err)
				}
				listener.SetUnlinkOnClose(false)
				_ = listener.Close()
			}
			next(t, base)
			if exists(dir) == test.cleared {
				t.Errorf("it is there: %t", !test.cleared)
			}
		})
	}
}

func TestHoldRefusesADirectoryBeingRemoved(t *testing.T) {
	dir := made(t, Access{}, testkit.ShortDir(t))
	file, err := os.OpenFile(filepath.Join(dir.Path, ownerFile), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	dir.abandon()
	if err := flock(file, 2|4); err != nil { // LOCK_EX|LOCK_NB
		t.Fatal(err)
	}
	if release, err := Hold(dir.Path); err == nil {
		release()
		t.Error("it was held")
	}
}

func BenchmarkMakeDirCrowded(b *testing.B) {
	for _, prefix := range []string{"foreign-", dirPattern} {
		b.Run(prefix, func(b *testing.B) {
			base := testkit.ShortDir(b)
			crowd(b, base, prefix, 20_000)
			for b.Loop() {
				dir, err := MakeDir(Access{}, base)
				if err != nil {
					b.Fatal(err)
				}
				dir.Sweep()
				dir.Remove()
			}
		})
	}
}
