package guide_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/fetch"
	"github.com/jackfield-go/jackfield/discovery/store"
	"github.com/jackfield-go/jackfield/examples/basic/greeter"
)

// releaseKey is the public key that verifies the application's plugins.
const releaseKey = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"

// install takes a path or an address.
func install(ctx context.Context, dir, location string, progress func(store.Progress)) (*store.Item, error) {
	plugins := store.Store{
		Dir:       dir,
		Naming:    discovery.Naming{App: "greet"},
		Describer: discovery.Describer{CookieKey: greeter.Handshake.MagicCookieKey},
	}
	signatures, err := fetch.Minisign(releaseKey)
	if err != nil {
		return nil, err
	}
	fetcher := fetch.Fetcher{
		Signatures: signatures,
		Hosts:      []string{"release-assets.githubusercontent.com"}, // github.com redirects there
	}
	return fetcher.Install(ctx, plugins, fetch.Source{Location: location}, store.InstallOptions{
		AppVersions: greeter.Versions.Numbers(),
		Progress:    progress,
	})
}

func TestInstallFromAPath(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "greet-plugin-loud_1.4.0")
	if strings.HasSuffix(self, ".exe") {
		path += ".exe"
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "plugins")
	var stages []string
	item, err := install(t.Context(), dir, path, func(p store.Progress) { stages = append(stages, p.Stage) })
	if err != nil || item.Version.String() != "1.4.0" || item.Description == nil || filepath.Dir(item.Path) != dir {
		t.Errorf("%+v, %v", item, err)
	}
	if len(stages) < 2 || stages[0] != "copy" || stages[len(stages)-1] != "describe" {
		t.Errorf("stages %q", stages)
	}
	if _, err := install(t.Context(), dir, "http://plugins.example.com/greet-plugin-loud_1.4.0", nil); !errors.Is(err, fetch.ErrInsecure) {
		t.Errorf("got %v", err)
	}
}
