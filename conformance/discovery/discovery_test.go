package discovery_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/conformance/discovery/greet"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/verify"
	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/lockfile"
	"github.com/jackfield-go/jackfield/discovery/semver"
	"github.com/jackfield-go/jackfield/discovery/store"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// world is the installation and configuration of a host.
type world struct {
	store    store.Store
	found    *discovery.Found
	resolver discovery.Resolver
}

func newWorld(t *testing.T) world {
	t.Helper()
	w := world{store: installed(t)}
	search := discovery.Search{Naming: naming, Dirs: []discovery.Dir{{Path: w.store.Dir, Origin: discovery.OriginUser}}}
	found, err := search.Find(t.Context())
	if err != nil || len(found.Problems) > 0 {
		t.Fatal(found.Problems, err)
	}
	lock, err := lockfile.Read(w.store.LockPath())
	if err != nil {
		t.Fatal(err)
	}
	w.found = found
	w.resolver = discovery.Resolver{Lock: lock, Describer: &discovery.Describer{CookieKey: greet.Handshake.MagicCookieKey}}
	return w
}

// hostVersion is the release of this host.
const hostVersion = "3.1.0"

func launch(t *testing.T, plugin *discovery.Resolved, protocols ...int) (*host.Client, error) {
	t.Helper()
	return host.Launch(within(t), host.Config{
		Handshake:   greet.Handshake,
		Versions:    greet.Versions(protocols...),
		Command:     host.Command(plugin.Path),
		Verify:      verify.Config{Verifier: discovery.Verifier(plugin, verify.Checksum)},
		HostVersion: hostVersion,
	})
}

func TestPluginIsFoundDescribedVerifiedLaunchedAndCalled(t *testing.T) {
	// A host may itself be a plugin, with the cookie in its environment.
	t.Setenv(greet.Handshake.MagicCookieKey, greet.Handshake.MagicCookieValue)
	w := newWorld(t)
	for _, test := range []struct {
		constraint string
		protocols  []int
		version    string
	}{
		{"", []int{4, 5}, "2.0.0"},
		{"", []int{4}, "1.4.0"}, // the newest speaks 5 and 6, and must not be launched
		{"~> 1.0", []int{4, 5}, "1.4.0"},
		{">= 1.2, < 3", []int{6}, "2.0.0"},
	} {
		constraint, err := semver.ParseConstraint(test.constraint)
		if err != nil {
			t.Fatal(err)
		}
		own, err := semver.Parse(hostVersion)
		if err != nil {
			t.Fatal(err)
		}
		plugin, err := w.resolver.Resolve(within(t), w.found, discovery.Request{
			Name: "loud", Version: constraint, AppVersions: test.protocols, Transports: []string{"netrpc"}, HostVersion: own,
		})
		if err != nil || plugin.Version.String() != test.version || plugin.Sum.IsZero() {
			t.Fatalf("%+v, %v", plugin, err)
		}
		d := plugin.Description
		if d.Name != "loud" || d.Build == nil || d.Build.Go == "" || !slices.Equal(d.AppVersions[0].Services, []string{greet.Plugin.Name()}) {
			t.Errorf("described as %+v", d)
		}
		client, err := launch(t, plugin, test.protocols...)
		if err != nil {
			t.Fatal(err)
		}
		// The file, the description and the process agree.
		if got := client.Info(); got.Version != test.version || got.RequiresHost != d.RequiresHost.String() || got.RequiresHost == "" {
			t.Errorf("launched as %+v", got)
		}
		greeter, err := host.Dispense(within(t), client, greet.Plugin)
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := greeter.Greet(within(t), "you"); err != nil || answer != "greetings from "+test.version+", you" {
			t.Errorf("%q, %v", answer, err)
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Without a sum, no component claims to have verified the plugin.
func TestPluginWithoutASumIsLaunchedUnverified(t *testing.T) {
	w := newWorld(t)
	for title, resolver := range map[string]discovery.Resolver{
		"no lock file":              {},
		"not in it, and allowed":    {Lock: new(lockfile.File), AllowUnlocked: true},
		"in it, for the comparison": w.resolver,
	} {
		t.Run(title, func(t *testing.T) {
			plugin, err := resolver.Resolve(within(t), w.found, discovery.Request{Name: "loud"})
			if err != nil || plugin.Sum.IsZero() != (title[:2] == "no") {
				t.Fatalf("%+v, %v", plugin, err)
			}
			client, err := launch(t, plugin, 5)
			if err != nil {
				t.Fatal(err)
			}
			if err := client.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestResolverGivesTheReasonIfNoPluginFits(t *testing.T) {
	w := newWorld(t)
	_, err := w.resolver.Resolve(within(t), w.found, discovery.Request{Name: "loud", AppVersions: []int{7}})
	var none *discovery.NoneError
	if !errors.As(err, &none) || len(none.Rejected) != 2 {
		t.Fatalf("got %v", err)
	}
	for _, part := range []string{"loud_v2.0.0", "version [5 6], the host [7]", "loud_v1.4.0", "version [4], the host [7]"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in %v", part, err)
		}
	}
}

// A plugin built on hashicorp/go-plugin does not answer the description request.
func TestPluginOfAnotherLibraryIsAcceptedUndescribed(t *testing.T) {
	w := newWorld(t)
	plugin, err := w.resolver.Resolve(within(t), w.found, discovery.Request{Name: "theirs", AppVersions: []int{1}})
	var why *discovery.DescribeError
	if err != nil || plugin.Description != nil || !errors.As(plugin.NoDescription, &why) || why.Stderr == "" {
		t.Fatalf("%+v, %v", plugin, err)
	}
}

func TestPluginChangedAfterInstallationIsNeitherRunNorLaunched(t *testing.T) {
	w := newWorld(t)
	plugin, err := w.resolver.Resolve(within(t), w.found, discovery.Request{Name: "loud"})
	if err != nil {
		t.Fatal(err)
	}
	// The file changes between the choice and the launch.
	data, err := os.ReadFile(plugin.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(plugin.Path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(plugin.Path, append(data, 0), 0o755); err != nil {
		t.Fatal(err)
	}
	var launched *host.LaunchError
	if _, err := launch(t, plugin, 5); !errors.As(err, &launched) || !strings.Contains(err.Error(), plugin.Sum.String()[:8]) {
		t.Errorf("launched, or %v", err)
	}
	var mismatch *sums.MismatchError
	if _, err := w.resolver.Resolve(within(t), w.found, discovery.Request{Name: "loud"}); !errors.As(err, &mismatch) {
		t.Errorf("got %v", err)
	}
	if err := w.store.Verify(t.Context()); !errors.As(err, &mismatch) || filepath.Base(mismatch.Path) != filepath.Base(plugin.Path) {
		t.Errorf("got %v", err)
	}
}
