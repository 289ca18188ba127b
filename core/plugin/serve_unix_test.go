//go:build unix

package plugin_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/plugintest"
)

// process is the test binary as a plugin, seen from nearer than a host does.
type process struct {
	cmd     *exec.Cmd
	stdout  *bufio.Reader // the process's own
	hangUp  func() error  // ends stdout's reading end
	stderr  lockedBuffer
	address string
	session core.Session
	printed struct{ stdout, stderr bytes.Buffer } // through the transport
}

// start starts a role.
func start(t *testing.T, role string, env ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return startCommand(t, exec.Command(self), role, env...)
}

// startCommand starts the test binary in a role by a command of the caller's.
func startCommand(t *testing.T, cmd *exec.Cmd, role string, env ...string) *process {
	t.Helper()
	p := &process{cmd: cmd}
	p.cmd.Env = append(os.Environ(), roleVariable+"="+role, "GORACE=atexit_sleep_ms=0")
	p.cmd.Env = append(p.cmd.Env, env...)
	if p.cmd.Stderr == nil {
		p.cmd.Stderr = &p.stderr
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout = w
	err = p.cmd.Start()
	_ = w.Close()
	if err != nil {
		t.Fatal(err)
	}
	p.stdout, p.hangUp = bufio.NewReader(r), r.Close
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		_ = r.Close()
	})
	return p
}

// connected starts a plugin and connects to it.
func connected(t *testing.T) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return connectedBy(t, exec.Command(self))
}

// connectedBy is connected with a command of the caller's.
func connectedBy(t *testing.T, cmd *exec.Cmd, env ...string) *process {
	t.Helper()
	p := startCommand(t, cmd, "serve", append(env, cookie.MagicCookieKey+"="+cookie.MagicCookieValue,
		handshake.EnvProtocolVersions+"=1", handshake.EnvMinPort+"=1", handshake.EnvMaxPort+"=2")...)
	text, err := p.stdout.ReadString('\n')
	if err != nil {
		t.Fatalf("%v, %s", err, p.stderr.String())
	}
	line, err := handshake.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	p.address = line.Address
	p.session = dial(t, line, &p.printed.stdout, &p.printed.stderr)
	return p
}

func (p *process) call(t *testing.T, object, argument string) string {
	t.Helper()
	dispensed, err := p.session.Dispense(within(t), object)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := dispensed.(*faketransport.Client).Call(within(t), argument)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// end reads what is left of stdout, and returns it with the exit status.
func (p *process) end(t *testing.T) (rest string, status int) {
	t.Helper()
	text, err := io.ReadAll(p.stdout)
	if err != nil {
		t.Error(err)
	}
	err = p.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Error(err)
	}
	return string(text), p.cmd.ProcessState.ExitCode()
}

func TestServeExplainsAProgramRunByHand(t *testing.T) {
	p := start(t, "serve")
	stdout, status := p.end(t)
	if stdout != "" || status != 1 {
		t.Errorf("status %d, stdout %q", status, stdout)
	}
	text := p.stderr.String()
	for _, part := range []string{"this program is a plugin", "not meant to be run by hand", cookie.MagicCookieKey} {
		if !strings.Contains(text, part) {
			t.Errorf("stderr does not mention %q: %s", part, text)
		}
	}
}

func TestServeReportsAnInvalidConfigurationOnStderr(t *testing.T) {
	p := start(t, "broken", cookie.MagicCookieKey+"="+cookie.MagicCookieValue)
	stdout, status := p.end(t)
	if stdout != "" || status != 1 || !strings.Contains(p.stderr.String(), "Versions is empty") {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, p.stderr.String())
	}
}

func TestStdoutGetsTheHandshakeLineAlone(t *testing.T) {
	plugintest.NoLeaks(t)
	p := connected(t)
	p.call(t, "print", "printed\n")
	p.call(t, "descriptor", "raw\n")
	p.call(t, "child", "")
	if err := p.session.Quit(within(t)); err != nil {
		t.Fatal(err)
	}
	_ = p.session.Close()
	rest, status := p.end(t)
	if rest != "after Serve\nby its old name\n" || status != 0 {
		t.Errorf("status %d, then stdout %q", status, rest)
	}
	const want = "while it starts\nraw, while it starts\nprinted\nraw\na child's line\na last word\n"
	if got := p.printed.stdout.String(); got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
	if got := p.printed.stderr.String(); got != "printed\n" {
		t.Errorf("printed on stderr %q", got)
	}
	if got := p.stderr.String(); got != "log after Serve\n" {
		t.Errorf("stderr %q", got)
	}
}

