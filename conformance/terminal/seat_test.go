//go:build linux || darwin

package terminal

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// patience bounds each wait of a test.
const patience = time.Minute

// seat is a person's place at a terminal.
type seat struct {
	t        *testing.T
	master   *os.File // keyboard and screen
	terminal *os.File // the other side, for its modes
	commands *os.File // to the shell
	reports  <-chan string

	mu      sync.Mutex
	shown   []byte // on the screen
	seen    int    // bytes before the expected ones
	changed chan struct{}
}

// seating is the first process at a seat.
type seating struct {
	role string
	attr syscall.SysProcAttr
}

// atTheTerminal are the attributes of a process with the terminal.
var atTheTerminal = syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}

// sit starts the shell with the host at a new terminal.
func sit(t *testing.T, args ...string) *seat {
	t.Helper()
	return take(t, seating{role: "shell", attr: atTheTerminal}, args...)
}

// take starts the first process at a new terminal.
func take(t *testing.T, first seating, args ...string) *seat {
	t.Helper()
	master, terminal, err := pty.Open()
	if err != nil {
		t.Skip("needs: pseudo-terminals: ", err)
	}
	if err := pty.Setsize(master, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	reports, reporting := newPipe(t)
	commands, commanding := newPipe(t)
	ctx, cancel := context.WithCancel(context.Background())
	process := exec.CommandContext(ctx, os.Args[0], args...)
	process.Env = append(os.Environ(), roleVariable+"="+first.role)
	process.Stdin, process.Stdout, process.Stderr = terminal, terminal, terminal
	process.ExtraFiles = []*os.File{reporting, commands}
	process.SysProcAttr = &first.attr
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	_ = reporting.Close()
	_ = commands.Close()
	s := &seat{
		t: t, master: master, terminal: terminal, commands: commanding,
		reports: lines(reports), changed: make(chan struct{}, 1),
	}
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		s.watch()
	}()
	t.Cleanup(func() {
		cancel()
		_ = process.Wait()
		_ = terminal.Close()
		_ = master.Close() // the processes of the session get SIGHUP
		<-watched
		for range s.reports { // until shell and host have ended
		}
		if t.Failed() {
			t.Logf("the screen shows %q", s.shown)
		}
	})
	return s
}

func newPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = r.Close()
		_ = w.Close()
	})
	return r, w
}

func lines(from *os.File) <-chan string {
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(from); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	return lines
}

// watch reads the screen.
func (s *seat) watch() {
	buffer := make([]byte, 4096)
	for {
		n, err := s.master.Read(buffer)
		s.mu.Lock()
		s.shown = append(s.shown, buffer[:n]...)
		s.mu.Unlock()
		select {
		case s.changed <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// sees waits until the screen shows a text after the last one.
func (s *seat) sees(text string) {
	s.t.Helper()
	limit := time.After(patience)
	for {
		s.mu.Lock()
		at := bytes.Index(s.shown[s.seen:], []byte(text))
		if at >= 0 {
			s.seen += at + len(text)
		}
		s.mu.Unlock()
		if at >= 0 {
			return
		}
		select {
		case <-s.changed:
		case <-limit:
			s.t.Fatalf("the screen does not show %q", text)
		}
	}
}

// everything is all that the screen has shown.
func (s *seat) everything() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.shown)
}

func (s *seat) types(keys string) {
	s.t.Helper()
	if _, err := s.master.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// commands the shell.
func (s *seat) command(line string) {
	s.t.Helper()
	if _, err := fmt.Fprintln(s.commands, line); err != nil {
		s.t.Fatal(err)
	}
}

// hears compares the next report with a text, its beginning if that ends with three dots.
func (s *seat) hears(want string) {
	s.t.Helper()
	select {
	case got := <-s.reports:
		prefix, open := strings.CutSuffix(want, "...")
		if got != want && !(open && strings.HasPrefix(got, prefix)) {
			s.t.Fatalf("the report is %s, want %s", got, want)
		}
	case <-time.After(patience):
		s.t.Fatalf("no report, want %s", want)
	}
}

// leaves waits for the end of the host, which must have the terminal as it was.
func (s *seat) leaves() {
	s.t.Helper()
	s.hears("afterwards foreground: true, echo: true")
	s.hears("closed: <nil>")
	s.hears("interrupted: false")
	s.hears("host ended with 0")
}
