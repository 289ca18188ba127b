//go:build unix

package socket

import (
	"errors"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackfield-go/jackfield/core/internal/testkit"
)

// passable is a directory in which others get to what is theirs.
func passable(t *testing.T) string {
	t.Helper()
	dir := testkit.ShortDir(t)
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestMakeDirSkipsABaseThatOthersCannotReach(t *testing.T) {
	gid := testkit.OtherGroup(t)
	access, err := NewAccess("", strconv.Itoa(gid))
	if err != nil {
		t.Fatal(err)
	}
	closed, open := testkit.ShortDir(t), passable(t)
	if got := filepath.Dir(made(t, access, closed, open).Path); got != open {
		t.Errorf("it is in %s", got)
	}
	if _, err := MakeDir(access, closed); err == nil || !strings.Contains(err.Error(), "chmod go+x") {
		t.Errorf("got %v", err)
	}
}

func TestAccessAdmitsAGroupToDirectoryAndSockets(t *testing.T) {
	gid := testkit.OtherGroup(t)
	access, err := NewAccess("", strconv.Itoa(gid))
	if err != nil {
		t.Fatal(err)
	}
	dir := made(t, access, passable(t)).Path
	listener, err := new(Namer).Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	path := listener.Addr().String()
	if err := access.Share(path); err != nil {
		t.Fatal(err)
	}
	for file, mode := range map[string]os.FileMode{dir: 0o770, path: 0o660} {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok || int(stat.Gid) != gid || info.Mode().Perm() != mode {
			t.Errorf("%s: group %d, mode %v; want %d, %v", file, stat.Gid, info.Mode().Perm(), gid, mode)
		}
	}
}

// Whoever owns the directory can put something else in the place of a socket, before
// the owner of that socket, who may be root, gives it away.
func TestShareLeavesAReplacedSocketAlone(t *testing.T) {
	access, err := NewAccess("", strconv.Itoa(testkit.OtherGroup(t)))
	if err != nil {
		t.Fatal(err)
	}
	for name, put := range map[string]func(target, place string) error{
		"a link": os.Symlink,
		"a file": os.Link,
		"another name of another socket": func(target, place string) error {
			if err := os.Remove(target); err != nil {
				return err
			}
			listener, err := net.Listen("unix", target)
			if err != nil {
				return err
			}
			t.Cleanup(func() { _ = listener.Close() })
			return os.Link(target, place)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := testkit.ShortDir(t)
			target, place := filepath.Join(dir, "t"), filepath.Join(dir, "s")
			if err := os.WriteFile(target, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := put(target, place); err != nil {
				t.Fatal(err)
			}
			before, err := os.Stat(target)
			if err != nil {
				t.Fatal(err)
			}
			if err := access.Share(place); !errors.Is(err, errExchanged) {
				t.Errorf("got %v", err)
			}
			after, err := os.Stat(target)
			if err != nil {
				t.Fatal(err)
			}
			was, is := before.Sys().(*syscall.Stat_t), after.Sys().(*syscall.Stat_t)
			if was.Gid != is.Gid || was.Mode != is.Mode {
				t.Errorf("what it leads to had group %d and mode %v, and has %d and %v", was.Gid, before.Mode(), is.Gid, after.Mode())
			}
		})
	}
}

func TestAccessRefusesUnknownUsersAndGroups(t *testing.T) {
	for _, name := range []string{"no-such-name", "-1", "4294967295"} {
		if _, err := NewAccess("", name); err == nil {
			t.Errorf("group %s was found", name)
		}
		if _, err := NewAccess(name, ""); err == nil {
			t.Errorf("user %s was found", name)
		}
	}
}

func TestMakeDirLeavesNothingIfItCannotGiveTheDirectoryAway(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("only as another user than root, who may give everything away")
	}
	base := passable(t)
	if _, err := MakeDir(Access{}.WithUser(os.Geteuid()+1), base); err == nil || !strings.Contains(err.Error(), "Config.Sockets.Group") {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(base); len(left) > 0 {
		t.Errorf("%s is left", left[0].Name())
	}
}

func TestAnotherUserGetsTheDirectoryAndItsSockets(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only as root: nobody else may give files away")
	}
	const uid = 65534
	access, err := NewAccess(strconv.Itoa(uid), "")
	if err != nil {
		t.Fatal(err)
	}
	dir := made(t, access, passable(t)).Path
	listener, err := new(Namer).Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if err := access.Share(listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{dir, listener.Addr().String()} {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); !ok || stat.Uid != uid {
			t.Errorf("%s belongs to user %d", file, stat.Uid)
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
	if got := HandedOver(dir).Owners(); len(got) != 2 || got[0] != uid || got[1] != 0 {
		t.Errorf("the owners are %v: the host is not among them", got)
	}
}

// Where others can make files too, one of them is no sign of the host.
func TestHandedOverIgnoresAnOwnersFileInAnOpenDirectory(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only as root: nobody else may give files away")
	}
	for _, mode := range []os.FileMode{0o777, 0o777 | os.ModeSticky, 0o770} {
		dir := testkit.ShortDir(t)
		if err := os.WriteFile(filepath.Join(dir, ownerFile), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(filepath.Join(dir, ownerFile), 65533, 65533); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		if got := HandedOver(dir).Owners(); !slices.Equal(got, []int{0}) {
			t.Errorf("mode %v: the owners are %v", mode, got)
		}
	}
}

func TestGroupIDFindsANamedGroup(t *testing.T) {
	own, err := user.LookupGroupId(strconv.Itoa(os.Getegid()))
	if err != nil {
		t.Skip("needs: a name for this user's group: ", err)
	}
	if gid, err := groupID(own.Name); err != nil || gid != os.Getegid() {
		t.Errorf("got %d, %v", gid, err)
	}
}

func TestDefaultBasesForOthersLeaveOutPrivateDirectories(t *testing.T) {
	private := testkit.ShortDir(t)
	t.Setenv("XDG_RUNTIME_DIR", private)
	for _, base := range defaultBases(true) {
		if filepath.Clean(base) == private {
			t.Error("sockets would be in XDG_RUNTIME_DIR")
		}
	}
}
