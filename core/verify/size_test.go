package verify

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core/internal/testkit"
)

// sparse makes a program of that size: the head of this program and zeros behind it.
func sparse(t *testing.T, size int64) *os.File {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	from, err := os.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	file, err := os.OpenFile(filepath.Join(t.TempDir(), "greeter"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o700)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	if _, err := io.CopyN(file, from, 4096); err != nil {
		t.Fatal(err)
	}
	if err := file.Truncate(size); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestApproveRefusesALargeFileBeforeItCopies(t *testing.T) {
	const size = 3 << 30
	file := sparse(t, size)
	for name, test := range map[string]struct{ max, want int64 }{
		"by default":   {0, DefaultMaxBytes},
		"by a setting": {size - 1, size - 1},
	} {
		for kind, cache := range map[string]*Cache{"without a cache": nil, "with a cache": {}} {
			cfg := Config{
				MaxBytes: test.max,
				Cache:    cache,
				Dirs:     []string{filepath.Join(t.TempDir(), "missing")}, // a copy would fail otherwise
				Verifier: Func(func(context.Context, *Program) error {
					t.Errorf("%s, %s: the verifier was asked", name, kind)
					return nil
				}),
			}
			_, err := cfg.Approve(t.Context(), file, Target{})
			var large *SizeError
			if !errors.As(err, &large) {
				t.Fatalf("%s, %s: %v", name, kind, err)
			}
			if large.Path != file.Name() || large.Size != size || large.Max != test.want {
				t.Errorf("%s, %s: %+v", name, kind, large)
			}
			if !strings.Contains(large.DeveloperHint(), "Config.Verify.MaxBytes") || !strings.Contains(err.Error(), "install the right program") {
				t.Errorf("%s, %s: the error has no remedy: %v; %s", name, kind, err, large.DeveloperHint())
			}
		}
	}
}

func TestApproveTakesAFileOfTheLargestSize(t *testing.T) {
	const size = 8192
	file := sparse(t, size)
	cfg := Config{MaxBytes: size, Verifier: Func(func(context.Context, *Program) error { return nil })}
	approved, err := cfg.Approve(t.Context(), file, Target{})
	if err != nil {
		t.Fatal(err)
	}
	approved.Release()
}

// The cache keeps a copy that a configuration with a lower bound must not run.
func TestCacheKeepsCopiesOfEachBoundApart(t *testing.T) {
	const size = 8192
	file := sparse(t, size)
	var cache Cache
	defer cache.Close()
	cfg := Config{Cache: &cache, Verifier: Func(func(context.Context, *Program) error { return nil })}
	approved, err := cfg.Approve(t.Context(), file, Target{})
	if err != nil {
		t.Fatal(err)
	}
	defer approved.Release()
	cfg.MaxBytes = size - 1
	var large *SizeError
	if _, err := cfg.Approve(t.Context(), file, Target{}); !errors.As(err, &large) {
		t.Errorf("got %v", err)
	}
}

func TestSealCopiesNoMoreThanTheSizeThatItChecked(t *testing.T) {
	const checked = 8192
	file := sparse(t, 16*checked) // it grew since
	for name, cfg := range map[string]SealConfig{"by default": {}, "in a file": {Dirs: []string{testkit.ShortDir(t)}}} {
		s := &Sealed{
			from:   Origin{Path: file.Name(), Mode: 0o700},
			size:   checked,
			cfg:    cfg,
			filing: make(chan struct{}, 1),
		}
		if err := s.copy(t.Context(), file); err != nil {
			t.Fatal(err)
		}
		info, err := s.content().Stat()
		if err != nil || info.Size() != checked {
			t.Errorf("%s: %d bytes, %v", name, info.Size(), err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestConfigRefusesABoundThatMeansNothing(t *testing.T) {
	allowed := Func(func(context.Context, *Program) error { return nil })
	for _, cfg := range []Config{{MaxBytes: 1}, {Verifier: allowed, MaxBytes: -1}} {
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "MaxBytes") {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
}
