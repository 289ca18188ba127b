// Package notelyhost is the application's side of the SDK: it opens plugins,
// and finds and installs them.
//
//	plugin, err := notelyhost.Host{}.Open(ctx, "memory")
//	…
//	defer plugin.Close()
//	item, err := plugin.Add(ctx, "a text", nil)
package notelyhost

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"path/filepath"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/supervise"
	"github.com/jackfield-go/jackfield/core/verify"
	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/fetch"
	"github.com/jackfield-go/jackfield/discovery/lockfile"
	"github.com/jackfield-go/jackfield/discovery/store"

	notely "github.com/jackfield-go/jackfield/sdk-template"
)

// Host opens plugins. The zero value is ready for use.
type Host struct {
	Logger  *slog.Logger  // receives the plugins' logs; nil: slog.Default()
	Output  io.Writer     // receives the plugins' output; nil drops it
	Dir     string        // directory of installed plugins; empty: the user's
	Fetcher fetch.Fetcher // accepted addresses and signatures; zero: https with a list of sums
}

// Plugin is an open plugin. A crash fails the calls of the moment; later ones use a new process.
type Plugin struct {
	*supervise.Supervisor

	service supervise.Handle[notely.NoteStore]
}

// Add is the plugin's.
func (p *Plugin) Add(ctx context.Context, text string, approve notely.Approve) (notely.Item, error) {
	return supervise.Call(ctx, p.service, func(ctx context.Context, service notely.NoteStore) (notely.Item, error) {
		return service.Add(ctx, text, approve)
	})
}

// List is the plugin's.
func (p *Plugin) List(ctx context.Context) iter.Seq2[notely.Item, error] {
	return supervise.Seq(ctx, p.service, func(ctx context.Context, service notely.NoteStore) iter.Seq2[notely.Item, error] {
		return service.List(ctx)
	})
}

// Open starts a plugin by name or path. It refuses a plugin changed since its installation.
func (h Host) Open(ctx context.Context, nameOrPath string) (*Plugin, error) {
	found, err := h.Resolve(ctx, nameOrPath)
	if err != nil {
		return nil, err
	}
	supervisor, err := supervise.Start(ctx, supervise.Config{Launch: host.Config{
		Handshake: notely.Handshake, Versions: notely.Versions,
		Command: host.Command(found.Path), Name: found.Name, AutoMTLS: host.MTLSRequired,
		Verify: verify.Config{Verifier: discovery.Verifier(found, verify.Checksum)},
		Logger: h.Logger, Outputs: host.Outputs{PrintedStdout: h.Output, PrintedStderr: h.Output},
	}})
	if err != nil {
		return nil, err
	}
	service, err := supervise.Dispense(ctx, supervisor, notely.Plugin)
	if err != nil {
		return nil, errors.Join(err, supervisor.Close())
	}
	return &Plugin{supervisor, service}, nil
}

// Resolve returns the plugin that Open would start: for a name, the newest that fits.
func (h Host) Resolve(ctx context.Context, nameOrPath string) (*discovery.Resolved, error) {
	name, overrides := filepath.Base(nameOrPath), []discovery.Override(nil)
	if name != nameOrPath {
		overrides = []discovery.Override{{Name: name, Path: nameOrPath, Origin: discovery.OriginExplicit}}
	}
	found, err := h.Find(ctx, overrides...)
	if err != nil {
		return nil, err
	}
	installed, err := h.Store()
	if err != nil {
		return nil, err
	}
	lock, err := lockfile.Read(installed.LockPath())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	// Plugins placed into a directory by hand have no sum.
	resolver := discovery.Resolver{Lock: lock, AllowUnlocked: true, Describer: &installed.Describer, Logger: h.Logger}
	return resolver.Resolve(ctx, found, discovery.Request{Name: name, AppVersions: notely.Versions.Numbers()})
}

// Find lists the plugins in all directories, and why other files are none.
func (h Host) Find(ctx context.Context, overrides ...discovery.Override) (*discovery.Found, error) {
	installed, err := h.Store()
	if err != nil {
		return nil, err
	}
	dirs := discovery.Places{App: notely.App}.Dirs()
	if h.Dir != "" {
		dirs = append([]discovery.Dir{{Path: installed.Dir, Origin: discovery.OriginUser}}, dirs...)
	}
	return discovery.Search{Naming: installed.Naming, Overrides: overrides, Dirs: dirs, Logger: h.Logger}.Find(ctx)
}

// Install installs a program, or an archive of a release, from a file or an address. It
// first asks the program for its name, version and protocol.
func (h Host) Install(ctx context.Context, from fetch.Source, install store.InstallOptions) (*store.Item, error) {
	installed, err := h.Store()
	if err != nil {
		return nil, err
	}
	install.AppVersions = notely.Versions.Numbers()
	return h.Fetcher.Install(ctx, installed, from, install)
}

// Store returns the directory of installed plugins.
func (h Host) Store() (store.Store, error) {
	dir, err := filepath.Abs(h.Dir)
	if h.Dir == "" {
		dir, err = discovery.Places{App: notely.App}.UserDir()
	}
	return store.Store{
		Dir: dir, Naming: discovery.Naming{App: notely.App},
		Describer: discovery.Describer{CookieKey: notely.Handshake.MagicCookieKey},
	}, err
}
