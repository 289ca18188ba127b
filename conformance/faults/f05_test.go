//go:build unix

package faults

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/runner"
)

// TestF5: a start fails, and the same client tries again.
func TestF5(t *testing.T) {
	t.Run("goplugin", testF5GoPlugin)
	t.Run("jackfield", testF5Jackfield)
}

func testF5GoPlugin(t *testing.T) {
	w := newWorld(t)
	missing := func(config *goplugin.ClientConfig) {
		config.Cmd = exec.Command(filepath.Join(w.dir, "missing"))
	}
	tests := []struct {
		name  string
		do    func(*goplugin.ClientConfig)
		first string
	}{
		{"the plugin leaves", nil, "Failed to read any lines from plugin's stdout"},
		{"no such file", missing, "no such file or directory"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := w.goplugin(t, "leaver", "", test.do)
			_, first := s.Start()
			_, second := s.Start()
			if first == nil || second == nil {
				t.Fatalf("the start succeeded: %v, %v", first, second)
			}
			t.Logf("first: %v", first)
			t.Logf("second: %v", second)
			if !strings.Contains(first.Error(), test.first) {
				t.Errorf("first: got %q, expected %q in it", first, test.first)
			}
			if second.Error() != "exec: Stdout already set" {
				t.Errorf("second: got %q", second)
			}
			if strings.Contains(first.Error(), leaverReason) || strings.Contains(second.Error(), leaverReason) {
				t.Error("an error contains the plugin's standard error")
			}
		})
	}
}

// testF5Jackfield launches the same configuration again: both errors state the reason, and
// after the reason is removed the launch succeeds.
func testF5Jackfield(t *testing.T) {
	t.Run("the plugin leaves", func(t *testing.T) {
		cfg, log := newWorld(t).jackfield(t, "leaver", "")
		for range 2 {
			_, err := host.Launch(bounded(t), cfg)
			var exit *core.ExitError
			if !errors.As(err, &exit) || exit.Code != leaverStatus || !strings.Contains(err.Error(), leaverReason) {
				t.Errorf("got %v, expected status %d and %q", err, leaverStatus, leaverReason)
			}
		}
		if text := log.loud.String(); text != "" {
			t.Errorf("logged the text of the error: %s", text)
		}
	})
	t.Run("no such file", func(t *testing.T) {
		w := newWorld(t)
		cfg, log := w.jackfield(t, "jackfield/plugin", "")
		self := cfg.Command.Path
		cfg.Command.Path = filepath.Join(w.dir, "missing")
		for range 2 {
			_, err := host.Launch(bounded(t), cfg)
			var start *runner.StartError
			if !errors.As(err, &start) || !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("got %v, expected a runner.StartError for a missing file", err)
			}
		}
		if err := os.Symlink(self, cfg.Command.Path); err != nil {
			t.Fatal(err)
		}
		s := launchConfig(t, cfg)
		s.log = log
		s.expectAlive(t)
		s.closeInOrder(t)
		w.expectGone(t)
	})
}
