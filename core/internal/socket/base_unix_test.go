//go:build unix && !aix && !solaris

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

// openBase is a directory where everybody may rename what others have made.
func openBase(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "s") //nolint:usetesting // where others get to, also on macOS
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestMakeDirSkipsABaseWhereOthersMayRename(t *testing.T) {
	unfit := openBase(t)
	base := testkit.ShortDir(t)
	if dir := made(t, Access{}, unfit, base).Path; filepath.Dir(dir) != base {
		t.Errorf("made %s", dir)
	}
	if dir, err := MakeDir(Access{}, unfit); err == nil || !strings.Contains(err.Error(), "chmod go-w") {
		t.Errorf("got %v, %v", dir, err)
	}
	if left, _ := os.ReadDir(unfit); len(left) > 0 {
		t.Errorf("%s was made there", left[0].Name())
	}
	t.Setenv("TMPDIR", unfit)
	t.Setenv("XDG_RUNTIME_DIR", unfit)
	if dir := made(t, Access{}).Path; strings.Contains(dir, unfit) {
		t.Errorf("made %s", dir)
	}
}

func TestMakeDirSkipsABaseOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only as root: nobody else may give files away")
	}
	unfit := testkit.ShortDir(t)
	if err := os.Chown(unfit, 65533, 65533); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", unfit)
	t.Setenv("XDG_RUNTIME_DIR", unfit)
	for _, access := range []Access{{}, Access{}.WithUser(65533)} {
		if dir := made(t, access).Path; strings.Contains(dir, unfit) {
			t.Errorf("made %s", dir)
		}
		if dir, err := MakeDir(access, unfit); err == nil || !strings.Contains(err.Error(), "belongs to another user") {
			t.Errorf("got %v, %v", dir, err)
		}
	}
}

// What is at the path of a directory that has just been made may be something else
// by then.
func TestMakeDirLeavesAReplacedDirectoryAlone(t *testing.T) {
	access, err := NewAccess("", strconv.Itoa(testkit.OtherGroup(t)))
	if err != nil {
		t.Fatal(err)
	}
	places := map[string]func(target, place string) error{"a link": os.Symlink, "a file": os.Link}
	if os.Geteuid() == 0 {
		places["a directory of another user's"] = func(_, place string) error {
			return errors.Join(os.Mkdir(place, 0o700), os.Chown(place, 65533, 65533))
		}
	}
	for name, put := range places {
		t.Run(name, func(t *testing.T) {
			base := testkit.ShortDir(t)
			target, place := filepath.Join(base, "t"), filepath.Join(base, dirPattern+"1")
			if name == "a file" {
				err = os.WriteFile(target, nil, 0o600)
			} else {
				err = os.Mkdir(target, 0o700)
			}
			if err = errors.Join(err, put(target, place)); err != nil {
				t.Fatal(err)
			}
			before := statOf(t, place)
			if err := (&Dir{Path: place}).claim(access); err == nil {
				t.Error("it was taken for the one that was made")
			}
			if !exists(place) {
				return // an empty directory, or a name
			}
			if after := statOf(t, place); after.Mode != before.Mode || after.Gid != before.Gid {
				t.Errorf("it had group %d and mode %o, and has %d and %o", before.Gid, before.Mode, after.Gid, after.Mode)
			}
			if exists(filepath.Join(place, ownerFile)) {
				t.Error("a file was made in it")
			}
		})
	}
}

func statOf(t *testing.T, path string) (stat syscall.Stat_t) {
	t.Helper()
	if err := syscall.Stat(path, &stat); err != nil {
		t.Fatal(err)
	}
	return stat
}

func TestHoldOpensNoLink(t *testing.T) {
	path := testkit.ShortDir(t)
	file, link := filepath.Join(path, "file"), filepath.Join(path, ownerFile)
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Symlink("file", link)); err != nil {
		t.Fatal(err)
	}
	dir, err := openMade(path)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if file, err := openIn(dir, ownerFile, syscall.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK); err == nil {
		file.Close()
		t.Error("what it leads to was opened")
	}
	_, err = takeHold(dir)
	if pathErr := (*os.PathError)(nil); !errors.As(err, &pathErr) || pathErr.Path != link || pathErr.Err != syscall.EEXIST {
		t.Errorf("a file was made in its place: %v", err)
	}
}

// While a plugin runs, and afterwards, who was given its directory may put another
// one in its place.
func TestRemoveLeavesAReplacedDirectoryAlone(t *testing.T) {
	dir := made(t, Access{}, testkit.ShortDir(t))
	if err := errors.Join(os.Rename(dir.Path, dir.Path+"0"), os.Mkdir(dir.Path, 0o700)); err != nil {
		t.Fatal(err)
	}
	dir.Remove()
	if !exists(dir.Path) {
		t.Error("it was removed")
	}
}

func TestMakeDirIgnoresTheUmask(t *testing.T) {
	base := testkit.ShortDir(t)
	defer syscall.Umask(syscall.Umask(0o277))
	dir := made(t, Access{}, base)
	listener, err := new(Namer).Listen(dir.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	path := listener.Addr().String()
	if err := (Access{}).Share(path); err != nil {
		t.Fatal(err)
	}
	for file, mode := range map[string]os.FileMode{dir.Path: 0o700, path: 0o600} {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", file, info.Mode(), err)
		}
	}
}

func TestHandedOverChecksTheDirectory(t *testing.T) {
	dir := testkit.ShortDir(t)
	handed := HandedOver(dir)
	if err := handed.Check(); err != nil {
		t.Fatal(err)
	}
	away := filepath.Join(testkit.ShortDir(t), "away")
	if err := os.Rename(dir, away); err != nil {
		t.Fatal(err)
	}
	if err := handed.Check(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("none is there: %v", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := handed.Check(); err == nil || !strings.Contains(err.Error(), "another process has replaced it") {
		t.Errorf("another is there: %v", err)
	}
}

// An error that another name would not mend is not tried again.
func TestOnlyANameThatIsInUseIsSkipped(t *testing.T) {
	dir := testkit.ShortDir(t)
	namer := &Namer{Prefix: "t"}
	for i := range 5 {
		if err := os.WriteFile(nameOf(dir, i+1), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	none := limit
	none.Cur = 0
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	_, err := namer.Listen(dir)
	if restored := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); restored != nil {
		t.Fatal(restored)
	}
	if !errors.Is(err, syscall.EMFILE) || namer.last.Load() != 1 {
		t.Errorf("after %d names: %v", namer.last.Load(), err)
	}
}

func TestNamesThatAreInUseAreNotTriedForEver(t *testing.T) {
	dir := testkit.ShortDir(t)
	for i := range maxNames {
		if err := os.WriteFile(nameOf(dir, i+1), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	namer := &Namer{Prefix: "t"}
	if _, err := namer.Listen(dir); !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), "remove the sockets of ended") {
		t.Errorf("got %v", err)
	}
	listener, err := namer.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
}

func nameOf(dir string, number int) string {
	return filepath.Join(dir, "t"+strconv.Itoa(os.Getpid())+"-"+strconv.Itoa(number))
}
