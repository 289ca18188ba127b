package guide_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/verify"
	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/lockfile"
	"github.com/jackfield-go/jackfield/discovery/semver"
	"github.com/jackfield-go/jackfield/discovery/store"
	"github.com/jackfield-go/jackfield/examples/basic/greeter"
)

// choose finds the plugin to launch.
func choose(ctx context.Context, places discovery.Places, lock *lockfile.File, name, versions string) (*discovery.Resolved, error) {
	constraint, err := semver.ParseConstraint(versions) // ">= 1.2, < 2"
	if err != nil {
		return nil, err
	}
	search := discovery.Search{
		Naming: discovery.Naming{App: "greet"},
		Dirs:   places.Dirs(),
	}
	found, err := search.Find(ctx)
	if err != nil {
		return nil, err
	}
	path, err := discovery.CachePath("greet")
	if err != nil {
		return nil, err
	}
	cache, err := discovery.OpenCache(path)
	if err != nil {
		return nil, err // or continue: it is then empty
	}
	resolver := discovery.Resolver{
		Lock:      lock,
		Describer: &discovery.Describer{CookieKey: greeter.Handshake.MagicCookieKey},
		Cache:     cache,
	}
	plugin, err := resolver.Resolve(ctx, found, discovery.Request{
		Name: name, Version: constraint, AppVersions: greeter.Versions.Numbers(),
	})
	return plugin, errors.Join(err, cache.Save(ctx))
}

// config configures the launch of the chosen plugin.
func config(plugin *discovery.Resolved) host.Config {
	return host.Config{
		Handshake: greeter.Handshake,
		Versions:  greeter.Versions,
		Command:   host.Command(plugin.Path),
		Verify:    verify.Config{Verifier: discovery.Verifier(plugin, verify.Checksum)},
	}
}

// paths returns the greeters in a directory below the current one.
func paths(ctx context.Context) (paths []string, err error) {
	found, err := discovery.Glob("./plugins", "greeter-*").Find(ctx)
	if err != nil {
		return nil, err
	}
	for _, plugin := range found.Plugins {
		paths = append(paths, plugin.Path)
	}
	return paths, nil
}

func TestPathsAreOfPrograms(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("plugins", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"greeter-loud", "greeter-loud.exe", "greeter-loud.txt"} { // for Unix, for Windows, for none
		if err := os.WriteFile(filepath.Join("plugins", name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	found, err := paths(t.Context())
	if err != nil || len(found) != 1 {
		t.Errorf("got %v, %v", found, err)
	}
}

func TestChooseFindsTheInstalledPlugin(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	places := discovery.Places{App: "greet", Home: t.TempDir(), LookupEnv: func(string) (string, bool) { return "", false }}
	dir, err := places.UserDir()
	if err != nil {
		t.Fatal(err)
	}
	plugins := store.Store{Dir: dir, Naming: discovery.Naming{App: "greet"}}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	id := discovery.ID{Name: "loud"}
	if id.Version, err = semver.Parse("1.4.0"); err != nil {
		t.Fatal(err)
	}
	item, err := plugins.Install(t.Context(), self, store.InstallOptions{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	lock, err := lockfile.Read(plugins.LockPath())
	if err != nil {
		t.Fatal(err)
	}
	plugin, err := choose(t.Context(), places, lock, "loud", "~> 1.2")
	if err != nil || plugin.Path != item.Path || filepath.Dir(plugin.Path) != dir {
		t.Fatalf("%+v, %v", plugin, err)
	}
	if config(plugin).Verify.Verifier == nil {
		t.Error("not verified")
	}
	unlocked, err := choose(t.Context(), places, nil, "loud", "~> 1.2")
	if err != nil || config(unlocked).Verify.Verifier != nil {
		t.Errorf("without a lock file %+v, %v", unlocked, err)
	}
	var none *discovery.NoneError
	if _, err := choose(t.Context(), places, lock, "loud", "~> 2.0"); !errors.As(err, &none) {
		t.Errorf("got %v", err)
	}
	if plugin.Description == nil || plugin.Description.Speaks()[0] != 1 {
		t.Errorf("described as %+v: %v", plugin.Description, plugin.NoDescription)
	}
}
