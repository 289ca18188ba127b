package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/internal/logline"
	"github.com/jackfield-go/jackfield/core/internal/semver"
	"github.com/jackfield-go/jackfield/core/internal/socket"
)

// DefaultShutdownTimeout is the default for Config.ShutdownTimeout. It is below
// the two seconds after which hosts commonly kill.
const DefaultShutdownTimeout = time.Second

// Config describes a plugin. It is not changed, and may be used again.
type Config struct {
	// Handshake identifies the application to its plugins. Required.
	Handshake core.Handshake

	// Versions are the application versions, commonly all of the application's.
	// Required. The plugin offers the versions with a plugin in Implements. Of
	// several transports under one version it serves the first.
	Versions core.Versions

	// Implements are the implementations, from the Bind method of a
	// [core.Plugin]. Versions must carry each of these plugins. Required,
	// except for transports with services of their own.
	Implements core.Implementations

	// Info describes the plugin: to its host, and to programs that run it without
	// a host, with the argument "describe". The zero value takes the build's
	// records.
	Info Info

	// RequireHost is a constraint on the semantic version of the host
	// (HostVersion of host.Config), such as ">= 2, < 3", with the meaning of
	// Require there. A host of another version refuses the launch with a
	// *[core.RequirementError], and so does a host that does not say its version.
	// Under a host of another library, which cannot apply it, the plugin does not
	// serve: the error is on stderr. Empty: any host will do.
	RequireHost string

	// NoDescribe disables the argument "describe", for a program with its own
	// command of that name: without a host it is then refused as with any
	// argument.
	NoDescribe bool

	// Logger takes the library's messages: few, and none above debug while all
	// is well. Nil: records go to the plugin's log, as with [NewLogHandler], and
	// so to the host's logger. A logger of [slog.DiscardHandler] is silent.
	Logger *slog.Logger

	// OnShutdown are called when the plugin is asked to leave, by its host or
	// by SIGTERM, after the calls in flight have finished. They run in
	// sequence, the last one first. Their prints still reach the host. Their
	// context ends with ShutdownTimeout.
	OnShutdown []func(ctx context.Context)

	// ShutdownTimeout limits the wait for calls in flight, the OnShutdown functions and the output.
	// The calls get half of it; then their contexts end, and they get an eighth to return. 0 means
	// DefaultShutdownTimeout. A host kills after its own timeout.
	ShutdownTimeout time.Duration

	// ConnectionTimeout limits the wait for the TLS handshake and the beginning
	// of the transport's protocol: every host sends them at once. Then the
	// plugin closes the connection, so that strangers do not use up its files.
	// A connected host may be silent. The limit also holds for brokered
	// connections served by the plugin over gRPC. 0 means
	// core.DefaultConnectionTimeout.
	ConnectionTimeout time.Duration

	// Outlive keeps the plugin running when its host has died, if the host's
	// Command.Outlive permits it. It ends when a host or a signal ends it. False: the
	// plugin leaves when its host has died.
	Outlive bool

	// TLS provides the plugin's own configurations: the Server configuration serves the host, the
	// Client configuration dials the host's brokered services. They win over AutoMTLS, so a host
	// with AutoMTLS refuses the plugin: it needs certificates of the same authority in
	// host.Config.TLS. Nil, or a provider of nil: the plugin follows the host's request.
	TLS core.TLSProvider

	// SocketUsers are names or IDs of further users whose processes may connect
	// to the plugin's unix sockets. On Linux and macOS other users are refused
	// there, whatever the file modes. Always allowed are this user, root, the
	// maker of the host's directory, and the members of the host's group.
	SocketUsers []string

	// Network is the network to listen on: "unix", or "tcp" for the loopback
	// address 127.0.0.1 in the host's port range. Empty: unix, and tcp on
	// Windows.
	Network string
}

func (c Config) withDefaults() Config {
	c.Versions = served(c.Versions, c.Implements)
	c.Implements = slices.Clone(c.Implements)
	c.OnShutdown = slices.Clone(c.OnShutdown)
	c.Info.Services = maps.Clone(c.Info.Services)
	c.SocketUsers = slices.Clone(c.SocketUsers)
	if c.ShutdownTimeout == 0 {
		c.ShutdownTimeout = DefaultShutdownTimeout
	}
	if c.ConnectionTimeout == 0 {
		c.ConnectionTimeout = core.DefaultConnectionTimeout
	}
	if c.Network == "" {
		c.Network = socket.DefaultNetwork
	}
	return c
}

func (c Config) validate() error {
	err := errors.Join(c.Handshake.Validate(), c.Versions.Validate(), c.Implements.Validate())
	if err == nil {
		err = c.checkImplements()
	}
	if c.Network != "" && c.Network != "unix" && c.Network != "tcp" {
		err = errors.Join(err, fmt.Errorf(`Config.Network is %q: it must be "unix", "tcp" or empty`, c.Network))
	}
	if slices.ContainsFunc(c.OnShutdown, func(hook func(context.Context)) bool { return hook == nil }) {
		err = errors.Join(err, errors.New("nil is among the functions of Config.OnShutdown"))
	}
	if _, fault := semver.ParseConstraint(c.RequireHost); fault != nil {
		err = errors.Join(err, fmt.Errorf("Config.RequireHost is %q, no version constraint such as \">= 1.4, < 2\": %w", c.RequireHost, fault))
	}
	if c.ShutdownTimeout < 0 {
		err = errors.Join(err, fmt.Errorf("Config.ShutdownTimeout is negative: %v", c.ShutdownTimeout))
	}
	if c.ConnectionTimeout < 0 {
		err = errors.Join(err, fmt.Errorf("Config.ConnectionTimeout is negative: %v", c.ConnectionTimeout))
	}
	if err != nil {
		return fmt.Errorf("plugin configuration: %w", err)
	}
	return nil
}

// LogOptions are the options of [NewLogHandler]. The zero value is ready.
type LogOptions struct {
	// Level is the lowest level to write. Nil: all are written, and the host
	// chooses.
	Level slog.Leveler
	// Name goes with each record as "@module". Empty: none.
	Name string
	// AddSource adds the place of the call as "@caller".
	AddSource bool
}

// NewLogHandler returns a handler that writes records to w as hclog's JSON
// lines. Every host turns these back into records (protocol §7). For a plugin's
// own log w is os.Stderr before Serve: in a variable's initialisation or at the
// beginning of main.
//
//	logger := slog.New(plugin.NewLogHandler(os.Stderr, plugin.LogOptions{}))
func NewLogHandler(w io.Writer, opts LogOptions) slog.Handler {
	return logline.NewHandler(w, logline.HandlerOptions{Level: opts.Level, Name: opts.Name, AddSource: opts.AddSource})
}