func TestReplacedStdoutIsNotWhereTheLineGoes(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "stdout")
	p := connectedBy(t, exec.Command(self), replacedVariable+"="+file)
	p.call(t, "print", "printed\n")
	if err := p.session.Quit(within(t)); err != nil {
		t.Fatal(err)
	}
	_ = p.session.Close()
	if rest, status := p.end(t); rest != "by its old name\n" || status != 0 {
		t.Errorf("status %d, then stdout %q", status, rest)
	}
	const want = "while it starts\nraw, while it starts\nprinted\na last word\n"
	if got := p.printed.stdout.String(); got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
	if text, err := os.ReadFile(file); string(text) != "after Serve\n" {
		t.Errorf("after Serve the file has %q, %v", text, err)
	}
}

func TestSIGTERMEndsServeAndRemovesTheSocket(t *testing.T) { // F10
	signalEndsServe(t, syscall.SIGTERM)
}

func TestSIGHUPEndsServeAndRemovesTheSocket(t *testing.T) { signalEndsServe(t, syscall.SIGHUP) }

func signalEndsServe(t *testing.T, sig os.Signal) {
	t.Helper()
	heeds(t, sig)
	p := connected(t)
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	rest, status := p.end(t)
	if rest != "after Serve\nby its old name\n" || status != 0 {
		t.Errorf("status %d, stdout %q", status, rest)
	}
	gone(t, p.address)
	<-p.session.Done()
	if !strings.HasSuffix(p.printed.stdout.String(), "a last word\n") {
		t.Errorf("printed %q", &p.printed.stdout)
	}
}

// heeds makes started programs begin with the default for a signal, even if this one
// was started under nohup: handled signals are not inherited, and ignored ones are.
func heeds(t *testing.T, sig os.Signal) {
	t.Helper()
	handled := make(chan os.Signal, 1)
	signal.Notify(handled, sig)
	t.Cleanup(func() { signal.Stop(handled) })
}

// nohup starts programs with SIGHUP ignored.
func TestSIGHUPStaysIgnoredUnderNohup(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := connectedBy(t, exec.Command("/bin/sh", "-c", `trap "" HUP; exec "$0"`, self))
	for range 3 {
		if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.session.Ping(within(t)); err != nil {
		t.Error(err)
	}
	if err := p.session.Quit(within(t)); err != nil {
		t.Error(err)
	}
	_ = p.session.Close()
	if _, status := p.end(t); status != 0 {
		t.Errorf("status %d", status)
	}
}

// The reading ends of both outputs end with the host, and the plugin logs that it
// leaves.
func TestSIGTERMEndsServeInOrderWithoutAHost(t *testing.T) {
	for name, sig := range map[string]os.Signal{"SIGTERM": syscall.SIGTERM, "SIGHUP": syscall.SIGHUP} {
		t.Run(name, func(t *testing.T) {
			heeds(t, sig)
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			witness := filepath.Join(t.TempDir(), "witness")
			cmd := exec.Command(self)
			cmd.Stderr = w
			p := connectedBy(t, cmd, witnessVariable+"="+witness)
			_ = w.Close()
			_ = p.session.Close()
			_ = r.Close()
			_ = p.hangUp()
			if err := p.cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			_ = p.cmd.Wait()
			if _, err := os.Stat(witness); err != nil {
				t.Errorf("the shutdown functions did not run: %v, %v", err, p.cmd.ProcessState)
			}
			gone(t, p.address)
			if p.cmd.ProcessState.ExitCode() != 3 { // the role's, for a failed write
				t.Errorf("the plugin ended otherwise: %v", p.cmd.ProcessState)
			}
		})
	}
}

func TestInterruptsDoNotEndServe(t *testing.T) {
	p := connected(t)
	for range 3 {
		if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.session.Ping(within(t)); err != nil {
		t.Error(err)
	}
	if err := p.session.Quit(within(t)); err != nil {
		t.Error(err)
	}
	_ = p.session.Close()
	if _, status := p.end(t); status != 0 {
		t.Errorf("status %d", status)
	}
}

func TestChildrenOfAPluginDoNotInheritTheProtocolsVariables(t *testing.T) {
	if left := connected(t).call(t, "environment", ""); left != "" {
		t.Errorf("the environment still has %s", left)
	}
}
