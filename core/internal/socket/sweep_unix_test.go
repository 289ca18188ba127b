//go:build unix && !aix && !solaris

package socket

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackfield-go/jackfield/core/internal/sweep"
	"github.com/jackfield-go/jackfield/core/internal/testkit"
)

// The test binary is also a process that makes a directory and is killed.
const (
	roleVariable = "SOCKET_TEST_ROLE"
	baseVariable = "SOCKET_TEST_BASE"
)

func TestMain(m *testing.M) {
	switch role := os.Getenv(roleVariable); role {
	case "":
		os.Exit(m.Run())
	case "owner", "owner for unknown", "owner with a umask": // makes a directory with a socket in it
		if role == "owner with a umask" {
			becomeSomebody()
		}
		dir, err := MakeDir(Access{}, os.Getenv(baseVariable))
		if err == nil {
			_, err = new(Namer).Listen(dir.Path)
		}
		if err == nil && role == "owner for unknown" {
			dir.ServesUnknown()
		}
		if err != nil {
			_, _ = io.WriteString(os.Stdout, err.Error())
			os.Exit(1)
		}
		_, _ = io.WriteString(os.Stdout, dir.Path+"\n")
	case "holder": // is a plugin in a directory of its host
		release, err := Hold(os.Getenv(baseVariable))
		if err != nil {
			os.Exit(1)
		}
		defer release()
		_, _ = io.WriteString(os.Stdout, "holds\n")
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed
}

// process starts the test binary in a role and returns its answer; end kills
// it.
func process(t *testing.T, role, base string) (answer string, pid int, end func()) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+role, baseVariable+"="+base)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 1024)
	n, err := stdout.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	end = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = stdin.Close()
	})
	t.Cleanup(end)
	return strings.TrimSpace(string(text[:n])), cmd.Process.Pid, end
}

// abandon does the same as the end of the owner's process.
func (d *Dir) abandon() { d.hold.release() }

// next makes a directory in base, which clears away what nobody uses.
func next(t *testing.T, base string) {
	t.Helper()
	dir := made(t, Access{}, base)
	dir.Sweep()
	<-dir.sweep.Done()
	if !exists(dir.Path) {
		t.Error("the new directory is gone itself")
	}
}

func TestSweepClearsTheDirectoryOfAKilledProcess(t *testing.T) {
	base := testkit.ShortDir(t)
	dir, _, kill := process(t, "owner", base)
	next(t, base)
	if !exists(dir) {
		t.Fatal("cleared while its owner runs")
	}
	kill()
	if !exists(dir) {
		t.Fatal("nothing was left")
	}
	next(t, base)
	if exists(dir) {
		t.Error("it is still there")
	}
}

func TestHoldKeepsADirectoryWithoutItsOwner(t *testing.T) {
	base := testkit.ShortDir(t)
	dir, _, killHost := process(t, "owner", base)
	_, _, killPlugin := process(t, "holder", dir)
	killHost()
	next(t, base)
	if !exists(dir) {
		t.Fatal("cleared while a plugin holds it")
	}
	killPlugin()
	next(t, base)
	if exists(dir) {
		t.Error("it is still there")
	}
}

// Plugins of other libraries hold nothing, but the host knows their processes.
func TestSweepSparesADirectoryWhileItsProcessRuns(t *testing.T) {
	base, elsewhere := testkit.ShortDir(t), testkit.ShortDir(t)
	dir, err := MakeDir(Access{}, base)
	if err != nil {
		t.Fatal(err)
	}
	_, pid, kill := process(t, "owner", elsewhere)
	dir.Serves(pid)
	dir.abandon()
	next(t, base)
	if !exists(dir.Path) {
		t.Fatal("cleared while its process runs")
	}
	kill()
	next(t, base)
	if exists(dir.Path) {
		t.Error("it is still there")
	}
}

