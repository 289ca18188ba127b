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

// The variables that cast a process in a role.
const (
	roleVariable     = "JACKFIELD_FAULTS_ROLE"
	argumentVariable = "JACKFIELD_FAULTS_ARGUMENT"
	worldVariable    = "JACKFIELD_FAULTS_WORLD"
)

// Exit statuses of a role that did not get to play, or was cut short.
const (
	exitBadRole = 97
	exitWorld   = 98
)

// world is what one test and the processes that it starts, directly or not, have
// in common: a directory. In it are their temporary files, a lifeline that ends
// every process when the test does, and a file for each process that stays
// locked while it runs.
type world struct {
	dir string
}

// newWorld makes a world that ends with the test, and fails the test if a
// process outlives it.
func newWorld(t *testing.T) world {
	t.Helper()
	// Not t.TempDir: the names of sockets below it have to stay short.
	dir, err := os.MkdirTemp("", "jf") //nolint:usetesting // as just said
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

// environment casts a process in a role of this world. It is the whole of the
// process's environment, so that nothing of the test's own gets in.
func (w world) environment(role, argument string) []string {
	// Race-instrumented programs sleep for a second at their end otherwise.
	race := "atexit_sleep_ms=0"
	if strings.HasPrefix(role, "goplugin/") {
		// A multiplexed go-plugin plugin has a data race at its end.
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

// join makes this process part of a world: it ends when the test does.
func (w world) join() error {
	record, err := os.Create(filepath.Join(w.processes(), strconv.Itoa(os.Getpid())))
	if err != nil {
		return err
	}
	// The lock goes with the process, however that ends; nothing inherits it.
	if err := syscall.Flock(int(record.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	// Without O_NONBLOCK this would wait for a test that has just ended.
	line, err := os.OpenFile(w.lifeline(), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, line)
		_ = record.Close() // here to keep it open until now
		os.Exit(exitWorld)
	}()
	return nil
}

// mourn waits for every process that joined, and kills what does not end.
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

// running says whether the process with that ID, which joined, still runs. One
// that nobody waited for does not.
func (w world) running(pid string) bool {
	record, err := os.Open(filepath.Join(w.processes(), pid))
	if err != nil {
		return false
	}
	defer func() { _ = record.Close() }()
	err = syscall.Flock(int(record.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	return errors.Is(err, syscall.EWOULDBLOCK)
}

// sockets lists the socket files that processes of this world made and left.
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

// fifo makes a pipe with a name that processes of this world can wait on with
// [world.wait]; release lets them go.
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

// wait returns when the pipe of that name is released.
func (w world) wait(name string) error {
	held, err := os.OpenFile(filepath.Join(w.dir, name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer func() { _ = held.Close() }()
	_, err = io.Copy(io.Discard, held)
	return err
}

// poll asks until the answer is yes or limit is over, and returns the answer.
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

// running starts run beside the test; the channel is closed when it returned.
func running(run func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		run()
	}()
	return done
}

// within says whether done is closed before limit is over.
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

// firstLine is the first line of text that contains part.
func firstLine(text, part string) string {
	scanner := bufio.NewScanner(strings.NewReader(text))
	for scanner.Scan() {
		if strings.Contains(scanner.Text(), part) {
			return scanner.Text()
		}
	}
	return ""
}
