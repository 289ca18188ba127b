// Package notelyhost is the application's side of the SDK: it finds, installs
// and opens plugins.
//
//	plugin, err := notelyhost.Host{}.Open(ctx, "memory")
//	…
//	defer plugin.Close()
//	item, err := plugin.Add(ctx, "a text", nil)
package notelyhost

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path/filepath"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/fetch"
	"github.com/jackfield-go/jackfield/discovery/lockfile"
	notely "github.com/jackfield-go/jackfield/sdk-template"
)

// Host opens plugins. The zero value is ready for use.
type Host struct {
	// Logger takes the logs of plugins. Nil: they are dropped.
	Logger *slog.Logger
	// Output takes what plugins print. Nil: it is dropped.
	Output io.Writer
	// Project is a directory whose .notely/plugins is searched too. Empty: none.
	Project string
	// Fetcher says from which addresses Install takes plugins, and with which
	// signatures. The zero value takes https, with a list of sums.
	Fetcher fetch.Fetcher
	// Dir is where plugins are installed. Empty: the user's directory.
	Dir string
}

// Plugin is an open plugin. Close ends it.
type Plugin struct {
	notely.NoteStore

	// Client is the plugin's process.
	Client *host.Client
}

// Close ends the plugin.
func (p *Plugin) Close() error { return p.Client.Close() }

// Open starts the plugin that a name or a path leads to; a path has a
// separator in it. Of a name, the newest version is taken that speaks a
// protocol version of this program's. A plugin whose file is not the one that
// was installed does not start.
func (h Host) Open(ctx context.Context, nameOrPath string) (*Plugin, error) {
	resolved, err := h.Resolve(ctx, nameOrPath)
	if err != nil {
		return nil, err
	}
	config := host.Config{
		Handshake: notely.Handshake,
		Versions:  notely.Versions(nil),
		Command:   host.Command(resolved.Path),
		Name:      resolved.Name,
		AutoMTLS:  host.MTLSRequired,
		Logger:    h.Logger,
		Stdout:    h.Output,
		Stderr:    h.Output,
	}
	if !resolved.Sum.IsZero() {
		config.Verify = host.Checksum(resolved.Checksum())
	}
	client, err := host.Launch(ctx, config)
	if err != nil {
		return nil, err
	}
	store, err := host.Dispense[notely.NoteStore](ctx, client, notely.Name)
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return &Plugin{NoteStore: store, Client: client}, nil
}

// Resolve returns the plugin that Open would start, without starting it.
func (h Host) Resolve(ctx context.Context, nameOrPath string) (*discovery.Resolved, error) {
	request := discovery.Request{Name: nameOrPath, Protocols: notely.Versions(nil).Numbers()}
	var overrides []discovery.Override
	if filepath.Base(nameOrPath) != nameOrPath {
		request.Name = filepath.Base(nameOrPath)
		overrides = []discovery.Override{{Name: request.Name, Path: nameOrPath, Origin: discovery.OriginExplicit}}
	}
	found, err := h.find(ctx, overrides)
	if err != nil {
		return nil, err
	}
	store, err := h.Store()
	if err != nil {
		return nil, err
	}
	lock, err := lockfile.Read(store.LockPath())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	// Plugins that somebody put into a directory by hand have no sum.
	describer := Describer()
	resolver := discovery.Resolver{Lock: lock, AllowUnlocked: true, Describer: &describer, Logger: h.Logger}
	resolved, err := resolver.Resolve(ctx, found, request)
	if err != nil {
		return nil, fmt.Errorf("find the plugin %s: %w", nameOrPath, err)
	}
	return resolved, nil
}

// Find lists the plugins in all directories, and says why other files are none.
func (h Host) Find(ctx context.Context) (*discovery.Found, error) { return h.find(ctx, nil) }

func (h Host) find(ctx context.Context, overrides []discovery.Override) (*discovery.Found, error) {
	store, err := h.Store()
	if err != nil {
		return nil, err
	}
	dirs := h.places().Dirs()
	if h.Dir != "" {
		dirs = append([]discovery.Dir{{Path: store.Dir, Origin: discovery.OriginUser}}, dirs...)
	}
	return discovery.Search{Naming: naming, Overrides: overrides, Dirs: dirs, Logger: h.Logger}.Find(ctx)
}

// Install installs the plugin in a file or at an https address: a program, or an
// archive of a release. It asks the program what it is before it installs it.
func (h Host) Install(ctx context.Context, from fetch.Source, install discovery.Install) (*discovery.Item, error) {
	store, err := h.Store()
	if err != nil {
		return nil, err
	}
	install.Protocols = notely.Versions(nil).Numbers()
	return h.Fetcher.Install(ctx, store, from, install)
}

// Store is the directory into which plugins are installed.
func (h Host) Store() (discovery.Store, error) {
	dir, err := filepath.Abs(h.Dir)
	if h.Dir == "" {
		dir, err = h.places().UserDir()
	}
	return discovery.Store{Dir: dir, Naming: naming, Describer: Describer()}, err
}

// Describer asks plugins what they are, without opening them.
func Describer() discovery.Describer {
	return discovery.Describer{CookieKey: notely.Handshake.MagicCookieKey}
}

var naming = discovery.Naming{App: notely.App}

func (h Host) places() discovery.Places {
	return discovery.Places{App: notely.App, Project: h.Project}
}
