package grpc_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/scenario"
)

// patience bounds what must not hang.
const patience = 30 * time.Second

// programs are the peers' paths, set by TestMain before any test.
var programs struct{ ourPlugin, theirPlugin, theirHost string }

// TestMain builds the peers, once.
func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "jackfield-peers")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for _, program := range []struct {
		path         *string
		name, source string
		flags        []string
	}{
		{&programs.ourPlugin, "ourplugin", "./ourplugin", raceFlags()},
		{&programs.theirPlugin, "plugin", "../goplugingrpc/plugin", nil},
		{&programs.theirHost, "host", "../goplugingrpc/host", nil},
	} {
		*program.path = filepath.Join(dir, program.name)
		if runtime.GOOS == "windows" {
			*program.path += ".exe"
		}
		arguments := slices.Concat([]string{"build", "-o", *program.path}, program.flags, []string{program.source})
		if output, err := exec.CommandContext(context.Background(), "go", arguments...).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", program.name, err, output)
			return 1
		}
	}
	return m.Run()
}

// setting is how a plugin is launched.
type setting struct {
	multiplexed, secured bool
}

func settings() []setting {
	return []setting{{}, {multiplexed: true}, {secured: true}, {multiplexed: true, secured: true}}
}

// String is the setting's name.
func (s setting) String() string {
	text := "plain"
	if s.multiplexed {
		text = "multiplexed"
	}
	if s.secured {
		text += ",AutoMTLS"
	}
	return text
}

// eachSetting runs a test in each.
func eachSetting(t *testing.T, test func(*testing.T, setting)) {
	t.Helper()
	for _, s := range settings() {
		t.Run(s.String(), func(t *testing.T) { test(t, s) })
	}
}

// names are the scenarios to run in a setting, on a plugin of ours or another.
func (s setting) names(ours, fatal bool) []string {
	return slices.DeleteFunc(scenario.Names(s.secured, fatal), func(name string) bool {
		if ours && name == "big-answer" {
			return true // "big" has it too, which other plugins fail
		}
		// The race detector lets large messages over yamux take as long as all the rest.
		return len(raceFlags()) > 0 && s.multiplexed && strings.HasPrefix(name, "big")
	})
}

// shortDir returns a directory that the names of sockets fit below, and that is
// removed with the test.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "jf") //nolint:usetesting // t.TempDir's paths are too long for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// expectEmpty expects that nothing was left in a directory for temporary files.
func expectEmpty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Error(err)
	}
	for _, entry := range entries {
		t.Errorf("left behind: %s", filepath.Join(dir, entry.Name()))
	}
}

// expectFarewell expects that the plugin came to an orderly end, or that it did
// not.
func expectFarewell(t *testing.T, path string, want bool) {
	t.Helper()
	text, err := os.ReadFile(path)
	if written := err == nil && bytes.Equal(text, []byte("served to the end\n")); written != want {
		t.Errorf("farewell written: %v, expected %v (%v)", written, want, err)
	}
}
