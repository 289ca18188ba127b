//go:build unix

package plugin_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/internal/lifeline"
	"github.com/jackfield-go/jackfield/core/internal/testkit"
	"github.com/jackfield-go/jackfield/core/plugintest"
)

// hosted makes a directory with a lifeline, and returns the variables for it and the host's end.
func hosted(t *testing.T) (variables map[string]string, host *os.File) {
	t.Helper()
	dir := testkit.ShortDir(t)
	path := filepath.Join(dir, lifeline.File)
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	host, err := lifeline.Hold(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	return map[string]string{handshake.EnvSocketDir: dir, handshake.EnvLifeline: lifeline.File}, host
}

func TestRunLeavesInOrderAtTheEndOfItsHost(t *testing.T) {
	plugintest.NoLeaks(t)
	variables, host := hosted(t)
	s := surround(variables)
	var order []string
	s.env.Orphaned = func() { order = append(order, "orphaned") }
	cfg := config(new(faketransport.Transport))
	cfg.OnShutdown = []func(context.Context){func(context.Context) { order = append(order, "hook") }}
	r := run(t, s, cfg)
	if err := host.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.end(t); err != nil {
		t.Error(err)
	}
	if len(order) != 2 || order[0] != "orphaned" || order[1] != "hook" {
		t.Errorf("got the order %q", order)
	}
	gone(t, r.parsed(t).Address)
}

func TestRunIsNoOrphanAfterAnotherEnd(t *testing.T) {
	plugintest.NoLeaks(t)
	variables, _ := hosted(t)
	s := surround(variables)
	s.env.Orphaned = func() { t.Error("Orphaned was called") }
	r := run(t, s, config(new(faketransport.Transport)))
	r.cancel()
	if err := r.end(t); err != nil {
		t.Error(err)
	}
}

func TestRunOutlivesItsHostIfBothSaySo(t *testing.T) {
	for name, test := range map[string]struct{ plugin, host, outlives bool }{
		"both":       {true, true, true},
		"the host":   {false, true, false},
		"the plugin": {true, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			plugintest.NoLeaks(t)
			variables, host := hosted(t)
			if test.host {
				variables[handshake.EnvOutlive] = "true"
			}
			cfg := config(new(faketransport.Transport))
			cfg.Outlive = test.plugin
			r := run(t, surround(variables), cfg)
			if err := host.Close(); err != nil {
				t.Fatal(err)
			}
			if test.outlives {
				if err := r.dial(t).Ping(within(t)); err != nil {
					t.Error(err)
				}
				r.cancel()
			}
			if err := r.end(t); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRunServesWithALifelineThatItCannotUse(t *testing.T) {
	for name, value := range map[string]string{"missing": "missing", "elsewhere": "../x", "no pipe": "file"} {
		t.Run(name, func(t *testing.T) {
			variables, _ := hosted(t)
			variables[handshake.EnvLifeline] = value
			if err := os.WriteFile(filepath.Join(variables[handshake.EnvSocketDir], "file"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := run(t, surround(variables), config(new(faketransport.Transport))).dial(t).Ping(within(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// Both outputs have lost their readers with the host. The plugin, its main function after Serve and
// a child write to them all the same.
func TestOutputOfAnOrphanGoesNowhere(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	witness := filepath.Join(t.TempDir(), "witness")
	variables, host := hosted(t)
	env := []string{witnessVariable + "=" + witness}
	for name, value := range variables {
		env = append(env, name+"="+value)
	}
	cmd := exec.Command(self)
	cmd.Stderr = w
	p := connectedBy(t, cmd, env...)
	_ = w.Close()
	_ = r.Close()
	_ = p.hangUp()
	_ = host.Close()
	_ = p.cmd.Wait()
	if status := p.cmd.ProcessState; !status.Success() {
		t.Errorf("the plugin ended otherwise: %v", status)
	}
	if text, err := os.ReadFile(witness); string(text) != "<nil>" {
		t.Errorf("the child of the shutdown function: %s, %v", text, err)
	}
	gone(t, p.address)
}
