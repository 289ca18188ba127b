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
	"github.com/jackfield-go/jackfield/core/internal/socket"
)

// DefaultShutdownTimeout is how long a plugin that is asked to leave finishes
// what is under way. It is below the two seconds after which hosts commonly
// kill.
const DefaultShutdownTimeout = time.Second

// Config is what a plugin serves, and how. It is not changed, and may be used
// again.
type Config struct {
	// Handshake is how the plugin knows its host. Required.
	Handshake core.Handshake

	// Versions are the application versions, commonly all that the application
	// declares. Required. The plugin offers those of which Implements has a
	// plugin. Of several transports under one version the first is served.
	Versions core.Versions

	// Implements are the implementations, from the Bind method of a
	// [core.Plugin]. Each is for a plugin that Versions carry. Required, but for
	// transports that bring what they serve.
	Implements core.Implementations

	// Info is what the plugin says about itself when it is asked without a host,
	// with the argument "describe". The zero value says what the build recorded.
	Info Info

	// NoDescribe leaves the argument "describe" alone, for a program that has a
	// command of that name itself: without a host it is then refused as ever.
	NoDescribe bool

	// Logger takes what the library has to say, which is little, and nothing
	// above debug while all is well. Nil: records go to the plugin's log, as
	// with [NewLogHandler].
	Logger *slog.Logger

	// OnShutdown are called when the plugin is asked to leave, by its host or
	// by SIGTERM, after the calls in flight have finished: one after the other,
	// the last one first. What they print still reaches the host. Their context
	// ends with ShutdownTimeout.
	OnShutdown []func(ctx context.Context)

	// ShutdownTimeout bounds how long calls in flight, the OnShutdown functions
	// and the output are waited for. The calls get half of it; then their contexts
	// end, and they get an eighth to return. 0 means DefaultShutdownTimeout. A host
	// has patience of its own, and kills when that ends.
	ShutdownTimeout time.Duration

	// ConnectionTimeout bounds how long the plugin waits for what every host says
	// at once: the TLS handshake, and the beginning of the transport's protocol.
	// Then it closes the connection, so that strangers do not use up its files. A
	// connected host may be silent. It holds for brokered connections that the
	// plugin serves over gRPC too. 0 means core.DefaultConnectionTimeout.
	ConnectionTimeout time.Duration

	// TLS provides configurations of the plugin's own: the Server one serves the
	// host, the Client one dials what the host serves through a broker. They win
	// over what the host asks for with AutoMTLS, so such a host refuses the plugin:
	// it has to have some of the same authority in host.Config.TLS. Nil, or one that
	// provides nil: the plugin does what the host asks for.
	TLS core.TLSProvider

	// SocketUsers are names or numbers of further users whose processes may be at
	// the other end of the plugin's unix sockets. On Linux and macOS those of
	// others are refused there, whatever the modes of the files say. This user,
	// root, who made the directory that the host handed over, and the members of
	// the group that the host named always may.
	SocketUsers []string

	// Network is where to listen: "unix" or "tcp", which is the loopback
	// address 127.0.0.1 in the port range that the host gives. Empty: unix,
	// and tcp on Windows.
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
	// Level is the lowest level that is written. Nil: all are, and the host
	// chooses.
	Level slog.Leveler
	// Name goes with each record as "@module". Empty: none.
	Name string
	// AddSource adds the place of the call as "@caller".
	AddSource bool
}

// NewLogHandler returns a handler that writes records to w as hclog's JSON
// lines, which every host turns back into records (protocol §7). For a plugin's
// own log w is os.Stderr as it was before Serve: in a variable's initialisation
// or at the beginning of main.
//
//	logger := slog.New(plugin.NewLogHandler(os.Stderr, plugin.LogOptions{}))
func NewLogHandler(w io.Writer, opts LogOptions) slog.Handler {
	return logline.NewHandler(w, logline.HandlerOptions{Level: opts.Level, Name: opts.Name, AddSource: opts.AddSource})
}
