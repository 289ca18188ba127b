package host_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/core/runner"
	"github.com/jackfield-go/jackfield/core/verify"
)

// installed is a configuration for a plugin of the test's own: a copy of the test
// binary, with its sum.
func installed(t testing.TB) (cfg host.Config, sum []byte) {
	t.Helper()
	cfg = config(t, "serve", "")
	content, err := os.ReadFile(cfg.Command.Path)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "greeter-plugin"+filepath.Ext(cfg.Command.Path))
	if err := os.WriteFile(path, content, 0o755); err != nil {
		t.Fatal(err)
	}
	cfg.Command.Path = path
	all := sha256.Sum256(content)
	return cfg, all[:]
}

// impostor is another plugin than the intended one: it leaves a trace.
const impostor = "#!/bin/sh\necho evil >&2\nexit 66\n"

// exchange puts the impostor in a program's place, and overwrite into it.
func exchange(t *testing.T, path string) {
	t.Helper()
	other := filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(other, []byte(impostor), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
}

func overwrite(t *testing.T, path string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt([]byte(impostor), 0); err != nil {
		t.Fatal(err)
	}
}

var attacks = map[string]func(*testing.T, string){"a swap of the file": exchange, "a write into the file": overwrite}

// ways are the ways in which a verified program comes to run.
func ways(t *testing.T) map[string]func(host.Config) host.Config {
	t.Helper()
	dir := shortDir(t)
	cache := new(verify.Cache)
	t.Cleanup(func() { _ = cache.Close() })
	return map[string]func(host.Config) host.Config{
		"by default":        func(cfg host.Config) host.Config { return cfg },
		"with a cache":      func(cfg host.Config) host.Config { cfg.Verify.Cache = cache; return cfg },
		"from a directory":  func(cfg host.Config) host.Config { cfg.Verify.Dirs = []string{dir}; return cfg },
		"by another runner": func(cfg host.Config) host.Config { return withRunner(cfg, newProcess) },
	}
}

func newProcess(cmd runner.Command) runner.Runner { return runner.NewProcess(cmd) }

func TestVerifiedPluginRuns(t *testing.T) {
	cfg, sum := installed(t)
	settled(t, cfg.Command.Path) // only then it gets into a cache
	for way, change := range ways(t) {
		t.Run(way, func(t *testing.T) {
			plugintest.NoLeaks(t)
			cfg := change(cfg)
			cfg.Verify.Verifier = verify.Checksum(crypto.SHA256, sum)
			if cfg.Verify.Cache != nil { // what the one that others share keeps is no leak
				cfg.Verify.Cache = new(verify.Cache)
				defer cfg.Verify.Cache.Close()
			}
			for range 2 {
				client := launch(t, cfg)
				if got := call(t, client, "echo", "hello"); got != "hello" {
					t.Errorf("got %q", got)
				}
				if err := client.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// The verifier is the last to look before the start: what it has seen runs,
// though the file is something else by then.
func TestVerifiedProgramCannotBeReplacedBeforeTheStart(t *testing.T) {
	for attack, strike := range attacks {
		for way, change := range ways(t) {
			t.Run(attack+", "+way, func(t *testing.T) {
				cfg, sum := installed(t)
				settled(t, cfg.Command.Path)
				cfg = change(cfg)
				cfg.Verify.Verifier = verify.Func(func(ctx context.Context, program *verify.Program) error {
					err := verify.Checksum(crypto.SHA256, sum).Verify(ctx, program)
					strike(t, program.Path())
					return err
				})
				if got := call(t, launch(t, cfg), "echo", "hello"); got != "hello" {
					t.Errorf("got %q", got)
				}
				// The next one meets what is there now.
				cfg.Verify.Verifier = verify.Checksum(crypto.SHA256, sum)
				failure := fail(t, within(t), cfg)
				var mismatch *verify.ChecksumError
				if failure.Stage != host.StageVerify || !errors.As(failure, &mismatch) {
					t.Errorf("stage %s, %v", failure.Stage, failure)
				}
			})
		}
	}
}

// An attack before the verifier looks is found, also if the file is put right
// again at once.
func TestVerifierReadsThePrivateCopy(t *testing.T) {
	cfg, sum := installed(t)
	cfg.Verify.Verifier = verify.Func(func(ctx context.Context, program *verify.Program) error {
		exchange(t, program.Path())
		content, err := io.ReadAll(program.Reader())
		if got := sha256.Sum256(content); err != nil || !bytes.Equal(got[:], sum) {
			t.Errorf("the verifier reads something else, %v", err)
		}
		if got, err := program.Sum(ctx, crypto.SHA256); err != nil || !bytes.Equal(got, sum) {
			t.Errorf("the sum is %x, %v", got, err)
		}
		return nil
	})
	launch(t, cfg)
}

func TestChecksumErrorSaysBothSums(t *testing.T) {
	cfg, sum := installed(t)
	expected := sha256.Sum256([]byte("another"))
	cfg.Verify.Verifier = verify.Checksum(crypto.SHA256, expected[:])
	failure := fail(t, within(t), cfg)
	var mismatch *verify.ChecksumError
	if !errors.As(failure, &mismatch) {
		t.Fatal(failure)
	}
	if failure.Stage != host.StageVerify || mismatch.Path != cfg.Command.Path || mismatch.Hash != crypto.SHA256 ||
		!bytes.Equal(mismatch.Got, sum) || !bytes.Equal(mismatch.Want, expected[:]) {
		t.Errorf("stage %s, %+v", failure.Stage, mismatch)
	}
	mention(t, failure, "SHA-256", fmt.Sprintf("%x", sum), fmt.Sprintf("%x", expected), cfg.Command.Path)
}

func TestVerifiersErrorIsTheLaunchs(t *testing.T) {
	unsigned := errors.New("the signature is missing")
	cfg, _ := installed(t)
	cfg.Verify.Verifier = verify.Func(func(context.Context, *verify.Program) error { return unsigned })
	failure := fail(t, within(t), cfg)
	if failure.Stage != host.StageVerify || !errors.Is(failure, unsigned) {
		t.Errorf("stage %s, %v", failure.Stage, failure)
	}
}

func TestVerificationEndsWithTheLaunch(t *testing.T) {
	cfg, _ := installed(t)
	gone := errors.New("the user has left")
	ctx, cancel := context.WithCancelCause(within(t))
	cfg.Verify.Verifier = verify.Func(func(ctx context.Context, program *verify.Program) error {
		cancel(gone)
		_, err := program.Sum(ctx, crypto.SHA256)
		return err
	})
	if failure := fail(t, ctx, cfg); !errors.Is(failure, context.Canceled) || !errors.Is(failure, gone) {
		t.Errorf("got %v", failure)
	}
	// A verifier that ignores its context cannot start a program either.
	ctx, cancel = context.WithCancelCause(within(t))
	cfg.Verify.Verifier = verify.Func(func(context.Context, *verify.Program) error {
		cancel(gone)
		return nil
	})
	if failure := fail(t, ctx, cfg); !errors.Is(failure, gone) {
		t.Errorf("got %v", failure)
	}
}

// A slow verifier has not refused the program.
func TestSlowVerifierIsNoRefusal(t *testing.T) {
	gone := errors.New("the user has left")
	refused := errors.New("the signature is missing")
	for name, test := range map[string]struct {
		answer func(context.Context) error
		refuse bool
	}{
		"that says what the context says": {context.Context.Err, false},
		"that says why it has ended":      {context.Cause, false},
		"that wraps it":                   {func(ctx context.Context) error { return fmt.Errorf("ask the server: %w", ctx.Err()) }, false},
		"that refuses after all":          {func(context.Context) error { return refused }, true},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, _ := installed(t)
			ctx, cancel := context.WithCancelCause(within(t))
			cfg.Verify.Verifier = verify.Func(func(ctx context.Context, _ *verify.Program) error {
				cancel(gone)
				return test.answer(ctx)
			})
			failure := fail(t, ctx, cfg)
			if strings.Contains(failure.Error(), "may not run") != test.refuse {
				t.Errorf("got %v", failure)
			}
			if failure.Stage != host.StageVerify || !errors.Is(failure, context.Canceled) || !errors.Is(failure, gone) {
				t.Errorf("stage %s, %v", failure.Stage, failure)
			}
		})
	}
}

// Field note F18: one value verifies again and again, for many at once.
func TestVerifierServesManyLaunches(t *testing.T) {
	plugintest.NoLeaks(t)
	cfg, sum := installed(t)
	cfg.Verify.Verifier = verify.Checksum(crypto.SHA256, sum)
	cache := new(verify.Cache)
	defer cache.Close()
	for _, programs := range []*verify.Cache{nil, cache} {
		cfg.Verify.Cache = programs
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 2 {
					client, err := host.Launch(t.Context(), cfg)
					if err != nil {
						t.Error(err)
						return
					}
					if err := client.Close(); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
	}
}

func TestVerificationThatCannotWorkIsRefusedAtOnce(t *testing.T) {
	sum := make([]byte, sha256.Size)
	for name, test := range map[string]struct {
		change func(*host.Config)
		parts  []string
	}{
		"a sum of hexadecimal digits": {
			func(c *host.Config) {
				c.Verify.Verifier = verify.Checksum(crypto.SHA256, []byte(strings.Repeat("0", 64)))
			},
			[]string{"64 bytes", "SHA-256", "32", "hex.DecodeString"},
		},
		"a hash that is not linked": {
			func(c *host.Config) { c.Verify.Verifier = verify.Checksum(crypto.RIPEMD160, sum) },
			[]string{"RIPEMD-160", "import"},
		},
		"no hash":           {func(c *host.Config) { c.Verify.Verifier = verify.SumsFile(0, "SHA256SUMS") }, []string{"import"}},
		"a nil function":    {func(c *host.Config) { c.Verify.Verifier = verify.Func(nil) }, []string{"verify.Func", "nil"}},
		"nothing to verify": {func(c *host.Config) { c.Command = host.Cmd{}; c.Runner = never }, []string{"Config.Command"}},
		"a cache of nothing": {
			func(c *host.Config) { c.Verify.Verifier = nil; c.Verify.Cache = new(verify.Cache) },
			[]string{"Config.Verify.Cache", "Verifier"},
		},
		"directories for nothing": {
			func(c *host.Config) { c.Verify.Verifier = nil; c.Verify.Dirs = []string{os.TempDir()} },
			[]string{"Config.Verify.Dirs", "Verifier"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(t, "serve", "")
			cfg.Verify.Verifier = verify.Checksum(crypto.SHA256, sum)
			test.change(&cfg)
			failure := fail(t, within(t), cfg)
			if failure.Stage != host.StageConfigure {
				t.Errorf("stage %s", failure.Stage)
			}
			mention(t, failure, test.parts...)
		})
	}
}

func never(runner.Command) (runner.Runner, error) { return nil, errors.New("never") }

func TestProgramThatIsNotThereFailsAsWithoutVerification(t *testing.T) {
	cfg := config(t, "serve", "")
	cfg.Command.Path = filepath.Join(t.TempDir(), "missing")
	cfg.Verify.Verifier = verify.Checksum(crypto.SHA256, make([]byte, sha256.Size))
	failure := fail(t, within(t), cfg)
	var start *runner.StartError
	if failure.Stage != host.StageStart || !errors.As(failure, &start) || !errors.Is(failure, fs.ErrNotExist) {
		t.Errorf("stage %s, %v", failure.Stage, failure)
	}
}

func TestVerifiedPluginKeepsItsName(t *testing.T) {
	cfg, sum := installed(t)
	cfg.Verify.Verifier = verify.Checksum(crypto.SHA256, sum)
	cfg.Name = ""
	client := launch(t, cfg)
	if got := call(t, client, "name", ""); got != cfg.Command.Path {
		t.Errorf("its argument 0 is %q", got)
	}
	if client.Name() != filepath.Base(cfg.Command.Path) {
		t.Errorf("it is called %q", client.Name())
	}
}

func init() {
	objects["name"] = func(context.Context, string) (string, error) { return os.Args[0], nil }
	objects["getenv now"] = func(_ context.Context, key string) (string, error) {
		value, ok := os.LookupEnv(key)
		return fmt.Sprintf("%s %t", value, ok), nil
	}
}
