//go:build unix

package faults

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// These variables give a process its role.
const (
	roleVariable     = "JACKFIELD_FAULTS_ROLE"
	argumentVariable = "JACKFIELD_FAULTS_ARGUMENT"
	worldVariable    = "JACKFIELD_FAULTS_WORLD"
)

// These are the exit statuses of an interrupted or impossible role.
const (
	exitBadRole = 97
	exitWorld   = 98
)

// world is a directory shared by one test and all processes below it. It contains their
// temporary files, a lifeline that ends every process with the test, and a file for each
// process. The process keeps its file locked while it runs.
type world struct {
	dir string
}

// newWorld makes a world for the duration of the test. It fails the test if a process
// outlives it.
func newWorld(t *testing.T) world {
	t.Helper()
	// t.TempDir would make the names of sockets too long.
	dir, err := os.MkdirTemp("", "jf") //nolint:usetesting // TempDir's paths are too long
	if err != nil {
		t.Fatal(err)
	}
	w := world{dir: dir}
	for _, sub := range []string{w.temporary(), w.processes()} {
		if err := os.Mkdir(sub, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(w.lifeline(), 0o600); err != nil {
		t.Fatal(err)
	}
	held, err := os.OpenFile(w.lifeline(), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = held.Close()
		w.mourn(t)
		_ = os.RemoveAll(dir)
	})
	return w
}

func (w world) temporary() string { return filepath.Join(w.dir, "t") }
func (w world) processes() string { return filepath.Join(w.dir, "p") }
func (w world) lifeline() string  { return filepath.Join(w.dir, "lifeline") }

// environment returns the complete environment of a process in a role of this world.
// Nothing of the test's own environment gets in.
func (w world) environment(role, argument string) []string {
	// Otherwise race-instrumented programs sleep for a second at their end.
	race := "atexit_sleep_ms=0"
	if strings.HasPrefix(role, "goplugin/") {
		// A multiplexed plugin on go-plugin has a data race at its end.
		race += " exitcode=0 log_path=" + filepath.Join(w.dir, "race")
	}
	return []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + w.dir,
		"TMPDIR=" + w.temporary(),
		"GORACE=" + race,
		worldVariable + "=" + w.dir,
		roleVariable + "=" + role,
		argumentVariable + "=" + argument,
	}
}

// join makes this process part of a world: it ends with the test.
func (w world) join() error {
	record, err := os.Create(filepath.Join(w.processes(), strconv.Itoa(os.Getpid())))
	if err != nil {
		return err
	}
	// The lock ends with the process, in any case; no child inherits it.
	if err := syscall.Flock(int(record.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	// Without O_NONBLOCK this would block after the end of a test.
	line, err := os.OpenFile(w.lifeline(), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, line)
		_ = record.Close() // keeps it open until here
		os.Exit(exitWorld)
	}()
	return nil
}

// mourn waits for every joined process, and kills those that do not end.
func (w world) mourn(t *testing.T) {
	t.Helper()
	entries, err := os.ReadDir(w.processes())
	if err != nil {
		t.Error(err)
	}
	for _, entry := range entries {
		if poll(5*time.Second, func() bool { return !w.running(entry.Name()) }) {
			continue
		}
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			t.Error(err)
			continue
		}
		t.Errorf("process %d had to be killed", pid)
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// running reports whether the joined process with this ID still runs. A dead process does
// not run, even if no parent has waited for it.
func (w world) running(pid string) bool {
	record, err := os.Open(filepath.Join(w.processes(), pid))
	if err != nil {
		return false
	}
	defer func() { _ = record.Close() }()
	err = syscall.Flock(int(record.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	return errors.Is(err, syscall.EWOULDBLOCK)
}

// sockets lists the socket files left by processes of this world.
func (w world) sockets(t *testing.T) []string {
	t.Helper()
	paths, err := w.listSockets()
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func (w world) listSockets() ([]string, error) {
	var paths []string
	err := filepath.WalkDir(w.temporary(), func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type()&os.ModeSocket != 0 {
			paths = append(paths, path)
		}
		return err
	})
	return paths, err
}

// fifo makes a named pipe. Processes of this world wait on it with [world.wait]; release
// lets them continue.
func (w world) fifo(t *testing.T, name string) (release func()) {
	t.Helper()
	path := filepath.Join(w.dir, name)
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	held, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = held.Close() })
	return func() { _ = held.Close() }
}

// wait returns after the named pipe is released.
func (w world) wait(name string) error {
	held, err := os.OpenFile(filepath.Join(w.dir, name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer func() { _ = held.Close() }()
	_, err = io.Copy(io.Discard, held)
	return err
}

// poll repeats answer until it returns true or the limit passes, and returns the last
// answer.
func poll(limit time.Duration, answer func() bool) bool {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	end := time.NewTimer(limit)
	defer end.Stop()
	for {
		if answer() {
			return true
		}
		select {
		case <-ticker.C:
		case <-end.C:
			return answer()
		}
	}
}

// running starts run concurrently; the channel is closed after run returns.
func running(run func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		run()
	}()
	return done
}

// within reports whether done is closed before limit passes.
func within(limit time.Duration, done <-chan struct{}) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// firstLine returns the first line of text with part in it.
func firstLine(text, part string) string {
	scanner := bufio.NewScanner(strings.NewReader(text))
	for scanner.Scan() {
		if strings.Contains(scanner.Text(), part) {
			return scanner.Text()
		}
	}
	return ""
}
