// Package discovery_test finds, describes, verifies, launches and calls real plugins. It
// tests core/host on the plugins found by package discovery, and discovery's reader on the
// answers of core/plugin.
package discovery_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/conformance/discovery/greet"
	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/store"
)

// patience limits operations that must not hang.
const patience = 30 * time.Second

// built is the directory with the plugins, made by TestMain before any test: two versions
// of our plugin, and a plugin built on hashicorp/go-plugin.
var built string

var naming = discovery.Naming{App: "greet"}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "jackfield-discovery")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	built = dir
	for _, program := range []struct{ name, source, flags string }{
		{"greet-plugin-loud_v1.4.0", "./plugin", "-X main.version=1.4.0 -X main.protocols=4"},
		{"greet-plugin-loud_v2.0.0", "./plugin", "-X main.version=2.0.0 -X main.protocols=5,6"},
		{"greet-plugin-theirs_v1.0.0", "../goplugin/plugin", ""},
	} {
		path := filepath.Join(dir, program.name)
		if discovery.ThisPlatform().OS == "windows" {
			path += ".exe"
		}
		arguments := []string{"build", "-ldflags", program.flags, "-o", path, program.source}
		if output, err := exec.CommandContext(context.Background(), "go", arguments...).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", program.name, err, output)
			return 1
		}
	}
	return m.Run()
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// installed is a store with all plugins.
func installed(t *testing.T) store.Store {
	t.Helper()
	s := store.Store{Dir: filepath.Join(t.TempDir(), "plugins"), Naming: naming, Describer: discovery.Describer{CookieKey: greet.Handshake.MagicCookieKey}}
	entries, err := os.ReadDir(built)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if _, err := s.Install(t.Context(), filepath.Join(built, entry.Name()), store.InstallOptions{
			Undescribed: strings.Contains(entry.Name(), "theirs"), // built on hashicorp/go-plugin
		}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}
