//go:build unix

// Package debug_test runs the plugin under Delve, as docs/debugging.md describes it.
package debug_test

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core/handshake"
)

// patience limits what must not hang.
const patience = time.Minute

// delve returns the program.
func delve(t *testing.T) string {
	t.Helper()
	built, err := filepath.Abs("../../bin/dlv")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(built); err == nil {
		return built
	}
	found, err := exec.LookPath("dlv")
	if err != nil {
		t.Skip("needs: dlv (make bin/dlv)")
	}
	return found
}

func build(t *testing.T, out, source string, flags ...string) {
	t.Helper()
	arguments := append(append([]string{"build", "-o", out}, flags...), source)
	if text, err := exec.CommandContext(t.Context(), "go", arguments...).CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", source, err, text)
	}
}

// commands are typed into Delve. The call has no limit while it stands at the breakpoint.
const commands = `break main.greeter.Greet
continue
print req.Name
clearall
continue
exit
`

func TestPluginIsCalledUnderDelve(t *testing.T) {
	dlv := delve(t)
	dir := t.TempDir()
	plugin, host, script := filepath.Join(dir, "plugin"), filepath.Join(dir, "host"), filepath.Join(dir, "commands")
	build(t, plugin, "./plugin", "-gcflags=all=-N -l")
	build(t, host, "./host")
	if err := os.WriteFile(script, []byte(commands), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	debugger := exec.CommandContext(ctx, dlv, "exec", "--allow-non-terminal-interactive=true", "--init", script, plugin, "--", "-debug")
	debugger.Env = append(os.Environ(), "HOME="+dir) // its history and settings
	reading, writing, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Close()
	debugger.Stdout, debugger.Stderr = writing, writing
	if err := debugger.Start(); err != nil {
		t.Fatal(err)
	}
	writing.Close()
	output := bufio.NewReader(reading)

	data, pid := pasted(t, output)
	caller := exec.CommandContext(ctx, host)
	caller.Env = append(os.Environ(), "HELLO_REATTACH="+data)
	greeting, err := caller.CombinedOutput()
	if err != nil || string(greeting) != "Hello, world!\n" {
		t.Errorf("the host prints %q, %v", greeting, err)
	}
	if err := syscall.Kill(pid, syscall.SIGINT); err != nil { // a person's Ctrl-C
		t.Error(err)
	}
	rest, err := io.ReadAll(output)
	if err != nil {
		t.Error(err)
	}
	if err := debugger.Wait(); err != nil {
		t.Errorf("Delve: %v", err)
	}
	for _, want := range []string{"main.greeter.Greet", `"world"`, "has exited with status 0"} {
		if !strings.Contains(string(rest), want) {
			t.Errorf("Delve does not say %q:\n%s", want, rest)
		}
	}
}

// pasted reads the line that a person pastes into a shell, and returns the variable's value and the
// plugin's process.
func pasted(t *testing.T, output *bufio.Reader) (data string, pid int) {
	t.Helper()
	for {
		line, err := output.ReadString('\n')
		if err != nil {
			t.Fatalf("no line to paste: %v", err)
		}
		_, value, ok := strings.Cut(strings.TrimSpace(line), "export HELLO_REATTACH=")
		if !ok {
			continue
		}
		data = strings.Trim(value, "'")
		plugins, err := handshake.ParseReattach(data)
		if err != nil {
			t.Fatal(err)
		}
		if pid, err = strconv.Atoi(plugins["hello"].ID); err != nil {
			t.Fatal(err)
		}
		return data, pid
	}
}
