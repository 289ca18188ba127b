package files_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/discovery/internal/files"
)

// counterVariable makes this binary a process with a counter in the named file.
const counterVariable = "ATOMICFILE_TEST_COUNTER"

// waitVariable makes this binary a process that ends with its standard input.
const waitVariable = "ATOMICFILE_TEST_WAIT"

const rounds = 10

func TestMain(m *testing.M) {
	if path := os.Getenv(counterVariable); path != "" {
		for range rounds {
			if err := count(context.Background(), path); err != nil {
				os.Stderr.WriteString(err.Error())
				os.Exit(1)
			}
		}
		os.Exit(0)
	}
	if os.Getenv(waitVariable) != "" {
		_, _ = os.Stdout.WriteString("running\n")
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// count adds one to the number in a file.
func count(ctx context.Context, path string) error {
	unlock, err := files.Lock(ctx, path)
	if err != nil {
		return err
	}
	defer unlock()
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(string(data))
	if err != nil {
		return err
	}
	return files.Write(path, []byte(strconv.Itoa(n+1)), 0o600)
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestLockMakesProcessesAndGoroutinesTakeTurns(t *testing.T) {
	const processes, goroutines = 8, 4
	path := filepath.Join(t.TempDir(), "counter")
	if err := os.WriteFile(path, []byte("0"), 0o600); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range processes {
		group.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), counterVariable+"="+path)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	for range goroutines {
		group.Go(func() {
			for range rounds {
				if err := count(t.Context(), path); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	data, err := os.ReadFile(path)
	if want := strconv.Itoa((processes + goroutines) * rounds); err != nil || string(data) != want {
		t.Errorf("counted to %s, want %s: %v", data, want, err)
	}
}

func TestLockEndsItsWaitWithTheContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	unlock, err := files.Lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := files.Lock(ctx, path); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	unlock()
	unlock, err = files.Lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

func TestLockWithoutADirectoryFails(t *testing.T) {
	if _, err := files.Lock(t.Context(), filepath.Join(t.TempDir(), "none", "file")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// A reader never sees a part, and nothing stays behind.
func TestWriteReplacesAtOnce(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	contents := [][]byte{bytes.Repeat([]byte("a"), 1<<16), bytes.Repeat([]byte("b"), 1<<15)}
	if err := files.Write(path, contents[0], 0o640); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			data, err := files.Read(path, 1<<20) // a plain read fails on Windows during a replacement
			if err != nil || !bytes.Equal(data, contents[0]) && !bytes.Equal(data, contents[1]) {
				t.Errorf("read %d bytes, %v", len(data), err)
				return
			}
		}
	})
	for i := range 50 {
		if err := files.Write(path, contents[i%2], 0o640); err != nil {
			t.Error(err)
		}
	}
	close(done)
	reader.Wait()
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("left behind: %q", got)
	}
}

func TestWriteThatFailsLeavesTheFileAsItWas(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "file") // a directory with files cannot be replaced
	if err := os.MkdirAll(filepath.Join(target, "inside"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := files.Write(target, []byte("new"), 0o600); err == nil {
		t.Error("it was replaced")
	}
	if got := names(t, dir); len(got) != 1 || got[0] != "file" {
		t.Errorf("there are %q", got)
	}
}

// Windows does not replace a running program, nor remove it.
func TestReplaceOfARunningProgram(t *testing.T) {
	dir := t.TempDir()
	path, next, aside := filepath.Join(dir, "program.exe"), filepath.Join(dir, "next"), filepath.Join(dir, "aside")
	program, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{path: program, next: []byte("next")} {
		if err := os.WriteFile(name, content, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), path)
	cmd.Env = append(os.Environ(), waitVariable+"=1")
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
	if _, err := stdout.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := files.Replace(next, path, aside); err != nil {
		t.Error(err)
	}
	if content, err := files.Read(path, 10); string(content) != "next" {
		t.Errorf("there is %q, %v", content, err)
	}
	_ = stdin.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if err := files.Remove(aside); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