// A container, say, holds nothing, and its process is unknown here.
func TestSweepSparesAnUnknownProcessUntilTheNextBoot(t *testing.T) {
	base := testkit.ShortDir(t)
	dir, _, kill := process(t, "owner for unknown", base)
	kill()
	next(t, base)
	if !exists(dir) {
		t.Fatal("cleared while it may be in use")
	}
	if bootID() == "" {
		t.Skip("needs: a system that tells one boot from another")
	}
	if err := os.WriteFile(filepath.Join(dir, ownerFile), []byte(bootPrefix+"an earlier one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	next(t, base)
	if exists(dir) {
		t.Error("it is still there")
	}
}

func TestSweepDoesNotConnect(t *testing.T) {
	base := testkit.ShortDir(t)
	dir, err := MakeDir(Access{}, base)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := new(Namer).Listen(dir.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dir.abandon()
	next(t, base)
	if exists(dir.Path) {
		t.Error("it is still there")
	}
	if err := listener.SetDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	var timeout net.Error
	if conn, err := listener.Accept(); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("there was a connection: %v, %v", conn, err)
	}
}

func TestSweepSparesForeignEntries(t *testing.T) {
	base := testkit.ShortDir(t)
	full := filepath.Join(base, dirPattern+"123")  // somebody's, with something in it
	named := filepath.Join(base, dirPattern+"abc") // not a name that we give
	link := filepath.Join(base, dirPattern+"456")
	for _, dir := range []string{full, named} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(full, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	stale, err := MakeDir(Access{}, testkit.ShortDir(t))
	if err != nil {
		t.Fatal(err)
	}
	stale.abandon()
	if err := os.Symlink(stale.Path, link); err != nil {
		t.Fatal(err)
	}
	paths := []string{full, named, link, stale.Path}
	if os.Geteuid() == 0 {
		others, err := MakeDir(Access{}, base)
		if err != nil {
			t.Fatal(err)
		}
		others.abandon()
		if err := os.Chown(filepath.Join(others.Path, ownerFile), 65534, -1); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, others.Path)
	}
	next(t, base)
	for _, path := range paths {
		if !exists(path) {
			t.Errorf("%s is gone", path)
		}
	}
}

// A full base does not delay the end.
func TestSweepIsCutShortByRemove(t *testing.T) {
	base := testkit.ShortDir(t)
	const many = 4096
	for i := range many {
		if err := os.Mkdir(filepath.Join(base, dirPattern+strconv.Itoa(i)), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		dir, err := MakeDir(Access{}, testkit.ShortDir(t))
		if err != nil {
			t.Fatal(err)
		}
		waitedFor := make(chan struct{})
		dir.sweep = sweep.Start(base, dirPattern, func(path string) {
			<-waitedFor
			clearAway(path)
		})
		go dir.Remove()
		synctest.Wait()
		close(waitedFor)
		<-dir.sweep.Done()
	})
	if left, err := os.ReadDir(base); err != nil || len(left) == 0 || len(left) == many {
		t.Errorf("%d of %d are left, %v", len(left), many, err)
	}
}

// A maker and a remover of a directory meet at every point.
func TestDirectoriesOfManyAtOnceAreNotClearedAway(t *testing.T) {
	base := testkit.ShortDir(t)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 40 {
				dir, err := MakeDir(Access{}, base)
				if err != nil {
					t.Error(err)
					return
				}
				dir.Sweep()
				listener, err := new(Namer).Listen(dir.Path)
				if err != nil {
					t.Error(err)
				} else {
					_ = listener.Close()
				}
				dir.Remove()
			}
		})
	}
	group.Wait()
	if left, _ := os.ReadDir(base); len(left) > 0 {
		t.Errorf("%d are left", len(left))
	}
}

func TestSweepClearsAnEmptyDirectory(t *testing.T) {
	base := testkit.ShortDir(t)
	half := filepath.Join(base, dirPattern+"1")
	if err := os.Mkdir(half, 0o700); err != nil {
		t.Fatal(err)
	}
	next(t, base)
	if exists(half) {
		t.Error("it is still there")
	}
}

func BenchmarkMakeDir(b *testing.B) {
	base := b.TempDir()
	for b.Loop() {
		dir, err := MakeDir(Access{}, base)
		if err != nil {
			b.Fatal(err)
		}
		dir.Sweep()
		dir.Remove()
	}
}

// A plugin can end while its launch is about to sweep. Whatever comes first, nothing
// is swept once the directory has been removed.
func TestSweepRacesWithRemove(t *testing.T) {
	base := testkit.ShortDir(t)
	for range 200 {
		dir, err := MakeDir(Access{}, base)
		if err != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		both.Go(dir.Sweep)
		both.Go(dir.Remove)
		both.Wait()
		select {
		case <-dir.sweep.Done():
		default:
			t.Fatal("the sweep goes on without its directory")
		}
	}
}
