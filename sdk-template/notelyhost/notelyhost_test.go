package notelyhost_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/plugintest"

	notely "github.com/jackfield-go/jackfield/sdk-template"
	"github.com/jackfield-go/jackfield/sdk-template/notelyhost"
	"github.com/jackfield-go/jackfield/sdk-template/notelytest"
)

// TestMain makes this test binary act as a plugin if its file name is a plugin's.
func TestMain(m *testing.M) {
	cfg := plugin.Config{
		Handshake:  notely.Handshake,
		Versions:   notely.Versions,
		Implements: notely.Plugin.Bind(&notelytest.Memory{}),
	}
	switch name := filepath.Base(os.Args[0]); {
	case strings.HasPrefix(name, "notely-plugin-new"):
		plugin.Serve(cfg)
	case strings.HasPrefix(name, "notely-plugin-old"): // from before version 2
		cfg.Versions = core.Versions{1: cfg.Versions[1]}
		plugin.Serve(cfg)
	default:
		os.Exit(m.Run())
	}
}

func TestOpenStartsPluginsOfEachVersionByNameAndPath(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	h := notelyhost.Host{Dir: t.TempDir(), Output: t.Output()}
	for name, version := range map[string]int{"old": 1, "new": 2} {
		path := filepath.Join(h.Dir, "notely-plugin-"+name+strings.TrimPrefix(filepath.Ext(program), ".test"))
		if err := os.Link(program, path); err != nil {
			t.Fatal(err)
		}
		for _, nameOrPath := range []string{name, path} {
			plugintest.NoLeaks(t)
			plugin, err := h.Open(t.Context(), nameOrPath)
			if err != nil {
				t.Fatal(err)
			}
			notelytest.Check(t, plugin)
			err = plugin.Do(t.Context(), func(ctx context.Context, client *host.Client) error {
				if got := client.NegotiatedVersion(); got != version {
					t.Errorf("agreed on version %d with %s", got, nameOrPath)
				}
				return client.Kill(ctx)
			})
			if err != nil {
				t.Error(err)
			}
			notelytest.Check(t, plugin) // a new process, which has no items yet
			if err := plugin.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestOpenNamesAnUnknownPlugin(t *testing.T) {
	host := notelyhost.Host{Dir: t.TempDir()}
	for _, nameOrPath := range []string{"nobody", filepath.Join(host.Dir, "nobody")} {
		if _, err := host.Open(t.Context(), nameOrPath); err == nil || !strings.Contains(err.Error(), "nobody") {
			t.Errorf("got %v", err)
		}
	}
}
