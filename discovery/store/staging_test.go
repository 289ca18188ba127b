package store_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/testkit"
	"github.com/jackfield-go/jackfield/discovery/store"
)

const installVariable = "DISCOVERY_TEST_INSTALL"

// installHalf installs a file without an end, and says so once the first half is
// there.
func installHalf(dir string) {
	s := store.Store{Dir: dir, Naming: discovery.Naming{App: "greet"}}
	half := io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20)), callback(func() { fmt.Fprintln(os.Stdout, "half") }), os.Stdin)
	_, err := s.InstallFrom(context.Background(), half, store.InstallOptions{File: "greet-plugin-loud_v1.0.0", Undescribed: true})
	fmt.Fprintln(os.Stdout, err)
	os.Exit(1)
}

// callback is a reader of nothing.
type callback func()

func (c callback) Read([]byte) (int, error) { c(); return 0, io.EOF }

func TestInstallThatIsKilledLeavesNothingToFindAndIsSwept(t *testing.T) {
	s := newStore(t)
	cmd := exec.CommandContext(testkit.Within(t), os.Args[0])
	cmd.Env = append(os.Environ(), installVariable+"="+s.Dir)
	stdin, err := cmd.StdinPipe() // it never says anything
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(stdout, make([]byte, len("half\n"))); err != nil {
		t.Fatal(err)
	}
	// While it lives nobody takes its files away, and nobody finds them.
	install(t, s, "greet-plugin-soft_v1.0.0", "soft")
	staged, err := filepath.Glob(filepath.Join(s.Dir, ".jackfield-tmp-*", "received"))
	if err != nil || len(staged) != 1 {
		t.Fatalf("staged %q, %v", staged, err)
	}
	if info, err := os.Stat(staged[0]); err != nil || info.Size() != 1<<20 {
		t.Errorf("%v, %v", info, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if got := states(t, s); got != "soft 1.0.0 ok" {
		t.Errorf("listed %s", got)
	}
	if found := testkit.Find(t, s.Dir); len(found.Plugins) != 1 || len(found.Problems) != 0 {
		t.Errorf("found %+v, %v", found.Plugins, found.Problems)
	}
	install(t, s, "greet-plugin-new_v1.0.0", "new")
	if got := files(t, s.Dir); strings.Contains(got, "tmp") {
		t.Errorf("there are %s", got)
	}
}

func TestInstallationsDoNotSweepEachOther(t *testing.T) {
	s := newStore(t)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for j := range 5 {
				id := discovery.ID{Name: fmt.Sprintf("p%d-%d", i, j)}
				if _, err := s.InstallFrom(t.Context(), strings.NewReader(id.Name), store.InstallOptions{ID: id, Undescribed: true}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if got := states(t, s); strings.Count(got, " ok") != 40 {
		t.Errorf("listed %s", got)
	}
	if got := files(t, s.Dir); strings.Contains(got, "tmp") {
		t.Errorf("there are %s", got)
	}
}

func TestInstallEndsWithTheContext(t *testing.T) {
	s := newStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	endless := io.MultiReader(strings.NewReader("x"), callback(cancel), zeros{})
	if _, err := s.InstallFrom(ctx, endless, store.InstallOptions{File: "greet-plugin-loud"}); err == nil || !strings.Contains(err.Error(), context.Canceled.Error()) {
		t.Errorf("got %v", err)
	}
	nothingInstalled(t, s)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
