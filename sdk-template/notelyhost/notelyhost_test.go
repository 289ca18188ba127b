package notelyhost_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/plugintest"
	notely "github.com/jackfield-go/jackfield/sdk-template"
	"github.com/jackfield-go/jackfield/sdk-template/notelyhost"
	"github.com/jackfield-go/jackfield/sdk-template/notelytest"
)

// TestMain makes this test binary a plugin, if it has the file name of one.
func TestMain(m *testing.M) {
	switch name := filepath.Base(os.Args[0]); {
	case strings.HasPrefix(name, "notely-plugin-new"):
		notely.Serve("new", "2.0.0", &notelytest.Memory{})
	case strings.HasPrefix(name, "notely-plugin-old"): // from before version 2
		plugin.Serve(plugin.Config{
			Handshake: notely.Handshake,
			Versions:  core.Versions{1: notely.Versions(&notelytest.Memory{})[1]},
		})
	default:
		os.Exit(m.Run())
	}
}

func TestTheApplicationOpensPluginsOfEachVersion(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	exe := strings.TrimPrefix(filepath.Ext(program), ".test") // .exe on Windows
	host := notelyhost.Host{Dir: t.TempDir(), Output: t.Output()}
	for name, version := range map[string]int{"old": 1, "new": 2} {
		path := filepath.Join(host.Dir, "notely-plugin-"+name+exe)
		if err := os.Link(program, path); err != nil {
			t.Fatal(err)
		}
		for _, nameOrPath := range []string{name, path} {
			t.Run(filepath.Base(nameOrPath), func(t *testing.T) {
				plugintest.NoLeaks(t)
				plugin, err := host.Open(t.Context(), nameOrPath)
				if err != nil {
					t.Fatal(err)
				}
				notelytest.Check(t, plugin)
				if got := plugin.Client.NegotiatedVersion(); got != version {
					t.Errorf("agreed on version %d", got)
				}
				if err := plugin.Close(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestAnUnknownPluginIsAnErrorWithItsName(t *testing.T) {
	host := notelyhost.Host{Dir: t.TempDir()}
	for _, nameOrPath := range []string{"nobody", filepath.Join(host.Dir, "nobody")} {
		if _, err := host.Open(t.Context(), nameOrPath); err == nil || !strings.Contains(err.Error(), nameOrPath) {
			t.Errorf("got %v", err)
		}
	}
}
