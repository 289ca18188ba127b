package core

import (
	"context"
	"io"
	"log/slog"
	"net"
	"time"
)

// Transport carries the calls between a host and a plugin. It is a configuration without state of
// its own: one value serves any number of launches at once, on the host's side and on the plugin's.
//
// A transport carries plugins, each of them a [Plugin] with two functions: the first makes a server
// of an implementation, the second a client of a connection. It may have a method
//
//	Names(bound Implementations) []string
//
// to return the names of the carried plugins with an implementation in bound. With it a plugin
// offers only the versions with an implementation, and describes itself.
//
// A transport needs this package alone. Every transport passes the suite of core/transporttest.
type Transport interface {
	// Protocol is the name in the fifth field of the handshake line.
	Protocol() Protocol

	// HostEnv is called by a host before it launches the plugin. It passes to set
	// the environment variables with the transport's requests to its plugin side.
	// Most transports need none. A value for PLUGIN_HANDSHAKE_FIELDS adds the names of
	// extension fields (protocol §10) to those of others.
	HostEnv(set func(key, value string))

	// Dial is called by a host after the handshake. It connects to the plugin
	// and returns once calls can be made; ctx bounds only Dial itself. After an
	// error nothing of the attempt is left. The error wraps the error of the
	// TLS handshake and of the first Read or Write after it: a plugin's refusal
	// arrives there.
	Dial(ctx context.Context, link HostLink) (Session, error)

	// NewServer is called by a plugin before it writes the handshake line. The
	// returned server is not serving yet.
	NewServer(ctx context.Context, link PluginLink) (Server, error)
}

// Session is a host's open connection to a plugin. Its methods may be called
// from many goroutines.
type Session interface {
	// Dispense returns a client of the named plugin. For an unknown name the
	// error is an [UnknownPluginError].
	Dispense(ctx context.Context, name string) (any, error)

	// Ping asks the plugin for a sign of life.
	Ping(ctx context.Context) error

	// Quit asks the plugin to leave. It returns when the plugin has agreed and
	// all its output has reached the link's Stdout and Stderr. After an error
	// the caller does not wait for the plugin to end by itself; a connection
	// closed by the leaving plugin is not an error. If the plugin cannot be
	// asked, the error wraps [ErrCannotQuit], or at once [ErrConnectionLost] if
	// its connection is lost and cannot be made again.
	Quit(ctx context.Context) error

	// Close drops the connection without a word to the plugin, and returns
	// when nothing of the session is left. It may be called again.
	Close() error

	// Done is closed when the session is closed, or its connection is lost and not
	// made again.
	Done() <-chan struct{}
}

// Server is a plugin's side of a transport. It serves connections and
// implements each part of leaving. core/plugin accepts the connections, and
// determines the order: the calls in flight finish ([PluginLink].Calls), the
// shutdown functions run, the output ends and is sent (Flush), the asking hosts
// get their answers, and the connections end (Close).
type Server interface {
	// Fields returns the fields of the handshake line from the seventh on;
	// nil for none.
	Fields() []string

	// Serve serves one connection until it ends, and closes it. It is called in
	// a goroutine for each connection. Its error is logged at debug level.
	Serve(conn net.Conn) error

	// Flush returns when all of the link's Stdout and Stderr has been sent, or
	// with ctx's error. Both have ended by then. Without a host to send to it
	// returns nil.
	Flush(ctx context.Context) error

	// Close ends the server, Serve included, and returns when nothing is left
	// of it. Before that it sends pending answers, also to callers of the
	// link's Quit; ctx bounds this. An ended ctx means at once.
	Close(ctx context.Context)
}

// DefaultConnectionTimeout limits how long a side waits for an accepted connection to finish TLS
// and to identify itself as the peer's. The configuration of a side may override it.
const DefaultConnectionTimeout = 2 * time.Minute

// Listener is a listener together with the address to announce to the plugin.
// The two addresses may differ if the plugin sees other addresses, as in a
// container.
type Listener struct {
	net.Listener

	AnnounceNetwork string
	AnnounceAddress string
}

// HostLink has everything that a transport's host side gets from the host.
// Every field is set unless its comment says otherwise.
type HostLink struct {
	// Plugin is the plugin's name for errors and logs.
	Plugin string
	// Logger takes the transport's messages, at debug level while all is well.
	Logger *slog.Logger
	// Version is the negotiated application version.
	Version int
	// Fields are the fields of the handshake line from the seventh on.
	Fields []string
	// TLS is nil when the connection is not protected. Its Connect and Accept
	// secure a connection, on nil too, or a stream of a multiplexed connection.
	TLS *TLS
	// Stdout and Stderr take the plugin's output. The transport writes to each
	// from one goroutine.
	Stdout, Stderr io.Writer
	// Dial connects to the address in the handshake line, without TLS.
	Dial func(ctx context.Context) (net.Conn, error)
	// DialAddress connects to another address named by the plugin, in the
	// plugin's view. A refused address is an AddressError.
	DialAddress func(ctx context.Context, network, address string) (net.Conn, error)
	// Listen makes a listener that the plugin can reach.
	Listen func(ctx context.Context) (Listener, error)
	// ConnectionTimeout limits how long the transport waits for an accepted
	// connection to finish TLS and to identify itself as the plugin's.
	ConnectionTimeout time.Duration
	// Exited is closed when the plugin's process has ended.
	Exited <-chan struct{}
	// Explain returns the reason for a lost connection, given the error of a
	// call that failed with it. If the plugin's process has ended, it joins an
	// ExitError to err; if the host asked for that end, it returns ErrClosed
	// instead. It waits for the process a short while, at most until ctx ends.
	Explain func(ctx context.Context, err error) error
}

// PluginLink has everything that a transport's plugin side gets from the
// plugin. Every field is set unless its comment says otherwise.
type PluginLink struct {
	// Logger writes to the plugin's log.
	Logger *slog.Logger
	// Version is the negotiated application version.
	Version int
	// Implements are the plugin's implementations. A transport finds those of
	// the plugins it carries with [Plugin.Implementation].
	Implements Implementations
	// LookupEnv reads the environment as it was when the plugin started: the
	// protocol's variables have been unset since.
	LookupEnv func(key string) (string, bool)
	// TLS is nil when the connection is not protected. Its Connect and Accept
	// secure a connection, on nil too, or a stream of a multiplexed connection.
	TLS *TLS
	// Stdout and Stderr are the plugin's output. Each reaches its end before
	// Flush and Close are called.
	Stdout, Stderr io.Reader
	// DialAddress connects to an address named by the host.
	DialAddress func(ctx context.Context, network, address string) (net.Conn, error)
	// Listen makes a further listener that the host can reach.
	Listen func(ctx context.Context) (Listener, error)
	// ConnectionTimeout limits how long the transport waits for a connection to finish TLS and to
	// identify itself as a host's. A connected host may be silent.
	ConnectionTimeout time.Duration
	// Calls counts the application's calls. The transport begins and ends each,
	// and ends the contexts of those in flight when Calls is cut.
	Calls *Calls
	// Quit is called by the transport when a host asks the plugin to leave. It
	// returns when everything up to Flush is done and the host can be answered.
	Quit func()
}
