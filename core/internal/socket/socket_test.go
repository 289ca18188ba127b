package socket

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/internal/testkit"
)

// made makes a directory that is removed with the test.
func made(t *testing.T, access Access, bases ...string) *Dir {
	t.Helper()
	dir, err := MakeDir(access, bases...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dir.Remove)
	return dir
}

func TestMakeDirTakesTheFirstBaseThatIsShortEnough(t *testing.T) {
	base := testkit.ShortDir(t)
	dir := made(t, Access{}, "/"+strings.Repeat("x", maxPath), base).Path
	info, err := os.Stat(dir)
	if err != nil || filepath.Dir(dir) != base {
		t.Fatalf("%s, %v", dir, err)
	}
	if mode := info.Mode().Perm(); mode != 0o700 && os.Getuid() >= 0 {
		t.Errorf("mode %v", mode)
	}
}

func TestMakeDirPassesOverWhatCannotBeAnnounced(t *testing.T) {
	odd := filepath.Join(testkit.ShortDir(t), "a|b")
	if err := os.Mkdir(odd, 0o700); err != nil {
		t.Fatal(err)
	}
	base := testkit.ShortDir(t)
	if dir := made(t, Access{}, odd, base); filepath.Dir(dir.Path) != base {
		t.Errorf("made %s", dir.Path)
	}
	if _, err := MakeDir(Access{}, odd); err == nil || !strings.Contains(err.Error(), "announced") {
		t.Errorf("got %v", err)
	}
}

// What is announced leads where it was looked at, whatever becomes of a link.
func TestMakeDirIsNotBehindALink(t *testing.T) {
	base, link := testkit.ShortDir(t), filepath.Join(testkit.ShortDir(t), "link")
	if err := os.Symlink(base, link); err != nil {
		t.Skip("needs: links: ", err)
	}
	if dir := made(t, Access{}, link).Path; filepath.Dir(dir) != base && os.Getuid() >= 0 {
		t.Errorf("made %s", dir)
	}
}

func TestMakeDirLeavesRoomForAnySocketsName(t *testing.T) {
	longest := maxPath - 1 - dirRoom - nameRoom
	parent := testkit.ShortDir(t)
	base := filepath.Join(parent, strings.Repeat("b", longest-len(parent)-1))
	if err := os.Mkdir(base, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(made(t, Access{}, base).Path, strings.Repeat("n", nameRoom-1))
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatalf("%d bytes: %v", len(path), err)
	}
	_ = listener.Close()

	var tooLong *core.SocketPathError
	if _, err := MakeDir(Access{}, base+"b"); !errors.As(err, &tooLong) || tooLong.Limit != maxPath {
		t.Errorf("got %v", err)
	}
}

func TestMakeDirInAMissingBaseSaysSo(t *testing.T) {
	if _, err := MakeDir(Access{}, "/no/such"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestNamesAreUnique(t *testing.T) {
	dir := testkit.ShortDir(t)
	namer := &Namer{Prefix: "t"}
	var mu sync.Mutex
	seen := make(map[string]bool)
	var listeners sync.WaitGroup
	for range 20 {
		listeners.Go(func() {
			listener, err := namer.Listen(dir)
			if err != nil {
				t.Error(err)
				return
			}
			defer listener.Close()
			mu.Lock()
			defer mu.Unlock()
			path := listener.Addr().String()
			if seen[path] || len(filepath.Base(path)) >= nameRoom {
				t.Errorf("the name %s", path)
			}
			seen[path] = true
		})
	}
	listeners.Wait()
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%s is left", left[0].Name())
	}
}

func TestNamerSkipsANameInUse(t *testing.T) {
	dir := testkit.ShortDir(t)
	stale := filepath.Join(dir, "t"+strconv.Itoa(os.Getpid())+"-1")
	if err := os.WriteFile(stale, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := (&Namer{Prefix: "t"}).Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if listener.Addr().String() == stale {
		t.Error("the name was taken over")
	}
}

func TestListenInAPathThatIsTooLongSaysSo(t *testing.T) {
	var tooLong *core.SocketPathError
	_, err := new(Namer).Listen("/" + strings.Repeat("x", maxPath))
	if !errors.As(err, &tooLong) || !strings.Contains(err.Error(), strconv.Itoa(maxPath)) {
		t.Errorf("got %v", err)
	}
}

// The numbers are those of Windows, WSAEADDRINUSE and WSAEACCES.
func TestPortsAreInUseOrExcluded(t *testing.T) {
	listening := func(number syscall.Errno) error {
		return &net.OpError{Op: "listen", Net: "tcp", Err: os.NewSyscallError("bind", number)}
	}
	for number, want := range map[syscall.Errno]struct{ inUse, excluded bool }{
		syscall.EADDRINUSE: {inUse: true},
		10048:              {inUse: true},
		10013:              {excluded: true},
		syscall.EACCES:     {},
	} {
		if err := listening(number); IsInUse(err) != want.inUse || IsExcluded(err) != want.excluded {
			t.Errorf("%v: in use %v, excluded %v", err, IsInUse(err), IsExcluded(err))
		}
	}
}
