//go:build unix

package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/host"
)

// TestF19: the path of the temporary directory exceeds the limit for a socket's path.
func TestF19(t *testing.T) {
	t.Run("goplugin", testF19GoPlugin)
	t.Run("jackfield", testF19Jackfield)
}

// longDirectory makes a directory too deep for any socket.
func longDirectory(t *testing.T, w world) string {
	t.Helper()
	path := filepath.Join(w.temporary(), strings.Repeat("long", 27))
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func testF19GoPlugin(t *testing.T) {
	w := newWorld(t)
	long := longDirectory(t, w)
	s := w.goplugin(t, "goplugin/plugin", "", func(config *goplugin.ClientConfig) {
		config.Cmd.Env = append(config.Cmd.Env, "TMPDIR="+long)
	})
	_, err := s.Start()
	if err == nil {
		t.Fatal("the start succeeded")
	}
	s.Kill() // completes the log
	record, _ := s.log.Find("plugin init error")
	t.Logf("start: %v", err)
	t.Logf("the plugin's log: %v", record)
	for _, part := range []string{
		"Unrecognized remote plugin message: \nFailed to read any lines from plugin's stdout\n",
		"the plugin was not compiled for this architecture",
	} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("got %q, expected %q in it", err, part)
		}
	}
	for _, reason := range []string{"bind", "socket", long} {
		if strings.Contains(err.Error(), reason) {
			t.Errorf("the error gives the reason: %q", reason)
		}
	}
	if reason := fmt.Sprint(record.Value("error")); !strings.Contains(reason, "bind") {
		t.Errorf("the plugin's log does not give the reason: %s", reason)
	}
}

// testF19Jackfield gives the same directory to our host, and to our plugin under either
// host: they find a shorter directory, or ask for one.
func testF19Jackfield(t *testing.T) {
	t.Run("our plugin, go-plugin's host", func(t *testing.T) {
		w := newWorld(t)
		long := longDirectory(t, w)
		s := w.goplugin(t, "jackfield/plugin", "", func(config *goplugin.ClientConfig) {
			config.Cmd.Env = append(config.Cmd.Env, "TMPDIR="+long)
		})
		probe := s.mustProbe(t)
		if _, err := probe.Echo(bounded(t), "hello"); err != nil {
			t.Error(err)
		}
		socket := s.ReattachConfig().Addr.String()
		s.Kill()
		if _, err := os.Stat(filepath.Dir(socket)); !os.IsNotExist(err) {
			t.Errorf("the directory of %s stays behind: %v", socket, err)
		}
	})
	eachPlugin(t, func(t *testing.T, role string) {
		w := newWorld(t)
		t.Setenv("TMPDIR", longDirectory(t, w))
		cfg, log := w.jackfield(t, role, "")
		cfg.Sockets.Dirs = nil // the default: the temporary directory, and shorter ones
		cfg.Command.Env = append(cfg.Command.Env, "TMPDIR="+os.Getenv("TMPDIR"))
		s := launchConfig(t, cfg)
		s.log = log
		s.expectAlive(t)
		// Our plugin has unset the variable; go-plugin's plugin returns its value.
		dir, err := s.Env(bounded(t), handshake.EnvSocketDir)
		if err != nil {
			t.Error(err)
		}
		s.closeInOrder(t)
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("the directory %q stays behind: %v", dir, err)
		}
	})
	t.Run("our host, no other directory", func(t *testing.T) {
		w := newWorld(t)
		cfg, _ := w.jackfield(t, "jackfield/plugin", "")
		cfg.Sockets.Dirs = []string{longDirectory(t, w)}
		_, err := host.Launch(bounded(t), cfg)
		if err == nil {
			t.Fatal("the launch succeeded")
		}
		t.Log(err)
		for _, part := range []string{cfg.Sockets.Dirs[0], "choose a shorter directory"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("got %v, expected %q in it", err, part)
			}
		}
	})
}
