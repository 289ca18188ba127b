package host_test

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/internal/fileid"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/core/verify"
)

// settled makes a file look as if it had been there for a while: of one that was
// changed just now nobody can tell whether it is changed again.
func settled(t testing.TB, path string) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for {
		if id, ok := fileid.Of(file); ok && id.Settled(time.Now()) {
			return
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatal("the file does not settle")
		}
	}
}

// counted is a cache that sealed programs are counted in: it says how many there
// are by what the verifiers were shown.
type counted struct {
	mu     sync.Mutex
	copies map[any]bool
}

// verify lets everything run.
func (c *counted) verify(_ context.Context, program *verify.Program) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.copies == nil {
		c.copies = make(map[any]bool)
	}
	sealed, _, _ := program.Reader().Outer()
	c.copies[sealed] = true
	return nil
}

func (c *counted) expect(t *testing.T, want int) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.copies) != want {
		t.Errorf("%d copies were made, want %d", len(c.copies), want)
	}
}

func launchAndClose(t testing.TB, cfg host.Config) {
	t.Helper()
	client, err := host.Launch(within(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
}

func TestProgramCacheMakesOneCopyOfOneFile(t *testing.T) {
	plugintest.NoLeaks(t)
	cfg, _ := installed(t)
	settled(t, cfg.Command.Path)
	var made counted
	cache := new(verify.Cache)
	defer cache.Close()
	cfg.Verify.Verifier, cfg.Verify.Cache = verify.Func(made.verify), cache
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { launchAndClose(t, cfg) })
	}
	wg.Wait()
	made.expect(t, 1)

	overwrite(t, cfg.Command.Path)
	fail(t, within(t), cfg) // the impostor runs, and is no plugin
	made.expect(t, 2)
}

func TestProgramCacheMakesAChangedCopyAnew(t *testing.T) {
	cfg, sum := installed(t)
	settled(t, cfg.Command.Path)
	cache := new(verify.Cache)
	defer cache.Close()
	dir := shortDir(t)
	cfg.Verify.Verifier, cfg.Verify.Cache, cfg.Verify.Dirs = verify.Checksum(crypto.SHA256, sum), cache, []string{dir}
	launchAndClose(t, cfg)
	copies, err := filepath.Glob(filepath.Join(dir, "*", filepath.Base(cfg.Command.Path)))
	if err != nil || len(copies) != 1 {
		t.Fatalf("the copies are %q, %v", copies, err)
	}
	settled(t, copies[0])
	if err := os.Chmod(copies[0], 0o700); err != nil { // as this user can
		t.Fatal(err)
	}
	overwrite(t, copies[0])
	launchAndClose(t, cfg)
}

// What a cache keeps is copies and sums, not what was said of them.
func TestProgramCacheAsksTheVerifierEachTime(t *testing.T) {
	cfg, sum := installed(t)
	settled(t, cfg.Command.Path)
	cache := new(verify.Cache)
	defer cache.Close()
	cfg.Verify.Verifier, cfg.Verify.Cache = verify.Checksum(crypto.SHA256, sum), cache
	launchAndClose(t, cfg)

	revoked := bytes.Clone(sum)
	revoked[0]++
	cfg.Verify.Verifier = verify.Checksum(crypto.SHA256, revoked)
	var mismatch *verify.ChecksumError
	if failure := fail(t, within(t), cfg); !errors.As(failure, &mismatch) || !bytes.Equal(mismatch.Got, sum) {
		t.Errorf("got %v", failure)
	}
}

func TestProgramCacheForgetsWhatMayNotRun(t *testing.T) {
	cfg, _ := installed(t)
	settled(t, cfg.Command.Path)
	var made counted
	cache := new(verify.Cache)
	defer cache.Close()
	refuse := errors.New("not today")
	cfg.Verify.Cache = cache
	cfg.Verify.Verifier = verify.Func(func(ctx context.Context, program *verify.Program) error {
		return errors.Join(made.verify(ctx, program), refuse)
	})
	for range 2 {
		if failure := fail(t, within(t), cfg); !errors.Is(failure, refuse) {
			t.Errorf("got %v", failure)
		}
	}
	made.expect(t, 2)
}

func TestProgramCacheKeepsWithinItsBounds(t *testing.T) {
	var cfgs []host.Config
	for range 3 {
		cfg, _ := installed(t)
		settled(t, cfg.Command.Path)
		cfgs = append(cfgs, cfg)
	}
	info, err := os.Stat(cfgs[0].Command.Path)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		limit int64
		order []int
		made  int
	}{
		"all fit":                {0, []int{0, 1, 2, 0, 1, 2}, 3},
		"two fit, oldest leaves": {2 * info.Size(), []int{0, 1, 0, 2, 0, 1}, 4},
		"none fits":              {info.Size() - 1, []int{0, 0}, 2},
		"none is wanted":         {-1, []int{0, 0}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			var made counted
			cache := &verify.Cache{MaxBytes: test.limit}
			defer cache.Close()
			for _, i := range test.order {
				cfg := cfgs[i]
				cfg.Verify.Verifier, cfg.Verify.Cache = verify.Func(made.verify), cache
				launchAndClose(t, cfg)
			}
			made.expect(t, test.made)
		})
	}
}

func TestProgramCacheThatIsClosedStartsNothing(t *testing.T) {
	plugintest.NoLeaks(t)
	cfg, sum := installed(t)
	settled(t, cfg.Command.Path)
	dir := shortDir(t)
	cache := new(verify.Cache)
	cfg.Verify.Verifier, cfg.Verify.Cache, cfg.Verify.Dirs = verify.Checksum(crypto.SHA256, sum), cache, []string{dir}
	client := launch(t, cfg)
	if err := errors.Join(cache.Close(), cache.Close()); err != nil {
		t.Error(err)
	}
	if failure := fail(t, within(t), cfg); !errors.Is(failure, verify.ErrCacheClosed) {
		t.Errorf("got %v", failure)
	}
	// What runs does not notice, and the last copy goes with it.
	if got := call(t, client, "echo", "hello"); got != "hello" {
		t.Errorf("got %q", got)
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	empty(t, dir)
}

// One that gives up does not take the copy away from those who wait for it.
func TestProgramCacheSurvivesAnImpatientLaunch(t *testing.T) {
	cfg, sum := installed(t)
	settled(t, cfg.Command.Path)
	cache := new(verify.Cache)
	defer cache.Close()
	cfg.Verify.Verifier, cfg.Verify.Cache = verify.Checksum(crypto.SHA256, sum), cache
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			ctx, cancel := context.WithCancel(within(t))
			defer cancel()
			if i%2 == 0 {
				cancel()
			}
			client, err := host.Launch(ctx, cfg)
			if i%2 == 0 {
				if !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			_ = client.Close()
		})
	}
	wg.Wait()
}
