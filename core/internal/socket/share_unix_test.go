//go:build unix

package socket

import (
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/jackfield-go/jackfield/core/internal/grouptest"
)

func TestAGroupMayUseADirectoryAndItsSockets(t *testing.T) {
	gid := grouptest.Other(t)
	dir, err := MakeDir(strconv.Itoa(gid), short(t))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := new(Namer).Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	path := listener.Addr().String()
	if err := Share(path, strconv.Itoa(gid)); err != nil {
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

func TestADirectoryForNobodyIsNotLeft(t *testing.T) {
	for _, group := range []string{"no-such-group", "-1", "4294967295"} {
		base := short(t)
		if dir, err := MakeDir(group, base); err == nil {
			t.Errorf("group %s: made %s", group, dir)
		}
		if left, _ := os.ReadDir(base); len(left) > 0 {
			t.Errorf("group %s: %s is left", group, left[0].Name())
		}
	}
}

func TestAGroupIsFoundByItsName(t *testing.T) {
	own, err := user.LookupGroupId(strconv.Itoa(os.Getegid()))
	if err != nil {
		t.Skip("needs: a name for this user's group: ", err)
	}
	if gid, err := groupID(own.Name); err != nil || gid != os.Getegid() {
		t.Errorf("got %d, %v", gid, err)
	}
}

func TestWhatIsSharedIsNotWhereOnlyItsUserGoes(t *testing.T) {
	private := short(t)
	t.Setenv("XDG_RUNTIME_DIR", private)
	for _, base := range defaultBases(true) {
		if filepath.Clean(base) == private {
			t.Error("sockets would be in XDG_RUNTIME_DIR")
		}
	}
}
