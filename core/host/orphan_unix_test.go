//go:build unix

package host_test

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core/host"
)

// dyingHost is a host in a process of its own, with one plugin.
type dyingHost struct {
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	stdout  io.ReadCloser
	witness *os.File // ends with the last process of the plugin's
	plugin  int
	base    string // has the directory for sockets
}

// startDyingHost starts a host whose plugin plays a role.
func startDyingHost(t *testing.T, death, role string) *dyingHost {
	t.Helper()
	return startWrapped(t, death, role, "nothing")
}

// startWrapped is startDyingHost with a program between the host and its plugin.
func startWrapped(t *testing.T, death, role, wrap string) *dyingHost {
	t.Helper()
	base := shortDir(t)
	path := filepath.Join(base, "witness")
	witness := makeWitness(t, path)
	sockets := filepath.Join(base, "s")
	if err := os.Mkdir(sockets, 0o700); err != nil {
		t.Fatal(err)
	}
	d := &dyingHost{cmd: exec.CommandContext(within(t), os.Args[0]), witness: witness, base: sockets}
	d.cmd.Env = append(os.Environ(), roleVariable+"=dying host", "GORACE=atexit_sleep_ms=0",
		argumentVariable+"="+strings.Join([]string{death, role, path, sockets, wrap}, "\n"))
	err := d.pipe()
	if err == nil {
		err = d.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.cmd.Process.Kill(); _ = d.cmd.Wait() })
	said, err := bufio.NewReader(d.stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if d.plugin, err = strconv.Atoi(strings.TrimSpace(said)); err != nil {
		t.Fatalf("the host said %q", said)
	}
	return d
}

func (d *dyingHost) pipe() (err error) {
	if d.stdin, err = d.cmd.StdinPipe(); err != nil {
		return err
	}
	d.stdout, err = d.cmd.StdoutPipe()
	return err
}

// die makes the host end, and waits for that.
func (d *dyingHost) die(t *testing.T) time.Time {
	t.Helper()
	_ = d.stdout.Close()
	begin := time.Now()
	if _, err := d.stdin.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	_ = d.cmd.Wait()
	return begin
}

// makeWitness makes a pipe for processes to hold.
func makeWitness(t *testing.T, path string) *os.File {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	witness, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = witness.Close() })
	return witness
}

// awaitEnd waits for the end of all processes that hold the pipe, and returns what they have written.
func awaitEnd(t *testing.T, witness *os.File) string {
	t.Helper()
	if err := witness.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(witness)
	if err != nil {
		t.Errorf("a process stays: %v", err)
	}
	return string(text)
}

// last returns the plugin's report, when all its processes have ended.
func (d *dyingHost) last(t *testing.T) string {
	t.Helper()
	report := awaitEnd(t, d.witness)
	if t.Failed() {
		_ = syscall.Kill(d.plugin, syscall.SIGKILL)
	}
	return report
}

const lastWords = "hooks ran\nmain ended\n"

func TestPluginLeavesInOrderWhenItsHostDies(t *testing.T) { // F12
	for death := range deaths {
		t.Run(death, func(t *testing.T) {
			t.Parallel()
			d := startDyingHost(t, death, "orphan")
			died := d.die(t)
			if got := d.last(t); got != lastWords {
				t.Errorf("the plugin reports %q", got)
			}
			t.Logf("gone %v after the host's last act", time.Since(died).Round(time.Millisecond))
			empty(t, d.base)
		})
	}
}

func TestPluginBehindAnotherProgramNoticesTheEndOfItsHost(t *testing.T) {
	for wrap := range wraps {
		t.Run(wrap, func(t *testing.T) {
			d := startWrapped(t, "SIGKILL", "orphan", wrap)
			d.die(t)
			if got := d.last(t); got != lastWords {
				t.Errorf("the plugin reports %q", got)
			}
			empty(t, d.base)
		})
	}
}

func TestPluginWithAHookThatHangsEndsAfterItsHost(t *testing.T) {
	d := startDyingHost(t, "SIGKILL", "slow orphan")
	d.die(t)
	d.last(t)
}

func TestGroupOfAPluginEndsAfterItsHost(t *testing.T) {
	d := startDyingHost(t, "SIGKILL", "orphan with a family")
	d.die(t)
	// The child ignores SIGTERM, so main does not go on.
	if got := d.last(t); got != "hooks ran\n" {
		t.Errorf("the plugin reports %q", got)
	}
}

func TestPluginOfAnotherLibraryEndsWithItsHost(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only where a parent's death is a signal")
	}
	d := startDyingHost(t, "SIGKILL", "foreign")
	d.die(t)
	d.last(t)
}

func TestPluginOutlivesItsHostIfBothSaySo(t *testing.T) {
	d := startDyingHost(t, "SIGKILL", "lasting")
	d.die(t)
	if path := sockets(t, d.base)[0]; visitAsHost(path) != nil {
		t.Error("it does not answer")
	}
	if err := syscall.Kill(d.plugin, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := d.last(t); got != lastWords {
		t.Errorf("the plugin reports %q", got)
	}
}

// visitAsHost connects to a plugin and asks for an answer.
func visitAsHost(path string) error {
	conn, err := net.Dial("unix", path)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "control\n1 ping\n"); err != nil {
		return err
	}
	_, err = bufio.NewReader(conn).ReadString('\n')
	return err
}

// A goroutine that ends with its thread locked takes the thread with it, and with that the parent of
// a process that it has started.
func TestPluginOutlivesTheThreadOfItsLaunch(t *testing.T) {
	for range 3 {
		launched := make(chan *host.Client)
		cfg := config(t, "serve", "")
		go func() {
			runtime.LockOSThread()
			client, err := host.Launch(within(t), cfg)
			if err != nil {
				t.Error(err)
			}
			launched <- client
		}()
		client := <-launched
		if client == nil {
			return
		}
		for range 3 {
			runtime.Gosched()
			if got := call(t, client, "echo", "hello"); got != "hello" {
				t.Errorf("got %q", got)
			}
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
}
